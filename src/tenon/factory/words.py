"""The words of orders and stages, in both languages (glossary of the field)."""

from __future__ import annotations

from typing import Final

from tenon.factory.stage import StageCode
from tenon.kernel.text import Text

STAGES: Final[dict[StageCode, Text]] = {
    "engineering": Text("待工艺", "Awaiting engineering"),
    "accepted": Text("已接单", "Accepted"),
    "planned": Text("待下达", "Planned"),
    "released": Text("已下达", "Released"),
    "in_process": Text("在制", "In process"),
    "outside": Text("委外", "Outside"),
    "finished": Text("报完", "Finished"),
    "stocked": Text("入库待发", "In stock"),
    "shipped": Text("已发货", "Shipped"),
    "closed": Text("结案", "Closed"),
    "cancelled": Text("作废", "Cancelled"),
}

RULES: Final[dict[str, Text]] = {
    "U1": Text(
        "机台已停，还没有报工，可能已转下工序",
        "The machine has stopped and nothing is reported: it may have moved on",
    ),
    "U2": Text(
        "已报完工，但机台没有运行记录，或之后还在运行，可能报错了工单",
        "Reported done, but no machine ran it, or one ran on after it: perhaps the wrong order",
    ),
    "U3": Text(
        "前面的冲压工序既无报工也无机台记录",
        "An earlier press operation has neither a report nor a machine run",
    ),
    "U4": Text(
        "手工工序：超过计划工时没有新的记录，或已领料而无报工，可能已在进行",
        "Work by hand: nothing recorded beyond the planned time, or material issued and no report",
    ),
    "U5": Text("MES 或 WMS 数据超过 15 分钟未更新", "MES or WMS has not been read for 15 minutes"),
}

CHANGES: Final[dict[str, Text]] = {
    "qty": Text("数量变更", "Quantity"),
    "date": Text("交期变更", "Date"),
    "drawing": Text("图纸版次变更", "Drawing revision"),
    "cancel": Text("取消", "Cancellation"),
}

WAITS_MATERIAL: Final = Text("等待领料", "Waiting for material")
WAITS_START: Final = Text("已领料，等待开工", "Material issued; waiting to start")
WAITS_RELEASE: Final = Text("等待下达工单", "Waiting for release")
WAITS_WORK_ORDER: Final = Text("等待排产(尚无工单)", "Waiting for a work order")
WAITS_ROUTING: Final = Text("非标件，等待工艺", "Non-standard item: waiting for its routing")
WAITS_ENGINEERING: Final = Text("等待工艺确认", "Waiting for engineering to settle its routing")
WAITS_DRAWING: Final = Text(
    "图纸版次变更（{note}），等待工艺确认",
    "The drawing was revised ({note}): waiting for engineering",
)
WAITS_OUTSIDE: Final = Text("等待委外厂商 {supplier} 送回", "Waiting for {supplier} to return it")
WAITS_SENDING: Final = Text("等待发往委外厂商 {supplier}", "Waiting to be sent to {supplier}")
WAITS_MACHINE: Final = Text(
    "等待工序 {seq} {name}（{place}）开工", "Waiting for {seq} {name} ({place})"
)
WAITS_RUNNING: Final = Text("{seq} {name} 加工中", "{seq} {name} is running")
WAITS_RECEIPT: Final = Text("等待入库", "Waiting to be received into stock")
WAITS_SHIPMENT: Final = Text("等待发货", "Waiting for shipment")
WAITS_REPORT: Final = Text("等待确认：{reason}", "To be confirmed: {reason}")
ON_HOLD: Final = Text("订单挂起", "On hold")

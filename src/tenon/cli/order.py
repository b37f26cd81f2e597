"""`tenon order NO`: where an order is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from tenon.assembly import Tenon, open_tenon
from tenon.cli.options import HERE, Home
from tenon.cli.speech import chinese, out, plainly, say
from tenon.factory import lookup
from tenon.kernel import clock
from tenon.kernel.decimals import plain
from tenon.kernel.errors import NotFound
from tenon.kernel.text import Text
from tenon.records.ports import SYSTEM
from tenon.server import models, shapes

_NOTHING = Text(
    "没有找到“{query}”。可输入订单号、工单号、客户、客户订单号或料号。",
    "Nothing is called “{query}”. Give an order, a work order, a customer, a customer's PO or an "
    "item.",
)
_STATES = {
    "done": Text("完成", "done"),
    "passed": Text("已过", "passed"),
    "running": Text("加工中", "running"),
    "current": Text("当前", "current"),
    "waiting": Text("未到", "waiting"),
}
_UNCONFIRMED = Text("未确认", "unconfirmed")
_LATE = Text("已逾期", "late")
_HEADS = [
    Text("工序", "Op"), Text("名称", "Name"), Text("工作中心", "Work centre"),
    Text("状态", "State"), Text("计划完成", "Planned end"), Text("实际完成", "Actual end"),
    Text("合格", "Good"), Text("操作工", "Operator"), Text("设备", "Machine"),
]  # fmt: skip
_HITS = [
    Text("订单", "Order"), Text("客户", "Customer"), Text("物料", "Item"), Text("数量", "Qty"),
    Text("交期", "Due"), Text("阶段", "Stage"),
]  # fmt: skip


def order(
    number: Annotated[str, typer.Argument(help="订单号、工单号、客户… / order, work order, …")],
    home: Home = HERE,
) -> None:
    """我的订单在哪里 / Where is my order."""
    with plainly(), open_tenon(home, write=False) as tenon:
        try:
            page = lookup.by_number(tenon, SYSTEM, number)
        except NotFound:
            _search(tenon, number)
            return
        _show(tenon, models.OrderPage.model_validate(page))


def _search(tenon: Tenon, query: str) -> None:
    answer = models.SearchAnswer.model_validate(lookup.search(tenon, SYSTEM, query))
    lines = {hit.line_id for hit in answer.hits}
    if not lines:
        raise NotFound("nothing_found", _NOTHING, query=query[:60])
    if len(lines) == 1:
        _show(tenon, models.OrderPage.model_validate(
            lookup.order_page(tenon, SYSTEM, lines.pop())))  # fmt: skip
        return
    table = Table(*map(say, _HITS))
    for hit in answer.hits:
        table.add_row(
            f"{hit.order_no}/{hit.line_no}", hit.customer, hit.item,
            f"{plain(hit.qty)} {hit.unit}", _time(tenon, hit.due_at), _stage(hit.stage),
        )  # fmt: skip
    out.print(table)


def _show(tenon: Tenon, page: models.OrderPage) -> None:
    late = f"  [bold red]{say(_LATE)}[/]" if page.late else ""
    out.print(f"[bold]{page.order_no}/{page.line_no}[/]  {page.customer}  {page.item_name}{late}")
    out.print(f"{plain(page.shipped_qty)} / {plain(page.qty)} {page.unit}   {_stage(page.stage)}")
    if page.waits_for:
        out.print(_in(page.waits_for))
    for work_order in page.work_orders:
        out.print(f"\n[bold]{work_order.work_order_no}[/]  {_stage(work_order.stage)}")
        table = Table(*map(say, _HEADS))
        for station in work_order.stations:
            table.add_row(*_station(tenon, station))
        out.print(table)


def _station(tenon: Tenon, station: models.Station) -> list[str]:
    return [
        str(station.seq), station.name, station.work_centre or "", say(_STATES[station.state]),
        _time(tenon, station.plan_end), _time(tenon, station.actual_end),
        plain(station.qty_good) if station.qty_good is not None else "",
        "、".join(station.operators), "、".join(station.machines) or (station.supplier or ""),
    ]  # fmt: skip


def _stage(stage: models.Stage) -> str:
    where = f" · {stage.op_seq} {stage.op_name}" if stage.op_seq is not None else ""
    if stage.confirmed:
        return f"[green]{_in(stage.label)}{where}[/]"
    reason = f"：{_in(stage.reason)}" if stage.reason else ""
    return f"[yellow]{say(_UNCONFIRMED)}（{_in(stage.label)}{where}）{reason}[/]"


def _in(text: shapes.Text) -> str:
    return text.zh if chinese() else text.en


def _time(tenon: Tenon, value: datetime | None) -> str:
    if value is None:
        return ""
    return clock.local(value, tenon.zone).strftime("%m-%d %H:%M")

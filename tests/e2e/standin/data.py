"""A small invented plant for developing the browser app without the real server."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tenon.server import models as m
from tenon.server.shapes import Text

RNG = random.Random(20251122)
NOW = datetime(2025, 11, 22, 6, 42, tzinfo=UTC)

STAGES: dict[str, tuple[str, str]] = {
    "engineering": ("待工艺", "Engineering"),
    "accepted": ("已接单", "Accepted"),
    "planned": ("待下达", "Planned"),
    "released": ("已下达", "Released"),
    "in_process": ("在制", "In process"),
    "outside": ("委外", "Outside"),
    "finished": ("报完", "Finished"),
    "stocked": ("入库", "Stocked"),
    "shipped": ("已发货", "Shipped"),
    "closed": ("已结案", "Closed"),
    "cancelled": ("已作废", "Cancelled"),
}
SOURCES = {
    "crm": ("客户管理 CRM", "CRM"),
    "mes": ("车间执行 MES", "MES"),
    "wms": ("仓库 WMS", "WMS"),
    "kis": ("金蝶 KIS 账套", "Kingdee KIS"),
}
CUSTOMERS = [
    "苏州恒立汽车零部件有限公司",
    "宁波拓普精密制造有限公司",
    "上海申驰汽车底盘系统有限公司",
    "无锡威孚电驱科技有限公司",
    "常州星宇车灯股份有限公司",
    "合肥江淮座椅系统有限公司",
    "重庆长安精工冲压件有限公司(渝北二厂·新能源事业部)",
    "广州广汽优尼冲压有限公司",
    "Hella Lighting (Jiaxing) Co., Ltd.",
    "武汉东风延锋内饰系统有限公司",
]
ITEMS = [
    ("ZX-3307-A", "前大灯支架(左)"),
    ("ZX-3307-B", "前大灯支架(右)"),
    ("DP-118-02", "底盘横梁加强板"),
    ("ZY-90211", "座椅滑轨外板"),
    ("EM-5501-C", "电机端盖垫片"),
    ("BJ-7712", "电池托盘压条"),
    ("QH-4410-R2", "前横梁吸能盒外板(高强钢 DP780,双面镀锌,试制)"),
    ("LG-008", "螺母板"),
]
ROUTE = [
    ("落料", "press", "冲一线 160T"),
    ("拉深", "press", "冲二线 250T"),
    ("冲孔", "press", "冲一线 160T"),
    ("折弯", "press", "折弯组"),
    ("去毛刺", "manual", "钳工组"),
    ("电镀锌", "outside", None),
    ("清洗", "manual", "清洗线"),
    ("终检包装", "manual", "包装组"),
]
PEOPLE = ["王建国", "李秀兰", "陈志强", "赵敏", "周大勇", "吴小燕"]
MACHINES = ["YJ-160-03", "YJ-160-07", "YJ-250-01", "YJ-110-12"]
REASONS = {
    "U1": (
        "YJ-160-03 已停机 47 分钟,未见报工",
        "YJ-160-03 stopped 47 minutes ago; nothing was reported",
    ),
    "U2": (
        "工序 20 已报完,但没有设备运行记录",
        "Operation 20 was reported done, but no machine ran it",
    ),
    "U3": ("工序 10 既无报工也无设备记录", "Operation 10 has neither a report nor a machine run"),
    "U4": ("工序 50 已 6 小时没有新的证据", "No new evidence on operation 50 for 6 hours"),
}


def text(pair: tuple[str, str]) -> Text:
    """A text from a pair of Chinese and English."""
    return Text(zh=pair[0], en=pair[1])


def source(code: str, stream: str, key: str, minutes: int = 3) -> m.Source:
    """A source link as the server would give it."""
    return m.Source(
        source=code,
        label=text(SOURCES[code]),
        stream=stream,
        key=key,
        seen_at=NOW - timedelta(minutes=minutes),
    )


def stage(code: str, rule: str | None, op: int | None, name: str | None) -> m.Stage:
    """A stage, unconfirmed when a rule is given."""
    return m.Stage(
        code=code,
        label=text(STAGES[code]),
        confirmed=rule is None,
        reason=text(REASONS[rule]) if rule else None,
        rule=rule,
        op_seq=op,
        op_name=name,
        evidence_at=NOW - timedelta(minutes=RNG.randint(2, 900)),
    )


def _row(n: int) -> m.OrderRow:
    code = RNG.choice(
        [
            "engineering",
            "accepted",
            "planned",
            "released",
            "in_process",
            "in_process",
            "in_process",
            "in_process",
            "outside",
            "finished",
            "stocked",
            "shipped",
        ]
    )
    working = code in ("in_process", "outside")
    at = 5 if code == "outside" else RNG.randrange(len(ROUTE))
    rule = RNG.choice(list(REASONS)) if code == "in_process" and RNG.random() < 0.3 else None
    item = RNG.choice(ITEMS)
    qty = Decimal(RNG.choice([60, 120, 480, 1200, 3600, 12000]))
    due = NOW + timedelta(hours=RNG.randint(-60, 200))
    return m.OrderRow(
        line_id=f"0193-{n:04d}",
        order_no=f"SO-2511-{n // 2:04d}",
        line_no=n % 2 + 1,
        customer=RNG.choice(CUSTOMERS),
        customer_po=f"PO{450000 + n * 7}" if n % 5 else None,
        item=f"{item[0]} {item[1]}",
        qty=qty,
        unit="件",
        shipped_qty=qty if code == "shipped" else Decimal(0),
        due_at=due,
        promised_at=due + timedelta(hours=8) if n % 3 else None,
        rush=n % 11 == 0,
        on_hold=n % 37 == 0,
        late=due < NOW and code != "shipped",
        stage=stage(
            code, rule, (at + 1) * 10 if working else None, ROUTE[at][0] if working else None
        ),
    )


ROWS = [_row(n) for n in range(1, 187)]


def _station(index: int, at: int, row: m.OrderRow, wo: str) -> m.Station:
    name, kind, centre = ROUTE[index]
    state = "waiting" if index > at else "done" if index < at else "running"
    if index == at and (not row.stage.confirmed or kind != "press"):
        state = "current"
    if index == 4 and at > 4:
        state = "passed"
    start = NOW - timedelta(hours=(at - index) * 7 + 2)
    seen = state in ("done", "running", "current")
    return m.Station(
        seq=(index + 1) * 10,
        name=name,
        kind=kind,
        work_centre=centre,
        state=state,
        plan_start=start - timedelta(minutes=50),
        plan_end=start + timedelta(hours=4),
        actual_start=start if seen else None,
        actual_end=start + timedelta(hours=3, minutes=12) if state == "done" else None,
        qty_plan=row.qty,
        qty_good=row.qty - 3 if state == "done" else None,
        qty_scrap=Decimal(3) if state == "done" else None,
        operators=[RNG.choice(PEOPLE)] if seen and kind != "outside" else [],
        machines=[RNG.choice(MACHINES)] if seen and kind == "press" else [],
        supplier="昆山宏达表面处理厂" if kind == "outside" else None,
        waits_for=Text(zh="等工序 50 报工", en="Waits for operation 50 to be reported")
        if state == "current"
        else None,
        doubt=row.stage.reason if index == at else None,
        sources=[
            source("mes", "mes_job", f"{wo}-{(index + 1) * 10}"),
            source("mes", "pro_feedback", f"FB{index}90121"),
        ]
        if seen
        else [source("mes", "mes_job", f"{wo}-{(index + 1) * 10}")],
    )


def _work_order(row: m.OrderRow, k: int) -> m.WorkOrderLine:
    n = int(row.line_id[-4:])
    ours = row.stage.code in ("engineering", "released")
    wo = f"TW-2511-{n:05d}" if ours else f"WO-2511-{n * 3 + k:05d}"
    answers = (None, "已接收", "拒绝：物料 1.02.0017 在 MES 中不存在")
    waits = row.stage.code == "engineering"
    order = list(STAGES)
    at = (row.stage.op_seq or 0) // 10 - 1 if row.stage.op_seq else -1
    if order.index(row.stage.code) >= order.index("finished"):
        at = len(ROUTE)
    return m.WorkOrderLine(
        id=f"0195-{row.line_id[-4:]}" if k == 0 else f"0195-{k}-{row.line_id[-4:]}",
        work_order_no=wo,
        planned_by="tenon" if ours else None,
        mes_answer=answers[n % 3] if row.stage.code == "released" else None,
        est_hours=Decimal("31.50") if ours and not waits else None,
        engineering=waits,
        allocated_qty=row.qty,
        qty=row.qty + 20,
        received_qty=row.shipped_qty,
        priority=3,
        on_hold=row.on_hold,
        plan_start=NOW - timedelta(days=2),
        plan_end=NOW + timedelta(days=2),
        stage=row.stage,
        stations=[] if waits else [_station(i, at, row, wo) for i in range(len(ROUTE))],
        materials=[
            m.MaterialUse(
                item_code="1.01.0034",
                item_name="冷轧卷板 DC04 1.2×1250",
                lot_no="L251103-07",
                required_qty=Decimal("812.5"),
                issued_qty=Decimal("820.375"),
                unit="kg",
                last_at=NOW - timedelta(hours=30),
                sources=[source("wms", "wm_move", "MV00918273")],
            ),
            m.MaterialUse(
                item_code="1.04.0007",
                item_name="焊接螺母 M8",
                lot_no=None,
                required_qty=None,
                issued_qty=Decimal(2400),
                unit="件",
                last_at=None,
                sources=[],
            ),
        ]
        if at >= 0
        else [],
        waits_for=Text(zh="等委外「电镀锌」收回", en="Waits for outside operation to come back")
        if row.stage.code == "outside"
        else None,
        sources=[
            source("mes", "pro_workorder", wo),
            source("mes", "pro_workorder_source", "88123"),
        ],
    )


def order_page(row: m.OrderRow) -> m.OrderPage:
    """The order page of a line; even lines have one work order, each seventh has two."""
    n = int(row.line_id[-4:])
    none = row.stage.code == "accepted"
    code, _, name = row.item.partition(" ")
    shipped = row.shipped_qty > 0
    return m.OrderPage(
        line_id=row.line_id,
        order_no=row.order_no,
        line_no=row.line_no,
        customer=row.customer,
        customer_po=row.customer_po,
        item_code=code,
        item_name=name,
        drawing=f"{code}-R3",
        standard=n % 2 == 0,
        qty=row.qty,
        shipped_qty=row.shipped_qty,
        unit=row.unit,
        ordered_at=NOW - timedelta(days=6),
        due_at=row.due_at,
        promised_at=row.promised_at,
        rush=row.rush,
        on_hold=row.on_hold,
        late=row.late,
        late_hours=int((NOW - row.due_at).total_seconds() // 3600)
        if row.late and row.due_at
        else None,
        stage=row.stage,
        waits_for=row.stage.reason
        or Text(
            zh=f"等工序 {row.stage.op_seq} {row.stage.op_name} 完成",
            en=f"Operation {row.stage.op_seq} to finish",
        )
        if not none
        else Text(
            zh="等工艺下发图纸与工艺路线", en="Engineering to release the drawing and routing"
        ),
        other_lines=[r for r in ROWS if r.order_no == row.order_no and r.line_id != row.line_id],
        work_orders=[] if none else [_work_order(row, k) for k in range(2 if n % 7 == 0 else 1)],
        shipments=[
            m.Shipment(
                move_no="MV00921111",
                qty=row.qty,
                unit=row.unit,
                shipped_at=NOW - timedelta(hours=5),
                sources=[source("wms", "wm_move", "MV00921111")],
            )
        ]
        if shipped
        else [],
        changes=[],
        revisions=[
            m.Revision(
                revision=2,
                kind="qty",
                label=Text(zh="数量变更", en="Quantity changed"),
                old="100",
                new=str(row.qty),
                changed_at=NOW - timedelta(days=3),
                sources=[source("crm", "order_changes", "412")],
            )
        ]
        if n % 4 == 0
        else [],
        facts=[
            m.Fact(
                label=Text(zh="订单备注", en="Remark"),
                value="随货附材质单与首件检验报告",
                sources=[source("crm", "orders", row.order_no)],
            ),
            m.Fact(label=Text(zh="图纸版次", en="Drawing revision"), value=None, sources=[]),
        ],
        waiting_rows=2 if n % 9 == 0 else 0,
    )

"""Orders and the board of the stand-in."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from tenon.server import models as m
from tenon.server.shapes import Text
from tests.e2e.standin import data
from tests.e2e.standin.data import NOW, ROWS, SOURCES, STAGES
from tests.e2e.standin.planning import changes_of
from tests.e2e.standin.rules import STATE, Refused, figure, need, paged

routes = APIRouter()


@routes.get("/api/orders/search")
async def search(q: str) -> m.SearchAnswer:
    """Search hits."""
    need("orders.read")
    if q == "500":
        raise Refused(500, "bug", "系统出错", "Something broke")
    if q == "busy":
        raise Refused(503, "busy", "系统忙", "Busy")
    if q == "slow":
        await asyncio.sleep(4)
    hits = []
    for r in ROWS:
        for matched, value in (
            ("order", r.order_no),
            ("customer", r.customer),
            ("customer_po", r.customer_po or ""),
            ("item", r.item),
            ("work_order", f"WO-2511-{int(r.line_id[-4:]) * 3:05d}"),
        ):
            if q.lower() in value.lower():
                hits.append(
                    m.SearchHit(
                        line_id=r.line_id,
                        order_no=r.order_no,
                        line_no=r.line_no,
                        matched=matched,
                        matched_text=value,
                        customer=r.customer,
                        item=r.item,
                        qty=r.qty,
                        unit=r.unit,
                        due_at=r.due_at,
                        stage=r.stage,
                        late=r.late,
                    )
                )
                break
    return m.SearchAnswer(query=q, hits=hits[:20], more=len(hits) > 20)


@routes.get("/api/orders")
def orders(
    stage: str | None = None,
    op: str | None = None,
    late: bool | None = None,
    confirmed: bool | None = None,
    customer: str | None = None,
    q: str | None = None,
    state: str = "open",
    page: int = 1,
    page_size: int = 50,
) -> m.OrderList:
    """The order list."""
    need("orders.read")
    rows = [
        r
        for r in ROWS
        if (stage is None or r.stage.code == stage)
        and (late is None or r.late == late)
        and (confirmed is None or r.stage.confirmed == confirmed)
        and (not customer or customer in r.customer)
        and (state == "all" or r.stage.code not in ("shipped", "closed", "cancelled"))
    ]
    return m.OrderList(**paged(rows, page, page_size))


@routes.get("/api/orders/{line_id}")
def order(line_id: str) -> m.OrderPage:
    """The order page."""
    need("orders.read")
    for row in ROWS:
        if row.line_id == line_id:
            now = row.model_copy(update={"stage": STATE["stages"].get(line_id, row.stage)})
            return data.order_page(now).model_copy(update={"changes": changes_of(row)})
    raise Refused(404, "not_found", "没有这个订单行", "No such order line")


@routes.get("/api/orders/by-number/{order_no}")
def order_by_number(order_no: str) -> m.OrderPage:
    """The order page of the first line."""
    need("orders.read")
    return data.order_page(next(r for r in ROWS if r.order_no == order_no))


def _stages_card() -> m.Card:
    """How many lines stand at each stage."""
    stages = []
    for c in (
        "engineering",
        "accepted",
        "planned",
        "released",
        "in_process",
        "outside",
        "finished",
        "stocked",
    ):
        rows = [r for r in ROWS if r.stage.code == c]
        link = f"/orders?stage={c}"
        stages.append(figure(c, *STAGES[c], len(rows), link=link))
        for key, n in (
            ("unconfirmed", sum(not r.stage.confirmed for r in rows)),
            ("late", sum(r.late for r in rows)),
        ):
            stages.append(
                figure(
                    f"{c}.{key}",
                    *(("未确认", "Unconfirmed") if key == "unconfirmed" else ("逾期", "Late")),
                    n,
                    tone="warning" if n else "normal",
                    link=f"{link}&{'confirmed=false' if key == 'unconfirmed' else 'late=true'}",
                )
            )
    return m.Card(
        code="stages",
        kind="stages",
        title=Text(zh="在制订单", en="Orders in progress"),
        figures=stages,
        hint=Text(zh="按阶段统计未完成的订单行", en="Open order lines by stage"),
        as_of=NOW,
    )


def _reports_card() -> m.Card:
    """Yesterday's reports."""
    pieces = Text(zh="件", en="pcs")
    return m.Card(
        code="reports",
        kind="figures",
        title=Text(zh="昨日报工", en="Yesterday's reports"),
        as_of=NOW,
        hint=Text(zh="11-21 00:00 至 24:00(厂内时间)", en="21 Nov 00:00 to 24:00, plant time"),
        figures=[
            figure("reports", "报工笔数", "Reports", 412),
            figure("good", "合格数", "Good", "38214", unit=pieces),
            figure(
                "scrap",
                "报废数",
                "Scrap",
                "611",
                unit=pieces,
                tone="warning",
                note=Text(zh="报废率 1.6 %", en="Scrap rate 1.6 %"),
            ),
            figure("late_reports", "迟报 2 小时以上", "Over 2 h late", 49, tone="bad"),
            figure("hours", "工时", "Hours", "318.5", unit=Text(zh="小时", en="h")),
            figure("rework", "返工数", "Rework", None, unit=pieces),
        ],
    )


def _late_card() -> m.Card:
    """The late orders."""
    late = [r for r in ROWS if r.late][:12]
    return m.Card(
        code="late",
        kind="orders",
        title=Text(zh="逾期订单", en="Late orders"),
        hint=None,
        as_of=NOW,
        figures=[
            figure("late", "逾期", "Late", sum(r.late for r in ROWS), link="/orders?late=true")
        ],
        orders=late,
    )


def _sources_card() -> m.Card:
    """How old the data of each source is."""
    return m.Card(
        code="sources",
        kind="sources",
        title=Text(zh="数据新旧", en="Age of the data"),
        hint=None,
        as_of=NOW,
        figures=[
            figure(
                "mes",
                *SOURCES["mes"],
                4,
                unit=Text(zh="秒前", en="s"),
                tone="good",
                link="/sources",
            ),
            figure(
                "wms",
                *SOURCES["wms"],
                2460,
                unit=Text(zh="秒", en="s"),
                tone="warning",
                link="/sources",
            ),
            figure(
                "crm",
                *SOURCES["crm"],
                7,
                unit=Text(zh="秒", en="s"),
                tone="good",
                link="/sources",
            ),
            figure(
                "kis",
                *SOURCES["kis"],
                None,
                unit=Text(zh="秒", en="s"),
                tone="bad",
                link="/sources",
                note=Text(zh="数据库文件被锁", en="The file is locked"),
            ),
        ],
    )


@routes.get("/api/boards/{code}")
def board(code: str) -> m.Board:
    """The production board."""
    need("boards.read")
    return m.Board(
        code=code,
        title=Text(zh="生产看板", en="Production board"),
        cards=[_stages_card(), _reports_card(), _late_card(), _sources_card()],
    )

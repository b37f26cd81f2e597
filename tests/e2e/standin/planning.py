"""Engineering, customers' changes and travelers of the stand-in."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

import segno
from fastapi import APIRouter

from tenon.server import planning_models as p
from tenon.server import report_models as r
from tenon.server.change_models import OrderChange
from tenon.server.models import OrderRow
from tenon.server.shapes import Text
from tests.e2e.standin.data import ITEMS, NOW, ROUTE, ROWS
from tests.e2e.standin.rules import STATE, Refused, need, paged

routes = APIRouter()

Decision = Literal["pending", "accepted", "rejected", "none"]
_KINDS: dict[str, tuple[str, str, str, str]] = {
    "qty": ("数量变更", "Quantity", "100.0000", "1200.0000"),
    "date": ("交期变更", "Date", "2025-11-28", "2025-12-03"),
    "drawing": ("图纸版次变更", "Drawing revision", "R2", "R3"),
    "cancel": ("取消", "Cancellation", "", ""),
}


def change_of(row: OrderRow, n: int) -> OrderChange:
    """A change of an order line, with what was decided of it."""
    kind: Any = list(_KINDS)[n % 4]
    zh, en, old, new = _KINDS[kind]
    first: Decision = "pending" if n < 6 else ("accepted", "rejected", "none")[n % 3]
    decision: Decision = STATE["decided"].get(n, first)
    by_hand = decision in {"accepted", "rejected"}
    return OrderChange(
        id=f"0198-{n:04d}",
        change_no=f"{row.order_no}-V2",
        line_no=None if kind == "cancel" else row.line_no,
        revision=2,
        kind=kind,
        label=Text(zh=zh, en=en),
        old=old or None,
        new=new or None,
        changed_at=NOW - timedelta(hours=n * 5 + 1),
        decision=decision,
        decided_by="计划员" if by_hand else None,
        decided_at=NOW - timedelta(minutes=9) if by_hand else None,
        applied_at=NOW - timedelta(minutes=8) if decision == "accepted" and n != 6 else None,
        note="客户急用，已与车间商定" if decision == "accepted" and n >= 6 else None,
    )


def changes_of(row: OrderRow) -> list[OrderChange]:
    """The changes of an order line's order."""
    return [change_of(one, n) for n, one in enumerate(ROWS[:40]) if one.order_no == row.order_no]


def _change(n: int) -> p.OrderChangeRow:
    row = ROWS[n]
    known = change_of(row, n)
    return p.OrderChangeRow(
        **dict(known),
        order_no=row.order_no,
        line_id=row.line_id if known.line_no else None,
        customer="" if STATE["user"] == "worker" else row.customer,
        item=row.item,
        work_orders=[
            p.ChangedWorkOrder(
                id=f"w-{n}",
                work_order_no=f"TW-2511-{n:05d}",
                status="released",
                qty=row.qty,
                due_at=row.due_at,
            )
        ]
        if n % 3 != 1
        else [],
    )


@routes.get("/api/order-changes")
def order_changes(
    decision: Decision | None = None, page: int = 1, page_size: int = 50
) -> p.OrderChangeList:
    """Customers' changes."""
    need("orders.read")
    rows = [one for one in map(_change, range(40)) if decision in {None, one.decision}]
    return p.OrderChangeList(**paged(rows, page, page_size))


@routes.post("/api/order-changes/{change_id}/decision")
def decide(change_id: str, body: p.ChangeDecision) -> p.OrderChangeRow:
    """Decide a change; the third is of a work order that has begun."""
    need("orders.manage")
    n = int(change_id[-4:])
    if _change(n).decision != "pending":
        raise Refused(
            409,
            "change_decided",
            "这项变更不在待确认状态（李娜 已处理，或无需处理）；请刷新。",
            "This change is not to be decided: Li Na was first, or there is nothing to decide.",
        )
    if body.accept and n == 2:
        raise Refused(
            409,
            "work_order_begun",
            "工单 TW-2511-00002 已经开工，变更不能直接接受；请与车间商定后，在 MES 中处理。",
            "The work order TW-2511-00002 has begun, so the change cannot simply be accepted. "
            "Agree on it with the shop floor, and settle it in the MES.",
        )
    STATE["decided"][n] = "accepted" if body.accept else "rejected"
    return _change(n)


def _candidate(n: int, qty: Decimal, score: str) -> p.RoutingCandidate:
    code, name = ITEMS[n % len(ITEMS)]
    steps = [
        p.RoutingStep(
            seq=(at + 1) * 10,
            process=f"P{at + 1:02d}",
            name=operation,
            work_centre=centre,
            setup_min=None if kind == "outside" else Decimal(45),
            run_min_per_piece=None if kind == "outside" else Decimal("0.3500"),
            outside=kind == "outside",
            supplier="昆山宏达表面处理厂" if kind == "outside" else None,
        )
        for at, (operation, kind, centre) in enumerate(ROUTE[: 8 - n % 3])
    ]
    return p.RoutingCandidate(
        item_id=f"0196-item-{n}",
        version=n + 1,
        item_code=f"1.02.{n:04d}",
        item_name=name,
        drawing_no=code,
        score=Decimal(score),
        operations=steps,
        est_hours=round(qty * Decimal("0.35") * len(steps) / 60, 2),
    )


def _waiting(n: int, row: OrderRow) -> p.EngineeringRow:
    code, _, name = row.item.partition(" ")
    bare = n == 2
    return p.EngineeringRow(
        work_order_id=work_order_id(row),
        work_order_no=f"TW-2511-{int(row.line_id[-4:]):05d}",
        work_order_version=1,
        line_id=row.line_id,
        order_no=row.order_no,
        line_no=row.line_no,
        customer=row.customer,
        item_id=None,
        item_code=None if n % 2 else f"9.{n:03d}",
        item_name=name,
        drawing=f"{code} / B",
        qty=row.qty,
        unit=row.unit,
        due_at=row.due_at,
        since=NOW - timedelta(hours=3 + n * 7),
        reason="drawing_changed" if n == 1 else "no_routing",
        note="R2 → R3" if n == 1 else None,
        proposal=None if bare else _candidate(n + 3, row.qty, "41.0"),
        candidates=[]
        if bare
        else [_candidate(n + at, row.qty, str(88 - at * 17)) for at in range(3)],
    )


def work_order_id(row: OrderRow) -> str:
    """The id of the work order of a line."""
    return f"0195-{row.line_id[-4:]}"


def _engineering() -> list[p.EngineeringRow]:
    rows = [row for row in ROWS if row.stage.code == "engineering"]
    return [
        _waiting(n, row)
        for n, row in enumerate(rows)
        if work_order_id(row) not in STATE["taken"] and n < 7
    ]


@routes.get("/api/engineering")
def engineering(page: int = 1, page_size: int = 20) -> p.EngineeringList:
    """Work orders that await engineering."""
    need("orders.manage")
    return p.EngineeringList(**paged(_engineering(), page, page_size))


@routes.post("/api/work-orders/{work_order_id}/routing")
def take(work_order_id: str, body: dict[str, Any]) -> p.RoutingTaken:
    """Take a routing."""
    need("orders.manage")
    found = next((r for r in _engineering() if r.work_order_id == work_order_id), None)
    if found is None or work_order_id in STATE["raced"]:
        STATE["taken"].add(work_order_id)
        raise Refused(
            409,
            "routing_taken",
            "工单已不在等待工艺（可能已由他人确认，或 MES 已自行建单）；请刷新。",
            "The work order no longer awaits engineering: somebody took a routing. Reload.",
        )
    STATE["taken"].add(work_order_id)
    return p.RoutingTaken(
        work_order_id=work_order_id,
        work_order_no=found.work_order_no,
        version=2,
        status="released",
        routing_version=body["version"],
        plan_start=NOW,
        plan_end=NOW + timedelta(days=3),
        est_hours=Decimal("31.5"),
        operations=8,
    )


@routes.post("/api/work-orders/{work_order_id}/traveler")
def traveler(work_order_id: str, body: r.TravelerAsk) -> r.Traveler:
    """A traveler."""
    need("travelers.print")
    row = next((one for one in ROWS if one.line_id[-4:] == work_order_id[-4:]), None)
    if row is None:
        raise Refused(404, "no_work_order", "没有这张工单。", "There is no such work order.")
    if row.stage.code == "engineering":
        raise Refused(
            409,
            "nothing_to_report",
            "工单 TW-2511-00001 还没有可报工的工序（待工艺、已作废或已结束）。",
            "The work order has no operation to report: it awaits engineering, or is over.",
        )
    STATE["renewed"] = STATE["renewed"] + body.renew
    code, _, name = row.item.partition(" ")
    head = r.TravelerHead(
        id=work_order_id,
        work_order_no=f"TW-2511-{int(row.line_id[-4:]):05d}",
        item_code=f"1.02.{int(row.line_id[-4:]):04d}",
        item_name=name,
        drawing_no=code,
        drawing_rev="R3",
        qty=row.qty,
        unit=row.unit,
        due_at=row.due_at,
        plan_end=NOW + timedelta(days=2),
    )
    operations = []
    for at, (operation, kind, centre) in enumerate(ROUTE):
        token = f"{'renewed' if STATE['renewed'] else 'first'}{at}".ljust(22, "x")
        url = f"{STATE['public']}/r/#{token}"
        drawn = segno.make(url, error="m", micro=False).svg_inline(border=2, omitsize=True)
        operations.append(
            r.TravelerOperation(
                id=f"op-{at}",
                seq=(at + 1) * 10,
                name=operation,
                process=f"P{at + 1:02d}",
                work_centre=centre,
                outside=kind == "outside",
                qty_plan=row.qty,
                url=url,
                qr_svg=drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1),
            )
        )
    return r.Traveler(work_order=head, operations=operations)

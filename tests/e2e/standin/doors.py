"""What came in through the doors of the stand-in: reports to check and webhooks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from fastapi import APIRouter

from tenon.server import hook_models as h
from tenon.server import report_models as r
from tenon.server.flow_models import FlowFailure
from tenon.server.shapes import Text
from tests.e2e.standin.data import NOW
from tests.e2e.standin.rules import STATE, Refused, need, paged

routes = APIRouter()

_REASONS = ("order_finished", "unknown_employee", "unknown_machine", "operation_cancelled")
_FAILED = FlowFailure(
    code="no_item",
    message=Text(
        zh="来源“crm”没有给出“orders/SO-2511-0007”的内容。",
        en="The source “crm” gave nothing for “orders/SO-2511-0007”.",
    ),
)


def _state(n: int) -> r.ReviewState:
    known = STATE["decided"].get(f"0199-{n:04d}")
    if known is not None:
        return "recorded" if known else "rejected"
    return "review" if n < 6 else ("recorded", "rejected", "undone")[n % 3]


def _review(n: int) -> r.ReportReview:
    unknown = _REASONS[n % 4] == "unknown_employee"
    state = _state(n)
    by_hand = state in {"recorded", "rejected"}
    quantities = [r.ReviewQuantity(kind="good", qty=Decimal(400 + n))]
    if n % 2:
        quantities.append(r.ReviewQuantity(kind="scrap_work", qty=Decimal(3)))
    return r.ReportReview(
        report_id=f"0199-{n:04d}",
        state=state,
        reason=_REASONS[n % 4],
        received_at=NOW - timedelta(minutes=11 * n + 2),
        reported_at=NOW - timedelta(hours=n + 1),
        work_order_no=f"TW-2511-{n + 12:05d}",
        seq=20,
        operation="冲孔落料",
        qty_plan=Decimal(1200),
        qty_good=Decimal(780),
        employee_no="E9999" if unknown else "E0107",
        employee_name=None if unknown else "王建国",
        machine=None if _REASONS[n % 4] == "unknown_machine" else "YJ-160-03 冲床",
        events=[
            r.ReviewEvent(kind="start", at=NOW - timedelta(hours=n + 3)),
            r.ReviewEvent(kind="finish", at=NOW - timedelta(hours=n + 1)),
        ],
        quantities=[] if n == 4 else quantities,
        decided_by="计划员" if by_hand else None,
        decided_at=NOW - timedelta(minutes=9) if by_hand else None,
    )


@routes.get("/api/report-reviews")
def reviews(
    state: r.ReviewState = "review", page: int = 1, page_size: int = 50
) -> r.ReportReviewList:
    """Reports that wait, or that were decided."""
    need("orders.manage")
    rows = [one for one in map(_review, range(24)) if one.state == state]
    return r.ReportReviewList(**paged(rows, page, page_size))


@routes.post("/api/report-reviews/{report_id}/decision")
def decide(report_id: str, body: r.ReviewDecision) -> r.ReportAnswer:
    """Decide; nobody has the number 404."""
    need("orders.manage")
    if body.employee_no == "404":
        raise Refused(
            400,
            "unknown_employee",
            "没有工号“404”；请填写正确的工号，或留空。",
            "Nobody has the number “404”. Give the right one, or none.",
        )
    STATE["decided"][report_id] = body.accept
    state: Any = "recorded" if body.accept else "rejected"
    return r.ReportAnswer(
        report_id=report_id, state=state, reason=None, undo_until=NOW, undo_seconds=0
    )


def _event(n: int) -> h.HookEventRow:
    first: h.HookState = ("done", "done", "failed", "stale", "received")[n % 5]
    state = "received" if first == "failed" and n in STATE["decided"] else first
    return h.HookEventRow(
        id=f"0197a0b0-0000-7000-8000-{n:012d}",
        hook="crm_orders",
        event=f"evt-2511-{n:06d}",
        lane=f"SO-2511-{n:04d}",
        received_at=NOW - timedelta(minutes=7 * n + 1),
        state=state,
        ended_at=None if state == "received" else NOW - timedelta(minutes=7 * n),
        failure=_FAILED if state == "failed" else None,
    )


@routes.get("/api/hook-events")
def events(state: h.HookState | None = None, page: int = 1, page_size: int = 50) -> h.HookEventList:
    """Webhooks, and two who were refused."""
    need("sources.read")
    rows = [one for one in map(_event, range(60)) if state in {None, one.state}]
    refusals = [
        h.HookRefusal(
            hook="crm_orders", address=address, reason=reason, times=times,
            first_at=NOW - timedelta(days=2), last_at=NOW - timedelta(hours=3),
        )
        for address, reason, times in (
            ("192.168.10.31", "signature", 1284), ("192.168.10.20", "stale", 2)
        )
    ]  # fmt: skip
    return h.HookEventList(**paged(rows, page, page_size), refusals=refusals)


_BODY = (
    '{"event_id":"evt-2511-000002","type":"order.updated","order_no":"SO-2511-0002",'
    '"updated_at":"2025-11-22T14:26:58+08:00","customer":"苏州恒立汽车零部件有限公司",'
    '"lines":[{"line_no":1,"item":"ZX-3307-A","qty":1200.0000,"due":"2025-11-30"},'
    '{"line_no":2,"item":"QH-4410-R2","qty":85.5000,"due":null}]}'
)


@routes.get("/api/hook-events/{event_id}")
def event(event_id: str) -> h.HookEventPage:
    """A webhook as it came."""
    need("source_rows.read")
    if not event_id[-12:].isdigit():
        raise Refused(404, "event_gone", "没有这个事件。", "There is no such event.")
    return h.HookEventPage(event=_event(int(event_id[-12:])), body=_BODY)


@routes.post("/api/hook-events/{event_id}/retry")
def retry(event_id: str) -> h.HookEventRow:
    """Try a failed one again."""
    need("sources.manage")
    n = int(event_id[-12:])
    STATE["decided"][n] = "again"
    return _event(n)

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


def _review(n: int) -> r.ReportReview:
    unknown = _REASONS[n % 4] == "unknown_employee"
    quantities = [r.ReviewQuantity(kind="good", qty=Decimal(400 + n))]
    if n % 2:
        quantities.append(r.ReviewQuantity(kind="scrap_work", qty=Decimal(3)))
    return r.ReportReview(
        report_id=f"0199-{n:04d}",
        reason=_REASONS[n % 4],
        received_at=NOW - timedelta(minutes=11 * n + 2),
        reported_at=NOW - timedelta(hours=n + 1),
        work_order_no=f"TW-2511-{n + 12:05d}",
        seq=20,
        operation="冲孔落料",
        employee_no="E9999" if unknown else "E0107",
        employee_name=None if unknown else "王建国",
        quantities=quantities,
    )


@routes.get("/api/report-reviews")
def reviews() -> list[r.ReportReview]:
    """Reports that wait; those decided are gone."""
    need("orders.manage")
    return [one for one in map(_review, range(6)) if one.report_id not in STATE["decided"]]


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


@routes.post("/api/hook-events/{event_id}/retry")
def retry(event_id: str) -> h.HookEventRow:
    """Try a failed one again."""
    need("sources.manage")
    n = int(event_id[-12:])
    STATE["decided"][n] = "again"
    return _event(n)

"""Job reporting: travelers for who prints them, the worker's page for who holds a code.

The routes of the worker's page are open: the code from the QR is what lets in, for one operation.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from tenon.factory.reporting import reports, review
from tenon.factory.reporting.traveler import traveler
from tenon.server.guard import Caller, public, requires, router
from tenon.server.paging import Page, PageSize
from tenon.server.report_models import (
    JobAsk,
    JobPage,
    Person,
    PersonAsk,
    ReportAnswer,
    ReportBody,
    ReportReviewList,
    ReviewDecision,
    ReviewState,
    Traveler,
    TravelerAsk,
    UndoBody,
)

routes = router("report")

Planner = Annotated[Caller, requires("orders.manage")]


@routes.post("/work-orders/{work_order_id}/traveler")
def print_traveler(
    caller: Annotated[Caller, requires("travelers.print")], work_order_id: UUID, body: TravelerAsk
) -> Traveler:
    """Give a work order's traveler, with the code of each operation."""
    tenon = caller.tenon
    base = tenon.settings.public_url
    found = traveler(tenon, caller.actor, str(work_order_id), base, renew=body.renew)
    return Traveler.model_validate(found)


@routes.post("/report/open")
def open_job(caller: Annotated[Caller, public], body: JobAsk) -> JobPage:
    """Show the job that a code stands for."""
    return JobPage.model_validate(reports.open_job(caller.tenon, body.token, caller.address))


@routes.post("/report/person")
def find_person(caller: Annotated[Caller, public], body: PersonAsk) -> Person:
    """Give the name of the worker with this number."""
    name = reports.person(caller.tenon, body.token, caller.address, body.employee_no)
    return Person(name=name)


@routes.post("/report")
def send_report(caller: Annotated[Caller, public], body: ReportBody) -> ReportAnswer:
    """Keep a report; the same one again gets the same answer."""
    sent = reports.Report(
        id=str(body.report_id), device=body.device, sent_at=body.sent_at,
        employee_no=body.employee_no,
        machine_id=str(body.machine_id) if body.machine_id else None,
        events=tuple(reports.Part(str(e.id), e.kind, e.at) for e in body.events),
        quantities=tuple(reports.Part(str(q.id), q.kind, q.at, q.qty) for q in body.quantities),
    )  # fmt: skip
    found = reports.receive(caller.tenon, body.token, caller.address, sent)
    return ReportAnswer.model_validate(found)


@routes.post("/report/undo")
def undo_report(caller: Annotated[Caller, public], body: UndoBody) -> ReportAnswer:
    """Take a report back within ten minutes, from the phone that sent it."""
    found = reports.undo(caller.tenon, body.token, caller.address, body.device, str(body.report_id))
    return ReportAnswer.model_validate(found)


@routes.get("/report-reviews")
def list_reviews(
    caller: Planner, state: ReviewState = "review", page: Page = 1, page_size: PageSize = 50
) -> ReportReviewList:
    """List the reports that wait for a decision, or those that were decided."""
    with caller.tenon.hub.read() as connection:
        found = review.page(
            connection, caller.tenon, caller.actor, state=state, page_number=page,
            page_size=page_size,
        )  # fmt: skip
    return ReportReviewList.model_validate(found)


@routes.post("/report-reviews/{report_id}/decision")
def decide_review(caller: Planner, report_id: UUID, body: ReviewDecision) -> ReportAnswer:
    """Take a report, or leave it out."""
    found = review.decide(
        caller.tenon, caller.actor, str(report_id), accept=body.accept,
        employee_no=body.employee_no,
    )  # fmt: skip
    return ReportAnswer.model_validate(found)

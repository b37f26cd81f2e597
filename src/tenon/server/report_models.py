"""The API models of job reporting: travelers, the worker's page, reports that wait."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field

from tenon.server.shapes import Model

Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$")]
Device = Annotated[str, Field(min_length=8, max_length=80, pattern=r"^[A-Za-z0-9_-]+$")]
EmployeeNo = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f]+$")]
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _of_a_clock(at: datetime) -> datetime:
    """A time that a phone's clock can show, however wrong it is: an empty battery means 1970."""
    if not _EARLIEST <= at < _LATEST:
        raise ValueError("no phone's clock shows this time; give one from 1970 to 2199")
    return at


Moment = Annotated[AwareDatetime, AfterValidator(_of_a_clock)]
Qty = Annotated[Decimal, Field(ge=0, lt=1_000_000_000, max_digits=13, decimal_places=4)]


class TravelerAsk(Model):
    """`renew`: new codes, the old ones are void (a traveler was lost)."""

    renew: bool = False


class TravelerHead(Model):
    """The work order on a traveler."""

    id: str
    work_order_no: str
    item_code: str | None
    item_name: str | None
    drawing_no: str | None
    drawing_rev: str | None
    qty: Decimal
    unit: str
    due_at: datetime | None
    plan_end: datetime | None


class TravelerOperation(Model):
    """An operation on a traveler, with the address in its QR code."""

    id: str
    seq: int
    name: str
    process: str | None
    work_centre: str | None
    outside: bool
    qty_plan: Decimal | None
    url: str
    qr_svg: str


class Traveler(Model):
    """A traveler."""

    work_order: TravelerHead
    operations: list[TravelerOperation]


class JobAsk(Model):
    """Opening the job that a code stands for."""

    token: Token
    device: Device


class JobMachine(Model):
    """A machine of the job's work centre."""

    id: str
    code: str
    name: str


class JobPage(Model):
    """What the worker's page shows. `closed` says why nothing is to be reported any more."""

    work_order_no: str
    item_name: str | None
    drawing_no: str | None
    drawing_rev: str | None
    unit: str
    seq: int
    name: str
    work_centre: str | None
    qty_plan: Decimal
    qty_good: Decimal
    closed: str | None
    machines: list[JobMachine]
    server_time: datetime


class PersonAsk(JobAsk):
    """Asking for the name of a worker."""

    employee_no: EmployeeNo


class Person(Model):
    """The worker's name; None when nobody has this number."""

    name: str | None


class ReportEvent(Model):
    """A time event."""

    id: UUID
    kind: Literal["start", "pause", "resume", "finish"]
    at: Moment


class ReportQuantity(Model):
    """A quantity."""

    id: UUID
    kind: Literal["good", "scrap_work", "scrap_material", "rework"]
    qty: Qty
    at: Moment


class ReportBody(JobAsk):
    """A worker's report; the ids are made on the phone, so that it may be sent again."""

    report_id: UUID
    sent_at: Moment
    employee_no: EmployeeNo
    machine_id: UUID | None = None
    events: Annotated[list[ReportEvent], Field(max_length=20)]
    quantities: Annotated[list[ReportQuantity], Field(max_length=20)]


class ReportAnswer(Model):
    """What became of a report; `review`: a planner looks at it first, for the reason named.

    `undo_seconds` says how much longer it can be undone, whatever the phone's clock shows.
    """

    report_id: str
    state: Literal["recorded", "review", "undone", "rejected"]
    reason: str | None
    undo_until: datetime
    undo_seconds: int


class UndoBody(JobAsk):
    """Taking a report back."""

    report_id: UUID


class ReviewQuantity(Model):
    """A quantity of a report that waits."""

    kind: str
    qty: Decimal


class ReviewEvent(Model):
    """A time event of a report that waits, by the server's clock."""

    kind: str
    at: datetime


ReviewState = Literal["review", "recorded", "rejected", "undone"]


class ReportReview(Model):
    """A report that waits for a decision, or did; `reported_at` is when the work was done.

    `qty_good` is what counts for the job so far, `machine` None for an unknown one too.
    """

    report_id: str
    state: ReviewState
    reason: str | None
    received_at: datetime
    reported_at: datetime
    work_order_no: str
    seq: int
    operation: str
    qty_plan: Decimal | None
    qty_good: Decimal
    employee_no: str
    employee_name: str | None
    machine: str | None
    events: list[ReviewEvent]
    quantities: list[ReviewQuantity]
    decided_by: str | None
    decided_at: datetime | None


class ReportReviewList(Model):
    """A page of reports that a person has to look at, or had."""

    rows: list[ReportReview]
    total: int
    page: int
    page_size: int


class ReviewDecision(Model):
    """Taking a report, or leaving it out; `employee_no` says whose it is, where it was mistyped."""

    accept: bool
    employee_no: EmployeeNo | None = None

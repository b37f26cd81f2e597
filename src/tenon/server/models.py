"""What the HTTP API answers: the contract between the server and the browser app.

Quantities are decimal strings; times are ISO-8601 UTC with `Z`; labels are `Text` (zh, en).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import Field

from tenon.server.change_models import OrderChange
from tenon.server.shapes import Model
from tenon.server.shapes import Text as Text  # part of the contract that this module is

# --- session and users -------------------------------------------------------------------------


class SignIn(Model):
    """Name and password."""

    username: str = Field(max_length=100)
    password: str = Field(max_length=200)


class PasswordChange(Model):
    """The old password and the new one (at least 10 characters)."""

    old: str = Field(max_length=200)
    new: str = Field(max_length=200)


class Session(Model):
    """Who is signed in and what the interface may offer them."""

    user_id: str
    username: str
    display_name: str
    role: str
    must_change_password: bool
    can: list[str]
    csrf_token: str


class User(Model):
    """An account."""

    id: str
    username: str
    display_name: str
    role: str
    active: bool
    must_change_password: bool
    created_at: datetime
    last_seen_at: datetime | None


class NewUser(Model):
    """A new account; the server makes the first password and shows it once."""

    username: str = Field(pattern=r"^[a-z0-9._-]{2,40}$")
    display_name: str = Field(min_length=1, max_length=100)
    role: str


class UserChange(Model):
    """What an administrator may change of an account."""

    display_name: str | None = Field(default=None, min_length=1, max_length=100)
    role: str | None = None
    active: bool | None = None
    reset_password: bool = False


class UserCreated(Model):
    """An account and its first password, shown once (null when none was made)."""

    user: User
    password: str | None


class Settings(Model):
    """Public facts of this installation, for the shell of the app."""

    product: str
    version: str
    plant: Text
    zone: str
    now: datetime
    demo_pace: float | None = Field(description="Simulated minutes a minute; null on a real clock")


# --- where is my order -------------------------------------------------------------------------

StageCode = Literal[
    "engineering", "accepted", "planned", "released", "in_process", "outside",
    "finished", "stocked", "shipped", "closed", "cancelled",
]  # fmt: skip


class Source(Model):
    """Where a fact comes from: a row of a legacy system, openable."""

    source: str
    label: Text
    stream: str
    key: str
    seen_at: datetime


class Stage(Model):
    """What the evidence implies (docs/reference/stage-rules.md)."""

    code: StageCode
    label: Text
    confirmed: bool
    reason: Text | None = Field(description="Why it is unconfirmed: what is missing or contradicts")
    rule: str | None = Field(description="U1..U5 when unconfirmed")
    op_seq: int | None
    op_name: str | None
    evidence_at: datetime | None


class SearchHit(Model):
    """One answer of the search box: always leads to an order line."""

    line_id: str
    order_no: str
    line_no: int
    matched: Literal["order", "work_order", "customer", "customer_po", "item"]
    matched_text: str
    customer: str
    item: str
    qty: Decimal
    unit: str
    due_at: datetime | None
    stage: Stage
    late: bool


class SearchAnswer(Model):
    """Hits, best first; `more` when some were left off."""

    query: str
    hits: list[SearchHit]
    more: bool


class OrderRow(Model):
    """A line of the order list."""

    line_id: str
    order_no: str
    line_no: int
    customer: str
    customer_po: str | None
    item: str
    qty: Decimal
    shipped_qty: Decimal
    unit: str
    due_at: datetime | None
    promised_at: datetime | None
    rush: bool
    on_hold: bool
    late: bool
    stage: Stage


class OrderList(Model):
    """A page of order lines, with the count of all that match."""

    rows: list[OrderRow]
    total: int
    page: int
    page_size: int


class Fact(Model):
    """One labelled fact with its source rows."""

    label: Text
    value: str | None
    sources: list[Source]


class Station(Model):
    """An operation of a work order on the order's line of stations."""

    seq: int
    name: str
    kind: Literal["press", "manual", "outside"]
    work_centre: str | None
    state: Literal["done", "passed", "running", "current", "waiting"]
    plan_start: datetime | None
    plan_end: datetime | None
    actual_start: datetime | None
    actual_end: datetime | None
    qty_plan: Decimal
    qty_good: Decimal | None
    qty_scrap: Decimal | None
    operators: list[str]
    machines: list[str]
    supplier: str | None
    waits_for: Text | None
    doubt: Text | None
    sources: list[Source]


class MaterialUse(Model):
    """Material issued to a work order, net of returns."""

    item_code: str
    item_name: str
    lot_no: str | None
    required_qty: Decimal | None
    issued_qty: Decimal
    unit: str
    last_at: datetime | None
    sources: list[Source]


class WorkOrderLine(Model):
    """A work order that serves the order line."""

    id: str
    work_order_no: str
    planned_by: str | None = Field(description="`tenon` when Tenon planned it")
    mes_answer: str | None
    est_hours: Decimal | None
    engineering: bool = Field(description="It awaits its routing 待工艺")
    allocated_qty: Decimal
    qty: Decimal
    received_qty: Decimal
    priority: int | None
    on_hold: bool
    plan_start: datetime | None
    plan_end: datetime | None
    stage: Stage
    stations: list[Station]
    materials: list[MaterialUse]
    waits_for: Text | None
    sources: list[Source]


class Shipment(Model):
    """A shipment of the order line (negative: a return)."""

    move_no: str
    qty: Decimal
    unit: str
    shipped_at: datetime
    sources: list[Source]


class Revision(Model):
    """A numbered change by the customer."""

    revision: int
    kind: str
    label: Text
    old: str | None
    new: str | None
    changed_at: datetime
    sources: list[Source]


class OrderPage(Model):
    """Everything the order page shows for one order line."""

    line_id: str
    order_no: str
    line_no: int
    customer: str
    customer_po: str | None
    item_code: str
    item_name: str
    drawing: str | None
    standard: bool
    qty: Decimal
    shipped_qty: Decimal
    unit: str
    ordered_at: datetime | None
    due_at: datetime | None
    promised_at: datetime | None
    rush: bool
    on_hold: bool
    late: bool
    late_hours: int | None
    stage: Stage
    waits_for: Text | None
    other_lines: list[OrderRow]
    work_orders: list[WorkOrderLine]
    shipments: list[Shipment]
    revisions: list[Revision]
    changes: list[OrderChange] = Field(description="Of all lines of the order, with decisions")
    facts: list[Fact]
    waiting_rows: int = Field(description="Source rows about this order that are set aside")


class IssuedRow(Model):
    """The net quantity of an item issued to a work order."""

    work_order_no: str
    item_code: str | None
    item_name: str | None
    unit: str
    issued_qty: Decimal
    moves: int
    source_codes: list[str] = Field(description="The item's codes in the system that issued it")


class IssuedList(Model):
    """A page of quantities issued."""

    rows: list[IssuedRow]
    total: int
    page: int
    page_size: int


class SourceRow(Model):
    """A source row exactly as Tenon read it."""

    source: str
    label: Text
    stream: str
    key: str
    columns: list[tuple[str, str | None]]
    raw_bytes: dict[str, str] = Field(description="Hex of values that were not valid text")
    state: Literal["applied", "set_aside", "gone"]
    reason_code: str | None
    reason: Text | None
    first_seen_at: datetime
    seen_at: datetime
    run_id: str
    entity: str | None
    record_id: str | None


# --- board ---------------------------------------------------------------------------------------


class CardFigure(Model):
    """One figure of a card; opens `link` (an app path) to the rows behind it."""

    key: str
    label: Text
    value: Decimal | None
    unit: Text | None
    tone: Literal["normal", "good", "warning", "bad"] = "normal"
    note: Text | None = None
    link: str | None = None


class Card(Model):
    """A card of a board: figures, plus rows when the card lists."""

    code: str
    kind: Literal["stages", "figures", "orders", "sources"]
    title: Text
    hint: Text | None
    figures: list[CardFigure]
    orders: list[OrderRow] = Field(default=[])
    as_of: datetime


class Board(Model):
    """A board with its cards in order."""

    code: str
    title: Text
    cards: list[Card]


# --- sources, runs, rows set aside ---------------------------------------------------------------


class SetAsideRow(Model):
    """A source row that could not be applied; it keeps its bytes and can be retried."""

    source: str
    source_label: Text
    stream: str
    key: str
    reason_code: str
    reason: Text
    task_id: str | None
    first_seen_at: datetime
    tries: int


class SetAsideList(Model):
    """A page of rows set aside, with counts by reason."""

    rows: list[SetAsideRow]
    total: int
    page: int
    page_size: int
    reasons: list[CardFigure]


class RetryAnswer(Model):
    """How many set-aside rows were retried, and what became of them."""

    tried: int
    applied: int
    still_set_aside: int


# --- identity --------------------------------------------------------------------------------

MasterCode = Literal["customer", "item", "supplier", "machine", "employee"]


class Code(Model):
    """A golden record's code in one system."""

    source: str
    source_label: Text
    code: str
    name: str
    how: Literal["founding", "exact", "normalised", "confirmed"]
    matched_on: str | None
    confirmed_by: str | None
    valid_from: datetime
    sources: list[Source]


class MasterRow(Model):
    """A golden record."""

    id: str
    entity: MasterCode
    code: str
    name: str
    detail: str | None
    systems: list[str]


class MasterList(Model):
    """A page of golden records."""

    rows: list[MasterRow]
    total: int
    page: int
    page_size: int


class MasterPage(Model):
    """A golden record with its codes in every system."""

    record: MasterRow
    fields: list[Fact]
    codes: list[Code]


class UnknownCodeTask(Model):
    """A code that no golden record has; the rows that need it wait."""

    id: str
    entity: MasterCode
    source: str
    source_label: Text
    code: str
    name: str | None
    seen: list[tuple[str, str | None]] = Field(description="What the source says of it")
    waiting_rows: int
    state: Literal["open", "done", "ignored"]
    created_at: datetime
    done_at: datetime | None
    done_by: str | None
    outcome: Text | None


class TaskList(Model):
    """A page of tasks."""

    rows: list[UnknownCodeTask]
    total: int
    page: int
    page_size: int


class TaskResolution(Model):
    """How a person settles an unknown code: an existing record, a new one, or ignore."""

    action: Literal["link", "create", "ignore"]
    record_id: str | None = None


# --- definitions -----------------------------------------------------------------------------


class DefinitionRow(Model):
    """A published definition."""

    kind: str
    code: str
    label: Text
    version: int
    package: str
    published_at: datetime
    published_by: str

"""The API models of planning: work orders that await engineering, and customers' changes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field

from tenon.server.change_models import OrderChange
from tenon.server.shapes import Model


class RoutingStep(Model):
    """An operation of a routing."""

    seq: int
    process: str | None
    name: str
    work_centre: str | None
    setup_min: Decimal | None
    run_min_per_piece: Decimal | None
    outside: bool
    supplier: str | None


class RoutingCandidate(Model):
    """A routing that may serve, and how like its item is."""

    item_id: str
    version: int
    item_code: str
    item_name: str
    drawing_no: str | None
    score: Decimal | None = Field(description="Likeness of name and drawing number, in percent")
    operations: list[RoutingStep]
    est_hours: Decimal = Field(description="For the quantity of the work order")


class EngineeringRow(Model):
    """A work order that waits for its routing, or whose drawing was revised."""

    work_order_id: str
    work_order_no: str
    work_order_version: int
    line_id: str
    order_no: str
    line_no: int
    customer: str
    item_id: str | None
    item_code: str | None
    item_name: str
    drawing: str | None
    qty: Decimal
    unit: str
    due_at: datetime | None
    since: datetime
    reason: Literal["no_routing", "drawing_changed"]
    note: str | None
    proposal: RoutingCandidate | None = Field(description="What was nearest when it was planned")
    candidates: list[RoutingCandidate] = Field(description="What is nearest now, best first")


class EngineeringList(Model):
    """A page of work orders that wait for engineering."""

    rows: list[EngineeringRow]
    total: int
    page: int
    page_size: int


class RoutingChoice(Model):
    """Which routing is taken, and which version of the work order was seen."""

    item_id: UUID
    version: int = Field(ge=0, le=1_000_000)
    work_order_version: int = Field(ge=1, le=2_000_000_000)


class RoutingTaken(Model):
    """The work order that was released."""

    work_order_id: str
    work_order_no: str
    version: int
    status: str
    routing_version: int
    plan_start: datetime
    plan_end: datetime
    est_hours: Decimal
    operations: int


class ChangedWorkOrder(Model):
    """A work order that a change is about."""

    id: str
    work_order_no: str
    status: str
    qty: Decimal
    due_at: datetime | None


class OrderChangeRow(OrderChange):
    """A change in the planner's list."""

    order_no: str
    line_id: str | None
    customer: str
    item: str
    work_orders: list[ChangedWorkOrder]


class OrderChangeList(Model):
    """A page of changes, the newest first."""

    rows: list[OrderChangeRow]
    total: int
    page: int
    page_size: int


class ChangeDecision(Model):
    """Whether a planner accepts a change, and why."""

    accept: bool
    note: str | None = Field(default=None, max_length=500)

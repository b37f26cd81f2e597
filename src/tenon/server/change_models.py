"""The API model of a customer's change: on the order page, and in the planner's list."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from tenon.server.shapes import Model, Text


class OrderChange(Model):
    """A change by the customer, with what a planner decided of it."""

    id: str
    change_no: str | None
    line_no: int | None = Field(description="The whole order, when null")
    revision: int
    kind: Literal["qty", "date", "drawing", "cancel"]
    label: Text
    old: str | None
    new: str | None
    changed_at: datetime | None
    decision: Literal["pending", "accepted", "rejected", "none"] | None
    decided_by: str | None
    decided_at: datetime | None
    applied_at: datetime | None
    note: str | None

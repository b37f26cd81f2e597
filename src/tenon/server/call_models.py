"""Calls of a source that cost money, as its card shows them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from tenon.server.shapes import Model


class CallState(Model):
    """How far the budget of a source's calls is used."""

    today: int
    per_day: int | None
    month: int
    per_month: int | None
    again: int = Field(description="Of the month's calls, those that repeated a failed one")
    alarm: bool = Field(description="The share is reached at which people are told")
    spent_at: datetime | None = Field(description="When it will be spent at this pace")
    free_at: datetime | None = Field(description="It is spent, and begins anew then")

"""The API models of webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from tenon.server.flow_models import FlowFailure
from tenon.server.shapes import Model

HookState = Literal["received", "done", "stale", "failed"]


class HookAnswer(Model):
    """What a sender is told: the event's id, and whether it was known before."""

    event: str
    state: Literal["received", "duplicate"]


class HookEventRow(Model):
    """A webhook that was taken. `stale`: what it told was older than what was known."""

    id: str
    hook: str
    event: str
    lane: str
    received_at: datetime
    state: HookState
    ended_at: datetime | None
    failure: FlowFailure | None


class HookEventPage(Model):
    """A webhook that was taken, with its body exactly as it came."""

    event: HookEventRow
    body: str


class HookRefusal(Model):
    """Webhooks that were refused, by address and reason."""

    hook: str
    address: str
    reason: str
    times: int
    first_at: datetime
    last_at: datetime


class HookEventList(Model):
    """A page of events, with what was refused lately."""

    rows: list[HookEventRow]
    total: int
    page: int
    page_size: int
    refusals: list[HookRefusal]

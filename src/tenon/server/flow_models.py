"""The API models of flows, their runs, and notices."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from tenon.server.shapes import Model, Text

RunState = Literal["running", "waiting", "done", "failed", "cancelled"]
StepState = Literal["done", "running", "waiting", "failed", "skipped", "pending"]


class FlowTrigger(Model):
    """What starts a flow."""

    entity: str
    entity_label: Text
    event: Literal["created", "updated", "saved"]


class FlowStepRow(Model):
    """A step of a flow."""

    id: str
    step: str
    label: Text


class FlowCounts(Model):
    """How many runs of a flow are in which state."""

    running: int
    waiting: int
    failed: int
    done_today: int


class FlowRow(Model):
    """A flow: what starts it, its steps, whether it is switched on."""

    code: str
    label: Text
    package: str
    version: int
    enabled: bool
    trigger: FlowTrigger
    steps: list[FlowStepRow]
    runs: FlowCounts
    last_run_at: datetime | None


class FlowChange(Model):
    """Switching a flow on or off."""

    enabled: bool


class FlowFailure(Model):
    """Why a step or a run failed."""

    code: str
    message: Text


class FlowRunRow(Model):
    """A run of a flow. `subject` is empty for a record that has no number: its kind is shown."""

    id: str
    flow: str
    label: Text
    state: RunState
    step: str | None
    step_label: Text | None
    subject: str
    entity_label: Text
    subject_link: str | None
    started_at: datetime
    ended_at: datetime | None
    waits_until: datetime | None
    failure: FlowFailure | None


class FlowRunList(Model):
    """A page of runs."""

    rows: list[FlowRunRow]
    total: int
    page: int
    page_size: int


class FlowRunStep(Model):
    """What became of a step in a run."""

    id: str
    step: str
    label: Text
    state: StepState
    started_at: datetime | None
    ended_at: datetime | None
    output: dict[str, Any] | None
    failure: FlowFailure | None
    tries: int


class PushRow(Model):
    """A row that a run wrote into a legacy system."""

    push: str
    table: str
    key: str
    state: str
    sent_at: datetime | None
    echoed_at: datetime | None
    columns: dict[str, Any]


class FlowRunPage(Model):
    """A run with its steps, and what it wrote elsewhere."""

    run: FlowRunRow
    trigger: dict[str, Any]
    steps: list[FlowRunStep]
    pushes: list[PushRow]
    version: int
    can_retry: bool
    can_cancel: bool


class Notice(Model):
    """What somebody is told."""

    id: str
    at: datetime
    title: Text
    body: Text | None
    link: str | None
    read_at: datetime | None


class NoticeList(Model):
    """A page of notices, with how many are unread."""

    rows: list[Notice]
    unread: int
    total: int
    page: int
    page_size: int


class NoticesRead(Model):
    """Which notices were read; all, when None."""

    ids: list[str] | None = Field(max_length=1000)


class NoticesLeft(Model):
    """How many notices are left unread."""

    unread: int

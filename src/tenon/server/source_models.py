"""The API models of sources, their streams and their runs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from tenon.server.call_models import CallState
from tenon.server.lineage_models import MappingVersion
from tenon.server.models import CardFigure
from tenon.server.shapes import Model, Text

RunKind = Literal["full", "incremental", "compare", "backfill", "retry", "hook"]
RunState = Literal["running", "succeeded", "partial", "cancelled", "failed", "interrupted"]
Words = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$"
    ),
]


Place = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f]+$"
    ),
]


class Reason(Model):
    """Why a person does what is asked."""

    reason: Words


class Hold(Model):
    """A pause by a person."""

    reason: str
    by: str
    at: datetime


class BackfillAsk(Model):
    """A range to be read again: of the cursor's values, or of the first part of the key."""

    by: Literal["cursor", "key"]
    low: Place
    high: Place
    reason: Words
    at_once: bool = Field(default=False, description="Also outside the off-peak hours")


class Span(Model):
    """A range, both ends included."""

    by: Literal["cursor", "key"]
    low: str
    high: str


class Backfill(Model):
    """A range that is read again, without moving the watermark."""

    id: str
    sync: str
    span: Span
    state: Literal["waiting", "done", "failed", "cancelled"]
    reached: str | None = Field(description="How far it has come")
    reason: str
    by: str
    at: datetime
    ended_at: datetime | None
    run_id: str | None
    message: Text | None


class DriftNote(Model):
    """Something about a stream's columns that is not as it was."""

    text: Text
    at: datetime


class Drift(Model):
    """How a stream's columns changed, newest first; `asks`: a person must accept or refuse."""

    state: Literal["ok", "asks", "refused", "stopped"]
    changes: list[DriftNote]


class DriftDecision(Model):
    """What a person says of the columns as they are now."""

    accept: bool


class StreamState(Model):
    """A stream of a source and how fresh it is."""

    sync: str
    stream: str
    label: Text
    target: str
    package: str
    watermark: str | None
    last_success_at: datetime | None
    rows: int
    set_aside: int
    hold: Hold | None
    waits: Text | None = Field(description="What it waits for before it runs again")
    schedule: Text | None
    running: str | None = Field(description="The id of its run under way")
    cursor: str | None = Field(description="The column that tells changes; none: read whole")
    key: list[str]
    failure: Text | None = Field(description="Why it was not read the last time")
    drift: Drift | None
    backfills: list[Backfill] = Field(description="Those that are not over")


class Listening(Model):
    """Whether a source tells of its changes at once; if not, why, and what to do."""

    state: Literal["starting", "listening", "failing"]
    message: Text | None
    since: datetime | None


class SourceState(Model):
    """A legacy system and the state of its connection."""

    code: str
    label: Text
    kind: str
    system: Text
    package: str
    connected: bool = Field(description="Whether it has a connection")
    address: str = Field(description="Where it is, without any secret")
    read_only: bool
    state: Literal["ok", "syncing", "stale", "failing", "attention", "paused", "never"]
    message: Text | None
    last_success_at: datetime | None
    age_seconds: int | None
    set_aside: int
    hold: Hold | None
    off_peak: list[str] = Field(description="The hours for heavy work; none: every hour")
    streams: list[StreamState]
    listening: Listening | None = Field(description="None: nobody asked for it")
    calls: CallState | None


class CheckAnswer(Model):
    """The outcome of testing a connection."""

    ok: bool
    message: Text
    milliseconds: int


class RunRow(Model):
    """A sync run: read = applied + unchanged + set aside."""

    id: str
    source: str
    source_label: Text
    sync: str
    kind: RunKind
    state: RunState
    started_at: datetime
    ended_at: datetime | None
    read: int
    applied: int
    unchanged: int
    set_aside: int
    message: Text | None
    expected: int | None = Field(description="Rows it will read, counted or guessed")
    rate: float | None = Field(description="Rows a second, while it runs")
    seconds_left: int | None = Field(description="Until its end, where that can be told")


class RunList(Model):
    """A page of runs."""

    rows: list[RunRow]
    total: int
    page: int
    page_size: int


class RunBatch(Model):
    """A committed batch of a run."""

    at: datetime
    read: int
    applied: int
    unchanged: int
    set_aside: int
    watermark: str | None
    keys: list[str] = Field(description="Of the first rows it wrote")


class RunPage(Model):
    """A run with its batches and the reasons rows were set aside."""

    run: RunRow
    stream: str
    stream_label: Text
    mapping: MappingVersion | None
    watermark_before: str | None
    watermark_after: str | None
    resumed_from: str | None
    backfill: Backfill | None
    batches: list[RunBatch]
    reasons: list[CardFigure]

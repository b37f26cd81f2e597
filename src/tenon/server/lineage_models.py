"""The API models of lineage: where a record comes from, and what a source row became."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from tenon.server.shapes import Model, Text


class MappingVersion(Model):
    """The version of a mapping that rows went through."""

    code: str
    version: int
    epoch: int = Field(description="The publish that brought it")
    package: str
    package_version: str
    published_at: datetime
    published_by: str
    current: bool
    exact: bool = Field(description="False: found by the time alone, as the run is forgotten")


class LineageRun(Model):
    """The run that wrote a source row, while it is remembered."""

    kind: str
    state: str
    started_at: datetime
    batch: int | None


class LineageRow(Model):
    """A source row of a record, with the run and the mapping it went through."""

    source: str
    label: Text
    stream: str
    key: str
    state: Literal["applied", "set_aside", "gone"]
    wrote: bool = Field(description="It gives the record its values; else it is recognised as it")
    first_seen_at: datetime
    seen_at: datetime
    run_id: str
    run: LineageRun | None
    mapping: MappingVersion | None


class LineageColumn(Model):
    """A column that a rule reads; what it holds may be hidden from the caller."""

    name: str
    value: str | None
    masked: bool


class LineageLookup(Model):
    """Where a rule looks its cleaned value up, and how that code was linked."""

    kind: Literal["code", "ref"]
    entity: str
    entity_label: Text
    by: str | None
    how: Literal["founding", "exact", "normalised", "confirmed"] | None
    confirmed_by: str | None
    since: datetime | None


class LineageRule(Model):
    """The rule of a field: columns, cleaning, choices, default, look-up."""

    columns: list[LineageColumn]
    clean: str | None
    cleaned: str | None
    choices: bool
    times: str | None
    constant: str | None
    default: str | None
    lookup: LineageLookup | None


class LineageCause(Model):
    """What made a change, with its id where it has one."""

    kind: Literal["sync", "flow", "report", "person", "system"]
    id: str | None


class LineageChange(Model):
    """A field before and after."""

    field: Text
    reference: bool
    before: str | None
    after: str | None


class LineageEvent(Model):
    """A change of a record: who made it, because of what."""

    at: datetime
    kind: str
    version: int | None
    origin: str
    actor: Text
    cause: LineageCause
    changes: list[LineageChange]


class RecordRef(Model):
    """A record that can be asked in turn."""

    entity: str
    id: str


class LineageField(Model):
    """A field of a record: its value, the rule that made it, its last change."""

    code: str
    label: Text
    type: str
    value: str | None
    value_label: Text | None
    refers_to: RecordRef | None
    rule: LineageRule | None
    changed: LineageEvent | None


class LineagePush(Model):
    """A row written into a legacy system."""

    push: str
    label: Text
    source: str | None
    table: str | None
    key: str | None
    state: str
    sent_at: datetime | None
    echoed_at: datetime | None
    flow_run_id: str | None


class LineageFlowRun(Model):
    """A run of a flow that the record started."""

    id: str
    label: Text
    state: str
    started_at: datetime
    ended_at: datetime | None


class RecordLineage(Model):
    """Where a record comes from, field by field, and what became of it."""

    entity: str
    entity_label: Text
    id: str
    title: str | None
    version: int
    created_at: datetime
    created_by: Text
    updated_at: datetime
    updated_by: Text
    fields: list[LineageField]
    rows: list[LineageRow]
    events: list[LineageEvent]
    pushes: list[LineagePush]
    flow_runs: list[LineageFlowRun]


class RowColumn(Model):
    """A column of a source row and the fields it makes."""

    name: str
    value: str | None
    makes: list[Text]


class RowRecord(Model):
    """The record a source row became, or was recognised as."""

    entity: str
    entity_label: Text
    id: str
    title: str | None


class RowLineage(Model):
    """What a source row became."""

    row: LineageRow
    reason: Text | None
    task_id: str | None
    columns: list[RowColumn]
    record: RowRecord | None
    events: list[LineageEvent]
    pushes: list[LineagePush]
    flow_runs: list[LineageFlowRun]

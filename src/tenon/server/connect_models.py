"""The API models of the connect wizard: connectors, connections, tables, drafts, previews."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, JsonValue

from tenon.server.shapes import Model, Text

Given = dict[str, str | int | bool | dict[str, bool] | None]
_SETTINGS = Field(
    max_length=40, description="By setting; a secret that is kept is `{set: true}` or not sent"
)
Sample = list[list[str | None]]


class SettingOption(Model):
    """One value of a setting that is chosen."""

    value: str
    label: Text


class ConnectorSetting(Model):
    """Something a person must or may say of a connection."""

    name: str
    label: Text
    help: Text | None
    type: Literal["text", "secret", "integer", "choice", "boolean"]
    required: bool
    default: str | int | bool | None
    choices: list[SettingOption]
    advanced: bool
    when: dict[str, list[str]] | None = Field(
        description="Asked only while other settings have one of these values"
    )


class ConnectorKind(Model):
    """A kind of connection and what it asks of a person."""

    kind: str
    label: Text
    note: Text
    settings: list[ConnectorSetting]


class ConnectionTry(Model):
    """A connection to try; with `source` its kept secrets are used, at its own address only."""

    source: str | None = Field(default=None, max_length=48)
    connector: str = Field(max_length=48)
    settings: Given = _SETTINGS


class TryStep(Model):
    """A step and what came of it; `ok` is null when it was not tried."""

    step: Literal["address", "network", "login", "tables"]
    ok: bool | None
    message: Text
    detail: str | None = Field(description="The driver's own words, without any secret")
    milliseconds: int


class TryAnswer(Model):
    """The steps in order; the first failure ends them."""

    steps: list[TryStep]


class NewLabel(Model):
    """A name in one language or both."""

    zh: str = Field(min_length=1, max_length=60)
    en: str | None = Field(default=None, max_length=60)


class NewSource(Model):
    """A legacy system to join; its code is made of the label when none is given."""

    label: NewLabel
    connector: str = Field(max_length=48)
    settings: Given = _SETTINGS
    code: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]{0,39}$")
    system: NewLabel | None = None


class ConnectionSettings(Model):
    """A connection as it was entered; of a secret only that there is one."""

    source: str
    connector: str
    settings: Given
    package: str
    ours: bool = Field(description="Whether it may be removed here")


class ConnectionChange(Model):
    """New settings; a secret that is not sent stays, unless the address changes."""

    settings: Given = _SETTINGS


class TableColumn(Model):
    """A column of a table."""

    name: str
    type: str
    nullable: bool
    comment: str | None


class TableOffer(Model):
    """What a table most likely holds, and why one may think so."""

    entity: str
    label: Text
    why: Text
    score: float


class SourceTable(Model):
    """A table, view, file or path of a source."""

    name: str
    label: Text | None
    columns: list[TableColumn]
    key: list[str]
    rows: int | None = Field(description="The system's own estimate")
    sync: str | None = Field(description="The sync that reads it already")
    offer: TableOffer | None


class LedgerNote(Model):
    """A ledger that was recognised by its tables."""

    code: str
    label: Text
    note: Text | None


class TableList(Model):
    """A page of tables: those that seem useful first."""

    tables: list[SourceTable]
    total: int
    page: int
    page_size: int
    ledger: LedgerNote | None


class TableRows(Model):
    """The first rows of a table, as texts."""

    columns: list[str]
    rows: Sample


class TargetChoice(Model):
    """A value of a choice."""

    code: str
    label: Text


class TargetField(Model):
    """A field that may be filled."""

    code: str
    label: Text
    type: str
    required: bool
    choices: list[TargetChoice]
    target: str | None


class TargetKey(Model):
    """A key by which a golden record is recognised."""

    code: str
    label: Text


class Target(Model):
    """An entity that a table may fill."""

    entity: str
    label: Text
    master: bool
    key: list[str] = Field(description="The fields that recognise a record to people")
    keys: list[TargetKey]
    fields: list[TargetField]


class SuggestAsk(Model):
    """Which table, and which entity when a person has chosen one."""

    table: str = Field(max_length=300)
    target: str | None = Field(default=None, max_length=48)


class OtherTarget(Model):
    """What else the table may hold."""

    target: str
    label: Text
    score: float


class Suggestion(Model):
    """A draft of a sync with the reason for each field and how sure it is.

    Keys of `why` and `sure` are fields of the entity, and `identity.code`, `identity.name`,
    `identity.keys.<key>`, `key`, `cursor`, `target`.
    """

    draft: dict[str, JsonValue]
    why: dict[str, Text]
    sure: dict[str, float]
    others: list[OtherTarget]
    missing: list[str] = Field(description="Required fields that nothing fills")


class Draft(Model):
    """A sync as data, as `suggest` gives it and a person changed it."""

    draft: dict[str, JsonValue] = Field(max_length=40)


class PreviewAsk(Draft):
    """A draft to try on the first rows."""

    limit: int = Field(default=20, ge=1, le=200)


class PreviewValue(Model):
    """A field as it would be."""

    field: str
    label: Text
    value: str | None
    shown: Text | None


class PreviewRow(Model):
    """A row as the source has it and what it would become."""

    key: str
    source: list[tuple[str, str | None]]
    result: list[PreviewValue]
    outcome: Text | None = Field(description="Of a golden record: new, or which one it is")
    problem: Text | None
    waits: Text | None


class PreviewReason(Model):
    """Why rows would be set aside, and how many."""

    code: str
    reason: Text
    count: int


class DraftProblem(Model):
    """Why a draft cannot be published as it is; `field` is null when it is about the whole."""

    field: str | None
    message: Text


class PreviewAnswer(Model):
    """The first rows; nothing was written. No rows when a problem leaves nothing to show."""

    problems: list[DraftProblem]

    rows: list[PreviewRow]
    read: int
    good: int
    set_aside: int
    reasons: list[PreviewReason]


class NewSync(Draft):
    """A draft to be published into the plant's own package."""

    source: str = Field(max_length=48)


class SyncChange(Draft):
    """A sync of the plant's own, changed; with `version` only when nobody published since."""

    source: str | None = Field(default=None, max_length=48)
    version: int | None = Field(default=None, ge=1, le=2_000_000_000)


class SyncPage(Model):
    """A sync as published."""

    code: str
    draft: dict[str, Any]
    package: str
    ours: bool
    version: int
    changed_at: datetime
    changed_by: str


class SourceRemoved(Model):
    """What was removed, what stays, and how to come back."""

    code: str
    syncs: list[str]
    records: int
    back: Text

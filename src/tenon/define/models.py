"""Definitions: what a package says, as frozen, renderer-neutral, versioned data.

Kept as YAML in packages and as versions in the database. `format` is the version of the
definition format itself.
"""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tenon.define.http_models import HttpDef as HttpDef
from tenon.define.timing import Duration, Hours, Rows, ScheduleDef
from tenon.kernel.text import Text

FORMAT = 1

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
FieldType = Literal[
    "text", "integer", "decimal", "datetime", "date", "boolean", "choice", "ref", "json"
]


class Part(BaseModel):
    """A piece of a definition: frozen, and strict about what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(Part):
    """A text in both languages; written `{zh: …, en: …}`."""

    zh: str
    en: str

    def text(self) -> Text:
        """As the kernel's text."""
        return Text(self.zh, self.en)


class Definition(Part):
    """Anything a package defines."""

    kind: str
    code: Code
    label: Label
    format: int = FORMAT


class Choice(Part):
    """One value a choice field may have."""

    code: str
    label: Label


class FieldDef(Part):
    """A field of an entity: a real column whose code never changes."""

    code: Code
    label: Label
    type: FieldType
    required: bool = False
    length: int = Field(default=200, ge=1, le=4000)
    precision: int = Field(default=18, ge=1, le=18)
    scale: int = Field(default=4, ge=0, le=9)
    choices: tuple[Choice, ...] = ()
    target: Code | None = None
    unique: bool = False
    index: bool = False
    minimum: Decimal | None = None

    @model_validator(mode="after")
    def _complete(self) -> FieldDef:
        if self.type == "ref" and not self.target:
            raise ValueError(f"field {self.code}: a ref needs a target entity")
        if self.type == "choice" and not self.choices:
            raise ValueError(f"field {self.code}: a choice needs choices")
        return self


RESERVED = frozenset(
    [
        "id",
        "version",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
        "source",
        "source_key",
        "archived_at",
    ]
)


class Entity(Definition):
    """A kind of record: a real table."""

    kind: Literal["entity"] = "entity"
    fields: tuple[FieldDef, ...]
    indexes: tuple[tuple[Code, ...], ...] = ()
    title: Code | None = None

    @field_validator("fields")
    @classmethod
    def _distinct(cls, fields: tuple[FieldDef, ...]) -> tuple[FieldDef, ...]:
        codes = [f.code for f in fields]
        doubled = {c for c in codes if codes.count(c) > 1 or c in RESERVED}
        if doubled:
            raise ValueError(f"field codes doubled or reserved: {', '.join(sorted(doubled))}")
        return fields

    def field(self, code: str) -> FieldDef:
        """The field with this code; KeyError when there is none."""
        return next(f for f in self.fields if f.code == code)

    @cached_property
    def by_code(self) -> dict[str, FieldDef]:
        """Fields by their code."""
        return {f.code: f for f in self.fields}


class MatchKey(Part):
    """A key by which records of different systems are the same thing, surest first."""

    code: Code
    label: Label
    clean: Literal["exact", "code", "name"] = "code"


class Master(Definition):
    """A golden entity: what is one thing over all systems, and by which keys it is recognised."""

    kind: Literal["master"] = "master"
    entity: Code
    keys: tuple[MatchKey, ...]


class SourceDef(Definition):
    """A legacy system; where it is and its secrets are settings of the installation.

    `schedule` says when its syncs run (as often as `every_seconds`, without one); `off_peak` are
    the hours to which heavy work is kept (first loads, whole reads of more than a page).
    A run that has read `max_rows` or took `max_seconds` ends, and the next goes on from there.
    """

    kind: Literal["source"] = "source"
    connector: Code
    system: Label
    zone: str = "Asia/Shanghai"
    every_seconds: int = Field(default=5, ge=1)
    stale_minutes: int = Field(default=15, ge=1)
    schedule: ScheduleDef | None = None
    off_peak: tuple[Hours, ...] = ()
    max_rows: Rows | None = None
    max_seconds: Rows | None = None
    optional: bool = False
    ledger: bool = False  # finance's books: nothing is ever written there, whatever is asked


class Join(Part):
    """Another table of the same source joined to a stream's table, column by column.

    A left join: a line whose header is missing is still read. `match` is {column of the stream's
    table, or declared by a join before this one: column of this table}; its columns are called
    `prefix + column`, also in the stream's `key`, `where` and `cursor`.
    """

    table: str
    match: dict[str, str]  # not `on`, which YAML reads as true
    prefix: str = ""
    columns: tuple[str, ...]


class CursorDef(Part):
    """How changed rows are found: a watermark column, read again with an overlap.

    `version` names a column that counts a row's revisions: of two with the same watermark (a time
    in whole seconds, say) it tells which is the older. `created` names the column with the time
    a row was made, for tables that fill `column` only when a row is changed (SQL only).
    A `rowversion` is SQL Server's own count of changes; it comes as hex (`0x00000000000007D1`),
    is exact, and is not read again.
    """

    column: str
    type: Literal["time", "integer", "rowversion"] = "time"
    version: str | None = None
    created: str | None = None
    overlap_seconds: int = Field(default=120, ge=0)


class FileDef(Part):
    """How the files of a stream are read.

    `sheet` names the sheet of an Excel file (the first visible one, when None). `digits` is
    {column: width}: codes whose leading zeros Excel drops, filled up again. `expect_by` is the
    time of day, in the source's zone, by which a file of that day must have come.
    """

    sheet: str | None = None
    digits: dict[str, Annotated[int, Field(ge=1, le=40)]] = {}
    expect_by: time | None = None

    @field_validator("expect_by", mode="before")
    @classmethod
    def _in_quotes(cls, value: Any) -> Any:
        # YAML reads an unquoted 18:30 as 1,110 seconds.
        if value is not None and not isinstance(value, str | time):
            raise ValueError('write the time in quotes: expect_by: "07:30"')
        return value


class StreamDef(Part):
    """What is read of a source: rows of a `table` (SQL), items at a `path` (HTTP), or files.

    Of files `table` is the pattern of their names (`stock_*.csv`). With a cursor `file_time` or
    `file_name` each file holds what is new, read in that order; without one the newest file
    holds everything.

    Names are matched without case. `key` columns joined by `|` recognise a row for ever.
    Without `columns` all of the table are read. `explode` names a nested list of the item: a
    row for each of its elements, with the item's own columns and the element's columns called
    `<explode>_<column>` (`lines_qty`). An `optional` stream may be absent from the source,
    the columns of `may_lack` from its table (they have no value then).
    Within a source the name of a stream is used once.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,47}$")]
    table: str | None = None
    path: str | None = None
    columns: tuple[str, ...] = ()
    join: tuple[Join, ...] = ()
    where: dict[str, tuple[str | int, ...]] = {}
    explode: str | None = None
    may_lack: tuple[str, ...] = ()
    key: tuple[str, ...]
    cursor: CursorDef | None = None
    optional: bool = False
    file: FileDef | None = None
    http: HttpDef | None = None


class MapRule(Part):
    """How one field is filled from a source row.

    `from` a column, or several, each cleaned and then joined by `|` (no value when one is
    empty); or `const`. `choices` translate a legacy value, `otherwise` stands for all others.
    `times` names a column the number is multiplied by. `default` stands for no value.

    `master` looks the code up in this source's crosswalk, then, when `by` names a match key of
    the master, by that key. `ref` looks the cleaned value up in the field `by` of that entity.
    What is not found: `wait` sets the row aside until it is there, `leave` writes the row
    without it and fills it in later; both make an unknown code of a master a task for a
    person; `quiet` is `leave` without a task.
    """

    from_: str | tuple[str, ...] | None = Field(default=None, alias="from")
    const: Any = None
    clean: Literal["text", "code", "document_no", "name"] = "text"
    choices: dict[str, str | bool] = {}
    otherwise: str | None = None
    master: Code | None = None
    ref: Code | None = None
    by: Code | None = None
    unknown: Literal["wait", "leave", "quiet"] = "wait"
    times: str | None = None
    default: Any = None

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _one_origin(self) -> MapRule:
        if self.ref and not self.by:
            raise ValueError("a ref rule needs `by`: the unique field of the entity it names")
        return self


class Identity(Part):
    """For a stream that feeds a golden entity: its code, its keys, and whether it may found one.

    `code` and `name` are columns; `keys` is {match key of the master: column}. With `founds`
    a row that matches nothing makes a golden record (only rows whose columns have one of the
    values of `found_only_if`, when given); otherwise it becomes a task. `found_unless` names the
    sync of the system that owns such records: this one founds only where that stream is absent.
    """

    code: str
    name: str
    founds: bool = False
    keys: dict[Code, str]
    found_only_if: dict[str, tuple[str | int, ...]] = {}
    found_unless: Code | None = None


class Sync(Definition):
    """A stream of a source, mapped onto an entity.

    `order` is that of the first load over all sources, and later within each: who founds golden
    records goes before who matches them, what is referred to before what refers. With
    `every_seconds` it is left out of rounds that come sooner (a large table compared in full).
    `schedule`, `max_rows` and `max_seconds` go before those of the source. `compare_every`
    (`24h`) reads a stream that has a cursor whole from time to time, to find what was deleted.
    `drift` is what a column that is gone or of another type does: it is noted (`accept`), waits
    for a person's yes (`ask`), or stops the stream (`stop`). New columns are always only noted.
    """

    kind: Literal["sync"] = "sync"
    source: Code
    stream: StreamDef
    target: Code
    order: int = 100
    every_seconds: int | None = Field(default=None, ge=1)
    schedule: ScheduleDef | None = None
    max_rows: Rows | None = None
    max_seconds: Rows | None = None
    compare_every: Duration | None = None
    drift: Literal["accept", "ask", "stop"] = "accept"
    identity: Identity | None = None
    fields: dict[Code, MapRule] = {}

    @field_validator("fields", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        # `qty: qty_ok` is short for `qty: {from: qty_ok}`.
        if isinstance(value, dict):
            return {k: {"from": v} if isinstance(v, str | list) else v for k, v in value.items()}
        return value


class HookSignature(Part):
    """How a sender signs: HMAC-SHA256 over the timestamp, a dot and the raw body, in hex."""

    header: str
    timestamp: str
    prefix: str = "sha256="
    tolerance_seconds: int = Field(default=300, ge=1)


class HookDef(Definition):
    """A webhook by which a source tells that something there is new.

    `event` names the body's field that recognises an event for ever, `lane` the field whose
    events are handled in order (an order's number). `item` names the body's field that holds the
    whole item, as the streams of `syncs` would read it; where the body has none it is asked for
    at `path`, with `{field}` of the body filled in.
    """

    kind: Literal["hook"] = "hook"
    source: Code
    signature: HookSignature
    event: str = "id"
    lane: str
    item: str | None = None
    path: str | None = None
    syncs: tuple[Code, ...]


class PushColumn(Part):
    """How one column of a push is filled: from a field, a constant, or the time of writing.

    `from` is a field, or one of a record referred to (`order_line.sales_order.order_no`); with
    `code` it is a golden record, and its code in that system is written. Times are written in
    the source's own zone; `choices` translate our codes into the source's. An `initial` column
    is written with a new row only: later it is the source's own.
    """

    from_: str | None = Field(default=None, alias="from")
    code: bool = False
    const: Any = None
    now: bool = False
    choices: dict[str, str] = {}
    initial: bool = False

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class PushDef(Definition):
    """How records of an entity are written into a table of a legacy system.

    `key` columns recognise the row there; `stream` is the stream that reads it back, so that our
    own echo is known. `changes` are the columns that may be written again in a row that is there,
    and only while each column of `only_if` still has one of the values named. `number` is a key
    column that the table does not fill by itself: a new row gets the next one,
    of those at or above `number_from`: a range that the system leaves to us.
    """

    kind: Literal["push"] = "push"
    source: Code
    entity: Code
    table: str
    stream: str
    key: tuple[str, ...]
    columns: dict[str, PushColumn]
    changes: tuple[str, ...] = ()
    only_if: dict[str, tuple[str | int, ...]] = {}
    number: str | None = None
    number_from: int = Field(default=1, ge=1)

    @field_validator("columns", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        # `qty_plan: qty_plan` is short for `qty_plan: {from: qty_plan}`.
        if isinstance(value, dict):
            return {k: {"from": v} if isinstance(v, str) else v for k, v in value.items()}
        return value


class TriggerDef(Part):
    """What starts a flow: a record that is created or updated (`saved`: either).

    `when` is a filter over the record's own fields. Only live changes start a flow unless
    `origins` says otherwise: a first load of old orders sends nothing outward.
    """

    record: Code
    event: Literal["created", "updated", "saved"] = "created"
    when: dict[str, Any] | None = None
    origins: tuple[str, ...] = ("live",)


class StepDef(Part):
    """A step of a flow: which step, with which settings (`with`)."""

    id: Code
    step: Code
    label: Label | None = None
    with_: dict[str, Any] = Field(default={}, alias="with")

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Flow(Definition):
    """A flow: what starts it, and its steps in order.

    `enabled` is what holds until an administrator of the installation says otherwise.
    """

    kind: Literal["flow"] = "flow"
    enabled: bool = True
    trigger: TriggerDef
    steps: tuple[StepDef, ...] = Field(min_length=1)

    @field_validator("steps")
    @classmethod
    def _distinct(cls, steps: tuple[StepDef, ...]) -> tuple[StepDef, ...]:
        ids = [s.id for s in steps]
        doubled = {i for i in ids if ids.count(i) > 1 or i == "trigger"}
        if doubled:
            raise ValueError(f"step ids doubled or reserved: {', '.join(sorted(doubled))}")
        return steps


class Role(Definition):
    """What a person with this role may do, and which entities it may read and write."""

    kind: Literal["role"] = "role"
    can: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    hidden: dict[Code, tuple[Code, ...]] = {}


class CardDef(Part):
    """A card on a board: which card, with which settings."""

    card: Code
    title: Label
    settings: dict[str, Any] = {}


class BoardDef(Definition):
    """A board: cards in order."""

    kind: Literal["board"] = "board"
    cards: tuple[CardDef, ...]


class Package(Definition):
    """A package's own data."""

    kind: Literal["package"] = "package"
    version: str = Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")


KINDS: dict[str, type[Definition]] = {
    "entity": Entity,
    "master": Master,
    "source": SourceDef,
    "sync": Sync,
    "hook": HookDef,
    "push": PushDef,
    "flow": Flow,
    "role": Role,
    "board": BoardDef,
    "package": Package,
}

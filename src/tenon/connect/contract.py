"""The connector contract: what a legacy system can be asked, whatever it is.

A connector sees this module, `batches`, `define`'s stream definitions and the kernel; never the
hub, and never another connector. Its errors say what the reader can do: Retry (it may pass by
itself), NeedsUser (a person must act: a login, a permission), Stop (going on would do harm).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Final, Literal, Protocol, runtime_checkable

import pyarrow as pa

from tenon.define.models import StreamDef
from tenon.kernel.decimals import plain
from tenon.kernel.errors import Retry, Stop
from tenon.kernel.text import Text

# A cursor's value exactly as the source has it, so that it compares there as it did.
CursorValue = str | int | datetime

_STREAM_ABSENT = Text(
    "来源“{source}”中没有“{what}”：{detail}。请核对来源定义，或让管理员恢复它。",
    "“{what}” is not in the source “{source}”: {detail}. Check the source's definition, or have "
    "it restored.",
)
_COLUMN_ABSENT = Text(
    "来源“{source}”的“{what}”缺少列 {columns}；现有的列：{found}。同步已停止，未写入任何空值；"
    "请恢复该列或修改定义。",
    "“{what}” of the source “{source}” has no column {columns}; it has {found}. The sync has "
    "stopped and wrote no empty values. Restore the column or change the definition.",
)


class StreamStopped(Stop):
    """One stream cannot go on until a person acts; the source's other streams can."""


class StreamAbsent(StreamStopped):
    """The table or path of a stream is not there."""

    def __init__(self, source: str, what: str, detail: Text) -> None:
        text = Text(
            _STREAM_ABSENT.zh.replace("{detail}", detail.zh),
            _STREAM_ABSENT.en.replace("{detail}", detail.en),
        )
        super().__init__("stream_absent", text, source=source, what=what)


class ColumnAbsent(StreamStopped):
    """A column that the definition names is not there: schema drift."""

    def __init__(self, source: str, what: str, columns: list[str], found: list[str]) -> None:
        super().__init__(
            "column_absent", _COLUMN_ABSENT, source=source, what=what,
            columns=", ".join(columns), found=", ".join(found[:60]),
        )  # fmt: skip


class StreamUnchanged(Exception):
    """The system says that the stream is as it was when it was read last; nothing was read."""

    text: ClassVar[Text] = Text(
        "来源确认内容没有变化（HTTP 304），本次没有重新读取。",
        "The source says that nothing changed (HTTP 304); it was not read again.",
    )


class StreamTrouble(Retry):
    """Something about one stream that a person should see; the source's other streams go on."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a connector can do; the engine asks this and never the vendor's name."""

    kind: str
    detects: frozenset[Literal["watermark", "full", "rowversion"]]
    writes: frozenset[Literal["insert", "update"]] = frozenset()
    encodings: tuple[str, ...] = ("utf-8",)
    page_rows: int = 5000
    ranges: bool = False  # it reads in the order of any column, its key's say
    timeout_seconds: int = 30


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a stream that was found."""

    name: str
    type: str
    nullable: bool
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A table or path that could be read; `rows` is the system's own estimate, where it has one.

    What is read of a table is said by its name, of HTTP by `path` and `explode`; of a table that
    is read in parts `table` is its name and `where` the part.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    comment: str | None = None
    rows: int | None = None
    path: str | None = None
    explode: str | None = None
    table: str | None = None
    where: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)


class Egress(Protocol):
    """The guard a connector asks before it opens a network connection."""

    def admit(self, host: str, port: int) -> str:
        """The resolved address to connect to; NeedsUser when host and port are not listed."""
        ...


@dataclass(frozen=True, slots=True)
class Version:
    """Which version of a stream was read last, in the words of its system.

    `asked` is a mark of how it was asked for: what another definition read says nothing.
    """

    asked: str
    etag: str | None
    modified: str | None
    rows: int


class CallsSpent(Retry):
    """The calls that were paid for are used up until a moment that will come."""


class Calls(Protocol):
    """What is noted of a connection between its calls, in a place that outlives the process."""

    @property
    def costs(self) -> bool:
        """Whether calls are counted, because they cost money."""
        ...

    def count(self, *, again: bool = False) -> None:
        """Count a call before it is made; `again` when it repeats one that failed.

        CallsSpent when those of the day or the month are used up: then it must not be made.
        """
        ...

    def version(self, stream: str) -> Version | None:
        """The version of a stream that was read and written last."""
        ...

    def keep(self, stream: str, version: Version | None) -> None:
        """Note the version of a stream that was read and written; None forgets it."""
        ...


class NoCalls:
    """Nothing is counted and nothing noted: the connection has no place for it."""

    costs = False

    def count(self, *, again: bool = False) -> None:
        """Calls cost nothing."""

    def version(self, _stream: str) -> Version | None:
        """No version is known."""
        return None

    def keep(self, stream: str, version: Version | None) -> None:
        """It is not kept."""


@dataclass(frozen=True, slots=True)
class ConnectorSettings:
    """What an installation says of one connection; secrets are already opened."""

    source: str
    values: Mapping[str, Any] = field(repr=False)
    egress: Egress = field(repr=False)
    zone: str = "Asia/Shanghai"
    calls: Calls = field(default=NoCalls(), repr=False)


class Connector(Protocol):
    """A connection to one legacy system, opened read-only."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    @property
    def address(self) -> str:
        """Where it is, for people, without any secret."""
        ...

    def check(self) -> None:
        """Reach the system and sign in, or raise."""
        ...

    def discover(self) -> list[Found]:
        """What could be read."""
        ...

    def read(self, stream: StreamDef, since: CursorValue | None) -> Iterator[pa.RecordBatch]:
        """The stream's rows whose cursor is not below `since` (all, when None).

        In batches of bounded size, ordered by (cursor, key); rows without a cursor value come
        first and are always read. Columns are called as the definition names them.
        """
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


@runtime_checkable
class Explains(Protocol):
    """A connector that can say, in the source's own language, what it asks for."""

    def statement(self, stream: StreamDef) -> str:
        """What reads a page of the stream; `:since` stands for where the last reading ended."""
        ...


Action = Literal["insert", "update"]
EVERYTHING: Final[frozenset[Action]] = frozenset({"insert", "update"})


@dataclass(frozen=True, slots=True)
class WriteRow:
    """A row to be written: `values` are all its columns, `key` those that recognise it.

    A row that is not there is inserted. In one that is there `compare` columns must be as ours;
    `change` columns are changed where they differ, only while each column of `only_if` has one
    of its values; `stamps` are written along with a change and are no change by themselves.
    `number` is a column that gets the next number at or above `number_from` in a new row, unless
    the table fills it.
    `may` is what an administrator allowed.
    """

    table: str
    key: tuple[str, ...]
    values: Mapping[str, Any]
    compare: tuple[str, ...] = ()
    change: tuple[str, ...] = ()
    stamps: tuple[str, ...] = ()
    only_if: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)
    number: str | None = None
    number_from: int = 1
    may: frozenset[Action] = EVERYTHING


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a row: sent (inserted), changed, same, conflict, or refused.

    A conflict names the column with what we would write and what is there. What is refused names
    the `action` that was not allowed. Of one that is the same `there` has our columns as they are.
    """

    state: Literal["sent", "changed", "same", "conflict", "refused"]
    column: str | None = None
    ours: str | None = None
    theirs: str | None = None
    action: Action | None = None
    there: Mapping[str, str | None] = field(default_factory=dict)


class WritingConnector(Connector, Protocol):
    """A connector that can write, where an administrator allowed it."""

    def write(
        self, groups: Sequence[Sequence[WriteRow]], *, dry: bool = False
    ) -> list[list[Written]]:
        """Write groups of rows in one transaction: of a group all rows, or none of them.

        Doing it again changes nothing: what is there is compared first. When any row is refused,
        nothing at all is written. With `dry` it only looks, over a connection that cannot write,
        and the answer is what would become of each row.
        """
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """What a source told: streams in which something changed, and the keys of rows deleted there.

    An empty one is a sign of life. `begins` is the first after listening began, and `note` says
    what cannot be heard.
    """

    streams: frozenset[str] = frozenset()
    deleted: Mapping[str, frozenset[tuple[str | int, ...]]] = field(default_factory=dict)
    begins: bool = False
    note: Text | None = None


class WatchingConnector(Connector, Protocol):
    """A connector whose source can tell at once that something changed, where that was asked for.

    A hint only: what changed is read by `read` as ever.
    """

    @property
    def watches(self) -> bool:
        """Whether an administrator asked for it."""
        ...

    def watch(self, streams: Sequence[StreamDef]) -> Iterator[Heard]:
        """What happens from now on; the first names all streams, and one comes each second."""
        ...


class FinishingConnector(Connector, Protocol):
    """A connector that has something to do once a stream's rows are written."""

    def finish(self, stream: StreamDef) -> None:
        """Put away what was read; StreamTrouble when a person should know of something."""
        ...


class LastingConnector(Connector, Protocol):
    """A connector whose connection may be kept open between two rounds."""

    @property
    def lasting(self) -> bool:
        """Whether it may: it holds no file, no lock, no transaction."""
        ...

    def alive(self) -> bool:
        """Whether the connection that was kept still answers."""
        ...


class CountingConnector(Connector, Protocol):
    """A connector that can tell beforehand how many rows it will read."""

    def count(self, stream: StreamDef, since: CursorValue | None) -> int:
        """How many rows `read` would give."""
        ...


class DescribingConnector(Connector, Protocol):
    """A connector that knows the columns of a stream, and their types, without reading rows."""

    def columns(self, stream: StreamDef) -> Sequence[Column]:
        """The columns of the stream's table and those declared of joined ones, as they are now."""
        ...


class ItemConnector(Connector, Protocol):
    """A connector that can be asked for one item, and turns an item into a stream's rows."""

    def fetch(self, path: str) -> Mapping[str, Any]:
        """The item at a path, as the system has it now."""
        ...

    def batch(self, stream: StreamDef, item: Mapping[str, Any]) -> pa.RecordBatch | None:
        """The item's rows exactly as `read` would give them; None when it has none."""
        ...


def rewind(value: CursorValue, seconds: int) -> CursorValue:
    """A cursor value moved back by the overlap, in the form the source writes it in."""
    if isinstance(value, int):
        return value
    if isinstance(value, datetime):
        return value - timedelta(seconds=seconds)
    try:
        moment = datetime.fromisoformat(value) - timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return value
    if len(value) == len("2026-01-31"):
        return moment.date().isoformat()
    # Whole seconds: never later than the moment meant, however many digits the source writes.
    return moment.isoformat(sep=value[10], timespec="seconds")


# What an untyped column may hold for a number that we write.
_NUMERIC: Final = re.compile(r"-?[0-9]+\.[0-9]+")
_FRACTION: Final = re.compile(r"(?<=:[0-9]{2})\.[0-9]+$")  # of a second


def comparable(value: Any) -> str | None:
    """A value of a source in the form in which two of them are compared.

    Numbers by their worth, times by the second, texts without the padding of CHAR columns; an
    empty text is no value.
    """
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool | int | float | Decimal):
        return _number(Decimal(str(int(value) if isinstance(value, bool) else value)))
    text = str(value).replace("\x00", "").rstrip()
    if _NUMERIC.fullmatch(text):
        return _number(text)
    return _FRACTION.sub("", text) or None


def _number(value: Decimal | str) -> str:
    try:
        number = Decimal(value).normalize()
    except InvalidOperation:
        return str(value)
    return plain(number) if number else "0"

"""Looking into a source: its tables, their rows; read-only, in small bites, nothing kept."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from tenon.connect import kingdee
from tenon.connect.batches import BYTES, LINE, PROBLEM, rows_of
from tenon.connect.contract import Connector, Found
from tenon.connect.deps import ConnectDeps
from tenon.connect.mapping import Row
from tenon.connect.values import text_of
from tenon.define.catalogue import Catalogue
from tenon.define.models import StreamDef, Sync
from tenon.kernel import clock
from tenon.kernel.errors import Config, Conflict, NeedsUser, NotFound, Stop
from tenon.kernel.text import Text

_NO_TABLE = Text(
    "来源“{source}”中没有“{table}”；请刷新表的列表。",
    "There is no “{table}” in the source “{source}”; look at the list of its tables again.",
)
_SAID: Final = Text("{zh}", "{en}")
_KEPT_SECONDS: Final = 120.0
_LONGEST_CELL: Final = 200
_DATED: Final = re.compile(r"\d{4,}[\d_-]*")
PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows of a table: columns, and rows as the runner would get them."""

    names: tuple[str, ...]
    rows: list[Row]


@dataclass(slots=True)
class _Kept:
    until: float
    mark: object
    tables: list[Found]


_kept: Final[dict[tuple[str, str], _Kept]] = {}
_lock: Final = threading.Lock()


@contextmanager
def opened(deps: ConnectDeps, source: str) -> Iterator[Connector]:
    """A connection for the block; what a person can mend comes as Conflict, with its reason."""
    definition = deps.catalogue().source(source)
    try:
        connector = deps.connections.open(definition, fresh=True)
        try:
            yield connector
        finally:
            connector.close()
    except (Conflict, NotFound):
        raise
    except (Config, NeedsUser, Stop) as error:
        raise Conflict(error.code, _SAID, zh=error.text.zh, en=error.text.en) from error


def tables(deps: ConnectDeps, source: str) -> list[Found]:
    """What the source has; asked for anew once what was found is two minutes old."""
    mark = deps.connections.mark()
    place = (str(deps.connections.home), source)
    with _lock:
        known = _kept.get(place)
    if known is not None and known.mark == mark and clock.monotonic() < known.until:
        return known.tables
    with opened(deps, source) as connector:
        found = _with_parts(connector.discover())
    with _lock:
        _kept[place] = _Kept(clock.monotonic() + _KEPT_SECONDS, mark, found)
    return found


def _with_parts(found: list[Found]) -> list[Found]:
    """The tables, and the parts in which a ledger's tables are read."""
    there = {one.name.casefold(): one for one in found}
    parts = [
        replace(
            there[(offer.stream.table or "").casefold()], name=offer.name,
            table=offer.stream.table, where=offer.stream.where, rows=None,
        )
        for offer in kingdee.ready(found).values()
        if offer.name != offer.stream.table
    ]  # fmt: skip
    return [*found, *parts]


def table(deps: ConnectDeps, source: str, name: str) -> Found:
    """One table of the source; NotFound when it has none of this name."""
    for one in tables(deps, source):
        if one.name.casefold() == name.casefold():
            return one
    raise NotFound("no_table", _NO_TABLE, source=source, table=name[:80])


def stream_of(found: Found, kind: str, name: str = "sample") -> StreamDef:
    """The stream that reads the whole of a table."""
    said: dict[str, Any] = {"name": name, "key": found.key}
    if kind == "files":
        return StreamDef(**said, table=_DATED.sub("*", found.name))
    if found.path is not None:
        return StreamDef(**said, path=found.path, explode=found.explode)
    return StreamDef(**said, table=found.table or found.name, where=dict(found.where))


def sample(connector: Connector, stream: StreamDef, limit: int) -> Sample:
    """The first rows of a stream: one page at most is asked for."""
    reading = connector.read(stream, None)
    for batch in reading:
        names, rows = rows_of(batch)
        closing = getattr(reading, "close", None)
        if closing is not None:
            closing()
        return Sample(names, rows[:limit])
    return Sample((), [])


def shown_rows(found: Sample) -> dict[str, Any]:
    """Columns and rows as texts for people."""
    hidden = {PROBLEM, LINE}
    at = [i for i, n in enumerate(found.names) if n not in hidden and not n.endswith(BYTES)]
    return {
        "columns": [found.names[i] for i in at],
        "rows": [[shown_cell(row[i]) for i in at] for row in found.rows],
    }


def shown_cell(value: Any) -> str | None:
    """A value as text, cut short; bytes that are no text as hex."""
    text = value.hex(" ") if isinstance(value, bytes) else text_of(value)
    return text if text is None or len(text) <= _LONGEST_CELL else text[:_LONGEST_CELL] + "…"


def sync_of(catalogue: Catalogue, source: str, found: Found) -> Sync | None:
    """The sync that reads this table already, if there is one."""
    for sync in catalogue.syncs_of(source):
        stream = sync.stream
        if found.path is not None:
            if stream.path == found.path and stream.explode == found.explode:
                return sync
        elif stream.where == found.where and _table_of(stream) == _table_of(found):
            return sync
    return None


def _table_of(one: StreamDef | Found) -> str:
    return (one.table or one.name).casefold()


def matching(found: Sequence[Found], query: str) -> list[Found]:
    """The tables whose name or comment has the query in it."""
    wanted = query.strip().casefold()
    return [t for t in found if wanted in f"{t.name} {t.comment or ''}".casefold()]

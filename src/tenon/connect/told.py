"""Webhooks and runs write into the same streams: who is overtaken looks again.

A run looks at rows, prepares them, and writes them a moment later. Each time a webhook writes
into a stream, a count in the stream's state rises; a run that finds another count than the one
it began with prepares its rows again, and leaves alone what is older than what is there. The
count's row is locked first by both, so they pass one after the other and never deadlock.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.mapping import Mapper, Row
from tenon.connect.stage import Work, changed
from tenon.connect.tables import source_row, sync_state
from tenon.connect.values import text_of
from tenon.define.models import CursorDef, Sync
from tenon.store.upsert import insert_new

_Order = tuple[str | None, str | None]
_MOST_DIGITS: Final = 40  # Python refuses to read thousands of them


class Overtaken(Exception):
    """A webhook wrote into the stream after these rows were looked at."""


def times(connection: Connection, sync: Sync) -> int:
    """How often webhooks have written into the stream."""
    return connection.scalar(sa.select(sync_state.c.told).where(_of(sync))) or 0


def refuse_overtaken(tx: Connection, sync: Sync, seen: int | None) -> None:
    """Lock the stream's state; Overtaken when webhooks wrote since it was `seen`."""
    now = tx.scalar(sa.select(sync_state.c.told).where(_of(sync)).with_for_update()) or 0
    if seen is not None and now != seen:
        raise Overtaken


def tell(tx: Connection, syncs: Sequence[Sync]) -> None:
    """Count a webhook's write into these streams, and hold them until the end of `tx`."""
    for sync in sorted(syncs, key=lambda s: (s.source, s.stream.name)):
        place = {"source": sync.source, "stream": sync.stream.name}
        tx.execute(insert_new(tx, sync_state), [place])
        tx.execute(sync_state.update().where(_of(sync)).values(told=sync_state.c.told + 1))


@dataclass(frozen=True, slots=True)
class News:
    """Rows that differ from what is there: those to write, and those older than it."""

    works: list[Work]
    older: list[Work]


def newest(connection: Connection, sync: Sync, mapper: Mapper, rows: Sequence[Row]) -> News:
    """The rows that changed, apart from those older than what is there."""
    works = changed(connection, sync.source, sync.stream.name, mapper, rows)
    if sync.stream.cursor is None:
        return News(works, [])
    s = source_row.c
    keys = [work.key for work in works if work.before is not None]
    kept = connection.execute(
        sa.select(s.key, s.raw).where(
            s.source == sync.source, s.stream == sync.stream.name, s.key.in_(keys)
        )
    )
    there = {key: _order_of(raw, sync.stream.cursor) for key, raw in kept}
    news = News([], [])
    for work in works:
        ours = (text_of(mapper.cursor(work.row)), text_of(mapper.version(work.row)))
        older = work.key in there and _before(ours, there[work.key])
        (news.older if older else news.works).append(work)
    return news


def _of(sync: Sync) -> sa.ColumnElement[bool]:
    state = sync_state.c
    return sa.and_(state.source == sync.source, state.stream == sync.stream.name)


def _order_of(raw: str, cursor: CursorDef) -> _Order:
    """The watermark and the revision of a row as kept."""
    values: dict[str, str | None] = {k.casefold(): v for k, v in json.loads(raw).items()}
    version = values.get(cursor.version.casefold()) if cursor.version else None
    return values.get(cursor.column.casefold()), version


def _before(one: _Order, there: _Order) -> bool:
    """Whether a row is the older of two by its watermark, then its revision; in doubt it is not."""
    for ours, theirs in zip(one, there, strict=True):
        if ours is None or theirs is None:
            return False
        if _less(ours, theirs):
            return True
        if _less(theirs, ours):
            return False
    return False


def _less(one: str, other: str) -> bool:
    try:
        return bool(_comparable(one) < _comparable(other))
    except TypeError:
        return one < other


def _comparable(text: str) -> Any:
    if text.isdecimal() and len(text) <= _MOST_DIGITS:
        return int(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text

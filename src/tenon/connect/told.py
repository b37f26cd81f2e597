"""Webhooks and runs write into the same streams: who is overtaken looks again.

A run looks at rows, prepares them, and writes them a moment later. Each time a webhook writes
into a stream, a count in the stream's state rises; a run that finds another count than the one
it began with prepares its rows again, and leaves alone what is older than what is there. The
count's row is locked first by both, so they pass one after the other and never deadlock.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.mapping import Mapper, Row
from tenon.connect.stage import Work, changed
from tenon.connect.tables import source_row, sync_state
from tenon.connect.values import text_of
from tenon.define.models import Sync
from tenon.store.upsert import insert_new


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


def newest(connection: Connection, sync: Sync, mapper: Mapper, rows: Sequence[Row]) -> list[Work]:
    """The rows that changed, without those older than what is there."""
    works = changed(connection, sync.source, sync.stream.name, mapper, rows)
    if sync.stream.cursor is None:
        return works
    s = source_row.c
    keys = [work.key for work in works if work.before is not None]
    kept = connection.execute(
        sa.select(s.key, s.raw).where(
            s.source == sync.source, s.stream == sync.stream.name, s.key.in_(keys)
        )
    )
    column = sync.stream.cursor.column.casefold()
    there = {key: _cursor_of(raw, column) for key, raw in kept}
    return [w for w in works if not _older(text_of(mapper.cursor(w.row)), there.get(w.key))]


def _of(sync: Sync) -> sa.ColumnElement[bool]:
    state = sync_state.c
    return sa.and_(state.source == sync.source, state.stream == sync.stream.name)


def _cursor_of(raw: str, column: str) -> str | None:
    values: dict[str, str | None] = json.loads(raw)
    return next((v for name, v in values.items() if name.casefold() == column), None)


def _older(one: str | None, there: str | None) -> bool:
    """Whether a cursor is before the one that is there; when in doubt it is not."""
    if one is None or there is None:
        return False
    try:
        return bool(_comparable(one) < _comparable(there))
    except TypeError:
        return one < there


def _comparable(text: str) -> Any:
    if text.isdecimal():
        return int(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text

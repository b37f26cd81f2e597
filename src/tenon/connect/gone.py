"""Rows that are no longer in their source: marked, never deleted, and only when they are few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from tenon.connect.batches import rows_of
from tenon.connect.contract import Connector
from tenon.connect.plan import Plan
from tenon.connect.tables import source_row, sync_state
from tenon.connect.values import text_of
from tenon.define.models import StreamDef, Sync
from tenon.kernel import clock
from tenon.kernel.text import Text, tidy
from tenon.store import Hub

_SHARE: Final = 0.2
_ALWAYS: Final = 20
_AT_ONCE: Final = 200
_MOST_TOLD: Final = 10_000

Key = tuple[Any, ...]

_MANY = Text(
    "来源中有 {gone} 行（共 {all} 行）不见了，超过 20%；为防误删未做任何标记，请人工核对。",
    "{gone} of {all} rows are no longer in the source, over 20 %. Nothing was marked; please "
    "check the source.",
)
_SOME = Text(
    "来源中有 {gone} 行不见了，已标记；对应的记录保留。",
    "{gone} rows are no longer in the source and are marked so; their records stay.",
)


class Vanished:
    """Remembers the keys seen in a full compare."""

    def __init__(self, hub: Hub, sync: Sync) -> None:
        self._hub, self._sync = hub, sync
        self._seen: set[str] = set()

    def see(self, keys: Iterable[str | None]) -> None:
        """Note keys that are there."""
        self._seen.update(k for k in keys if k is not None)

    def mark(self, plan: Plan) -> Text | None:
        """Mark what was not seen; what to say of it."""
        with self._hub.read() as connection:
            known = set(connection.scalars(sa.select(source_row.c.key).where(_known(self._sync))))
        gone = [k for k in known if k not in self._seen and "~" not in k]
        return _marked(self._hub, self._sync, plan, gone, len(known))


def confirm(
    hub: Hub, sync: Sync, plan: Plan, connector: Connector, told: Iterable[Key]
) -> Text | None:
    """Mark rows that the source said it deleted, once a look there finds them no more."""
    asked = {text: key for key in told if (text := _text(key))}
    with hub.read() as connection:
        known = set(
            connection.scalars(
                sa.select(source_row.c.key).where(
                    _known(sync), source_row.c.key.in_(list(asked)[:_MOST_TOLD])
                )
            )
        )
        rows = connection.scalar(
            sa.select(sync_state.c.rows).where(
                sync_state.c.source == sync.source, sync_state.c.stream == sync.stream.name
            )
        )
    if not known:
        return None
    there = _there(sync.stream, connector, [asked[text] for text in known])
    return _marked(hub, sync, plan, sorted(known - there), rows or 0)


def _there(stream: StreamDef, connector: Connector, keys: Sequence[Key]) -> set[str]:
    """Those of these keys that the source still has."""
    found: set[str] = set()
    for at in range(0, len(keys), _AT_ONCE):
        part = keys[at : at + _AT_ONCE]
        only = {name: tuple({key[i] for key in part}) for i, name in enumerate(stream.key)}
        narrow = stream.model_copy(update={"cursor": None, "where": stream.where | only})
        for batch in connector.read(narrow, None):
            names, rows = rows_of(batch)
            columns = [name.casefold() for name in names]
            places = [columns.index(name.casefold()) for name in stream.key]
            found.update(_text(tuple(row[i] for i in places)) for row in rows)
    return found


def _text(key: Key) -> str:
    """A key as rows are kept under it."""
    parts = [tidy(text_of(part) or "") for part in key]
    return "|".join(parts) if all(parts) else ""


def _known(sync: Sync) -> sa.ColumnElement[bool]:
    s = source_row.c
    return sa.and_(s.source == sync.source, s.stream == sync.stream.name, s.state != "gone")


def _marked(hub: Hub, sync: Sync, plan: Plan, gone: list[str], rows: int) -> Text | None:
    """Mark rows as gone, unless they are suspiciously many; what to say of it."""
    if not gone:
        return None
    if len(gone) > max(_ALWAYS, rows * _SHARE):
        return _MANY.format(gone=len(gone), all=rows)
    with hub.write(durable=False) as tx:
        these = sa.and_(_known(sync), source_row.c.key.in_(gone))
        aside = tx.scalar(
            sa.select(sa.func.count()).where(these, source_row.c.state == "set_aside")
        )
        marked = tx.execute(
            source_row.update()
            .where(these)
            .values(state="gone", run_id=plan.run_id, seen_at=clock.now())
        ).rowcount
        state = sync_state.c
        tx.execute(
            sync_state.update()
            .where(state.source == sync.source, state.stream == sync.stream.name)
            .values(rows=state.rows - marked, set_aside=state.set_aside - (aside or 0))
        )
    return _SOME.format(gone=len(gone))

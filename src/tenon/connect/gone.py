"""Rows that a full compare no longer finds: marked, never deleted, and only when they are few."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from tenon.connect.plan import Plan
from tenon.connect.tables import source_row, sync_run, sync_state
from tenon.define.models import Sync
from tenon.kernel import clock
from tenon.kernel.text import Text
from tenon.store import Hub

_SHARE: Final = 0.2
_ALWAYS: Final = 20
_AT_ONCE: Final = 500  # keys of a statement

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
        known = self._known(plan)
        gone = [k for k in known if k not in self._seen and "~" not in k]
        if not gone:
            return None
        if len(gone) > max(_ALWAYS, len(known) * _SHARE):
            return _MANY.format(gone=len(gone), all=len(known))
        for at in range(0, len(gone), _AT_ONCE):
            self._mark(plan, gone[at : at + _AT_ONCE])
        return _SOME.format(gone=len(gone))

    def _known(self, plan: Plan) -> set[str]:
        """The rows that were there when the run began; what a webhook told since then is not."""
        s = source_row.c
        begun = sa.select(sync_run.c.started_at).where(sync_run.c.id == plan.run_id)
        old = s.seen_at <= begun.scalar_subquery()
        with self._hub.read() as connection:
            found = connection.scalars(sa.select(s.key).where(self._own(), s.state != "gone", old))
            return set(found)

    def _own(self) -> sa.ColumnElement[bool]:
        s = source_row.c
        return sa.and_(s.source == self._sync.source, s.stream == self._sync.stream.name)

    def _mark(self, plan: Plan, keys: list[str]) -> None:
        s, state = source_row.c, sync_state.c
        with self._hub.write(durable=False) as tx:
            these = sa.and_(self._own(), s.key.in_(keys), s.state != "gone")
            aside = tx.scalar(sa.select(sa.func.count()).where(these, s.state == "set_aside"))
            marked = tx.execute(
                source_row.update()
                .where(these)
                .values(state="gone", run_id=plan.run_id, seen_at=clock.now())
            ).rowcount
            tx.execute(
                sync_state.update()
                .where(state.source == self._sync.source, state.stream == self._sync.stream.name)
                .values(rows=state.rows - marked, set_aside=state.set_aside - (aside or 0))
            )

"""Our own echo: rows that a sync reads back and that we wrote there ourselves.

The record that was pushed has no place in the source yet; when its row is read back it gets one,
so that the sync changes that record and makes no second one. The reading is an echo, which
starts no flow; whatever the source changes afterwards is live.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.stage import Work
from tenon.connect.tables import push_row
from tenon.define.catalogue import Catalogue
from tenon.define.models import PushDef, Sync
from tenon.kernel import clock


class Echoes:
    """Recognises what we pushed among the rows of one sync."""

    def __init__(self, catalogue: Catalogue, sync: Sync) -> None:
        self._pushes: Sequence[PushDef] = [
            push
            for push in catalogue.of(PushDef)
            if push.source == sync.source
            and push.stream == sync.stream.name
            and push.entity == sync.target
        ]

    def find(self, tx: Connection, works: Sequence[Work]) -> dict[str, str]:
        """The record pushed, by the key of the row that is its echo; each echo is found once."""
        found: dict[str, str] = {}
        for push in self._pushes if works else ():
            p = push_row.c
            unheard = sa.and_(p.push == push.code, p.echoed_at.is_(None))
            if not tx.scalar(sa.select(sa.exists().where(unheard))):
                continue
            keys = {_key(push, work): work.key for work in works}
            rows = tx.execute(
                sa.select(p.key, p.record_id).where(unheard, p.key.in_(list(keys)))
            ).all()
            if rows:
                found |= {keys[row.key]: row.record_id for row in rows}
                heard = sa.and_(unheard, p.key.in_([row.key for row in rows]))
                tx.execute(push_row.update().where(heard).values(echoed_at=clock.now()))
        return found


def _key(push: PushDef, work: Work) -> str:
    """The row's key as the push writes it."""
    there: dict[str, str | None] = json.loads(work.raw)
    lower = {name.casefold(): value for name, value in there.items()}
    return "|".join((lower.get(name.casefold()) or "").strip() for name in push.key)

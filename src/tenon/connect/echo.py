"""Our own echo: rows that a sync reads back and that we wrote there ourselves.

The record that was pushed has no place in the source yet; when its row is read back it gets one,
so that the sync changes that record and makes no second one. A row exactly as we wrote it is an
echo, which starts no flow. A row that its owner changed since, were it before we read it back
for the first time, is live.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.contract import comparable
from tenon.connect.stage import Work
from tenon.connect.tables import push_row
from tenon.define.catalogue import Catalogue
from tenon.define.models import PushDef, Sync
from tenon.kernel import clock

_DONE: Final = ("sent", "changed", "same")

Values = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Heard:
    """The record that was pushed into a row, and whether the row is as we wrote it."""

    record_id: str
    echo: bool


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

    def expected(self) -> bool:
        """Whether anything is written into this stream at all."""
        return bool(self._pushes)

    def find(self, tx: Connection, works: Sequence[Work]) -> dict[str, Heard]:
        """What we pushed, by the key of the row that was read."""
        found: dict[str, Heard] = {}
        p = push_row.c
        for push in self._pushes if works else ():
            if not tx.scalar(sa.select(sa.exists().where(p.push == push.code))):
                continue
            there = {_key(push, row): (work.key, row) for work in works for row in [_read(work)]}
            ours = sa.or_(p.state.in_(("intended", *_DONE)), p.sent_values.is_not(None))
            rows = (
                tx.execute(
                    sa.select(push_row).where(p.push == push.code, p.key.in_(list(there)), ours)
                )
                .mappings()
                .all()
            )
            heard = []
            for row in rows:
                key, read = there[row["key"]]
                wrote = (row["values"], row["sent_values"])
                echo = any(_is_echo(push, read, one) for one in wrote)
                found[key] = Heard(row["record_id"], echo)
                if row["echoed_at"] is None and (echo or row["state"] in _DONE):
                    heard.append(row["key"])
            if heard:
                read_back = sa.and_(p.push == push.code, p.key.in_(heard))
                tx.execute(push_row.update().where(read_back).values(echoed_at=clock.now()))
        return found


def _read(work: Work) -> Values:
    """The row as it was read, by its columns without case."""
    there: dict[str, Any] = json.loads(work.raw)
    return {name.casefold(): comparable(value) for name, value in there.items()}


def _key(push: PushDef, read: Values) -> str:
    """The row's key as the push writes it."""
    return "|".join((read.get(name.casefold()) or "").strip() for name in push.key)


def _is_echo(push: PushDef, read: Values, wrote: Values | None) -> bool:
    """Whether a row is as we wrote it; the time of writing counts where it is known.

    Columns that were only ours to begin with do not count once it is.
    """
    if wrote is None:
        return False
    stamps = {n for n, one in push.columns.items() if one.now}
    known = stamps <= wrote.keys()
    free = {n for n, one in push.columns.items() if one.initial} if stamps and known else set()
    if not known:
        free |= stamps
    return all(
        n in wrote and _alike(read.get(n.casefold()), comparable(wrote[n]))
        for n in push.columns
        if n not in free
    )


def _alike(read: str | None, wrote: str | None) -> bool:
    """Whether they are the same, as far as a column with fewer places or no hours can say."""
    if read == wrote or read is None or wrote is None:
        return read == wrote
    if len(read) == len("2026-01-31") and wrote.startswith(f"{read} "):
        return True
    try:
        there, ours = Decimal(read), Decimal(wrote)
        return there == ours.quantize(there, ROUND_HALF_UP)
    except InvalidOperation:
        return False

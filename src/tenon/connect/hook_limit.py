"""Webhooks that are refused: limited by address, and noted for the administrator.

What is noted is one row for each hook, address and reason, not for each request.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.access.attempts import Attempts
from tenon.connect.tables import hook_refusal
from tenon.kernel import clock
from tenon.store import Hub
from tenon.store.upsert import insert_new

REFUSED: Final = Attempts(20)
_ROWS: Final = 1_000


def refuse_many(hook: str, address: str) -> None:
    """Raise TooMany for an address whose requests were refused too often within the minute."""
    REFUSED.refuse_many(f"{hook} {address}")


def count(hub: Hub, hook: str, address: str, reason: str) -> None:
    """Count a refusal and note it."""
    REFUSED.count(f"{hook} {address}")
    _note(hub, {"hook": hook, "address": address[:60], "reason": reason})


def purge(tx: Connection, before: datetime) -> int:
    """Forget refusals last seen before a moment: new ones need their room."""
    return tx.execute(hook_refusal.delete().where(hook_refusal.c.last_at < before)).rowcount


def _note(hub: Hub, place: dict[str, str]) -> None:
    r, now = hook_refusal.c, clock.wall()
    same = sa.and_(*(r[name] == value for name, value in place.items()))
    with hub.write(durable=False) as tx:
        seen = {"times": r.times + 1, "last_at": now}
        if tx.execute(hook_refusal.update().where(same).values(seen)).rowcount:
            return
        if (tx.scalar(sa.select(sa.func.count()).select_from(hook_refusal)) or 0) < _ROWS:
            row = place | {"times": 1, "first_at": now, "last_at": now}
            tx.execute(insert_new(tx, hook_refusal), row)

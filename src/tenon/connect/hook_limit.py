"""Webhooks that are refused: limited by address, and noted for the administrator.

Counted in this process's memory: a stranger's requests must cost as little as possible. What is
noted is one row for each hook, address and reason.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

import sqlalchemy as sa

from tenon.access.errors import TooMany
from tenon.connect.tables import hook_refusal
from tenon.kernel import clock
from tenon.kernel.text import Text
from tenon.store import Hub
from tenon.store.upsert import insert_new

REFUSALS: Final = 20
WINDOW: Final = 60.0
_ADDRESSES: Final = 10_000
_ROWS: Final = 1_000

_TOO_MANY = Text(
    "来自该地址的无效请求过多，请在 {seconds} 秒后再试。",
    "Too many requests from this address were refused. Try again in {seconds} seconds.",
)

_lock = threading.Lock()
_refused: dict[tuple[str, str], deque[float]] = {}


def refuse_many(hook: str, address: str) -> None:
    """Raise TooMany for an address whose requests were refused too often within the minute."""
    with _lock:
        times = _refused.get((hook, address))
        if times is None:
            return
        now = clock.monotonic()
        while times and times[0] <= now - WINDOW:
            times.popleft()
        if not times:
            del _refused[hook, address]
        elif len(times) >= REFUSALS:
            wait = int(times[0] + WINDOW - now) + 1
            raise TooMany("too_many_refused", _TOO_MANY, seconds=wait)


def count(hub: Hub, hook: str, address: str, reason: str) -> None:
    """Count a refusal and note it."""
    with _lock:
        if len(_refused) >= _ADDRESSES:
            _refused.pop(next(iter(_refused)))  # the oldest: memory is bounded
        _refused.setdefault((hook, address), deque(maxlen=REFUSALS)).append(clock.monotonic())
    _note(hub, {"hook": hook, "address": address[:60], "reason": reason})


def forget() -> None:
    """Forget what was counted, for tests."""
    with _lock:
        _refused.clear()


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

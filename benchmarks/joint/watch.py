"""Who watches: sees when an order has its work order in the hub, and when its row in the MES.

Both databases are looked at every few milliseconds over connections of its own, which see what
is committed and nothing else.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

EVERY: Final = 0.004
_MADE: Final = (
    "SELECT s.order_no FROM e_allocation a JOIN e_order_line l ON l.id = a.order_line "
    "JOIN e_sales_order s ON s.id = l.sales_order WHERE a.id > {}"
)
_PUSHED: Final = "SELECT id, order_no FROM pro_workorder_source WHERE id > ?"
_BACK: Final = 3.0  # a transaction's ids are made this long before its commit, at most


@dataclass
class Watch:
    """When each order was first seen, by `time.perf_counter`."""

    hub: str
    mes: Path
    made: dict[str, float] = field(default_factory=dict)
    pushed: dict[str, float] = field(default_factory=dict)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _stop: threading.Event = field(default_factory=threading.Event)

    def wait(self, numbers: Sequence[str], seconds: float) -> None:
        """Wait until all of these orders are seen in both places."""
        with self._news:
            done = self._news.wait_for(
                lambda: all(n in self.pushed and n in self.made for n in numbers), seconds
            )
        if not done:
            missing = [n for n in numbers if n not in self.pushed]
            raise SystemExit(f"{len(missing)} orders never came to the MES: {missing[:5]}")

    def look(self) -> None:
        """Look until stopped."""
        hub = _opened(self.hub)
        mes = sqlite3.connect(f"file:{self.mes}?mode=ro", uri=True, timeout=30)
        made = _MADE.format("?" if isinstance(hub, sqlite3.Connection) else "%s")
        last = 0
        while not self._stop.wait(EVERY):
            rows = mes.execute(_PUSHED, (last,)).fetchall()
            at_mes = time.perf_counter()
            numbers = [row[0] for row in hub.execute(made, (_id_of(time.time() - _BACK),))]
            at_hub = time.perf_counter()
            last = max([last, *(row[0] for row in rows)])
            with self._news:
                for number in numbers:
                    self.made.setdefault(number, at_hub)
                for _id, number in rows:
                    self.pushed.setdefault(number, at_mes)
                self._news.notify_all()
        hub.close()
        mes.close()

    def stop(self) -> None:
        """End."""
        self._stop.set()


@contextmanager
def watching(hub: str, mes: Path) -> Iterator[Watch]:
    """Watch for the block."""
    watch = Watch(hub, mes)
    thread = threading.Thread(target=watch.look, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.stop()
        thread.join(10)


def _opened(url: str) -> Any:
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    return psycopg.connect(url, autocommit=True)


def _id_of(at: float) -> str:
    """The smallest id made at this time."""
    hexed = f"{int(at * 1000):012x}"
    return f"{hexed[:8]}-{hexed[8:]}-7000-8000-000000000000"

"""Signals: "something of this kind has changed", told after the commit, to every process.

A signal carries a topic and nothing else: who hears it reads again, under their own permissions.
On PostgreSQL it travels by LISTEN/NOTIFY, which sends with the commit and never before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from sqlalchemy.engine import Connection

CHANNEL: Final = "tenon"
# Told when something may have been missed: everything may have changed.
EVERYTHING: Final = "*"

Hear = Callable[[frozenset[str]], None]


class Signals:
    """Who listens in this process; `tell` reaches all of them on the teller's thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hearers: tuple[Hear, ...] = ()

    def subscribe(self, hear: Hear) -> Callable[[], None]:
        """Call `hear` with the topics of each commit; the answer ends it. `hear` must be quick."""
        with self._lock:
            self._hearers = (*self._hearers, hear)

        def end() -> None:
            with self._lock:
                self._hearers = tuple(h for h in self._hearers if h is not hear)

        return end

    def tell(self, topics: frozenset[str]) -> None:
        """Tell everyone in this process."""
        for hear in self._hearers:
            hear(topics)


def announce(tx: Connection, *topics: str) -> None:
    """Tell these topics once the transaction is committed; nothing is told of one rolled back."""
    waiting: set[str] | None = tx.info.get("signals")
    if waiting is None:
        message = "announce needs a transaction of Hub.write"
        raise ValueError(message)
    waiting.update(topics)

"""The write gate of SQLite: writers pass one at a time, in the order they came.

SQLite lets one writer in and makes the others poll; under a bulk load a single write can starve
for seconds. A first-come gate in front of BEGIN IMMEDIATE bounds the wait by the length of the
transactions before it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from tenon.kernel.errors import Retry
from tenon.kernel.text import Text

_BUSY = Text(
    "数据库正忙，等待 {seconds} 秒仍未轮到；请稍后再试。",
    "The database is busy; no turn came within {seconds} s. Try again shortly.",
)


class WriteGate:
    """A first-come lock with a deadline."""

    def __init__(self, timeout: float = 30.0) -> None:
        self._timeout = timeout
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._held = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn, hold the gate for the block."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> None:
        ticket = threading.Event()
        with self._lock:
            if not self._held and not self._waiting:
                self._held = True
                return
            self._waiting.append(ticket)
        if ticket.wait(self._timeout):
            return
        with self._lock:
            if ticket.is_set():
                return  # the turn came just as the wait ended
            self._waiting.remove(ticket)
        raise Retry("database_busy", _BUSY, seconds=self._timeout)

    def _leave(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._held = False

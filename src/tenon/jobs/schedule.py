"""Periodic work on threads: each piece has its own thread, so that one that hangs holds up none."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tenon.kernel import clock

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Work:
    name: str
    seconds: float
    run: Callable[[], None]
    due: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


class Schedule:
    """Named work, each run again `seconds` after its last start, until stopped."""

    def __init__(self) -> None:
        self._works: dict[str, _Work] = {}
        self._stop = threading.Event()

    def add(self, name: str, seconds: float, run: Callable[[], None]) -> None:
        """Add work before or after the start; a name is used once."""
        if name in self._works:
            message = f"work {name!r} is scheduled already"
            raise ValueError(message)
        self._works[name] = _Work(name, seconds, run)

    def has(self, name: str) -> bool:
        """Whether there is work of this name."""
        return name in self._works

    def start(self) -> None:
        """Start a thread for each piece of work; its first run is at once."""
        for work in list(self._works.values()):
            if work.thread is None:
                work.thread = threading.Thread(
                    target=self._loop, args=(work,), name=work.name, daemon=True
                )
                work.thread.start()

    def soon(self, name: str) -> None:
        """Run the work as soon as its thread is free."""
        self._works[name].due.set()

    @property
    def stopping(self) -> bool:
        """Whether long work should come to an end."""
        return self._stop.is_set()

    def stop(self, timeout: float = 10.0) -> None:
        """Ask every thread to end and wait for them."""
        self._stop.set()
        for work in list(self._works.values()):
            work.due.set()
        for work in list(self._works.values()):
            if work.thread is not None:
                work.thread.join(timeout)

    def _loop(self, work: _Work) -> None:
        failing = False
        while not self._stop.is_set():
            started = clock.monotonic()
            try:
                work.run()
                failing = False
            except Exception:  # noqa: BLE001  the thread must outlive any fault of its work
                if not failing:  # one log line for a fault that lasts, not thousands
                    _log.exception("periodic work %s failed", work.name)
                failing = True
            work.due.wait(max(0.0, started + work.seconds - clock.monotonic()))
            work.due.clear()

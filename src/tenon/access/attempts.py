"""Counting what strangers get wrong, in this process's memory: it must cost next to nothing."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from tenon.access.errors import TooMany
from tenon.kernel import clock
from tenon.kernel.text import Text

_MOST_NAMES: Final = 10_000
_TOO_MANY = Text(
    "来自该地址的无效请求过多，请在 {seconds} 秒后再试。",
    "Too many requests from this address were refused. Try again in {seconds} seconds.",
)


class Attempts:
    """At most so many in a window of seconds, for each name (an address, a device)."""

    def __init__(self, most: int, window: float = 60.0) -> None:
        self._most, self._window = most, window
        self._lock = threading.Lock()
        self._times: dict[str, deque[float]] = {}

    def refuse_many(self, name: str) -> None:
        """Raise TooMany for a name that has used its window up; `seconds` says how long to wait."""
        with self._lock:
            times = self._times.get(name)
            if times is None:
                return
            now = clock.monotonic()
            while times and times[0] <= now - self._window:
                times.popleft()
            if not times:
                del self._times[name]
            elif len(times) >= self._most:
                wait = int(times[0] + self._window - now) + 1
                raise TooMany("too_many_refused", _TOO_MANY, seconds=wait)

    def count(self, name: str) -> None:
        """Count one."""
        with self._lock:
            if name not in self._times and len(self._times) >= _MOST_NAMES:
                self._times.pop(next(iter(self._times)))  # the oldest: memory is bounded
            self._times.setdefault(name, deque(maxlen=self._most)).append(clock.monotonic())

    def forget(self) -> None:
        """Forget everything, for tests."""
        with self._lock:
            self._times.clear()

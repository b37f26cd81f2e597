"""The one source of time: UTC, from the machine, a demo plant's clock, or a test's.

Times are kept in UTC; the plant's zone is a setting. Durations that must not jump with the
wall clock use `monotonic`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]


def _machine() -> datetime:
    return datetime.now(UTC)


class DemoClock:
    """A simulated plant's clock: `{"sim", "wall", "pace"}` in a file maps wall to plant time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = 0.0
        self._sim = self._wall = _machine()
        self.pace = 1.0

    def __call__(self) -> datetime:
        """The plant's time now."""
        self._reload()
        return self._sim + (_machine() - self._wall) * self.pace

    def _reload(self) -> None:
        try:
            stamp = self._path.stat().st_mtime_ns / 1e9
            if stamp == self._stamp:
                return
            mapping = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return  # being replaced, or not there yet: go on with the last mapping
        self._sim = datetime.fromisoformat(mapping["sim"]).astimezone(UTC)
        wall = mapping["wall"]  # none before the plant first lives
        self._wall = datetime.fromisoformat(wall).astimezone(UTC) if wall else _machine()
        self.pace, self._stamp = float(mapping["pace"]), stamp


class _Now:
    clock: Clock = staticmethod(_machine)


def now() -> datetime:
    """The time now, in UTC."""
    return _Now.clock()


def wall() -> datetime:
    """The machine's time, for what no demo may hurry: sessions, throttles, accounts."""
    return _machine() if isinstance(_Now.clock, DemoClock) else _Now.clock()


def demo_pace() -> float | None:
    """Plant minutes a wall minute when a demo clock runs, else None."""
    clock = _Now.clock
    return clock.pace if isinstance(clock, DemoClock) else None


def use(clock: Clock) -> None:
    """Take the time from `clock` from now on."""
    _Now.clock = clock


@contextmanager
def fixed(at: datetime) -> Iterator[None]:
    """Stand still at `at` (for tests)."""
    before = _Now.clock
    use(lambda: at)
    try:
        yield
    finally:
        use(before)


def monotonic() -> float:
    """Seconds on a clock that never goes back."""
    return time.monotonic()


def local(value: datetime, zone: ZoneInfo) -> datetime:
    """A UTC time in the plant's zone."""
    return value.astimezone(zone)


def from_local(value: datetime, zone: ZoneInfo) -> datetime:
    """A zone-less local time of a legacy system as UTC; the first of two on a clock change."""
    return value.replace(tzinfo=zone, fold=0).astimezone(UTC)


def day_start(value: datetime, zone: ZoneInfo, days: int = 0) -> datetime:
    """Midnight in the plant's zone of `value`'s day plus `days`, as UTC."""
    day = value.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return (day + timedelta(days=days)).astimezone(UTC)

"""How fast one system is asked: so many calls a second, and not before it says so."""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

from tenon.kernel import clock

MAX_WAIT: Final = 30.0  # longer than this nobody waits: the next round asks again
_LONGEST_HOLD: Final = 3600.0
_SHORTEST: Final = 0.05
_FIRST_REST: Final = 60.0
_LONGEST_REST: Final = 1800.0


class Pace:
    """Turns of the callers of one system in this process."""

    def __init__(self, per_second: float | None) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._lock = threading.Lock()
        self._next = self._rested = 0.0
        self._failures = 0

    @property
    def failing(self) -> bool:
        """Whether what was asked last failed."""
        return self._failures > 0

    def rest(self) -> float:
        """In how many seconds a system that failed should be asked again; 0 when it may be now."""
        return max(self._rested - clock.monotonic(), 0.0)

    def failed(self) -> None:
        """What was asked failed: each time the rest is longer."""
        with self._lock:
            rest = min(_FIRST_REST * 2.0 ** min(self._failures, 10), _LONGEST_REST)
            self._failures += 1
            self._rested = clock.monotonic() + rest

    def worked(self) -> None:
        """What was asked worked."""
        with self._lock:
            self._failures, self._rested = 0, 0.0

    def turn(self) -> float:
        """Wait for one's turn: 0; or not at all when it is too far, then in how many seconds."""
        with self._lock:
            now = clock.monotonic()
            wait = max(self._next - now, 0.0)
            if wait > MAX_WAIT:
                return wait
            self._next = now + wait + self._gap
        if wait:
            time.sleep(wait)
        return 0.0

    def hold(self, seconds: float) -> None:
        """Let nobody ask before so many seconds have gone."""
        with self._lock:
            at = clock.monotonic() + min(seconds, _LONGEST_HOLD)
            self._next = max(self._next, at)


@lru_cache(maxsize=256)
def pace_of(_source: str, _place: str, per_second: float | None) -> Pace:
    """The pace of a system, the same for all connections of this process to it."""
    return Pace(per_second)


def asked_to_wait(headers: Mapping[str, str], tries: int) -> float:
    """How many seconds to wait after a refusal: as the server says, else ever longer.

    A little more than that, by chance, so that many that were refused at once do not come back
    at once.
    """
    said = _said(headers.get("Retry-After", ""))
    wait = max(said, _SHORTEST) if said is not None else 2.0 ** (tries - 1)
    return wait * (1 + secrets.randbelow(250) / 1000)


def _said(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return _until(text)
    return seconds if math.isfinite(seconds) else None


def _until(text: str) -> float | None:
    try:
        at = parsedate_to_datetime(text)
        return (at - clock.wall()).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None  # none, nonsense, or a time without a zone

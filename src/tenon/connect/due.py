"""Whose turn it is: which syncs may run now, and what the others wait for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect import control
from tenon.connect.control import Hold, Holds
from tenon.connect.plan import LIGHT_ROWS
from tenon.connect.tables import sync_state
from tenon.define.catalogue import Catalogue
from tenon.define.models import SourceDef, Sync
from tenon.define.timing import ScheduleDef, seconds_of, within
from tenon.kernel import clock
from tenon.kernel.text import Text

_HELD = Text("{by}已暂停：{reason}", "paused by {by}: {reason}")
_PEAK = Text("等待低峰时段（{windows}）", "waits for the off-peak hours ({windows})")
_AFTER = Text("等待“{after}”成功", "waits for “{after}” to succeed")


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether a sync may run, as what kind of run (None: as it comes), or what it waits for.

    A sync that waits for nothing but the next time of its schedule says nothing.
    """

    now: bool
    kind: str | None = None
    waits: Text | None = None


_YES: Final = Turn(now=True)
_NO: Final = Turn(now=False)


class Turns:
    """The turns of a moment, with all that is needed to tell them read once."""

    def __init__(self, connection: Connection, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._holds: Holds = control.holds(connection)
        rows = connection.execute(sa.select(sync_state))
        self._states = {(r.source, r.stream): r for r in rows}
        self._now = clock.now()

    def of(self, sync: Sync, *, asked: bool = False) -> Turn:
        """The turn of a sync; one that a person asked for waits for no schedule."""
        source, state = self._catalogue.source(sync.source), self._state(sync)
        hold = self.hold(sync.source) or self.hold(sync.source, sync.code)
        if hold is not None:
            return Turn(now=False, waits=_HELD.format(by=hold.by, reason=hold.reason))
        peak, large = self.peak(source), state is not None and state.rows > LIGHT_ROWS
        if self._compares(sync, state) and not (peak and large):
            return Turn(now=True, kind="compare")
        schedule = sync.schedule or source.schedule
        if not asked and not self._scheduled(schedule, source, state):
            return _unready(schedule)
        first = state is None or state.last_success_at is None
        if peak and (first or (large and sync.stream.cursor is None)):
            return Turn(now=False, waits=_PEAK.format(windows=", ".join(source.off_peak)))
        return _YES

    def hold(self, source: str, sync: str = "") -> Hold | None:
        """The pause of a source, or of one of its syncs."""
        return self._holds.get((source, sync))

    def late(self, source: SourceDef) -> bool | None:
        """Whether a sync's time came long ago and was missed; None when it has no such times."""
        syncs = self._catalogue.syncs_of(source.code)
        schedules = [s.schedule or source.schedule for s in syncs]
        if not schedules or not all(schedules):
            return None
        early = self._now - timedelta(minutes=source.stale_minutes)
        return any(
            schedule is not None
            and schedule.after is None
            and self._missed(schedule, source, self._state(sync), early)
            for sync, schedule in zip(syncs, schedules, strict=True)
        )

    def peak(self, source: SourceDef) -> bool:
        """Whether heavy work must wait now."""
        return not within(source.off_peak, self._local(source).time())

    def _state(self, sync: Sync) -> Any:
        return self._states.get((sync.source, sync.stream.name))

    def _local(self, source: SourceDef) -> datetime:
        return self._now.astimezone(ZoneInfo(source.zone)).replace(tzinfo=None)

    def _compares(self, sync: Sync, state: Any) -> bool:
        if sync.compare_every is None or sync.stream.cursor is None or state is None:
            return False
        last = state.compared_at or state.first_success_at
        every = timedelta(seconds=seconds_of(sync.compare_every))
        return last is not None and self._now - last >= every

    def _scheduled(self, schedule: ScheduleDef | None, source: SourceDef, state: Any) -> bool:
        """Whether its time has come since it last ran to its end."""
        if schedule is None:
            return True
        if schedule.after is None:
            return self._missed(schedule, source, state, self._now)
        other = self._state(self._catalogue.sync(schedule.after))
        done, last = _done(state), other.last_success_at if other else None
        return last is not None and (done is None or done < last)

    def _missed(self, schedule: ScheduleDef, source: SourceDef, state: Any, now: datetime) -> bool:
        zone = ZoneInfo(source.zone)
        local = schedule.latest(now.astimezone(zone).replace(tzinfo=None))
        done = _done(state)
        return local is not None and (done is None or done < clock.from_local(local, zone))


def _unready(schedule: ScheduleDef | None) -> Turn:
    after = schedule.after if schedule else None
    return Turn(now=False, waits=_AFTER.format(after=after)) if after else _NO


def _done(state: Any) -> datetime | None:
    """When the last run that came to its end was begun."""
    if state is None or state.last_success_at is None:
        return None
    begun: datetime | None = state.last_attempt_at
    ended: datetime = state.last_success_at
    return begun if begun is not None and begun <= ended else ended

"""Watching a run between two batches: whether it may go on, and how far it has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import pyarrow as pa
from sqlalchemy.engine import Connection

from tenon.connect import control
from tenon.connect.apply import Counts
from tenon.connect.contract import Connector
from tenon.connect.deps import ConnectDeps
from tenon.connect.plan import LIGHT_ROWS, Plan
from tenon.connect.tables import sync_run
from tenon.define.models import SourceDef, Sync
from tenon.define.timing import within
from tenon.jobs import lease
from tenon.kernel import clock
from tenon.kernel.errors import TenonError
from tenon.kernel.text import Text
from tenon.store import announce

_TELL_SECONDS: Final = 2.0

_CANCELLED = Text(
    "{by}已停止本次运行（原因：{reason}）；已提交的内容保留，恢复后从水位线继续。",
    "{by} stopped the run (because: {reason}). What was committed stays; resumed, it goes on from "
    "the watermark.",
)
_ROWS = Text(
    "已读 {read} 行，达到每次 {most} 行的上限；下一次运行接着读。",
    "{read} rows were read, and a run reads {most}; the next one goes on from here.",
)
_SECONDS = Text(
    "已运行 {took} 秒，达到每次 {most} 秒的上限；下一次运行接着读。",
    "The run took {took} s, and may take {most}; the next one goes on from here.",
)
_PEAK = Text(
    "低峰时段（{windows}）已过；下一个时段接着读。",
    "The off-peak hours ({windows}) are over; it goes on in the next ones.",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """Why a run ends before the source has no more."""

    state: Literal["cancelled", "partial"]
    text: Text


class Watch:
    """Watches one run; one that reads much keeps to the source's off-peak hours."""

    def __init__(self, deps: ConnectDeps, source: SourceDef, sync: Sync, plan: Plan) -> None:
        self._deps, self._source, self._sync, self._plan = deps, source, sync, plan
        heavy = plan.first or (plan.since is None and plan.rows > LIGHT_ROWS)
        self._windows = source.off_peak if heavy else ()
        self._began = self._told_at = clock.monotonic()
        self._told = 0
        self.ended: Ended | None = None

    def keep_off_peak(self) -> None:
        """Keep to the source's off-peak hours, however little is read."""
        self._windows = self._source.off_peak

    def batches(
        self, batches: Iterable[pa.RecordBatch], counts: Callable[[], Counts]
    ) -> Iterator[pa.RecordBatch]:
        """The batches, until there are no more or the run must end."""
        reading: Any = iter(batches)
        try:
            while not self._over(counts()):
                batch = next(reading, None)
                if batch is None:
                    return
                yield batch
        finally:
            with suppress(AttributeError):
                reading.close()

    def expect(self, connector: Connector) -> None:
        """Ask the source how many rows a first load will read, where it can tell."""
        count = getattr(connector, "count", None)
        if not self._plan.first or count is None:
            return
        with suppress(TenonError):  # what is wrong with the source the reading will say
            rows = count(self._sync.stream, self._plan.since)
            with self._deps.hub.write(durable=False) as tx:
                own = sync_run.update().where(sync_run.c.id == self._plan.run_id)
                tx.execute(own.values(expected=rows))
                announce(tx, "sync_run")

    def _over(self, counts: Counts) -> bool:
        with self._deps.hub.read() as connection:
            self.ended = self._stopped(connection) or self._spent(counts)
        if self.ended is None and clock.monotonic() - self._told_at >= _TELL_SECONDS:
            self._tell(counts)
        return self.ended is not None

    def _stopped(self, connection: Connection) -> Ended | None:
        """By a person."""
        hold = control.held(connection, self._sync.source, self._sync.code)
        if hold is None:
            return None
        return Ended("cancelled", _CANCELLED.format(by=hold.by, reason=hold.reason))

    def _spent(self, counts: Counts) -> Ended | None:
        """What the run was allowed is used up; never before it has gained something.

        A run that only read again what is known would leave the next one where it began.
        """
        if not counts.applied + counts.set_aside:
            return None
        rows = self._sync.max_rows or self._source.max_rows
        if rows is not None and counts.read >= rows:
            return Ended("partial", _ROWS.format(read=counts.read, most=rows))
        seconds = self._sync.max_seconds or self._source.max_seconds
        took = clock.monotonic() - self._began
        if seconds is not None and took >= seconds:
            return Ended("partial", _SECONDS.format(took=int(took), most=seconds))
        local = clock.now().astimezone(ZoneInfo(self._source.zone)).time()
        if not within(self._windows, local):
            return Ended("partial", _PEAK.format(windows=", ".join(self._windows)))
        return None

    def _tell(self, counts: Counts) -> None:
        """Keep the lease and show how far the run is, also while nothing is written."""
        self._told_at = clock.monotonic()
        plan = self._plan
        with self._deps.hub.write(durable=False) as tx:
            lease.keep(tx, plan.lease_name, plan.lease_owner, self._deps.lease_seconds)
            if counts.read != self._told:
                so_far = {
                    "read": counts.read, "applied": counts.applied,
                    "unchanged": counts.unchanged, "set_aside": counts.set_aside,
                }  # fmt: skip
                tx.execute(sync_run.update().where(sync_run.c.id == plan.run_id).values(so_far))
                announce(tx, "sync_run")
        self._told = counts.read

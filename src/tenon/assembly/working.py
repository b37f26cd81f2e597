"""The jobs of a running Tenon: flows, and keeping its own house in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy.engine import Connection

from tenon.automate import runs
from tenon.automate.interpreter import Interpreter
from tenon.automate.triggers import FlowTriggers
from tenon.connect import calls, hook_events, hook_limit
from tenon.connect.deps import ConnectDeps
from tenon.connect.ingest import Ingest
from tenon.jobs import queue
from tenon.jobs.schedule import Schedule
from tenon.jobs.worker import LEASE_SECONDS, Batch, Kind, Worker, tick
from tenon.kernel import clock

_HOUSEKEEPING: Final = "housekeeping"
_EVERY: Final = 3600.0
_KEEP_JOBS: Final = timedelta(days=7)
_KEEP_EVENTS: Final = timedelta(days=30)
_KEEP_RUNS: Final = timedelta(days=90)
_KEEP_CALLS: Final = timedelta(days=400)


class Working:
    """Starts and stops the worker threads of this process."""

    def __init__(self, deps: ConnectDeps, triggers: FlowTriggers) -> None:
        self._deps = deps
        self._interpreter = Interpreter(deps, triggers)
        self._ingest = Ingest(deps)

    @contextmanager
    def running(self, *, threads: int = 1, lease_seconds: float = LEASE_SECONDS) -> Iterator[None]:
        """Do jobs for the block; `threads` for each kind of work that may run side by side."""
        worker = Worker(self._deps.hub, self.kinds(threads), lease_seconds=lease_seconds)
        schedule = Schedule()
        schedule.add(_HOUSEKEEPING, _EVERY, lambda: tick(self._deps.hub, _HOUSEKEEPING, _EVERY))
        worker.start()
        schedule.start()
        try:
            yield
        finally:
            schedule.stop(1.0)
            worker.stop()

    def kinds(self, threads: int = 1) -> list[Kind]:
        """Every kind of job this Tenon can do."""
        hooks, flows = self._ingest.kind(threads), self._interpreter.kind(threads)
        return [hooks, flows, Kind(_HOUSEKEEPING, self._tidy, max_tries=3)]

    def close(self) -> None:
        """Let go of what is open."""
        self._ingest.close()

    def _tidy(self, _batch: Batch) -> None:
        """Forget what is old, a part at a time, so that nobody waits for it."""
        now = clock.now()
        self._forget(partial(queue.purge, before=now - _KEEP_JOBS))
        self._forget(partial(hook_events.purge, before=now - _KEEP_EVENTS))
        self._forget(partial(hook_limit.purge, before=now - _KEEP_EVENTS))
        self._forget(partial(runs.purge, before=now - _KEEP_RUNS))
        self._forget(partial(calls.purge, before=clock.wall() - _KEEP_CALLS))

    def _forget(self, part: Callable[[Connection], int]) -> None:
        forgotten = 1
        while forgotten:
            with self._deps.hub.write(durable=False) as tx:
                forgotten = part(tx)
            threading.Event().wait(0.05)  # others come first

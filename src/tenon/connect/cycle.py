"""Keeping the sources synced: a thread for each, so that one that hangs holds up no other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from tenon.connect import backfill, report
from tenon.connect.contract import Connector, Heard, StreamStopped, StreamTrouble
from tenon.connect.control import held
from tenon.connect.deps import ConnectDeps
from tenon.connect.due import Turn, Turns
from tenon.connect.kept import Kept
from tenon.connect.listening import AGAIN as LISTEN_AGAIN
from tenon.connect.listening import WHOLE, Listener, Round, Wakes
from tenon.connect.report import Outcome
from tenon.connect.retry import retry
from tenon.connect.runner import Progress, Runner
from tenon.connect.tables import source_state, sync_state
from tenon.define.catalogue import Catalogue
from tenon.define.models import Sync
from tenon.jobs.schedule import Schedule
from tenon.kernel import clock
from tenon.kernel.errors import Conflict, TenonError

_log = logging.getLogger(__name__)
_LONGEST_PAUSE: Final = 60.0
_LOOK_AGAIN: Final = 60.0  # at a stream that stopped: perhaps it is mended
_KEEP_RUNS: Final = timedelta(days=30)


class SyncCycle:
    """Runs every connected source's syncs in their order, again and again."""

    def __init__(self, deps: ConnectDeps, progress: Progress | None = None) -> None:
        self._deps = deps
        self._runner = Runner(deps)
        self._progress = progress
        self._schedule = Schedule()
        self._turn = threading.Condition()
        self._loading: set[str] = set()  # in their first round
        self._waiting: set[str] = set()  # for another source's first round
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._next: dict[str, float] = {}  # of the syncs that are left out of some rounds
        self._asked: set[str] = set()  # sources that a person wants read, whatever the schedule
        self._wakes = Wakes()
        self._kept = Kept(deps.connections)

    def start(self) -> None:
        """Start the threads; the first round begins at once."""
        catalogue = self._deps.catalogue()
        known = {s.source for s in catalogue.of(Sync)}
        sources = [c for c in self._deps.connections.codes() if c in known]
        self._loading = set(sources)
        for code in sources:
            self._add(code)
        self._schedule.add("forget old runs", 3600, self._purge)
        self._schedule.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End the threads after the batch they are writing."""
        with self._turn:
            self._turn.notify_all()
        self._schedule.stop(timeout)
        self._kept.close_all()

    def soon(self, source: str) -> None:
        """Sync a source now, also one that was paused: a person asked for it."""
        with self._deps.hub.write() as tx:
            report.resume_source(tx, source)
        self._begin(source)
        self._not_before.pop(source, None)
        self._wakes.whole(source)
        for sync in self._deps.catalogue().syncs_of(source):
            self._next.pop(sync.code, None)
        self._asked.add(source)
        self._schedule.soon(f"sync {source}")

    def _begin(self, source: str) -> None:
        """Schedule a source that was joined since the start."""
        with self._turn:
            if not self._schedule.has(f"sync {source}"):
                self._add(source)
                self._schedule.start()

    def _add(self, source: str) -> None:
        self._schedule.add(f"sync {source}", self._every(source), self._round(source))
        listener = Listener(self._deps, source, self._hear, lambda: self._schedule.stopping)
        if listener.wanted:
            self._schedule.add(f"listen {source}", LISTEN_AGAIN, listener.run)

    def _hear(self, source: str, heard: Heard) -> None:
        """Read the streams in which something changed, now."""
        if heard.begins:
            self._not_before.pop(source, None)  # it answers
        self._wakes.add(source, heard)
        self._schedule.soon(f"sync {source}")

    def _every(self, source: str) -> int:
        definition = self._deps.catalogue().source(source)
        try:
            return self._deps.connections.every(definition)
        except TenonError:  # a file that cannot be read is told where it is opened
            return definition.every_seconds

    def run_source(self, source: str, one: Round = WHOLE) -> list[Outcome]:
        """One round of a source: its syncs in order, then the rows whose wait is over."""
        catalogue, outcomes = self._deps.catalogue(), list[Outcome]()
        asked = source in self._asked
        self._asked.discard(source)
        syncs = catalogue.syncs_of(source)
        back = backfill.due(self._deps, catalogue, source)
        if not back and not any(self._turn_of(catalogue, s, asked, one).now for s in syncs):
            retry(self._deps, source)
            return []
        try:
            connector = self._kept.take(catalogue.source(source))
        except TenonError as error:
            self._note(source, error)
            return []
        well = False
        try:
            trouble = self._run_all(catalogue, source, connector, outcomes, one, asked=asked)
            if back and (trouble is None or isinstance(trouble, StreamTrouble)):
                backfill.work(self._deps, catalogue, connector, source)
            well = trouble is None
        finally:
            self._kept.give_back(source, well=well)
        if self._schedule.stopping:
            return outcomes
        if trouble is None or isinstance(trouble, StreamTrouble):
            retry(self._deps, source)
        self._note(source, trouble)
        return outcomes

    def _run_all(
        self, catalogue: Catalogue, source: str, connector: Connector, outcomes: list[Outcome],
        one: Round, *, asked: bool,
    ) -> TenonError | None:  # fmt: skip
        """Run what is due, until something is wrong with the whole source; what was wrong."""
        trouble: TenonError | None = None
        for sync in catalogue.syncs_of(source):
            turn = self._turn_of(catalogue, sync, asked, one)
            if not turn.now:
                continue
            self._wait_turn(catalogue, sync)
            if self._schedule.stopping:
                break
            try:
                deleted = one.deleted_of(sync.stream.name)
                outcome = self._runner.sync(
                    sync.code, connector, self._progress, turn.kind, deleted
                )
            except Conflict:
                continue  # it runs already, in another process
            outcomes.append(outcome)
            if isinstance(outcome.error, StreamTrouble):
                trouble = trouble or outcome.error
            elif isinstance(outcome.error, StreamStopped):
                self._next[sync.code] = clock.monotonic() + _LOOK_AGAIN
                continue
            elif outcome.error is not None:
                return outcome.error
            self._ran(catalogue, sync, outcome)
        return trouble

    def _ran(self, catalogue: Catalogue, sync: Sync, outcome: Outcome) -> None:
        if outcome.state == "succeeded":
            self._wake(catalogue, sync)
        if sync.every_seconds is not None and outcome.state != "partial":
            self._next[sync.code] = clock.monotonic() + sync.every_seconds

    def _round(self, source: str) -> Callable[[], None]:
        def run() -> None:
            if not self._deps.catalogue().syncs_of(source):
                self._loaded(source)  # it was removed, or has nothing to read yet
                return
            if clock.monotonic() < self._not_before.get(source, 0.0) or self._paused(source):
                self._loaded(source)
                return
            try:
                one = self._wakes.take(source, self._every(source))
                if self._wakes.ran(source, one, self.run_source(source, one)):
                    self._schedule.soon(f"sync {source}")
            finally:
                self._loaded(source)

        return run

    def _turn_of(self, catalogue: Catalogue, sync: Sync, asked: bool, one: Round) -> Turn:
        if not one.reads(sync.stream.name) or clock.monotonic() < self._next.get(sync.code, 0.0):
            return Turn(now=False)
        with self._deps.hub.read() as connection:
            return Turns(connection, catalogue).of(sync, asked=asked)

    def _wake(self, catalogue: Catalogue, done: Sync) -> None:
        """Start the rounds of other sources that wait for this sync."""
        for sync in catalogue.of(Sync):
            schedule = sync.schedule or catalogue.source(sync.source).schedule
            waits = schedule is not None and schedule.after == done.code
            if waits and sync.source != done.source and self._schedule.has(f"sync {sync.source}"):
                self._schedule.soon(f"sync {sync.source}")

    def _loaded(self, source: str) -> None:
        with self._turn:
            self._loading.discard(source)
            self._turn.notify_all()

    def _note(self, source: str, error: TenonError | None) -> None:
        if error is not None and error.recovery == "retry":
            self._failures[source] = self._failures.get(source, 0) + 1
            every = self._every(source)
            pause = min(every * 2.0 ** self._failures[source], _LONGEST_PAUSE)
            self._not_before[source] = clock.monotonic() + pause
        else:
            self._failures.pop(source, None)
            self._not_before.pop(source, None)
        if error is not None and self._failures.get(source, 1) == 1:
            _log.warning("source %s: %s", source, error)
        with self._deps.hub.write(durable=False) as tx:
            report.note_source(tx, source, error)

    def _paused(self, source: str) -> bool:
        """By its own failure, or by a person."""
        query = sa.select(source_state.c.paused).where(source_state.c.source == source)
        with self._deps.hub.read() as connection:
            return bool(connection.scalar(query)) or held(connection, source) is not None

    def _wait_turn(self, catalogue: Catalogue, sync: Sync) -> None:
        """In the first round, let what this sync refers to be loaded before it.

        Only to spare rows a detour: what is not there yet is set aside and retried.
        """
        needed = _needs(catalogue, sync)
        stuck = 0  # polls in which every source waited for another
        while needed and stuck < 5 and not self._schedule.stopping:
            needed = [s for s in needed if s.source in self._loading and not self._done(s)]
            with self._turn:
                others = self._loading - self._waiting - {sync.source}
                stuck = 0 if others else stuck + 1
                if needed:
                    self._waiting.add(sync.source)
                    self._turn.wait(0.1)
        with self._turn:
            self._waiting.discard(sync.source)

    def _done(self, sync: Sync) -> bool:
        with self._deps.hub.read() as connection:
            return (
                connection.scalar(
                    sa.select(sync_state.c.last_success_at).where(
                        sync_state.c.source == sync.source,
                        sync_state.c.stream == sync.stream.name,
                    )
                )
                is not None
            )

    def _purge(self) -> None:
        with self._deps.hub.write(durable=False) as tx:
            report.purge(tx, clock.now() - _KEEP_RUNS)


def _needs(catalogue: Catalogue, sync: Sync) -> list[Sync]:
    """The syncs of other sources that make what this one refers to."""
    entities = {r.master or r.ref for r in sync.fields.values() if r.master or r.ref}
    found: list[Sync] = []
    for other in catalogue.of(Sync):
        if other.source == sync.source:
            continue
        if sync.identity and other.code == sync.identity.found_unless:
            found.append(other)  # whether it is there decides who founds
            continue
        if other.target in entities and other.target != sync.target:
            found.append(other)
        elif sync.identity and other.identity and other.target == sync.target:
            founds = sync.identity.founds
            before = (other.order, other.code) < (sync.order, sync.code)
            # One that founds only some lets those that found all go first.
            some = bool(sync.identity.found_only_if) and not other.identity.found_only_if
            if other.identity.founds and (not founds or before or some):
                found.append(other)
    return found

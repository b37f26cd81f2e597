"""Workers: threads that claim jobs and do them, and what becomes of those that go wrong."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from tenon.jobs import queue
from tenon.jobs.dbclock import db_now
from tenon.jobs.queue import Job
from tenon.kernel import clock, faults
from tenon.kernel.errors import Bug, Retry, TenonError
from tenon.kernel.text import Text
from tenon.store import Hub
from tenon.store.signals import EVERYTHING

_log = logging.getLogger(__name__)

# A signal wakes a worker at once; looking is for what a signal cannot tell (a delay, a take-over).
LOOK_EVERY: Final = 1.0
LEASE_SECONDS: Final = 30.0
LONGEST_PAUSE: Final = 600.0
_AFTER_TROUBLE: Final = 2.0

_DATABASE = Text(
    "数据库暂时出错（{kind}）；稍后自动重试。",
    "The database failed for the moment ({kind}); it is tried again.",
)
_UNFORESEEN = Text(
    "程序出现未预料的错误（{kind}）；已记入日志，请报告此问题。",
    "Something unforeseen went wrong ({kind}). It is in the log; please report it.",
)
_DEADLY = Text(
    "这项任务已连续 {tries} 次没有做完（进程被终止或无响应），已停止重试；请查看日志后再重试。",
    "This job was begun {tries} times and never ended (its process was killed or hung). It is no "
    "longer tried; look at the log, then try it again.",
)

OnFailed = Callable[[Connection, Job, TenonError], None]


@dataclass(slots=True)
class Batch:
    """Jobs claimed together; the handler marks them done where their effect is written.

    Jobs that it leaves alone count as done when it returns. When it raises, each job of several
    is handed over again alone, so that one bad job harms no other.
    """

    jobs: tuple[Job, ...]
    seconds: float
    _open: dict[str, Job] = field(init=False)
    _calls: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._open = {one.id: one for one in self.jobs}

    def hold(self, tx: Connection) -> None:
        """Make sure in a transaction that the jobs are still ours; Retry when they are not."""
        queue.hold(tx, self.rest(), self.seconds)

    def done(self, tx: Connection, jobs: Sequence[Job] | None = None) -> None:
        """Mark jobs (all that are left, when None) done in the transaction of their effect.

        `settled` must follow the commit: a transaction that is rolled back did nothing.
        """
        queue.done(tx, self.rest() if jobs is None else jobs)

    def settled(self, jobs: Sequence[Job] | None = None) -> None:
        """Note that the transaction that marked these jobs is committed."""
        for one in self.rest() if jobs is None else jobs:
            self._open.pop(one.id, None)

    def rest(self) -> list[Job]:
        """The jobs that are not settled yet."""
        return list(self._open.values())


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job: who does it, how many at once, how often it is tried."""

    name: str
    run: Callable[[Batch], None]
    batch: int = 1
    threads: int = 1
    max_tries: int = 12
    on_failed: OnFailed | None = None


class Worker:
    """Does the jobs of some kinds until it is stopped."""

    def __init__(
        self, hub: Hub, kinds: Sequence[Kind], *, lease_seconds: float = LEASE_SECONDS
    ) -> None:
        self._hub = hub
        self._kinds = {kind.name: kind for kind in kinds}
        self._seconds = lease_seconds
        self._stop = threading.Event()
        self._wake = {name: threading.Condition() for name in self._kinds}
        self._news = dict.fromkeys(self._kinds, 0)
        self._busy: set[str] = set()  # owners of the claims under way
        self._threads: list[threading.Thread] = []
        self._end_hearing: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Start the threads."""
        self._end_hearing = self._hub.signals.subscribe(self._hear)
        for kind in self._kinds.values():
            for number in range(kind.threads):
                self._begin(f"job {kind.name} {number}", partial(self._work, kind))
        self._begin("job leases", self._keep_alive)

    def stop(self, timeout: float = 10.0) -> None:
        """End after the jobs under way."""
        self._stop.set()
        self._end_hearing()
        self._hear(frozenset(map(queue.topic, self._kinds)))
        until = clock.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, until - clock.monotonic()))

    def run_once(self, kind: str) -> int:
        """Do one claim of a kind on this thread; how many jobs it held."""
        return self._turn(self._kinds[kind])

    def _begin(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _hear(self, topics: frozenset[str]) -> None:
        for name, condition in self._wake.items():
            if queue.topic(name) in topics or EVERYTHING in topics:
                with condition:
                    self._news[name] += 1
                    condition.notify_all()

    def _work(self, kind: Kind) -> None:
        condition, troubled = self._wake[kind.name], False
        while not self._stop.is_set():
            seen = self._news[kind.name]
            try:
                if self._turn(kind):
                    continue
                troubled = False
            except Exception:  # noqa: BLE001  the thread must outlive any fault of the database
                if not troubled:  # one log line for a fault that lasts, not thousands
                    _log.exception("jobs of kind %s cannot be worked on", kind.name)
                troubled = True
                self._stop.wait(_AFTER_TROUBLE)
            with condition:
                if self._news[kind.name] == seen and not self._stop.is_set():
                    condition.wait(LOOK_EVERY)

    def _turn(self, kind: Kind) -> int:
        with self._hub.read() as connection:  # no write transaction just to find nothing
            if not queue.waiting(connection, kind.name):
                return 0
        with self._hub.write(durable=False) as tx:
            jobs = queue.claim(tx, kind.name, kind.batch, self._seconds)
        if not jobs:
            return 0
        faults.point("job.claim.after")
        self._busy.add(jobs[0].owner)
        try:
            self._do(kind, jobs)
        finally:
            self._busy.discard(jobs[0].owner)
        return len(jobs)

    def _do(self, kind: Kind, jobs: Sequence[Job]) -> None:
        deadly = [one for one in jobs if one.tries > kind.max_tries]
        for one in deadly:
            self._give_up(kind, one, Retry("job_deadly", _DEADLY, tries=one.tries - 1))
        batch = Batch(tuple(one for one in jobs if one not in deadly), self._seconds)
        error = self._attempt(kind, batch)
        if error is None:
            return
        rest = batch.rest()
        if len(rest) == 1:
            self._go_wrong(kind, rest[0], error)
            return
        for one in rest:
            alone = Batch((one,), self._seconds)
            error = self._attempt(kind, alone)
            if error is not None and alone.rest():
                self._go_wrong(kind, one, error)

    def _attempt(self, kind: Kind, batch: Batch) -> TenonError | None:
        if not batch.jobs:
            return None
        try:
            kind.run(batch)
            if batch.rest():
                with self._hub.write(durable=False) as tx:
                    batch.done(tx)
        except TenonError as error:
            return error
        except SQLAlchemyError as error:
            _log.warning("job %s: %s", kind.name, type(error).__name__, exc_info=error)
            return Retry("job_database", _DATABASE, kind=type(error).__name__)
        except Exception as error:  # noqa: BLE001  whatever it is, the job must not be lost
            _log.exception("job %s", kind.name)
            return Bug("job_unforeseen", _UNFORESEEN, kind=type(error).__name__)
        faults.point("job.done.after")
        return None

    def _go_wrong(self, kind: Kind, one: Job, error: TenonError) -> None:
        """Try again later what may pass by itself; give up the rest, and whatever never passes."""
        if error.code == "job_lost":
            return  # another process has it
        if error.recovery in {"retry", "bug"} and one.tries < kind.max_tries:
            with self._hub.write(durable=False) as tx:
                queue.again(tx, one, error, pause(one.tries))
            return
        self._give_up(kind, one, error)

    def _give_up(self, kind: Kind, one: Job, error: TenonError) -> None:
        _log.warning("job %s %s is given up: %s", kind.name, one.id, error)
        with self._hub.write() as tx:
            queue.fail(tx, one, error)
            if kind.on_failed is not None:
                kind.on_failed(tx, one, error)

    def _keep_alive(self) -> None:
        while not self._stop.wait(self._seconds / 3):
            owners = list(self._busy)
            if not owners:
                continue
            try:
                with self._hub.write(durable=False) as tx:
                    queue.keep_alive(tx, owners, self._seconds)
            except (SQLAlchemyError, TenonError) as error:
                _log.warning("leases of jobs could not be prolonged: %s", type(error).__name__)


def pause(tries: int) -> float:
    """Seconds before the next try: doubling from half a second, with jitter, at most ten minutes.

    The jitter (up to half) keeps a crowd of jobs from coming back all at once (F22).
    """
    longest: float = min(LONGEST_PAUSE, 0.5 * 2.0 ** (tries - 1))
    return longest * (0.5 + secrets.randbelow(1000) / 2000)


def tick(hub: Hub, kind: str, seconds: float) -> None:
    """Enqueue periodic work once for each period, over all processes of the hub."""
    with hub.write(durable=False) as tx:
        slot = int((tx.scalar(sa.select(db_now(tx))) or 0) // seconds)
        queue.enqueue(tx, [queue.NewJob(kind, key=f"tick:{kind}:{slot}")])

"""What both engines are asked to do, and what is noted of it.

A run leaves four rows of `effect` (a table both have) or makes one outward call. `local`: four
local steps. `outward`: one call to another system, here a list, so that the engine alone is
measured.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from benchmarks.joint.server import postgres_cpu

STEPS: Final = 4
EFFECT: Final = sa.Table(
    "effect",
    sa.MetaData(),
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("run", sa.String(40), nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
)
# The business's own row, in whose transaction a run is asked for.
CAUSE: Final = sa.Table("cause", sa.MetaData(), sa.Column("id", sa.String(40), primary_key=True))


class Noted:
    """When each run was asked for and when its first step began; how often it called out."""

    def __init__(self) -> None:
        self.started: dict[str, float] = {}
        self.calls: list[str] = []
        self._news = threading.Condition()

    def begin(self, run: str) -> None:
        """A run's first step begins."""
        with self._news:
            self.started.setdefault(run, time.perf_counter())
            self._news.notify_all()

    def wait(self, run: str) -> float:
        """When it began; waits for it."""
        with self._news:
            assert self._news.wait_for(lambda: run in self.started, 60), run
            return self.started[run]


class Used:
    """CPU seconds of this process and of the PostgreSQL server, and the time, since its making."""

    def __init__(self) -> None:
        self._begun = self._now()

    def since(self) -> tuple[float, float, float]:
        """CPU of the process, CPU of the server, wall time."""
        own, server, wall = (
            now - begun for now, begun in zip(self._now(), self._begun, strict=True)
        )
        return own, server, wall

    def _now(self) -> tuple[float, float, float]:
        return time.process_time(), postgres_cpu(), time.perf_counter()


def measure(
    ask: Callable[[str], None], done: Callable[[], int], noted: Noted, asked: dict[str, int]
) -> dict[str, float]:
    """Idle CPU, the time until a run begins, then many runs at once."""
    warm = [f"warm-{n}" for n in range(20)]
    _all(ask, done, warm, 0)
    time.sleep(1)
    used = Used()
    time.sleep(asked["idle"])
    idle, server_idle, idle_wall = used.since()
    chance, waits = random.Random(7), []
    for n in range(asked["samples"]):
        run = f"single-{n}"
        ask(run)
        at = time.perf_counter()  # the commit of the asking is over
        waits.append((noted.wait(run) - at) * 1000)
        time.sleep(chance.uniform(0.05, 0.3))
    before = len(warm) + len(waits)
    _until(done, before)
    used = Used()
    _all(ask, done, [f"run-{n}" for n in range(asked["runs"])], before)
    cpu, server, wall = used.since()
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    return {
        "runs_a_second": asked["runs"] / wall, "cpu_ms": cpu * 1000 / asked["runs"],
        "server_ms": server * 1000 / asked["runs"], "start_p50": cuts[49], "start_p99": cuts[98],
        "idle_percent": idle * 100 / idle_wall,
        "server_idle_percent": server_idle * 100 / idle_wall,
    }  # fmt: skip


def check(engine: sa.Engine, flow: str, noted: Noted, runs: int) -> None:
    """Everything happened, and once."""
    if flow == "outward":
        assert len(noted.calls) == len(set(noted.calls)) == runs, (len(noted.calls), runs)
        return
    with engine.connect() as connection:
        found: Any = connection.execute(
            sa.select(sa.func.count(), sa.func.count(EFFECT.c.run.distinct()))
        ).one()
    assert tuple(found) == (runs * STEPS, runs), (found, runs)


def _all(ask: Callable[[str], None], done: Callable[[], int], runs: list[str], before: int) -> None:
    for run in runs:
        ask(run)
    _until(done, before + len(runs))


def _until(done: Callable[[], int], count: int) -> None:
    until = time.monotonic() + 300
    while done() < count:
        assert time.monotonic() < until, f"{done()} of {count} runs are done"
        time.sleep(0.03)

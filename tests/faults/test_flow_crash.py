"""kill -9 at the named points of webhook, flow, write-back, report and sync while orders flow."""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tenon import factory
from tenon.kernel import faults
from tests.faults.rig import Rig, flowing, rig

FLOWS = Path(factory.__file__).parent / "package" / "flows.yaml"

pytestmark = [
    pytest.mark.deep,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX"),
    pytest.mark.skipif(not FLOWS.exists(), reason="the factory package has no flows yet"),
]

ORDERS, KILLS = 500, 200
SEED = 20261124
# A worker is at none of these: they are the server's own.
AT_THE_DOOR = (*faults.HOOK_POINTS[:2], *faults.REPORT_POINTS)
WITH_JOBS = (*faults.JOB_POINTS, *faults.FLOW_POINTS, *faults.PUSH_POINTS, "hook.fetch.after")
LEASE = 1.5


def a_fault(chance: random.Random, points: tuple[str, ...]) -> str:
    """A point to die at, on one of its first passages."""
    return f"{chance.choice(points)}:kill:{chance.randint(1, 3)}"


def test_two_hundred_kills_of_a_server_on_sqlite(tmp_path: Path) -> None:
    """F1, F2, F21: everything acknowledged is there once, every MES job once, nothing stuck."""
    chance, ended = random.Random(SEED), Counter[str]()
    points = (*AT_THE_DOOR, *WITH_JOBS, *faults.SYNC_POINTS)
    with rig(tmp_path, "sqlite") as one:
        threads = flowing(one, ORDERS, chance, pause=0.4)
        for _ in range(KILLS):
            fault = a_fault(chance, points)
            pid = one.zygote.start("server", fault)
            status = one.zygote.died(pid, chance.uniform(0.5, 1.8))
            assert status in {None, -signal.SIGKILL}, _log(one, "server")
            if status is None:
                one.zygote.kill(pid)
            ended[fault.split(":")[0] if status else "at random"] += 1
        _end_well(one, threads, ended)


def test_two_hundred_kills_of_workers_on_postgresql(tmp_path: Path, pg_url: str) -> None:
    """F1–F5: a server and three workers; some freeze beyond their lease and wake up again (F3)."""
    chance = random.Random(SEED + 1)
    with rig(tmp_path, pg_url) as one:
        swarm = Swarm(one, chance)
        threads = flowing(one, ORDERS, chance, pause=0.4)
        while swarm.kills < KILLS:
            time.sleep(chance.uniform(0.02, 0.25))
            swarm.turn()
        swarm.end()
        _end_well(one, threads, swarm.ended)


class Swarm:
    """A server and three workers that die, freeze and come back."""

    def __init__(self, one: Rig, chance: random.Random) -> None:
        self.one, self.chance = one, chance
        self.server = one.zygote.start("server", jobs=False)
        self.workers = [self._worker() for _ in range(3)]
        self.frozen: tuple[int, float] | None = None
        self.ended, self.kills = Counter[str](), 0

    def turn(self) -> None:
        """See to one of the workers."""
        if self.frozen and time.monotonic() > self.frozen[1]:
            self._thaw()
        at = self.chance.randrange(len(self.workers))
        pid = self.workers[at]
        status = self.one.zygote.died(pid, 0)
        assert status in {None, -signal.SIGKILL}, _log(self.one, "worker")
        if status is None and self.frozen is None and self.chance.random() < 0.1:
            self.one.zygote.signal(pid, signal.SIGSTOP)
            self.frozen = (pid, time.monotonic() + 2 * LEASE)
            self.ended["frozen"] += 1
        elif status is None and self.chance.random() < 0.6:
            return  # let it come to its fault point
        else:
            if status is None:
                self.one.zygote.kill(pid)
            self.ended["at random" if status is None else "at a point"] += 1
            self.kills += 1
        self.workers[at] = self._worker()  # one that is frozen wakes up beside it
        if self.kills % 20 == 0:
            self._kill_server()

    def end(self) -> None:
        """Kill whoever lives."""
        if self.frozen:
            self._thaw()
        for pid in [*self.workers, self.server]:
            if self.one.zygote.died(pid, 0) is None:
                self.one.zygote.kill(pid)

    def _worker(self) -> int:
        fault = a_fault(self.chance, WITH_JOBS)
        return self.one.zygote.start("worker", fault, sync=False, lease=LEASE)

    def _thaw(self) -> None:
        assert self.frozen is not None
        self.one.zygote.signal(self.frozen[0], signal.SIGCONT)
        # Awake, it goes on with what it thinks is its own: give it the time to try.
        if self.one.zygote.died(self.frozen[0], 0.3) is None:
            self.one.zygote.kill(self.frozen[0])
        self.frozen = None

    def _kill_server(self) -> None:
        if self.one.zygote.died(self.server, 0) is None:
            self.one.zygote.kill(self.server)
        self.server = self.one.zygote.start("server", a_fault(self.chance, AT_THE_DOOR), jobs=False)
        if self.one.zygote.died(self.server, 1.0) is not None:
            self.server = self.one.zygote.start("server", jobs=False)
        self.ended["server"] += 1


def _end_well(one: Rig, threads: list[threading.Thread], ended: Counter[str]) -> None:
    """A last server without a fault works everything off; then all must hold."""
    pid = one.zygote.start("server")
    for thread in threads[:-1]:
        thread.join(120)
        assert not thread.is_alive()
    assert len(one.acknowledged) == ORDERS
    time.sleep(1)
    one.stopping.set()
    threads[-1].join(60)
    one.settle()
    assert one.zygote.died(pid, 0) is None, _log(one, "server")
    one.zygote.signal(pid, signal.SIGTERM)
    assert one.zygote.died(pid, 20) is not None
    counts = one.check()
    print(f"\n{sum(ended.values())} ends: {dict(ended)}; {counts}")
    assert counts["orders"] == ORDERS
    assert counts["reports"] > 0


def _log(one: Rig, role: str) -> str:
    return (one.home / f"{role}.log").read_text("utf-8")[-3000:]

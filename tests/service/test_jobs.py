"""The job queue: written with its cause, done once, taken over, tried again, given up."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from tenon.jobs import queue
from tenon.jobs.queue import NewJob, job
from tenon.jobs.worker import Batch, Kind, Worker, pause, tick
from tenon.kernel.errors import NeedsUser, Retry
from tenon.kernel.text import Text
from tenon.store import Hub, open_hub
from tenon.store.migrate import migrate

effect = sa.Table(
    "test_effect",
    sa.MetaData(),
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("times", sa.Integer, nullable=False),
)
WRONG = Text("不行", "No")


@pytest.fixture
def hub(hub_url: str) -> Iterator[Hub]:
    hub = open_hub(hub_url)
    migrate(hub)
    with hub.write() as tx:
        effect.create(tx)
    yield hub
    hub.close()


def put(hub: Hub, *jobs: NewJob) -> None:
    with hub.write() as tx:
        queue.enqueue(tx, jobs)


def named(*names: str, **more: Any) -> list[NewJob]:
    return [NewJob("work", {"name": name}, **more) for name in names]


def states(hub: Hub) -> Counter[str]:
    with hub.read() as connection:
        return Counter(connection.scalars(sa.select(job.c.state)))


def effects(hub: Hub) -> dict[str, int]:
    with hub.read() as connection:
        return dict(connection.execute(sa.select(effect.c.name, effect.c.times)).all())


def until(condition: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)


class Doing:
    """A handler that notes its effect in the transaction that ends the job."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.sizes: list[int] = []
        self.order: list[str] = []
        self.lock = threading.Lock()

    def __call__(self, batch: Batch) -> None:
        names = [one.payload["name"] for one in batch.jobs]
        with self.lock:
            self.sizes.append(len(names))
            self.order += names
        with self.hub.write() as tx:
            for name in names:
                self.effect(tx, name)
            batch.done(tx)
        batch.settled()

    def effect(self, tx: Any, name: str) -> None:
        changed = tx.execute(
            effect.update().where(effect.c.name == name).values(times=effect.c.times + 1)
        )
        if not changed.rowcount:
            tx.execute(effect.insert().values(name=name, times=1))


def test_a_job_exists_exactly_when_its_cause_does(hub: Hub) -> None:

    def fails() -> None:
        with hub.write() as tx:
            queue.enqueue(tx, named("a"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert not states(hub)
    put(hub, *named("a"))
    assert states(hub) == {"ready": 1}


def test_a_key_is_enqueued_once(hub: Hub) -> None:
    put(hub, *named("a", key="k"))
    put(hub, *named("b", key="k"))
    doing = Doing(hub)
    worker = Worker(hub, [Kind("work", doing)])
    while worker.run_once("work"):
        pass
    put(hub, *named("c", key="k"))  # also after it is done
    assert effects(hub) == {"a": 1}
    assert states(hub) == {"done": 1}


def test_many_jobs_by_several_workers_are_each_done_once(hub: Hub) -> None:
    doing = Doing(hub)
    workers = [Worker(hub, [Kind("work", doing, batch=5, threads=2)]) for _ in range(2)]
    for worker in workers:
        worker.start()
    for n in range(20):
        put(hub, *named(*(f"{n}-{m}" for m in range(10))))
    until(lambda: states(hub)["done"] == 200)
    for worker in workers:
        worker.stop()
    assert set(effects(hub).values()) == {1}
    assert len(effects(hub)) == 200
    assert max(doing.sizes) > 1


def test_a_worker_hears_of_a_job_at_once(hub: Hub) -> None:
    done = threading.Event()
    worker = Worker(hub, [Kind("work", lambda _batch: done.set())])
    worker.start()
    time.sleep(0.05)
    put(hub, *named("a"))
    assert done.wait(5)
    worker.stop()


def test_jobs_of_a_lane_are_done_one_at_a_time_in_order(hub: Hub) -> None:
    doing = Doing(hub)
    lanes = {f"lane {n}": [f"{n}:{m:02}" for m in range(12)] for n in range(4)}
    for m in range(12):
        put(hub, *(named(names[m], lane=lane)[0] for lane, names in lanes.items()))
    worker = Worker(hub, [Kind("work", doing, batch=3, threads=3)])
    worker.start()
    until(lambda: states(hub)["done"] == 48)
    worker.stop()
    for names in lanes.values():
        assert [name for name in doing.order if name in names] == names


def test_a_passing_fault_is_tried_again_and_holds_up_its_lane_alone(hub: Hub) -> None:
    doing = Doing(hub)
    failed: list[int] = []

    def run(batch: Batch) -> None:
        if batch.jobs[0].payload["name"] == "first" and not failed:
            failed.append(batch.jobs[0].tries)
            raise Retry("busy", WRONG)
        doing(batch)

    put(hub, *named("first", "second", lane="one"), *named("other", lane="two"))
    worker = Worker(hub, [Kind("work", run)])
    worker.start()
    until(lambda: states(hub)["done"] == 3)
    worker.stop()
    assert [name for name in doing.order if name != "other"] == ["first", "second"]
    assert effects(hub) == {"first": 1, "second": 1, "other": 1}


def test_one_bad_job_of_a_batch_harms_no_other(hub: Hub) -> None:
    doing = Doing(hub)
    given_up: list[tuple[str, str]] = []

    def run(batch: Batch) -> None:
        if any(one.payload["name"] == "bad" for one in batch.jobs):
            raise NeedsUser("bad", WRONG)
        doing(batch)

    put(hub, *named("a", "bad", "b"))
    worker = Worker(hub, [Kind("work", run, batch=3, on_failed=lambda _tx, one, error: given_up
                               .append((one.payload["name"], error.code)))])  # fmt: skip
    worker.run_once("work")
    assert effects(hub) == {"a": 1, "b": 1}
    assert states(hub) == {"done": 2, "failed": 1}
    assert given_up == [("bad", "bad")]
    with hub.read() as connection:
        row = connection.execute(sa.select(job).where(job.c.state == "failed")).one()
    assert row.error == {"code": "bad", "zh": "不行", "en": "No"}
    with hub.write() as tx:  # a person mended it
        assert queue.revive(tx, [row.id]) == 1
    assert states(hub) == {"done": 2, "ready": 1}


@pytest.mark.parametrize("hub_url", ["postgresql"], indirect=True)
def test_a_lease_that_ran_out_is_taken_over_and_the_first_is_refused(hub: Hub) -> None:
    """F3: a worker that was thought dead wakes up and writes: its write is rolled back.

    On SQLite one process owns the hub: there is nobody to take over.
    """
    put(hub, *named("a"))
    doing = Doing(hub)
    with hub.write() as tx:
        first = queue.claim(tx, "work", 1, 0.0)  # a lease that has run out already
    worker = Worker(hub, [Kind("work", doing)])
    assert worker.run_once("work") == 1

    def wakes_up() -> None:
        with hub.write() as tx:
            doing.effect(tx, "a")
            queue.done(tx, first)

    with pytest.raises(Retry) as refused:
        wakes_up()
    assert refused.value.code == "job_lost"
    assert effects(hub) == {"a": 1}


def test_two_workers_never_hold_one_job(hub: Hub) -> None:
    """F4."""
    put(hub, *named("a"))
    with hub.write() as tx:
        assert len(queue.claim(tx, "work", 5, 60)) == 1
    with hub.write() as tx:
        assert queue.claim(tx, "work", 5, 60) == []


def test_a_job_that_kills_its_worker_again_and_again_is_given_up(hub: Hub) -> None:
    put(hub, *named("a"))
    for _ in range(3):
        with hub.write() as tx:
            assert queue.claim(tx, "work", 1, 0.0)
            # as a process that died leaves it
            tx.execute(job.update().values(owner="dead:1"))
    worker = Worker(hub, [Kind("work", Doing(hub), max_tries=3)])
    assert worker.run_once("work") == 1
    assert states(hub) == {"failed": 1}
    assert not effects(hub)


def test_a_job_that_kills_is_blamed_alone(hub: Hub) -> None:
    """Those claimed together with it die with it twice; then each goes alone, and they live."""
    put(hub, *named("a", "poison", "b"))
    together: list[list[str]] = []
    for _ in range(6):
        with hub.write() as tx:
            held = queue.claim(tx, "work", 5, 0.0)
            together.append([one.payload["name"] for one in held])
            if "poison" in together[-1]:  # its process dies
                tx.execute(job.update().where(job.c.state == "running").values(owner="dead:1"))
            else:
                queue.done(tx, held)
    assert together == [["a", "poison", "b"]] * 2 + [["a"]] + [["poison"]] * 3
    with hub.read() as connection:
        tries = sa.select(job.c.payload, job.c.tries).order_by(job.c.id)
        assert [t for _, t in connection.execute(tries)] == [3, 5, 2]


def test_a_job_with_a_delay_waits(hub: Hub) -> None:
    put(hub, *named("later", delay=0.4), *named("now"))
    doing = Doing(hub)
    worker = Worker(hub, [Kind("work", doing)])
    worker.start()
    until(lambda: states(hub)["done"] == 2)
    worker.stop()
    assert doing.order == ["now", "later"]


def test_a_period_is_ticked_once_over_all_processes(hub: Hub) -> None:
    for _ in range(5):
        tick(hub, "tidy", 3600)
    assert states(hub).total() in {1, 2}  # two, when the hour changes just now


def test_pauses_grow_and_differ() -> None:
    """F22: back-off with jitter, capped."""
    assert all(pause(n) < pause(n + 2) for n in range(1, 9))
    assert {pause(30) <= 600 for _ in range(50)} == {True}
    assert len({pause(5) for _ in range(20)}) > 5

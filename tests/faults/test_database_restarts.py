"""The hub's PostgreSQL crashes again and again, or has no connection left, under a live server."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from tenon.access import accounts
from tenon.jobs import queue
from tenon.jobs.queue import NewJob, job
from tenon.jobs.worker import Batch, Kind, Worker
from tenon.store import Hub
from tests import servers
from tests.own_postgres import OwnPostgres, own_postgres
from tests.serving import Serving, serving

pytestmark = [pytest.mark.deep, pytest.mark.timeout(300)]

CRASHES = 6
effect = sa.Table("test_effect", sa.MetaData(), sa.Column("name", sa.String(40)))


@pytest.fixture
def postgres() -> Iterator[OwnPostgres]:
    with ExitStack() as stack:
        try:
            one = stack.enter_context(own_postgres("max_connections=40"))
        except servers.ServerMissing as missing:
            if servers.in_ci():
                raise
            pytest.skip(str(missing))
        yield one


@dataclass
class Load:
    """People who save and read while the database comes and goes."""

    served: Serving
    saved: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def save(self, number: int) -> None:
        """Make accounts, each again until it is acknowledged."""
        client = self.served.signed_in("admin")
        made = 0
        while not self.stopping.is_set():
            name = f"p{number}-{made}"
            body = {"username": name, "display_name": name, "role": "worker"}
            answer = self._note(client.post("/api/users", json=body))
            # 409: it was saved, and the answer was lost with the connection.
            if answer.status_code in {201, 409}:
                self.saved.add(name)
                made += 1

    def read(self) -> None:
        """Look at orders and flows."""
        client = self.served.signed_in("planner")
        while not self.stopping.is_set():
            for path in ("/api/orders", "/api/flows", "/api/session"):
                self._note(client.get(path))

    def enqueue(self, hub: Hub) -> None:
        """Ask for jobs, each with its effect of its own."""
        number = 0
        while not self.stopping.wait(0.01):
            try:
                with hub.write() as tx:
                    queue.enqueue(tx, [NewJob("work", {"name": str(number)}, key=f"w{number}")])
            except sa.exc.SQLAlchemyError:
                time.sleep(0.05)
                continue
            number += 1

    def _note(self, answer: httpx.Response) -> httpx.Response:
        self.answers[answer.status_code] += 1
        if answer.status_code == 503:
            time.sleep(0.02)
        if answer.status_code == 503 and "retry-after" not in answer.headers:
            self.wrong.append("503 without Retry-After")
        if answer.status_code not in {200, 201, 409, 503}:
            self.wrong.append(f"{answer.status_code} {answer.text[:300]}")
        return answer


def test_the_database_crashes_under_load(postgres: OwnPostgres, tmp_path: Path) -> None:
    """F5: what was acknowledged is there, requests get 503 and never 500, jobs are done once."""
    chance = random.Random(5)
    with serving(tmp_path, postgres.url) as served:
        hub = served.tenon.hub
        with hub.write() as tx:
            effect.create(tx)
        worker = Worker(hub, [Kind("work", lambda batch: _do(hub, batch), batch=8)])
        worker.start()
        load = Load(served)
        threads = [
            threading.Thread(target=load.save, args=(1,), daemon=True),
            threading.Thread(target=load.save, args=(2,), daemon=True),
            threading.Thread(target=load.read, daemon=True),
            threading.Thread(target=load.enqueue, args=(hub,), daemon=True),
        ]
        for thread in threads:
            thread.start()
        for _ in range(CRASHES):
            time.sleep(chance.uniform(0.5, 3.0))
            postgres.crash()
            time.sleep(chance.uniform(0.0, 1.0))
            postgres.start()
        time.sleep(1.0)
        load.stopping.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        _until_done(hub)
        worker.stop()
        assert not load.wrong, load.wrong[:5]
        assert load.answers[503] > 0
        assert load.answers[200] > 0
        with hub.read() as connection:
            kept = {account.username for account in accounts.accounts(connection)}
            done = list(connection.scalars(sa.select(job.c.payload).where(job.c.kind == "work")))
            effects = Counter(connection.scalars(sa.select(effect.c.name)))
        assert load.saved <= kept
        assert len(load.saved) > CRASHES
        assert effects == Counter({one["name"]: 1 for one in done})
        print(f"\n{CRASHES} crashes, answers {dict(load.answers)}, {len(load.saved)} saved, "
              f"{len(done)} jobs")  # fmt: skip


def test_no_connection_is_left(postgres: OwnPostgres, tmp_path: Path) -> None:
    """F20: with every connection taken requests get 503; given back, all is as before."""
    with serving(tmp_path, postgres.url) as served, ExitStack() as stack:
        client = served.signed_in("planner")
        assert client.get("/api/orders").status_code == 200
        hub = served.tenon.hub
        held = [stack.enter_context(hub.read()) for _ in range(20)]
        answers = [client.get("/api/orders").status_code for _ in range(2)]
        assert answers == [503, 503]
        assert len(held) == 20
        stack.close()
        assert client.get("/api/orders").status_code == 200
        with hub.read() as connection:
            mine = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = 'postgres'")
            assert (connection.scalar(mine) or 0) <= 22


def _do(hub: Hub, batch: Batch) -> None:
    with hub.write() as tx:
        tx.execute(effect.insert(), [{"name": one.payload["name"]} for one in batch.jobs])
        batch.done(tx)
    batch.settled()


def _until_done(hub: Hub) -> None:
    until = time.monotonic() + 60
    left = sa.select(sa.func.count()).where(job.c.state != "done")
    while True:
        with hub.read() as connection:
            if not connection.scalar(left):
                return
        assert time.monotonic() < until
        time.sleep(0.05)

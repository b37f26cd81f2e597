"""The write-back step in flows: done once, refused, in conflict, and while nobody answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from plant.legacy import mes
from tenon.automate import switch
from tenon.automate.tables import flow_run
from tenon.connect.tables import push_row
from tenon.jobs.queue import job
from tenon.jobs.worker import LONGEST_PAUSE
from tenon.master.tables import crosswalk
from tests.faults.small_plant import ROUTE
from tests.service.hook_world import HookWorld, hook_world
from tests.service.test_write_back import allow, there

FLOW = "new_order_line"
EVERY = {
    "pro_workorder": ["insert", "update"], "pro_workorder_source": ["insert"],
    "mes_job": ["insert", "update"],
}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path, hub_url: str) -> Iterator[HookWorld]:
    with hook_world(tmp_path, hub_url, answers=False) as found:
        only(found, FLOW)
        yield found


@pytest.fixture(params=["gb18030", "mariadb", "postgresql"])
def foreign(request: pytest.FixtureRequest, tmp_path: Path, hub_url: str) -> Iterator[HookWorld]:
    """A MES in a GBK file, in MariaDB, in PostgreSQL."""
    gbk = request.param == "gb18030"
    fixture = {"mariadb": "mariadb_url", "postgresql": "other_pg_url"}.get(request.param)
    url = request.getfixturevalue(fixture) if fixture else None
    encoding = "gb18030" if gbk else "utf-8"
    with hook_world(tmp_path, hub_url, url, answers=False, encoding=encoding) as found:
        only(found, FLOW)
        yield found


def only(world: HookWorld, *flows: str) -> None:
    with world.tenon.hub.write() as tx:
        for one in world.tenon.catalogue.definitions:
            if one.kind == "flow":
                switch.set_enabled(tx, one.code, one.code in flows, "test")


def arrive(world: HookWorld, *numbers: int) -> None:
    """Orders come in; nothing is done with them yet."""
    for number in numbers:
        world.plant.order(number)
    world.sync("crm_item", "crm_order", "crm_order_line")


def runs(world: HookWorld) -> list[Any]:
    with world.tenon.hub.read() as connection:
        return list(connection.execute(sa.select(flow_run).order_by(flow_run.c.id)))


def waiting(world: HookWorld) -> list[Any]:
    """The jobs of flows that are to be tried again."""
    query = sa.select(job).where(job.c.kind == "flow", job.c.state == "ready")
    with world.tenon.hub.read() as connection:
        return list(connection.execute(query))


def at_once(world: HookWorld) -> None:
    """Let the time pass that jobs wait for."""
    with world.tenon.hub.write() as tx:
        tx.execute(job.update().where(job.c.state == "ready").values(run_at=0.0))


def ledger(world: HookWorld) -> dict[str, set[str]]:
    """The states of what was to be written, by push."""
    found: dict[str, set[str]] = {}
    with world.tenon.hub.read() as connection:
        for push, state in connection.execute(sa.select(push_row.c.push, push_row.c.state)):
            found.setdefault(push, set()).add(state)
    return found


def retry(world: HookWorld, run_id: str) -> None:
    answer = world.served.signed_in("admin").post(f"/api/flow-runs/{run_id}/retry")
    assert answer.status_code == 200, answer.text
    world.work()


def page(world: HookWorld, run_id: str) -> dict[str, Any]:
    answer = world.served.signed_in("planner").get(f"/api/flow-runs/{run_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_an_order_goes_into_any_mes_and_the_run_shows_it(foreign: HookWorld) -> None:
    arrive(foreign, 1)
    foreign.work()
    (run,) = runs(foreign)
    assert (run.state, run.step) == ("waiting", "answer")
    (row,) = there(foreign, mes.WORKORDER)
    assert (row.workorder_name, row.order_source, row.remark) == ("支架 3", "TENON", None)
    assert [j.process_name for j in there(foreign, mes.JOB)] == [step[2] for step in ROUTE]
    pushes = page(foreign, run.id)["pushes"]
    assert {(p["table"], p["state"]) for p in pushes} == {
        ("pro_workorder", "sent"), ("pro_workorder_source", "sent"), ("mes_job", "sent"),
    }  # fmt: skip
    assert [p["echoed_at"] for p in pushes] == [None] * (2 + len(ROUTE))
    foreign.sync("mes_work_order", "mes_allocation", "mes_operation")
    pushes = page(foreign, run.id)["pushes"]
    assert all(p["echoed_at"] for p in pushes)
    assert [len(foreign.rows(e)) for e in ("work_order", "operation")] == [1, len(ROUTE)]
    assert len(runs(foreign)) == 1, "our own echo starts nothing"


def test_what_is_not_allowed_fails_and_its_plan_stands(world: HookWorld) -> None:
    allow(world, pro_workorder=["insert"])
    arrive(world, 1)
    world.work()
    (run,) = runs(world)
    assert (run.state, run.failure["code"], run.failure["step"]) == (
        "failed", "write_not_allowed", "push",
    )  # fmt: skip
    assert "pro_workorder_source: [insert]" in run.failure["en"]
    (planned,) = world.rows("work_order")
    assert set().union(*ledger(world).values()) == {"refused"}
    assert there(world, mes.WORKORDER) == []
    shown = page(world, run.id)
    assert shown["can_retry"]
    assert {s["id"]: s["state"] for s in shown["steps"]}["push"] == "failed"
    allow(world, **EVERY)
    retry(world, run.id)
    (again,) = runs(world)
    assert (again.state, again.failure) == ("waiting", None)
    assert [r.workorder_code for r in there(world, mes.WORKORDER)] == [planned.work_order_no]
    assert set().union(*ledger(world).values()) == {"sent"}


def test_a_conflict_is_one_run_s_own(world: HookWorld) -> None:
    allow(world)
    arrive(world, 1, 2, 3)
    world.work()
    assert {r.state for r in runs(world)} == {"failed"}
    taken = world.rows("work_order")[1].work_order_no
    engine = world.plant.mes()
    with engine.begin() as tx:
        tx.execute(mes.WORKORDER.insert().values(workorder_code=taken, order_source="HAND"))
    engine.dispose()
    allow(world, **EVERY)
    client = world.served.signed_in("admin")
    for run in runs(world):
        assert client.post(f"/api/flow-runs/{run.id}/retry").status_code == 200
    world.work()
    failed = [r for r in runs(world) if r.state == "failed"]
    assert [r.state for r in runs(world)].count("waiting") == 2
    (one,) = failed
    assert one.failure["code"] == "write_conflict"
    assert "“order_source”" in one.failure["en"]
    assert "HAND" in one.failure["en"]
    states = {p["table"]: p["state"] for p in page(world, one.id)["pushes"]}
    assert (states["pro_workorder"], states["mes_job"]) == ("conflict", "refused")
    assert len(there(world, mes.JOB)) == 2 * len(ROUTE)
    assert len(there(world, mes.WORKORDER)) == 3


def test_what_cannot_be_said_in_the_mes_fails_and_its_plan_stands(world: HookWorld) -> None:
    with world.tenon.hub.write() as tx:
        tx.execute(crosswalk.delete().where(crosswalk.c.source == "mes"))
    arrive(world, 1)
    world.work()
    (run,) = runs(world)
    assert (run.state, run.failure["code"]) == ("failed", "no_code_there")
    assert len(world.rows("work_order")) == 1


def test_a_mes_that_is_away_for_long(world: HookWorld) -> None:
    """F22: back-off with jitter and a cap, then failed; tried again by hand it is there once."""
    path = Path(sa.make_url(world.plant.mes_url).database or "")
    away = path.rename(path.with_suffix(".away"))
    arrive(world, *range(1, 7))
    world.work()
    delays = []
    for _ in range(40):
        jobs = waiting(world)
        if not jobs:
            break
        assert {j.error["code"] for j in jobs} == {"source_unreachable"}
        due = sorted(j.run_at for j in jobs)
        delays.append(due[-1] - due[0])
        assert {r.state for r in runs(world)} == {"running"}
        at_once(world)
        world.work()
    assert len(delays) == 11, "twelve tries, the first at once"
    assert all(delays), "no crowd comes back all at once"
    assert max(delays) < LONGEST_PAUSE
    assert {(r.state, r.failure["code"]) for r in runs(world)} == {("failed", "source_unreachable")}
    away.rename(path)
    for run in runs(world):
        retry(world, run.id)
    assert {r.state for r in runs(world)} == {"waiting"}
    assert len(there(world, mes.WORKORDER)) == 6
    assert len(there(world, mes.JOB)) == 6 * len(ROUTE)


def test_a_mes_that_comes_back_in_time_needs_nobody(world: HookWorld) -> None:
    path = Path(sa.make_url(world.plant.mes_url).database or "")
    away = path.rename(path.with_suffix(".away"))
    arrive(world, 1, 2)
    world.work()
    tried = page(world, runs(world)[0].id)["steps"]
    assert {s["id"]: (s["state"], s["tries"]) for s in tried}["push"] == ("running", 1)
    away.rename(path)
    at_once(world)
    world.work()
    assert {r.state for r in runs(world)} == {"waiting"}
    assert len(there(world, mes.WORKORDER)) == 2

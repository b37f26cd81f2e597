"""Steering syncs: pausing, cancelling, budgets, windows, schedules; nothing is lost by any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tenon.connect import control, runs, service, watch
from tenon.connect.contract import Connector, CursorValue
from tenon.connect.cycle import SyncCycle
from tenon.connect.due import Turns
from tenon.connect.report import Outcome
from tenon.connect.runner import Runner
from tenon.connect.tables import sync_run
from tenon.define.catalogue import Catalogue, check, parse
from tenon.define.models import Definition, SourceDef, StreamDef, Sync
from tenon.define.timing import ScheduleDef
from tenon.kernel import clock
from tenon.kernel.errors import Config, Conflict, NotFound
from tenon.server.source_models import RunList, SourceState
from tests.service.sync_world import World, world_at

AT = "2026-01-31 08:00:00"
PAGE = 100


@pytest.fixture
def world(hub_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(tmp_path, hub_url) as made:
        made.items((1, "3.02.0001", "支架", "DRW-1", AT))
        made.sql("mes", "INSERT INTO product VALUES (?, ?, ?, ?)", [("P1", "支架", "drw 1", AT)])
        for code in ("kis_item", "mes_item"):
            assert made.sync(code).state == "succeeded"
        made.orders(*(order(n) for n in range(1, 1001)))
        yield made


def order(number: int) -> tuple[Any, ...]:
    changed = datetime(2026, 1, 31, 8, 0) + timedelta(seconds=number)  # noqa: DTZ001
    return (f"WO-{number:05}", "P1", "12.5", None, "x", changed.isoformat(sep=" "))


class Between:
    """A connection that calls back before each batch is worked in."""

    def __init__(self, inner: Connector, call: Callable[[int], None] = lambda _n: None) -> None:
        self._inner, self._call = inner, call
        self.capabilities, self.address = inner.capabilities, inner.address
        self.batches = 0
        inner._page_rows = PAGE  # type: ignore[attr-defined]

    def read(self, stream: StreamDef, since: CursorValue | None) -> Iterator[pa.RecordBatch]:
        for batch in self._inner.read(stream, since):
            self.batches += 1
            self._call(self.batches)
            yield batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def run(world: World, call: Callable[[int], None] = lambda _n: None, **more: Any) -> Outcome:
    connector: Any = Between(world.deps.connections.open(world.catalogue.source("mes")), call)
    try:
        return Runner(world.deps).sync("mes_order", connector, **more)
    finally:
        connector.close()


def changed(world: World, code: str, **what: Any) -> None:
    """Publish nothing: let the runner see a definition with other settings."""
    found = tuple(
        d.model_copy(update=what) if d.code == code and isinstance(d, Sync | SourceDef) else d
        for d in world.catalogue.definitions
    )
    checked = Catalogue(world.catalogue.epoch, found)
    world.catalogue = checked
    world.deps = replace(world.deps, catalogue=lambda _tx=None: checked)


def remade(kind: str, **what: Any) -> Definition:
    given: dict[str, Any] = {"kind": kind, "code": "x", "label": {"zh": "甲", "en": "x"}}
    if kind == "source":
        given |= {"connector": "sql", "system": {"zh": "甲", "en": "x"}}
    return parse(given | what, "test")


def pause(world: World, sync: str = "", reason: str = "盘点") -> None:
    with world.hub.write() as tx:
        control.pause(tx, "mes", sync, reason, "王工")


def resume(world: World, sync: str = "") -> None:
    with world.hub.write() as tx:
        control.resume(tx, "mes", sync)


def state(world: World) -> SourceState:
    with world.hub.read() as connection:
        states = service.source_states(world.deps, connection)
    return SourceState.model_validate(next(s for s in states if s.code == "mes"))


def turn(world: World, code: str, *, asked: bool = False) -> Any:
    with world.hub.read() as connection:
        return Turns(connection, world.catalogue).of(world.catalogue.sync(code), asked=asked)


@pytest.mark.parametrize("what", ["", "mes_order"])
def test_a_pause_ends_the_run_after_its_batch_and_resuming_loses_nothing(
    world: World, what: str
) -> None:
    def at_third(batch: int) -> None:
        if batch == 3:
            pause(world, what)

    outcome = run(world, at_third)
    assert (outcome.state, outcome.counts.read) == ("cancelled", 3 * PAGE)
    (row,) = [r for r in world.all(sync_run) if r.sync == "mes_order"]
    assert (row.state, row.applied) == ("cancelled", 3 * PAGE)
    assert "王工" in row.message["zh"]
    assert "盘点" in row.message["zh"]
    assert len(world.records("work_order")) == 3 * PAGE
    assert world.state("wo").watermark["value"].endswith("08:05:00"), "the 300th row's"
    assert world.state("wo").last_success_at is None, "the first load is not over"

    assert run(world).counts.read == 0, "still paused"
    resume(world, what)
    again = run(world)
    assert again.state == "succeeded"
    assert again.counts.read < 1000, "it went on, and did not begin anew"
    assert len(world.records("work_order")) == 1000
    assert {e.origin for e in world.events("work_order")} == {"initial"}
    world.adds_up()


def test_what_is_paused_is_not_asked_and_says_why(world: World) -> None:
    cycle = SyncCycle(world.deps)
    pause(world, "mes_order")
    ran = {o.sync for o in cycle.run_source("mes")}
    assert "mes_order" not in ran
    assert "mes_item" in ran
    seen = state(world)
    assert seen.state == "ok"
    stream = next(s for s in seen.streams if s.sync == "mes_order")
    assert stream.hold is not None
    assert (stream.hold.by, stream.hold.reason) == ("王工", "盘点")
    assert stream.waits is not None
    pause(world)
    assert cycle.run_source("mes") == []
    seen = state(world)
    assert (seen.state, seen.hold and seen.hold.by) == ("paused", "王工")
    assert seen.message is not None
    assert "恢复" in seen.message.zh
    with world.hub.read() as connection, pytest.raises(Conflict, match="source_held"):
        control.refuse_held(connection, world.catalogue, "mes")
    service.check_source(world.deps, "mes")
    assert state(world).state == "paused", "a test of the connection resumes nothing"
    resume(world)
    resume(world, "mes_order")
    assert "mes_order" in {o.sync for o in cycle.run_source("mes")}


def test_a_run_is_cancelled_once_and_only_while_it_runs(world: World) -> None:
    def cancel(batch: int) -> None:
        if batch == 1:
            (going,) = [r for r in world.all(sync_run) if r.state == "running"]
            with world.hub.write() as tx:
                control.cancel(tx, going.id, "太慢", "王工")

    outcome = run(world, cancel)
    assert outcome.state == "cancelled"
    assert not turn(world, "mes_order").now, "it would only begin again"
    with world.hub.write() as tx, pytest.raises(Conflict, match="run_over"):
        control.cancel(tx, outcome.run_id, "x", "y")
    with world.hub.write() as tx, pytest.raises(NotFound):
        control.cancel(tx, "0197a0b0-0000-7000-8000-000000000001", "x", "y")


def test_a_cancelled_whole_read_marks_nothing_as_gone(world: World) -> None:
    run(world)
    rows = [(n, "WO-00001", n) for n in range(300)]
    world.sql("mes", "INSERT INTO report VALUES (?, ?, ?)", rows)
    assert world.sync("mes_report").counts.applied == 300

    def stop(batch: int) -> None:
        pause(world, "mes_report")

    connector: Any = Between(world.deps.connections.open(world.catalogue.source("mes")), stop)
    outcome = Runner(world.deps).sync("mes_report", connector)
    assert outcome.state == "cancelled"
    assert world.rows("report", "gone") == {}


@pytest.mark.parametrize("budget", [{"max_rows": 250}, {"max_rows": 1}])
def test_a_budget_ends_each_run_in_part_until_all_is_there(
    world: World, budget: dict[str, int]
) -> None:
    changed(world, "mes_order", **budget)
    states = [run(world).state for _ in range(12)]
    assert set(states) == {"partial", "succeeded"}
    assert states == sorted(states), "in part, in part, …, then whole for good"
    assert len(world.records("work_order")) == 1000
    assert {e.origin for e in world.events("work_order")} == {"initial"}
    world.adds_up()


def test_a_budget_smaller_than_what_is_read_again_still_goes_on(world: World) -> None:
    """A thousand rows of one moment, one row a run: each run must gain something."""
    world.sql("mes", f"UPDATE wo SET changed = '{AT}'")
    changed(world, "mes", max_rows=1)
    for _ in range(20):
        if run(world).state == "succeeded":
            break
    assert len(world.records("work_order")) == 1000


@contextmanager
def local(text: str) -> Iterator[None]:
    """The plant's clock stands at this time of its own zone."""
    with clock.fixed(datetime.fromisoformat(text + "+08:00").astimezone(UTC)):
        yield


def test_heavy_work_keeps_to_its_hours_and_polls_go_on(world: World) -> None:
    changed(world, "mes", off_peak=("12:00-13:00", "18:00-07:00"))
    with local("2026-02-02 10:00"):
        waiting = turn(world, "mes_order")
        assert not waiting.now
        assert "12:00-13:00" in waiting.waits.zh
    with local("2026-02-02 12:59"):
        assert turn(world, "mes_order").now
        outcome = run(world, lambda _n: clock.use(lambda: datetime(2026, 2, 2, 5, 0, tzinfo=UTC)))
        assert outcome.state == "partial", "13:00 came"
        assert not turn(world, "mes_order").now
    with local("2026-02-02 23:30"):
        assert run(world).state == "succeeded"
    with local("2026-02-03 10:00"):
        assert turn(world, "mes_order").now, "what is light may run at any hour"
    assert len(world.records("work_order")) == 1000


def test_schedules_come_due_and_are_done(world: World) -> None:
    changed(world, "mes_order", schedule=ScheduleDef.model_validate({"daily": "02:30"}))
    changed(
        world,
        "mes_item",
        schedule=ScheduleDef.model_validate({"cron": "*/10 8-17 * * mon-fri"}),
    )
    changed(world, "mes_report", schedule=ScheduleDef.model_validate({"after": "mes_order"}))
    with local("2026-02-02 01:00"):
        assert turn(world, "mes_order").now, "what never ran is made up for"
        assert not turn(world, "mes_report").now
        run(world)
        assert not turn(world, "mes_order").now
        assert turn(world, "mes_order", asked=True).now
        assert turn(world, "mes_report").now
        world.sync("mes_report")
        assert not turn(world, "mes_report").now
    with local("2026-02-02 02:29"):
        assert not turn(world, "mes_order").now
    with local("2026-02-02 02:30"):
        assert turn(world, "mes_order").now
        run(world)
        assert not turn(world, "mes_order").now
        assert turn(world, "mes_report").now
    with local("2026-02-02 08:00"):
        world.sync("mes_item")
    with local("2026-02-02 08:09"):
        assert not turn(world, "mes_item").now
    with local("2026-02-02 08:10"):
        assert turn(world, "mes_item").now
        world.sync("mes_item")
    with local("2026-02-02 20:00"):
        world.sync("mes_item")
    with local("2026-02-08 20:00"):
        world.sync("mes_item")
        assert not turn(world, "mes_item").now, "on a Sunday"


def test_a_failed_time_is_tried_again_and_a_scheduled_source_is_not_stale(world: World) -> None:
    for code in ("mes_item", "mes_order", "mes_report", "mes_extra"):
        changed(world, code, schedule=ScheduleDef.model_validate({"daily": "02:30"}))
    cycle = SyncCycle(world.deps)
    with local("2026-02-02 02:31"):
        cycle.run_source("mes")
    with local("2026-02-03 02:00"):
        assert state(world).state == "ok", "a day old, as planned"
        assert cycle.run_source("mes") == []
    with local("2026-02-03 02:31"):
        (world.home / "mes.db").rename(world.home / "away.db")
        cycle.run_source("mes")
        (world.home / "away.db").rename(world.home / "mes.db")
        assert turn(world, "mes_order").now
    with local("2026-02-03 09:00"):
        assert state(world).state == "failing"
        cycle.run_source("mes")
        assert state(world).state == "ok"


@pytest.mark.parametrize(
    "wrong",
    [
        {"schedule": {"cron": "* * * *"}},
        {"schedule": {"cron": "* * * * * *"}},
        {"schedule": {"cron": "0 0 31 2 *"}},
        {"schedule": {"cron": "61 * * * *"}},
        {"schedule": {"cron": "R R * * *"}},
        {"schedule": {"cron": "*/0 * * * *"}},
        {"schedule": {"cron": "0," * 400 + "0 * * * *"}},
        {"schedule": {"cron": "@daily"}},
        {"schedule": {"daily": 150}},
        {"schedule": {}},
        {"schedule": {"daily": "02:30", "after": "y"}},
        {"off_peak": ["12:00-12:00"]},
        {"off_peak": ["25:00-07:00"]},
        {"off_peak": ["noon"]},
        {"max_rows": 0},
        {"max_seconds": -1},
    ],
)
def test_wrong_times_are_refused_when_published(wrong: dict[str, Any]) -> None:
    with pytest.raises(Config, match="invalid_definition"):
        remade("source", **wrong)


def test_syncs_that_wait_for_each_other_are_refused(world: World) -> None:
    after = ScheduleDef.model_validate({"after": "mes_order"})
    changed(world, "mes_order", schedule=after)
    with pytest.raises(Config, match="wait for itself"):
        check(world.catalogue.definitions)
    nowhere = ScheduleDef.model_validate({"after": "nowhere"})
    changed(world, "mes_order", schedule=nowhere)
    with pytest.raises(Config, match="unknown sync nowhere"):
        check(world.catalogue.definitions)


def test_a_run_shows_how_far_it_is_and_how_long_it_will_take(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_TELL_SECONDS", 0.0)
    monkeypatch.setattr(runs, "_SOON", 0.0)
    seen: list[Any] = []

    def look(_batch: int) -> None:
        with world.hub.read() as connection:
            found = runs.runs(connection, world.catalogue, state="running")
        seen.extend(RunList.model_validate(found).rows)

    run(world, look)
    assert {r.expected for r in seen} == {1000}, "counted by the source"
    assert sorted(r.read for r in seen) == [r.read for r in seen]
    middle = seen[4]
    assert 0 < middle.read < 1000
    assert middle.rate is not None
    assert middle.seconds_left is not None
    seen.clear()
    with world.hub.write() as tx:
        tx.exec_driver_sql("UPDATE sync_state SET rows = 900 WHERE stream = 'wo'")
    run(world, look, kind="compare")
    assert {r.expected for r in seen} == {900}, "as many as there were"
    assert [r.read for r in seen][1:] == [PAGE * n for n in range(1, len(seen))]
    assert {r.unchanged for r in seen[1:]} == {r.read for r in seen[1:]}, "told though idle"


def test_a_compare_finds_what_was_deleted_and_keeps_its_rhythm(world: World) -> None:
    changed(world, "mes_order", compare_every="1d")
    with local("2026-02-02 01:00"):
        run(world)
        assert turn(world, "mes_order").kind is None
        world.sql("mes", "DELETE FROM wo WHERE no <= 'WO-00003'")
        run(world)
        assert world.rows("wo", "gone") == {}, "a poll does not see it"
    with local("2026-02-03 01:00"):
        assert turn(world, "mes_order").kind == "compare"
        before = world.state("wo").watermark
        assert SyncCycle(world.deps).run_source("mes")
        assert set(world.rows("wo", "gone")) == {f"WO-0000{n}" for n in (1, 2, 3)}
        assert world.state("wo").watermark == before
        assert turn(world, "mes_order").kind is None
    assert len(world.records("work_order")) == 1000, "records stay"

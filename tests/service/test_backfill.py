"""Back-fills: a range read again beside the watermark, in slices, until it is done or given up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tenon.connect import backfill, control, runs, service, span
from tenon.connect.connectors.sql import SqlConnector
from tenon.connect.cycle import SyncCycle
from tenon.connect.span import Span
from tenon.connect.tables import sync_backfill, sync_run
from tenon.kernel import clock
from tenon.kernel.errors import BadInput, Conflict, NotFound
from tenon.server.source_models import RunPage, SourceState
from tests.service.sync_world import World, world_at

ZONE = ZoneInfo("Asia/Shanghai")
PAGE = 40


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with made_at(tmp_path, f"sqlite:///{tmp_path / 'hub.db'}", monkeypatch) as made:
        yield made


@pytest.fixture
def any_world(hub_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with made_at(tmp_path, hub_url, monkeypatch) as made:
        yield made


@contextmanager
def made_at(home: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(SqlConnector.__init__, "__defaults__", (PAGE,))
    with world_at(home, url) as made:
        made.orders(*(order(day) for day in range(1, 301)))
        made.sql(
            "mes", "INSERT INTO report VALUES (?, ?, ?)", [(n, "WO-001", n) for n in range(300)]
        )
        SyncCycle(made.deps).run_source("mes")
        yield made


def order(day: int, note: str = "x") -> tuple[Any, ...]:
    changed = datetime(2025, 1, 1, 8, 0) + timedelta(days=day)  # noqa: DTZ001
    return (f"WO-{day:03}", None, "1", None, note, changed.isoformat(sep=" "))


def behind_the_watermark(world: World) -> None:
    """Every row is changed without its stamp: no poll sees it."""
    world.sql("mes", "UPDATE wo SET note = 'late'")
    SyncCycle(world.deps).run_source("mes")
    assert "late" not in {r.note for r in world.records("work_order")[:200]}


def ask(world: World, by: Any, low: str, high: str, sync: str = "mes_order", **more: Any) -> str:
    with world.hub.write() as tx:
        found = world.catalogue.sync(sync)
        return backfill.ask(tx, world.catalogue, found, Span(by, low, high), "补录", "王工", **more)


def one(world: World, id_: str) -> Any:
    return next(b for b in world.all(sync_backfill) if b.id == id_)


def rounds(world: World, id_: str, most: int = 20) -> int:
    """Rounds of the source until the back-fill is over."""
    for number in range(1, most + 1):
        SyncCycle(world.deps).run_source("mes")
        if one(world, id_).state != "waiting":
            return number
    raise AssertionError("it does not end")


def late(world: World) -> set[str]:
    return {r.number for r in world.records("work_order") if r.note == "late"}


def days(first: int, last: int) -> set[str]:
    return {f"WO-{n:03}" for n in range(first, last + 1)}


def test_a_range_of_the_cursor_is_read_again_and_the_watermark_stays(any_world: World) -> None:
    world = any_world
    behind_the_watermark(world)
    before, poll = world.state("wo").watermark, late(world)
    id_ = ask(world, "cursor", "2025-01-11 08:00", "2025-02-09")
    assert rounds(world, id_) == 1
    assert late(world) - poll == days(10, 39), "both ends are in, the last day is whole"
    assert world.state("wo").watermark == before
    events = [e for e in world.events("work_order") if e.origin == "backfill"]
    assert len(events) == 30
    (run,) = [r for r in world.all(sync_run) if r.kind == "backfill"]
    assert (run.state, run.read, run.applied) == ("succeeded", 30, 30)
    with world.hub.read() as connection:
        page = RunPage.model_validate(runs.run_page(connection, world.catalogue, run.id))
    assert page.backfill is not None
    assert (page.backfill.state, page.backfill.reason) == ("done", "补录")
    world.adds_up()


@pytest.mark.parametrize(("sync", "low", "high"), [("mes_order", "WO-100", "WO-150")])
def test_a_range_of_the_key_reads_no_other_row(
    world: World, sync: str, low: str, high: str
) -> None:
    behind_the_watermark(world)
    poll = late(world)
    id_ = ask(world, "key", low, high, sync)
    rounds(world, id_)
    assert late(world) - poll == days(100, 150)
    (run,) = [r for r in world.all(sync_run) if r.kind == "backfill"]
    assert run.read == 51


def test_a_numeric_key_is_a_number(world: World) -> None:
    world.sql("mes", "UPDATE report SET qty = -id")
    SyncCycle(world.deps).run_source("mes")
    rounds(world, ask(world, "key", "9", "20", "mes_report"))
    (run,) = [r for r in world.all(sync_run) if r.kind == "backfill"]
    assert (run.read, run.unchanged) == (12, 12), "9 to 20, not what sorts between them as text"


def test_slices_let_the_polls_go_first_and_go_on_where_they_stopped(
    any_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = any_world
    behind_the_watermark(world)
    poll = late(world)
    monkeypatch.setattr(backfill, "_SLICE_SECONDS", 0.0)
    id_ = ask(world, "cursor", "2025-01-01", "2025-12-31")
    assert rounds(world, id_) > 5
    assert late(world) | poll == days(1, 300)
    made = [r for r in world.all(sync_run) if r.kind == "backfill"]
    assert {r.state for r in made} == {"partial", "succeeded"}
    assert sum(r.read for r in made) < 330, "nothing is read twice but the row it stopped at"
    world.adds_up()


def test_rows_of_one_moment_that_fill_many_slices_come_to_an_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sql("mes", "UPDATE wo SET note = 'late', changed = '2025-01-05 00:00:00'")
    monkeypatch.setattr(backfill, "_SLICE_SECONDS", 0.0)
    rounds(world, ask(world, "cursor", "2025-01-04", "2025-01-06"))
    assert late(world) == days(1, 300)


def test_a_back_fill_is_given_up_and_what_it_wrote_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind_the_watermark(world)
    poll = late(world)
    monkeypatch.setattr(backfill, "_SLICE_SECONDS", 0.0)
    id_ = ask(world, "cursor", "2025-01-01", "2025-12-31")
    SyncCycle(world.deps).run_source("mes")
    so_far = late(world)
    assert so_far > poll
    with world.hub.write() as tx:
        backfill.cancel(tx, id_, "够了", "李工")
    SyncCycle(world.deps).run_source("mes")
    assert late(world) == so_far
    assert "李工" in one(world, id_).message["zh"]
    with world.hub.write() as tx, pytest.raises(Conflict, match="backfill_over"):
        backfill.cancel(tx, id_, "x", "y")
    with world.hub.write() as tx, pytest.raises(NotFound):
        backfill.cancel(tx, "0197a0b0-0000-7000-8000-000000000001", "x", "y")


def test_stopping_its_run_gives_it_up_without_pausing_the_stream(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = ask(world, "cursor", "2025-01-01", "2025-12-31")
    connector = world.deps.connections.open(world.catalogue.source("mes"))
    real, seen = connector.read, []

    def read(*given: Any) -> Any:
        for batch in real(*given):
            seen.append(batch)
            (going,) = [r for r in world.all(sync_run) if r.state == "running"]
            if len(seen) == 2:
                with world.hub.write() as tx:
                    control.cancel(tx, going.id, "够了", "李工")
            yield batch

    monkeypatch.setattr(connector, "read", read)
    backfill.work(world.deps, world.catalogue, connector, "mes")
    connector.close()
    assert len(seen) == 2
    assert one(world, id_).state == "cancelled"
    (run,) = [r for r in world.all(sync_run) if r.kind == "backfill"]
    assert (run.state, run.read) == ("cancelled", 2 * PAGE)
    with world.hub.read() as connection:
        assert control.held(connection, "mes", "mes_order") is None


def test_a_pause_holds_it_and_a_dead_source_does_not_lose_it(world: World) -> None:
    behind_the_watermark(world)
    poll = late(world)
    id_ = ask(world, "cursor", "2025-01-02 08:00", "2025-01-03 08:00")
    with world.hub.write() as tx:
        control.pause(tx, "mes", "mes_order", "盘点", "王工")
    SyncCycle(world.deps).run_source("mes")
    assert one(world, id_).state == "waiting"
    with world.hub.read() as connection:
        states = service.source_states(world.deps, connection)
    mes = SourceState.model_validate(next(s for s in states if s.code == "mes"))
    assert [b.id for s in mes.streams for b in s.backfills] == [id_]
    with world.hub.write() as tx:
        control.resume(tx, "mes", "mes_order")
    (world.home / "mes.db").rename(world.home / "away.db")
    SyncCycle(world.deps).run_source("mes")
    (world.home / "away.db").rename(world.home / "mes.db")
    rounds(world, id_)
    assert late(world) - poll == days(1, 2)


def test_wrong_ranges_are_refused(world: World) -> None:
    with pytest.raises(BadInput, match="not_a_cursor"):
        ask(world, "cursor", "gestern", "2025-01-01")
    with pytest.raises(BadInput, match="span_backwards"):
        ask(world, "cursor", "2025-01-02", "2025-01-01")
    with pytest.raises(BadInput, match="no_cursor"):
        ask(world, "cursor", "2025-01-01", "2025-01-02", "mes_report")
    with pytest.raises(Conflict, match="first_load"):
        ask(world, "key", "1", "2", "kis_item")
    for _ in range(20):
        ask(world, "key", "1", "2")
    with pytest.raises(Conflict, match="many_backfills"):
        ask(world, "key", "1", "2")


@pytest.mark.parametrize(
    ("text", "like", "wanted"),
    [
        ("2025-01-11", "2026-01-31 08:00:00", "2025-01-11 00:00:00"),
        ("2025-01-11 07:30", "2026-01-31T08:00:00Z", "2025-01-10T23:30:00Z"),
        ("2025-01-11 07:30", "2026-01-31T08:00:00+08:00", "2025-01-11T07:30:00+08:00"),
        ("2025-01-11 07:30", "2026-01-31", "2025-01-11"),
        ("0x00000000000007D1", "0x00000000000007D9", "0x00000000000007D1"),
        ("12", 99, 12),
        (
            "2025-01-11 07:30",
            datetime(2026, 1, 31, 8, tzinfo=UTC),
            datetime(2025, 1, 10, 23, 30, tzinfo=UTC),
        ),
        (
            "2025-01-11T00:00+00:00",
            datetime(2026, 1, 31, 8),  # noqa: DTZ001
            datetime(2025, 1, 11, 8),  # noqa: DTZ001
        ),
    ],
)
def test_a_persons_words_become_the_sources(text: str, like: Any, wanted: Any) -> None:
    assert span.begin(text, like, ZONE) == wanted


@pytest.mark.parametrize(
    "text", ["9" * 5000, "0001-01-01", "9999-12-31", "-", "٣", "١٢٣", "2025-W01-1", "0x", "１２"]
)
def test_odd_words_have_a_place_or_are_refused(text: str) -> None:
    for like in (5, "2026-01-31 08:00:00", datetime(2026, 1, 31, tzinfo=UTC), "a.csv"):
        try:
            span.begin(text, like, ZONE)
        except BadInput as error:
            assert error.code == "not_a_cursor"  # noqa: PT017
    span.refuse_backwards(Span("key", text, text), ZONE)


def test_off_peak_hours_hold_it_unless_it_is_wanted_at_once(world: World) -> None:
    source = world.catalogue.source("mes").model_copy(update={"off_peak": ("18:00-07:00",)})
    definitions = tuple(source if d.code == "mes" else d for d in world.catalogue.definitions)
    catalogue = type(world.catalogue)(world.catalogue.epoch, definitions)
    ask(world, "key", "1", "2")
    with clock.fixed(datetime(2026, 2, 2, 4, tzinfo=UTC)):
        assert backfill.due(world.deps, catalogue, "mes") == []
        now = ask(world, "key", "1", "2", at_once=True)
        assert [b.id for b in backfill.due(world.deps, catalogue, "mes")] == [now]
    with clock.fixed(datetime(2026, 2, 2, 12, tzinfo=UTC)):
        assert len(backfill.due(world.deps, catalogue, "mes")) == 2

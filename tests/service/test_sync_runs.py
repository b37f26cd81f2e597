"""Runs of the sync runner: the equation, watermarks, poison, drift, leases."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenon.connect import runs, service
from tenon.connect.connectors.sql import SqlConnector
from tenon.connect.runner import Runner
from tenon.connect.tables import sync_run
from tenon.jobs import lease
from tenon.kernel import clock
from tenon.kernel.errors import Conflict, Retry
from tenon.server import models, source_models
from tests.service.sync_world import World, world_at

AT = "2026-01-31 08:00:00"


@pytest.fixture
def world(hub_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(tmp_path, hub_url) as made:
        made.items((1, "3.02.0001", "支架", "DRW-1", AT))
        made.sql("mes", "INSERT INTO product VALUES (?, ?, ?, ?)", [("P1", "支架", "drw 1", AT)])
        for code in ("kis_item", "mes_item"):
            assert made.sync(code).state == "succeeded"
        yield made


def order(number: int, changed: str = AT, **other: Any) -> tuple[Any, ...]:
    given = {"product": "P1", "qty": "12.5", "due": "2026-02-07 18:00:00", "note": "x"} | other
    return (f"WO-{number:05}", *given.values(), changed)


def test_a_first_load_is_one_event_and_a_later_change_its_own(world: World) -> None:
    world.orders(*(order(n) for n in range(1, 301)))
    first = world.sync("mes_order")
    assert (first.counts.read, first.counts.applied) == (300, 300)
    records = world.records("work_order")
    assert [r.number for r in records] == [f"WO-{n:05}" for n in range(1, 301)]
    one = records[0]
    assert (one.source, one.source_key, one.qty) == ("mes", "wo:WO-00001", Decimal("12.5000"))
    assert one.due_at == datetime(2026, 2, 7, 10, 0, tzinfo=UTC), "plant time is 8 hours ahead"
    assert one.item == world.records("item")[0].id
    assert {e.kind for e in world.events("work_order")} == {"loaded"}
    assert {e.origin for e in world.events("work_order")} == {"initial"}

    world.orders(order(7, "2026-01-31 09:00:00", qty="99"))
    second = world.sync("mes_order")
    assert second.counts.applied == 1
    changes = [e for e in world.events("work_order") if e.kind == "updated"]
    assert [(e.origin, e.changes) for e in changes] == [("live", {"qty": ["12.5000", "99.0000"]})]
    world.adds_up()


def test_nothing_new_writes_no_rows_and_keeps_one_idle_run(world: World) -> None:
    world.orders(*(order(n) for n in range(1, 21)))
    world.sync("mes_order")
    for _ in range(5):
        again = world.sync("mes_order")
        assert again.counts.unchanged == again.counts.read == 20, "the overlap is read again"
    idle = [r for r in world.all(sync_run) if r.sync == "mes_order" and not r.applied]
    assert len(idle) == 1
    assert {r.tries for r in world.rows("wo").values()} == {0}


def test_rows_that_appear_late_are_caught_by_the_overlap(world: World) -> None:
    world.orders(order(1, "2026-01-31 08:10:00"))
    world.sync("mes_order")
    world.orders(order(2, "2026-01-31 08:08:30"), order(3, "2026-01-31 08:00:00"))
    world.sync("mes_order")
    assert set(world.rows("wo")) == {"WO-00001", "WO-00002"}, "90 s late is caught, 10 min is not"
    assert world.state("wo").watermark["value"] == "2026-01-31 08:10:00"


def test_ties_on_the_watermark_are_all_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqlConnector.__init__, "__defaults__", (7,))
    world.orders(*(order(n) for n in range(1, 51)))
    assert world.sync("mes_order").counts.applied == 50


POISON: list[tuple[dict[str, Any], str]] = [
    ({"due": "2026-02-30 00:00:00"}, "bad_time"),
    ({"due": "yesterday"}, "bad_time"),
    ({"qty": "NaN"}, "not_a_number"),
    ({"qty": "12,5x"}, "not_a_number"),
    ({"qty": "1" * 30}, "does_not_fit"),
    ({"qty": "0.00001"}, "does_not_fit"),
    ({"qty": 1e300}, "does_not_fit"),
    ({"qty": "-1"}, "below_minimum"),
    ({"qty": None}, "required"),
    ({"note": "长" * 21}, "too_long"),
    ({"note": b"\xff\xfe\xfd"}, "undecodable_text"),
    ({"product": "P404"}, "unknown_code"),
]


def test_a_poison_row_is_set_aside_with_its_reason_and_others_go_on(world: World) -> None:
    good = [order(n) for n in range(100, 130)]
    bad = [order(n, **values) for n, (values, _) in enumerate(POISON, 1)]
    world.orders(*good, *bad)
    world.sql("mes", "UPDATE wo SET note = CAST(note AS TEXT)")
    outcome = world.sync("mes_order")
    assert outcome.state == "succeeded"
    assert (outcome.counts.applied, outcome.counts.set_aside) == (30, len(POISON))
    kept = world.rows("wo", "set_aside")
    for number, (_, code) in enumerate(POISON, 1):
        row = kept[f"WO-{number:05}"]
        assert row.reason_code == code, row.reason
        assert row.reason["zh"]
        assert row.reason["en"]
        assert row.tries == 1
    assert "fffefd" in kept[f"WO-{len(POISON) - 1:05}"].raw_bytes
    world.adds_up()
    # Mended at the source, a row goes in.
    world.orders(order(1, "2026-01-31 08:00:01"))
    world.sync("mes_order")
    assert world.rows("wo")["WO-00001"].state == "applied"


def test_nul_and_padding_are_tidied_and_empty_keys_set_aside(world: World) -> None:
    world.orders(order(1, note="a\x00b  "), (None, "P1", "1", None, "", AT))
    assert world.sync("mes_order").counts.set_aside == 1
    assert [(r.number, r.note) for r in world.records("work_order")] == [("WO-00001", "ab")]
    assert [r.reason_code for r in world.rows("wo", "set_aside").values()] == ["no_key"]


def test_a_doubled_unique_value_sets_aside_only_the_second(world: World) -> None:
    rows = [order(n) for n in range(1, 120)]
    world.orders(*rows, ("wo-00050", "P1", "1", None, "", "2026-01-31 08:30:00"))
    outcome = world.sync("mes_order")
    assert (outcome.counts.applied, outcome.counts.set_aside) == (119, 1)
    assert world.rows("wo")["wo-00050"].reason_code == "refused"
    world.adds_up()


def test_a_poisoned_stream_stops_and_its_watermark_stays(world: World) -> None:
    world.orders(*(order(n, qty="broken" if n % 3 else "1") for n in range(1, 601)))
    outcome = world.sync("mes_order")
    assert outcome.state == "failed"
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.recovery) == ("mostly_poison", "stop")
    assert world.state("wo").watermark is None
    assert world.rows("wo") == {}
    assert world.records("work_order") == []


def test_rows_that_only_wait_are_no_poison(world: World) -> None:
    world.orders(*(order(n, product="P404") for n in range(1, 301)))
    outcome = world.sync("mes_order")
    assert (outcome.state, outcome.counts.set_aside) == ("succeeded", 300)


def test_the_same_key_twice_in_a_batch_counts_both_and_the_last_wins(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.orders(order(1), order(2))

    class Twice:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def read(self, stream: Any, since: Any) -> Any:
            for batch in self._inner.read(stream, since):
                yield batch
                yield batch
            yield from ()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    inner = world.deps.connections.open(world.catalogue.source("mes"))
    outcome = Runner(world.deps).sync("mes_order", Twice(inner))
    inner.close()
    assert outcome.counts.read == 4
    assert len(world.records("work_order")) == 2
    world.adds_up()


def test_a_dropped_column_stops_the_sync_and_is_named(world: World) -> None:
    world.orders(order(1))
    world.sync("mes_order")
    world.sql("mes", "ALTER TABLE wo RENAME COLUMN due TO due_date")
    outcome = world.sync("mes_order")
    assert outcome.error is not None
    assert outcome.error.recovery == "stop"
    assert "due" in outcome.error.text.zh
    assert world.records("work_order")[0].due_at is not None, "never a silent NULL"


def test_an_optional_stream_may_be_absent_and_another_may_not(world: World) -> None:
    assert world.sync("mes_extra").state == "absent"
    assert world.state("extra").absent
    world.sql("mes", "DROP TABLE wo")
    outcome = world.sync("mes_order")
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.recovery) == ("stream_absent", "stop")


def test_a_vanished_source_fails_the_run_and_comes_back(world: World) -> None:
    world.orders(order(1))
    (world.home / "mes.db").rename(world.home / "away.db")
    outcome = world.sync("mes_order")
    assert outcome.error is not None
    assert outcome.error.recovery == "retry"
    assert world.state("wo").failure["code"] == "source_unreachable"
    (world.home / "away.db").rename(world.home / "mes.db")
    assert world.sync("mes_order").counts.applied == 1
    assert world.state("wo").failure is None


def test_rows_missing_from_a_full_compare_are_marked_and_kept(world: World) -> None:
    world.orders(order(1))
    world.sync("mes_order")
    world.sql("mes", "INSERT INTO report VALUES (?, ?, ?)", [(n, "wo-00001", n) for n in range(90)])
    assert world.sync("mes_report").counts.applied == 90
    world.sql("mes", "DELETE FROM report WHERE id < 5")
    world.sync("mes_report")
    assert len(world.rows("report", "gone")) == 5
    assert len(world.records("report")) == 90
    world.sql("mes", "INSERT INTO report VALUES (?, ?, ?)", [(1, "wo-00001", 1)])
    world.sync("mes_report")
    assert set(world.rows("report", "gone")) == {"0", "2", "3", "4"}
    world.sql("mes", "DELETE FROM report")
    world.sync("mes_report")
    assert len(world.rows("report", "gone")) == 4, "an emptied table asks a person"


def test_rows_are_counted_as_they_change(world: World) -> None:
    def counted(stream: str) -> tuple[int, int]:
        assert world.state(stream).rows == len(world.rows(stream)) - len(world.rows(stream, "gone"))
        assert world.state(stream).set_aside == len(world.rows(stream, "set_aside"))
        return world.state(stream).rows, world.state(stream).set_aside

    world.orders(*(order(n) for n in range(1, 21)), order(30, qty="bad"), order(31, product="P4"))
    world.sync("mes_order")
    assert counted("wo") == (22, 2)
    world.orders(order(30, "2026-01-31 09:00:00"), order(1, "2026-01-31 09:00:00", qty="-1"))
    world.sync("mes_order")
    assert counted("wo") == (22, 2)
    world.sql("mes", "INSERT INTO report VALUES (1, 'WO-00002', 1), (2, 'WO-00404', 1)")
    world.sync("mes_report")
    assert counted("report") == (2, 1)
    world.sql("mes", "DELETE FROM report WHERE id = 2")
    world.sync("mes_report")
    assert counted("report") == (1, 0)
    world.sql("mes", "INSERT INTO report VALUES (2, 'WO-00003', 1)")
    world.sync("mes_report")
    assert counted("report") == (2, 0)
    world.retry(everything=True)
    assert counted("wo") == (22, 2)


def test_two_runners_of_one_sync_do_not_meet(world: World) -> None:
    with world.hub.write() as tx:
        owner = lease.take(tx, "sync:mes:wo", 60)
        assert owner is not None
    with pytest.raises(Conflict, match="sync_busy"):
        world.sync("mes_order")
    with world.hub.write() as tx:
        lease.give_back(tx, "sync:mes:wo", owner)
    assert world.sync("mes_order").state == "succeeded"


def test_a_runner_whose_lease_was_taken_over_writes_nothing_more(world: World) -> None:
    world.orders(*(order(n) for n in range(1, 11)))

    class Robber:
        """Steals the lease between reading and writing, as a second process would."""

        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def read(self, stream: Any, since: Any) -> Any:
            for batch in self._inner.read(stream, since):
                with world.hub.write() as tx:
                    tx.execute(lease.lease.update().values(owner="another"))
                yield batch

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    inner = world.deps.connections.open(world.catalogue.source("mes"))
    outcome = Runner(world.deps).sync("mes_order", Robber(inner))
    inner.close()
    assert isinstance(outcome.error, Retry)
    assert outcome.error.code == "lease_lost"
    assert world.records("work_order") == []
    assert world.rows("wo") == {}


def test_a_run_that_was_killed_is_marked_by_the_next(world: World) -> None:
    world.orders(order(1))
    world.sync("mes_order")
    with world.hub.write() as tx:
        killed = tx.scalar(sa.select(sync_run.c.id).where(sync_run.c.sync == "mes_order"))
        tx.execute(sync_run.update().where(sync_run.c.id == killed).values(state="running"))
    outcome = world.sync("mes_order")
    with world.hub.read() as connection:
        page = runs.run_page(connection, world.catalogue, outcome.run_id)
        before = runs.run_page(connection, world.catalogue, str(killed))
    assert page["resumed_from"] == killed
    assert before["run"]["state"] == "interrupted"


def test_gbk_bytes_come_through(world: World) -> None:
    world.deps.connections.save({
        "mes": {"url": f"sqlite:///{world.home / 'mes.db'}", "encoding": "gb18030"},
        "kis": {"url": f"sqlite:///{world.home / 'kis.db'}"},
    })  # fmt: skip
    with sqlite3.connect(world.home / "mes.db") as db:
        db.execute(
            "INSERT INTO wo VALUES ('WO-1', 'P1', 1, NULL, CAST(? AS TEXT), ?)",
            ("加急㎡".encode("gb18030"), AT),
        )
    db.close()
    world.sync("mes_order")
    assert world.records("work_order")[0].note == "加急㎡"


def test_what_people_see_fits_the_api(world: World) -> None:
    world.orders(order(1), order(2, qty="bad"))
    world.sync("mes_order")
    with world.hub.read() as connection:
        for state in service.source_states(world.deps, connection):
            source_models.SourceState.model_validate(state)
        listed = source_models.RunList.model_validate(
            runs.runs(connection, world.catalogue, source="mes", changed=True)
        )
        page = source_models.RunPage.model_validate(
            runs.run_page(connection, world.catalogue, listed.rows[0].id)
        )
        aside = models.SetAsideList.model_validate(
            service.set_aside(connection, world.catalogue, source="mes", reason="not_a_number")
        )
        row = models.SourceRow.model_validate(
            service.source_page(connection, world.catalogue, "mes", "wo", "WO-00002")
        )
    assert (page.run.applied, page.run.set_aside) == (1, 1)
    assert page.watermark_after == AT
    assert [(r.key, int(r.value or 0)) for r in page.reasons] == [("not_a_number", 1)]
    assert [r.key for r in aside.rows] == ["WO-00002"]
    assert ("qty", "bad") in row.columns
    answer = source_models.CheckAnswer.model_validate(service.check_source(world.deps, "mes"))
    assert answer.ok


def test_a_busy_hub_gives_others_their_turn(world: World) -> None:
    world.orders(*(order(n) for n in range(1, 3001)))
    waits: list[float] = []
    done = threading.Event()

    def person() -> None:
        while not done.is_set():
            started = clock.monotonic()
            with world.hub.write() as tx:
                tx.execute(sa.select(1))
            waits.append(clock.monotonic() - started)
            done.wait(0.02)

    thread = threading.Thread(target=person)
    thread.start()
    world.sync("mes_order")
    done.set()
    thread.join()
    waits.sort()
    assert waits[len(waits) // 2] < 0.25, "a person's write waits for one short batch only"


CHANGES = st.lists(
    st.tuples(
        st.integers(1, 12),
        st.sampled_from(["1", "2.5", "bad", "-3", None]),
        st.sampled_from(["P1", "P1", "P9"]),
        st.integers(0, 500),
    ),
    max_size=12,
)


@given(st.lists(CHANGES, min_size=1, max_size=4))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_read_is_always_applied_unchanged_and_set_aside(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[list[tuple[Any, ...]]]
) -> None:
    home = tmp_path_factory.mktemp("equation")
    with world_at(home, f"sqlite:///{home / 'hub.db'}") as world:
        world.items((1, "3.02.0001", "支架", "DRW-1", AT))
        world.sql("mes", "INSERT INTO product VALUES (?, ?, ?, ?)", [("P1", "支架", "DRW1", AT)])
        world.sync("kis_item")
        world.sync("mes_item")
        for number, changes in enumerate(rounds):
            world.orders(*(
                order(n, f"2026-02-{number + 1:02} 08:{s // 60:02}:{s % 60:02}", qty=q, product=p)
                for n, q, p, s in changes
            ))  # fmt: skip
            world.sync("mes_order")
            world.retry()
        world.adds_up()
        source = {r[0]: r for c in rounds for r in c}
        assert len(world.rows("wo")) == len(source)
        good = {n for n, (_, q, p, _) in source.items() if q in {"1", "2.5"} and p == "P1"}
        applied = {int(k[-5:]) for k in world.rows("wo", "applied")}
        assert applied == good

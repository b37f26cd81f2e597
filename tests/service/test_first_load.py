"""A first load goes in as columns: the same records, rows and counts as row by row."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tenon.connect.blocks import Blocks
from tenon.connect.pace import Pace
from tenon.connect.runner import Run
from tenon.kernel.errors import Retry
from tenon.kernel.text import Text
from tenon.records.write import RowKey, Writer
from tests.service.sync_world import ANA, Anyone, World, world_at


@pytest.fixture
def world(hub_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(tmp_path, hub_url) as made:
        yield made


def hundred(world: World) -> None:
    """Items and a hundred work orders, some of which no rule accepts."""
    world.items(*[(n, f"I{n}", f"件 {n}", f"D-{n}", "2026-01-01 00:00:00") for n in range(5)])
    products = [(f"P{n}", f"件 {n}", f"D-{n}", "2026-01-01 00:00:00") for n in range(5)]
    world.sql("mes", "INSERT INTO product VALUES (?, ?, ?, ?)", products)
    world.sync("kis_item")
    world.sync("mes_item")
    odd = {7: "many", 20: -1, 33: None}
    world.orders(*[
        (f"WO-{n:03}", f"P{n % 6}", odd.get(n, n), "2026-02-01 08:00", f"备注 {n}" * (1 + n % 9),
         f"2026-01-01 00:{n // 60:02}:{n % 60:02}")
        for n in range(100)
    ])  # fmt: skip


def seen(world: World) -> list[Any]:
    """Records and source rows without ids, times and runs."""
    records = [(r.source_key, r.number, r.qty, r.due_at, r.note, r.version, r.item is None)
               for r in world.records("work_order")]  # fmt: skip
    rows = [(k, r.hash, r.raw, r.state, r.reason_code, r.waits, r.tries, r.record_id is None)
            for k, r in sorted(world.rows("wo").items())]  # fmt: skip
    return [records, rows]


def test_a_first_load_as_columns_is_that_of_rows(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hundred(world)
    outcome = world.sync("mes_order")
    loaded = [e for e in world.events("work_order") if e.kind == "loaded"]
    assert sum(e.count for e in loaded) == outcome.counts.applied >= 40
    world.adds_up()
    home = tmp_path / "rows"
    home.mkdir()
    monkeypatch.setattr(Blocks, "of", lambda *_: None)
    with world_at(home, f"sqlite:///{home / 'hub.db'}") as by_rows:
        hundred(by_rows)
        again = by_rows.sync("mes_order")
        assert vars_of(again.counts) == vars_of(outcome.counts)
        assert seen(by_rows) == seen(world)
        assert by_rows.state("wo").rows == world.state("wo").rows == 100


def vars_of(counts: Any) -> dict[str, Any]:
    return {name: getattr(counts, name) for name in ("read", "applied", "set_aside", "reasons")}


def test_a_first_load_that_finds_a_record_there_goes_on_row_by_row(world: World) -> None:
    hundred(world)
    with world.hub.write() as tx:
        taken = RowKey(source="mes", source_key="wo:WO-036")
        values = {"number": "WO-036", "item": None, "qty": 1, "due_at": None, "note": None}
        Writer(world.catalogue, Anyone()).write(tx, ANA, "work_order", [(taken, values)])
    outcome = world.sync("mes_order")
    world.adds_up()
    assert outcome.error is None
    assert world.state("wo").rows == 100
    assert [r.qty for r in world.records("work_order") if r.number == "WO-036"] == [Decimal(36)]
    assert world.sync("mes_order").counts.applied == 0


def test_a_first_load_that_broke_off_goes_on_as_columns(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hundred(world)
    commit = Run.commit
    parts: list[Any] = []

    def twice(run: Run, part: Any) -> None:
        if len(parts) == 2:
            raise Retry("gone", Text("断", "gone"))
        parts.append(part)
        commit(run, part)

    monkeypatch.setattr(Pace, "__init__", lambda self, _seconds: setattr(self, "size", 30))
    monkeypatch.setattr(Run, "commit", twice)
    assert world.sync("mes_order").error is not None
    before = world.state("wo").rows
    assert 0 < before < 100
    monkeypatch.setattr(Run, "commit", commit)
    assert world.sync("mes_order").error is None
    world.adds_up()
    assert world.state("wo").rows == len(world.rows("wo")) == 100
    told = sum(e.count for e in world.events("work_order"))
    assert told == len(world.records("work_order"))
    assert {e.kind for e in world.events("work_order")} == {"loaded"}

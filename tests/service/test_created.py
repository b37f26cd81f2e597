"""Tables that fill the time of change only when a row is changed; and rows that are gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tenon.connect.connectors.sql import SqlConnector
from tenon.connect.tables import source_row, sync_run
from tenon.define.catalogue import Catalogue
from tenon.define.models import CursorDef, Sync
from tests.service.sync_world import World, world_at

PAGE = 10


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(SqlConnector.__init__, "__defaults__", (PAGE,))
    with world_at(tmp_path, f"sqlite:///{tmp_path / 'hub.db'}") as made:
        found = tuple(map(_with_created, made.catalogue.definitions))
        made.catalogue = now = Catalogue(made.catalogue.epoch, found)
        made.deps = replace(made.deps, catalogue=lambda _tx=None: now)
        made.sql("mes", "ALTER TABLE wo ADD COLUMN born TEXT")
        yield made


def _with_created(definition: Any) -> Any:
    if not isinstance(definition, Sync) or definition.code != "mes_order":
        return definition
    cursor = CursorDef(column="changed", created="born", overlap_seconds=60)
    stream = definition.stream.model_copy(update={"cursor": cursor})
    return definition.model_copy(update={"stream": stream})


def at(minute: int) -> str:
    moment = datetime(2026, 1, 31, 8, 0) + timedelta(minutes=minute)  # noqa: DTZ001
    return moment.isoformat(sep=" ")


def put(world: World, *rows: tuple[int, str | None, str | None]) -> None:
    """Write (number, changed, born)."""
    world.sql(
        "mes",
        "INSERT OR REPLACE INTO wo VALUES (?, NULL, '1', NULL, 'x', ?, ?)",
        [(f"WO-{n:03}", changed, born) for n, changed, born in rows],
    )


def test_rows_never_changed_are_found_by_when_they_were_made(world: World) -> None:
    put(world, *((n, at(n) if n % 3 == 0 else None, at(n - 1)) for n in range(1, 101)))
    first = world.sync("mes_order")
    assert (first.state, first.counts.read) == ("succeeded", 100)
    assert len(world.records("work_order")) == 100
    assert world.state("wo").watermark["value"] == at(99)
    put(world, (200, None, at(120)), (5, at(121), at(4)))
    later = world.sync("mes_order")
    assert later.counts.applied == 2
    assert later.counts.read < 10, "those never changed are not read again and again"
    assert world.state("wo").watermark["value"] == at(121)
    world.adds_up()


def test_a_run_that_ends_in_part_loses_neither_kind(world: World) -> None:
    put(world, *((n, at(n) if n % 2 else None, at(n)) for n in range(1, 401)))
    source = world.catalogue.source("mes").model_copy(update={"max_rows": PAGE})
    found = tuple(source if d.code == "mes" else d for d in world.catalogue.definitions)
    limited = Catalogue(1, found)
    world.deps = replace(world.deps, catalogue=lambda _tx=None: limited)
    states = [world.sync("mes_order").state for _ in range(40)]
    assert {"partial", "succeeded"} == set(states)
    assert len(world.records("work_order")) == 400


def test_rows_with_neither_time_are_read_too(world: World) -> None:
    put(world, *((n, None, None) for n in range(1, 26)), (30, None, at(3)))
    assert world.sync("mes_order").counts.applied == 26


def test_what_a_webhook_told_during_a_compare_is_not_taken_for_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world, (1, at(1), at(1)))
    world.sync("mes_order")
    rows = [(n, "WO-001", n) for n in range(1, 31)]
    world.sql("mes", "INSERT INTO report VALUES (?, ?, ?)", rows)
    world.sync("mes_report")
    real = SqlConnector.read

    def read(self: SqlConnector, *given: Any) -> Any:
        yield from real(self, *given)
        with world.hub.write() as tx:
            told = tx.execute(sa.select(source_row).where(source_row.c.stream == "report")).first()
            assert told is not None
            tx.execute(
                source_row.insert().values(
                    told._asdict() | {"key": "900", "seen_at": told.seen_at + timedelta(hours=1)}
                )
            )

    monkeypatch.setattr(SqlConnector, "read", read)
    world.sql("mes", "DELETE FROM report WHERE id < 3")
    assert world.sync("mes_report").state == "succeeded"
    assert set(world.rows("report", "gone")) == {"1", "2"}


def test_many_that_are_gone_are_marked_in_pieces(world: World) -> None:
    put(world, (1, at(1), at(1)))
    world.sync("mes_order")
    rows = [(n, "WO-001", n) for n in range(1, 3001)]
    world.sql("mes", "INSERT INTO report VALUES (?, ?, ?)", rows)
    world.sync("mes_report")
    world.sql("mes", "DELETE FROM report WHERE id <= 590")
    world.sync("mes_report")
    assert len(world.rows("report", "gone")) == 590
    assert world.state("report").rows == 2410
    assert [r.state for r in world.all(sync_run) if r.state == "failed"] == []

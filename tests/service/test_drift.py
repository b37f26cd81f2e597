"""The drift contract: noted, asked, or stopped; never a silent empty value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenon.connect import drift, service
from tenon.connect.contract import Column
from tenon.connect.cycle import SyncCycle
from tenon.define.catalogue import Catalogue
from tenon.kernel.errors import BadInput, Conflict
from tenon.server.source_models import SourceState, StreamState
from tests.service.sync_world import World, world_at

AT = "2026-01-31 08:00:00"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_at(tmp_path, f"sqlite:///{tmp_path / 'hub.db'}") as made:
        made.orders(*((f"WO-{n}", None, "1", AT, "alt", AT) for n in range(1, 11)))
        made.sql("mes", "INSERT INTO report VALUES (1, 'WO-1', 5)")
        yield made


def agreed(world: World, how: str) -> None:
    """What was agreed for the orders; then the first load."""
    found = tuple(
        d.model_copy(update={"drift": how}) if d.code == "mes_order" else d
        for d in world.catalogue.definitions
    )
    world.catalogue = made = Catalogue(world.catalogue.epoch, found)
    world.deps = replace(world.deps, catalogue=lambda _tx=None: made)
    assert world.sync("mes_order").state == "succeeded"


def changed(world: World, statement: str) -> None:
    """Another table, and every row of it written anew."""
    world.sql("mes", statement)
    world.sql("mes", "UPDATE wo SET qty = '2', changed = '2026-01-31 09:00:00'")


def stream(world: World) -> StreamState:
    seen = source(world)
    return next(s for s in seen.streams if s.sync == "mes_order")


def source(world: World) -> SourceState:
    with world.hub.read() as connection:
        states = service.source_states(world.deps, connection)
    return SourceState.model_validate(next(s for s in states if s.code == "mes"))


def decide(world: World, *, accept: bool) -> None:
    with world.hub.write() as tx:
        sync = world.catalogue.sync("mes_order")
        drift.decide(tx, world.catalogue, sync, "王工", accept=accept)


def notes(world: World) -> list[str]:
    found = stream(world).drift
    return [] if found is None else [n.text.zh for n in found.changes]


@pytest.mark.parametrize("how", ["accept", "ask", "stop"])
def test_a_new_column_is_noted_and_nothing_waits(world: World, how: str) -> None:
    agreed(world, how)
    changed(world, "ALTER TABLE wo ADD COLUMN colour TEXT")
    outcome = world.sync("mes_order")
    assert (outcome.state, outcome.counts.applied) == ("succeeded", 10)
    assert len(notes(world)) == 1
    assert "colour" in notes(world)[0]
    world.sync("mes_order")
    assert len(notes(world)) == 1, "once"


@pytest.mark.parametrize(
    ("how", "state"), [("accept", "stopped"), ("ask", "asks"), ("stop", "stopped")]
)
def test_a_mapped_column_that_is_gone_stops_this_stream_alone(
    world: World, how: str, state: str
) -> None:
    agreed(world, how)
    changed(world, "ALTER TABLE wo DROP COLUMN note")
    outcomes = {o.sync: o for o in SyncCycle(world.deps).run_source("mes")}
    assert outcomes["mes_order"].error is not None
    assert outcomes["mes_order"].error.code == f"drift_{state}"
    assert "note" in outcomes["mes_order"].error.text.zh
    assert outcomes["mes_report"].state == "succeeded"
    assert {r.note for r in world.records("work_order")} == {"alt"}, "nothing became empty"
    seen = source(world)
    assert seen.state == "attention"
    assert seen.message is not None
    assert "note" in seen.message.zh
    assert stream(world).drift is not None
    assert stream(world).drift.state == state  # type: ignore[union-attr]
    # It is mended: the stream goes on by itself, and nothing was missed.
    world.sql("mes", "ALTER TABLE wo ADD COLUMN note TEXT")
    again = world.sync("mes_order")
    assert (again.state, again.counts.applied) == ("succeeded", 10)
    assert source(world).state == "ok"
    assert "恢复" in notes(world)[0]


def test_a_person_accepts_and_the_field_keeps_its_values(world: World) -> None:
    agreed(world, "ask")
    changed(world, "ALTER TABLE wo DROP COLUMN note")
    assert world.sync("mes_order").state == "failed"
    before = world.state("wo").watermark
    decide(world, accept=True)
    after = world.sync("mes_order")
    assert (after.state, after.counts.applied) == ("succeeded", 10)
    assert world.state("wo").watermark["value"] > before["value"]
    assert {(r.note, str(r.qty)) for r in world.records("work_order")} == {("alt", "2.0000")}
    with pytest.raises(Conflict, match="no_drift"):
        decide(world, accept=True)
    # The column comes back: it is read again.
    world.sql("mes", "ALTER TABLE wo ADD COLUMN note TEXT")
    world.sql("mes", "UPDATE wo SET note = 'neu', changed = '2026-01-31 10:00:00'")
    world.sync("mes_order")
    assert {r.note for r in world.records("work_order")} == {"neu"}


def test_a_person_refuses_and_it_waits_until_it_is_as_it_was(world: World) -> None:
    agreed(world, "ask")
    changed(world, "ALTER TABLE wo DROP COLUMN note")
    world.sync("mes_order")
    decide(world, accept=False)
    refused = world.sync("mes_order")
    assert refused.error is not None
    assert refused.error.code == "drift_refused"
    assert "王工" in refused.error.text.zh
    world.sql("mes", "ALTER TABLE wo DROP COLUMN due")
    other = world.sync("mes_order")
    assert other.error is not None
    assert other.error.code == "drift_asks", "it is another change now"
    world.sql("mes", "ALTER TABLE wo ADD COLUMN due; ALTER TABLE wo ADD COLUMN note TEXT")
    assert world.sync("mes_order").state == "succeeded"


@pytest.mark.parametrize(
    ("column", "code"), [("qty", "column_needed"), ("changed", "column_needed")]
)
def test_what_it_cannot_do_without_is_not_accepted(world: World, column: str, code: str) -> None:
    agreed(world, "ask")
    world.sql("mes", f"ALTER TABLE wo RENAME COLUMN {column} TO other")
    assert world.sync("mes_order").state == "failed"
    with pytest.raises(BadInput, match=code):
        decide(world, accept=True)


@pytest.mark.parametrize(
    ("how", "state"), [("accept", "succeeded"), ("ask", "failed"), ("stop", "failed")]
)
def test_another_type_is_noted_asked_or_stopped(world: World, how: str, state: str) -> None:
    agreed(world, how)
    changed(world, "ALTER TABLE wo DROP COLUMN note; ALTER TABLE wo ADD COLUMN note INTEGER")
    assert world.sync("mes_order").state == state
    assert "note" in notes(world)[0]
    assert "integer" in notes(world)[0]
    if how == "ask":
        decide(world, accept=True)
        assert world.sync("mes_order").state == "succeeded"


def test_rows_set_aside_are_retried_while_a_column_is_missed(world: World) -> None:
    world.orders(("WO-99", "P404", "1", None, "alt", AT))
    agreed(world, "ask")
    assert len(world.rows("wo", "set_aside")) == 1
    changed(world, "ALTER TABLE wo DROP COLUMN note")
    world.sync("mes_order")
    decide(world, accept=True)
    world.sync("mes_order")
    assert world.retry(everything=True).tried == 1
    assert [r.state for r in world.rows("wo").values() if r.state != "applied"] == ["set_aside"]


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (["VARCHAR(20)", "VARCHAR(40)", "TEXT", "NVARCHAR(9) COLLATE utf8mb4_bin"], "text"),
        (["INTEGER", "BIGINT", "TINYINT(1)"], "integer"),
        (["DECIMAL(10, 2)", "NUMERIC(18, 4)"], "decimal"),
        (["DATETIME", "TIMESTAMP", "DATETIME2(7)"], "time"),
        (["DOUBLE PRECISION", "FLOAT"], "float"),
    ],
)
def test_a_longer_text_or_a_wider_number_is_no_drift(types: list[str], kind: str) -> None:
    shapes: list[Any] = [drift.shape_of([Column("c", t, nullable=True)]) for t in types]
    assert shapes == [{"c": kind}] * len(types)

"""From any record back to its rows, runs and mapping; from any source row on to what it became."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import tenon.access.errors
import tenon.access.tables
from tenon.automate.about import runs_about
from tenon.automate.tables import flow_run
from tenon.connect.lineage import Lineage, row_page
from tenon.connect.tables import push_row, sync_batch, sync_run
from tenon.define import publish
from tenon.define.models import Sync
from tenon.kernel import clock
from tenon.kernel.errors import NotAllowed, NotFound
from tenon.kernel.ids import uuid7
from tenon.records.ports import Actor
from tenon.records.query import Reader
from tenon.records.schema import apply_schema, plan_schema
from tenon.records.tables import event
from tenon.records.write import RowKey
from tenon.store.migrate import STEPS, migrate, migration
from tests.service.sync_world import ANA, World, definitions, world_at

ITEM = (7, "A-100", "支架", "DW-7", "2026-01-01 08:00:00")
ORDER = ("wo 1", "P1", "5", "2026-03-01 08:00:00", None, "2026-01-02 08:00:00")


@pytest.fixture
def world(tmp_path: Path, hub_url: str) -> Iterator[World]:
    with world_at(tmp_path, hub_url) as found:
        found.items(ITEM)
        found.sql("mes", "INSERT INTO product VALUES ('P1', '支架', 'dw-7', '2026-01-01')")
        found.orders(ORDER)
        for code in ("kis_item", "mes_item", "mes_order"):
            assert found.sync(code).error is None
        yield found


class Masked:
    """A policy that hides fields, and one entity as a whole."""

    def __init__(self, **hidden: set[str]) -> None:
        self.fields = hidden

    def check_read(self, _actor: Actor, entity: str) -> frozenset[str]:
        if "*" in self.fields.get(entity, ()):
            raise NotAllowed("not_readable", tenon.access.errors.NOT_READABLE, entity=entity)
        return frozenset(self.fields.get(entity, ()))

    def check_write(self, _actor: Actor, _entity: str, _fields: frozenset[str]) -> None: ...


@dataclasses.dataclass
class Asked:
    """Lineage asked under a policy, each question over its own connection."""

    world: World
    policy: Any

    def record(self, entity: str, id_: str) -> dict[str, Any]:
        return self._ask(lambda lineage: lineage.record(entity, id_))

    def row(self, *place: str) -> dict[str, Any]:
        return self._ask(lambda lineage: lineage.row(*place))

    def page(self, *place: str) -> dict[str, Any]:
        return self._ask(lambda one: row_page(one.connection, one.reader, *place))

    def _ask(self, question: Callable[[Lineage], dict[str, Any]]) -> dict[str, Any]:
        reader = Reader(self.world.catalogue, self.policy, ANA)
        with self.world.hub.read() as connection:
            return question(Lineage(connection, reader))


def ask(world: World, policy: Any = None) -> Asked:
    return Asked(world, policy or world.deps.policy)


def fields_of(found: dict[str, Any]) -> dict[str, Any]:
    return {f["code"]: f for f in found["fields"]}


def remap(world: World, **fields: Any) -> None:
    """Publish another version of the orders' mapping."""
    package, old = definitions()
    new = tuple(
        Sync.model_validate(publish.body(d) | {"fields": publish.body(d)["fields"] | fields})
        if isinstance(d, Sync) and d.code == "mes_order"
        else d
        for d in old
    )
    with world.hub.write() as tx:
        world.catalogue = publish.publish(
            tx,
            publish.plan(tx, package, new),
            "Li",
            lambda t, b, a: apply_schema(t, a, plan_schema(t, b, a)),
        )
    catalogue = world.catalogue
    world.deps = dataclasses.replace(world.deps, catalogue=lambda _tx=None: catalogue)


def test_a_record_tells_rule_by_rule_where_it_comes_from(world: World) -> None:
    (order,) = world.records("work_order")
    found = ask(world).record("work_order", order.id)
    (row,) = found["rows"]
    (run,) = (r for r in world.all(sync_run) if r.sync == "mes_order")
    assert (row["source"], row["stream"], row["key"], row["wrote"]) == ("mes", "wo", "wo 1", True)
    assert (row["run_id"], row["run"]["kind"], row["run"]["batch"]) == (run.id, "full", 1)
    mapping = row["mapping"]
    assert (mapping.code, mapping.version, mapping.epoch, mapping.exact) == (
        "mes_order",
        1,
        1,
        True,
    )
    fields = fields_of(found)
    number = fields["number"]
    assert number["value"] == "WO1"
    assert number["rule"]["columns"] == [{"name": "no", "value": "wo 1", "masked": False}]
    assert (number["rule"]["clean"], number["rule"]["cleaned"]) == ("document_no", "WO1")
    item, golden = fields["item"], world.records("item")[0]
    assert item["rule"]["lookup"]["entity"] == "item"
    assert item["rule"]["lookup"]["how"] == "normalised"
    assert (item["value"], item["refers_to"]) == ("支架", {"entity": "item", "id": golden.id})
    assert fields["qty"]["value"] == "5"


def test_the_mapping_told_is_the_one_that_made_the_record(world: World) -> None:
    (order,) = world.records("work_order")
    remap(world, note={"from": "product"})
    before = ask(world).record("work_order", order.id)
    assert fields_of(before)["note"]["rule"]["columns"][0]["name"] == "note"
    assert (before["rows"][0]["mapping"].version, before["rows"][0]["mapping"].current) == (
        1,
        False,
    )
    world.orders(("wo 1", "P1", "6", None, None, "2026-01-03 08:00:00"))
    world.sync("mes_order")
    after = ask(world).record("work_order", order.id)
    fields = fields_of(after)
    assert fields["note"]["rule"]["columns"] == [
        {"name": "product", "value": "P1", "masked": False}
    ]
    assert (after["rows"][0]["mapping"].version, after["rows"][0]["mapping"].epoch) == (2, 2)
    run = next(r for r in world.all(sync_run) if r.epoch == 2)
    assert fields["qty"]["changed"]["cause"] == {"kind": "sync", "id": run.id}
    assert fields["number"]["changed"] is None  # it is as it was first loaded


def test_a_forgotten_run_leaves_the_version_of_its_time(world: World) -> None:
    (order,) = world.records("work_order")
    with world.hub.write() as tx:
        tx.execute(sync_run.delete())
        tx.execute(sync_batch.delete())
    (row,) = ask(world).record("work_order", order.id)["rows"]
    assert row["run"] is None
    assert (row["mapping"].version, row["mapping"].exact) == (1, False)


def test_what_a_person_changed_says_so(world: World) -> None:
    (order,) = world.records("work_order")
    ana = Actor(uuid7(), "Ana", "planner")
    with world.hub.write() as tx:
        world.deps.writer().write(tx, ana, "work_order", [(RowKey(id=order.id), {"note": "急"})])
    found = ask(world).record("work_order", order.id)
    note = fields_of(found)["note"]
    assert note["value"] == "急"
    assert note["changed"]["cause"] == {"kind": "person", "id": None}
    assert [(c["before"], c["after"]) for c in found["events"][0]["changes"]] == [(None, "急")]


def test_rows_recognised_as_a_record_stand_beside_the_one_that_wrote_it(world: World) -> None:
    (item,) = world.records("item")
    rows = ask(world).record("item", item.id)["rows"]
    assert [(r["source"], r["wrote"]) for r in rows] == [("kis", True), ("mes", False)]


def test_a_row_tells_what_it_became(world: World) -> None:
    (order,) = world.records("work_order")
    world.orders(("wo 1", "P1", "9", None, None, "2026-01-04 08:00:00"))
    world.sync("mes_order")
    now = clock.now()
    with world.hub.write() as tx:
        tx.execute(
            push_row.insert().values(
                push="gone", key="K|1", entity="work_order", record_id=order.id, state="sent",
                values={"qty": "9"}, intended_at=now, run_id=uuid7(),
            )
        )  # fmt: skip
        tx.execute(
            flow_run.insert().values(
                id=uuid7(), flow="gone", epoch=1, state="done", depth=0, entity="work_order",
                record_id=order.id, subject="", data={}, started_at=now, waits=0,
            )
        )  # fmt: skip
    found = ask(world).row("mes", "wo", "wo 1")
    assert found["record"] == {
        "entity": "work_order", "entity_label": world.catalogue.entity("work_order").label.text(),
        "id": order.id, "title": "WO1",
    }  # fmt: skip
    assert {c["field"].en: c["after"] for c in found["events"][0]["changes"]} == {
        "Qty": "9",
        "Due": None,
    }
    made = {c["name"]: [t.en for t in c["makes"]] for c in found["columns"]}
    assert (made["qty"], made["changed"]) == (["Qty"], [])
    assert [(p["key"], p["state"]) for p in found["pushes"]] == [("K|1", "sent")]
    with world.hub.read() as connection:
        runs = runs_about(connection, world.catalogue, "work_order", order.id)
    assert [r["state"] for r in runs] == ["done"]


def test_a_row_set_aside_tells_why_and_has_no_record(world: World) -> None:
    world.orders(("wo 2", "P9", "1", None, None, "2026-01-05 08:00:00"))
    world.sync("mes_order")
    found = ask(world).row("mes", "wo", "wo 2")
    assert (found["record"], found["row"]["state"]) == (None, "set_aside")
    assert "P9" in found["reason"]["en"]
    assert found["task_id"]


def test_what_a_role_hides_is_nowhere_in_the_answers(world: World) -> None:
    """S13: neither the field, nor the column it is made of, nor its past, nor who it names."""
    (order,) = world.records("work_order")
    world.orders(("wo 1", "P1", "4711", None, "secret", "2026-01-06 08:00:00"))
    world.orders(("wo 3", "P1", "x4711", None, "secret", "2026-01-06 08:00:00"))
    world.sync("mes_order")
    policy = Masked(work_order={"qty", "note"}, item={"name"})
    lineage = ask(world, policy)
    record, row = lineage.record("work_order", order.id), lineage.row("mes", "wo", "wo 1")
    aside = lineage.row("mes", "wo", "wo 3")
    page = lineage.page("mes", "wo", "wo 1")
    for told in (record, row, aside, page):
        assert "4711" not in repr(told)
        assert "secret" not in repr(told)
        assert "支架" not in repr(told)
    assert (aside["row"]["state"], record["version"]) == ("set_aside", 2)
    assert "qty" not in fields_of(record)
    assert fields_of(record)["number"]["rule"]["columns"][0]["value"] == "wo 1"
    assert "no" in [c["name"] for c in row["columns"]]
    assert row["record"] is not None


def test_a_record_of_an_entity_that_is_hidden_is_refused(world: World) -> None:
    (order,) = world.records("work_order")
    lineage = ask(world, Masked(work_order={"*"}))
    with pytest.raises(NotAllowed):
        lineage.record("work_order", order.id)
    with pytest.raises(NotAllowed):
        lineage.row("mes", "wo", "wo 1")
    with pytest.raises(NotAllowed):
        lineage.page("mes", "wo", "wo 1")


@pytest.mark.parametrize("entity", ["nothing", "work_order"])
def test_what_is_not_there_is_said_so(world: World, entity: str) -> None:
    with pytest.raises(NotFound):
        ask(world).record(entity, uuid7())
    with pytest.raises(NotFound):
        ask(world).row("mes", "wo", "no such")


def test_a_run_leads_to_its_rows(world: World) -> None:
    (batch,) = (b for b in world.all(sync_batch) if b.row_keys == ["wo 1"])
    (run,) = (r for r in world.all(sync_run) if r.id == batch.run_id)
    assert (run.sync, run.epoch) == ("mes_order", 1)


def test_every_question_goes_by_an_index(world: World) -> None:
    if world.hub.dialect != "sqlite":
        pytest.skip("SQLite tells its plan for certain, whatever the tables hold")
    (order,), (item,) = world.records("work_order"), world.records("item")
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, sql: str, values: Any, _x: Any, _many: bool) -> None:
        asked.append((sql, values))

    with world.hub.read() as connection:
        sa.event.listen(connection, "before_cursor_execute", note)
        lineage = Lineage(connection, Reader(world.catalogue, world.deps.policy, ANA))
        lineage.record("work_order", order.id)
        lineage.record("item", item.id)
        lineage.row("mes", "wo", "wo 1")
        runs_about(connection, world.catalogue, "work_order", order.id)
        sa.event.remove(connection, "before_cursor_execute", note)
        assert any(f"FROM {event.name}" in sql for sql, _ in asked)
        for sql, values in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
            assert not [step for step in plan if "SCAN" in step[3]], (sql, plan)


def test_a_hub_of_before_learns_to_keep_what_lineage_asks(world: World) -> None:
    with world.hub.write() as tx:
        tx.exec_driver_sql("ALTER TABLE sync_run DROP COLUMN epoch")
        tx.exec_driver_sql("ALTER TABLE sync_batch DROP COLUMN row_keys")
        tx.execute(migration.delete().where(migration.c.number > 2))
    assert migrate(world.hub) == len(STEPS) - 2
    assert {r.epoch for r in world.all(sync_run)} == {None}
    (order,) = world.records("work_order")
    (row,) = ask(world).record("work_order", order.id)["rows"]
    assert (row["mapping"].version, row["mapping"].exact) == (1, False)

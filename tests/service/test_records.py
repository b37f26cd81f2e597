"""Definitions published, and the one write path, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from tenon.define import publish
from tenon.define.catalogue import Catalogue
from tenon.define.models import Definition, Entity, FieldDef, Label, Package
from tenon.kernel.errors import BadInput, Config, Conflict, NotAllowed, NotFound, SetAside
from tenon.records import few
from tenon.records.ports import SYSTEM, Actor
from tenon.records.query import Reader
from tenon.records.schema import apply_schema, plan_schema
from tenon.records.tables import event
from tenon.records.write import RowKey, Writer
from tenon.store import Hub, open_hub
from tenon.store.migrate import migrate

LABEL = Label(zh="单", en="Order")
PACKAGE = Package(code="test", label=LABEL, version="0.1.0")


def field(code: str, type_: Any, **more: Any) -> FieldDef:
    return FieldDef(code=code, label=LABEL, type=type_, **more)


ORDER = Entity(
    code="order",
    label=LABEL,
    fields=(
        field("no", "text", required=True, unique=True, length=20),
        field("qty", "decimal", minimum=Decimal(0)),
        field("due", "datetime"),
        field("rush", "boolean"),
        field("parent", "ref", target="order"),
    ),
)


@pytest.fixture(autouse=True, params=[0, few.FEW], ids=["staged", "few"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test with every set staged, and with small sets compared in the process."""
    monkeypatch.setattr(few, "FEW", request.param)


class Open:
    """A policy that allows everything but the role `none`, and hides `rush` from `worker`."""

    def check_read(self, actor: Actor, entity: str) -> frozenset[str]:
        self._known(actor)
        return frozenset({"rush"}) if actor.role == "worker" else frozenset()

    def check_write(self, actor: Actor, entity: str, fields: frozenset[str]) -> None:
        self._known(actor)

    def _known(self, actor: Actor) -> None:
        if actor.role == "none":
            raise NotAllowed("not_allowed", LABEL.text())


def apply(tx: Connection, before: Catalogue, after: Catalogue) -> None:
    apply_schema(tx, after, plan_schema(tx, before, after))


def put(hub: Hub, *definitions: Definition) -> Catalogue:
    with hub.write() as tx:
        plan = publish.plan(tx, PACKAGE, (PACKAGE, *definitions))
        return publish.publish(tx, plan, "test", apply)


@dataclass
class World:
    hub: Hub
    catalogue: Catalogue

    def write(self, *rows: dict[str, Any], actor: Actor = SYSTEM, **how: Any) -> list[str]:
        made = [(RowKey(source="mes", source_key=r["no"]), r) for r in rows]
        with self.hub.write() as tx:
            out = Writer(self.catalogue, Open()).write(tx, actor, "order", made, **how)
        return [w.outcome for w in out]

    def change(self, id_: str, version: int | None = None, **values: Any) -> None:
        with self.hub.write() as tx:
            Writer(self.catalogue, Open()).write(
                tx, SYSTEM, "order", [(RowKey(id=id_, version=version), values)]
            )

    def rows(self, actor: Actor = SYSTEM, **query: Any) -> list[Any]:
        with self.hub.read() as connection:
            return Reader(self.catalogue, Open(), actor).select(connection, "order", **query)

    def events(self) -> list[tuple[str, Any, int]]:
        with self.hub.read() as connection:
            found = connection.execute(sa.select(event).order_by(event.c.seq)).mappings()
            return [(e["kind"], e["changes"], e["count"]) for e in found]


@pytest.fixture
def world(hub_url: str) -> Iterator[World]:
    hub = open_hub(hub_url)
    migrate(hub)
    yield World(hub, put(hub, ORDER))
    hub.close()


def test_a_write_creates_then_changes_then_leaves_alone(world: World) -> None:
    due = datetime(2026, 11, 3, 2, 30, tzinfo=UTC)
    row = {"no": "A1", "qty": Decimal("2.5"), "due": due, "rush": True}
    assert world.write(row) == ["created"]
    assert world.write(row) == ["unchanged"]
    assert world.write(row | {"qty": "7", "rush": None}) == ["updated"]
    (found,) = world.rows()
    assert (found["qty"], found["due"], found["rush"]) == (Decimal("7.0000"), due, None)
    assert (found["version"], found["source"], found["source_key"]) == (2, "mes", "A1")
    kinds = [(kind, changes) for kind, changes, _ in world.events()]
    assert kinds[0] == ("created", None)
    assert kinds[1][0] == "updated"
    assert kinds[1][1]["qty"] == ["2.5000", "7.0000"]
    assert kinds[1][1]["rush"][1] is None
    assert set(kinds[1][1]) == {"qty", "rush"}


def test_an_initial_load_is_one_event_a_batch(world: World) -> None:
    world.write(*({"no": f"A{n}"} for n in range(300)), origin="initial")
    assert world.events() == [("loaded", None, 300)]
    world.write(*({"no": f"A{n}", "qty": n} for n in range(2)), origin="initial")
    assert [kind for kind, _, _ in world.events()] == ["loaded", "updated", "updated"]


def test_a_refused_value_writes_nothing(world: World) -> None:
    for bad in ({"qty": "-1"}, {"qty": "1.23456"}, {"no": "x" * 21}, {"no": ""}, {"nope": 1}):
        with pytest.raises(SetAside):
            world.write({"no": "B0"}, {"no": "B1"} | bad)
    assert world.rows() == []
    assert world.events() == []


def test_a_stale_version_and_a_missing_record_are_told(world: World) -> None:
    world.write({"no": "A1", "qty": 1})
    (row,) = world.rows()
    world.change(row["id"], version=1, qty=2)
    with pytest.raises(Conflict):
        world.change(row["id"], version=1, qty=3)
    with pytest.raises(NotFound):
        world.change("00000000-0000-7000-8000-000000000000", qty=3)
    assert world.rows()[0]["qty"] == 2


def test_without_permission_nothing_is_read_or_written(world: World) -> None:
    nobody = Actor("n", "n", "none")
    with pytest.raises(NotAllowed):
        world.write({"no": "A1"}, actor=nobody)
    with pytest.raises(NotAllowed):
        world.rows(actor=nobody)
    assert world.rows() == []


def test_a_hidden_field_can_be_neither_shown_nor_asked_for(world: World) -> None:
    world.write({"no": "A1", "rush": True})
    worker = Actor("w", "w", "worker")
    assert "rush" not in world.rows(actor=worker)[0]
    with pytest.raises(NotAllowed):
        world.rows(actor=worker, filter_={"field": "rush", "op": "eq", "value": True})
    with pytest.raises(NotAllowed):
        world.rows(actor=worker, sort=["rush"])


@pytest.mark.parametrize("name", ["no'; DROP TABLE e_order;--", '"no"', "1", "sleep(1)", "nö"])
def test_hostile_field_names_are_refused(world: World, name: str) -> None:  # S3
    world.write({"no": "A1"})
    with pytest.raises(BadInput):
        world.rows(filter_={"field": name, "op": "eq", "value": "x"})
    with pytest.raises(BadInput):
        world.rows(sort=[name])
    assert len(world.rows(filter_={"field": "no", "op": "contains", "value": "'; DROP--"})) == 0
    assert len(world.rows()) == 1


def test_filters_combine(world: World) -> None:
    world.write(*({"no": f"A{n}", "qty": n} for n in range(10)))
    tree = {"and": [{"field": "qty", "op": "ge", "value": Decimal(3)},
                    {"not": {"field": "no", "op": "in", "value": ["A4", "A5"]}}]}  # fmt: skip
    found = world.rows(filter_=tree, sort=["-qty"], limit=3)
    assert [r["no"] for r in found] == ["A9", "A8", "A7"]


@settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.decimals(0, 10**6, places=4) | st.none(), st.booleans()),
        max_size=30,
    )
)
def test_bulk_equals_one_by_one(world: World, writes: list[tuple[int, Any, bool]]) -> None:
    """Whatever is written in whatever order, the last value stands and versions count changes."""
    with world.hub.write() as tx:
        tx.exec_driver_sql("DELETE FROM e_order")
    expected: dict[str, list[Any]] = {}
    for number, qty, rush in writes:
        no = f"P{number}"
        outcome = world.write({"no": no, "qty": qty, "rush": rush})
        before = expected.get(no)
        now = [qty, rush, 1 if before is None else before[2] + ([qty, rush] != before[:2])]
        changed = before is not None and before[2] != now[2]
        assert outcome == ["created" if before is None else "updated" if changed else "unchanged"]
        expected[no] = now
    assert {r["no"]: [r["qty"], r["rush"], r["version"]] for r in world.rows()} == expected


def test_publishing_adds_columns_and_rolls_back(world: World) -> None:
    world.write({"no": "A1"})
    wider = ORDER.model_copy(update={"fields": (*ORDER.fields, field("po", "text", index=True))})
    world.catalogue = put(world.hub, wider)
    assert world.catalogue.epoch == 2
    world.write({"no": "A1", "po": "P-1"})
    assert world.rows()[0]["po"] == "P-1"
    with world.hub.write() as tx:
        plan = publish.plan(tx, PACKAGE, publish.at_epoch(tx, 1, "test"))
        assert [(c.code, c.change, c.fields) for c in plan.changes] == [
            ("order", "changed", ("fields",))
        ]
        world.catalogue = publish.publish(tx, plan, "test", apply)
    assert world.catalogue.epoch == 3
    assert "po" not in world.rows()[0]


def test_a_changed_type_is_refused_before_anything_changes(world: World) -> None:
    fields = tuple(field("qty", "text") if f.code == "qty" else f for f in ORDER.fields)
    with pytest.raises(Config) as refused:
        put(world.hub, ORDER.model_copy(update={"fields": fields}))
    assert refused.value.code == "type_changed"
    with world.hub.read() as connection:
        assert publish.load(connection).epoch == 1


def test_publishing_the_same_again_changes_nothing(world: World) -> None:
    assert put(world.hub, ORDER).epoch == 1


def test_writers_pass_the_gate_in_order_and_lose_nothing(world: World) -> None:
    failures: list[BaseException] = []

    def many(name: int) -> None:
        try:
            for n in range(20):
                world.write({"no": f"T{name}-{n}", "qty": n})
        except BaseException as error:  # noqa: BLE001  collected for the assertion below
            failures.append(error)

    threads = [threading.Thread(target=many, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(world.rows(limit=500)) == 120


def test_a_failed_transaction_leaves_nothing(world: World) -> None:
    def fail() -> None:
        with world.hub.write() as tx:
            Writer(world.catalogue, Open()).write(
                tx, SYSTEM, "order", [(RowKey(source="s", source_key="1"), {"no": "A1"})]
            )
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert world.rows() == []
    assert world.events() == []

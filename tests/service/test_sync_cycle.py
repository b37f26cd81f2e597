"""The cycle: every source on its own, in an order that spares detours, paused when it must be."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from tenon.connect import service
from tenon.connect.cycle import SyncCycle
from tenon.connect.deps import ConnectDeps
from tenon.connect.settings import Connections
from tenon.connect.tables import sync_run
from tenon.define import publish
from tenon.define.catalogue import Catalogue, check, parse
from tenon.define.models import Label, Package
from tenon.kernel import clock
from tenon.kernel.errors import Config
from tenon.records.schema import apply_schema, plan_schema
from tests.service.sync_world import World, world_at
from tests.service.test_connectors import api, fill_server

AT = "2026-01-31 08:00:00"


@pytest.fixture
def world(hub_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(tmp_path, hub_url) as made:
        made.items(*((n, f"3.{n}", "支架", f"DRW-{n}", AT) for n in range(1, 301)))
        products = [(f"P{n}", "支架", f"drw {n}", AT) for n in range(1, 301)]
        made.sql("mes", "INSERT INTO product VALUES (?, ?, ?, ?)", products)
        made.orders(*((f"WO-{n}", f"P{n % 300 + 1}", "1", None, "", AT) for n in range(1, 501)))
        made.sql("mes", "INSERT INTO report VALUES (1, 'WO-1', 5)")
        yield made


@contextmanager
def running(world: World) -> Iterator[SyncCycle]:
    cycle = SyncCycle(world.deps)
    cycle.start()
    try:
        yield cycle
    finally:
        cycle.stop()


def until(what: Callable[[], Any], seconds: float = 30.0) -> Any:
    end = clock.monotonic() + seconds
    while clock.monotonic() < end:
        if found := what():
            return found
        threading.Event().wait(0.05)
    raise AssertionError("it did not come to pass in time")


def state(world: World, code: str) -> service.SourceState:
    with world.hub.read() as connection:
        states = service.source_states(world.deps, connection)
    return next(s for s in states if s.code == code)


def test_the_first_round_loads_what_is_referred_to_first(world: World) -> None:
    assert state(world, "mes").state == "never"
    with running(world):
        until(lambda: {state(world, c).state for c in ("mes", "kis")} == {"ok"})
    assert len(world.records("work_order")) == 500
    assert len(world.records("report")) == 1
    first = next(r for r in world.all(sync_run) if r.sync == "mes_item" and r.kind == "full")
    assert first.set_aside == 0, "the ledger's items came before the MES asked for them"
    world.adds_up()


def test_changes_arrive_by_themselves(world: World) -> None:
    with running(world) as cycle:
        until(lambda: state(world, "mes").state == "ok")
        world.orders(("WO-900", "P1", "7", None, "", "2026-01-31 09:00:00"))
        cycle.soon("mes")
        until(lambda: [r for r in world.records("work_order") if r.number == "WO-900"])


def test_a_source_that_fails_holds_up_no_other_and_comes_back(world: World) -> None:
    (world.home / "kis.db").rename(world.home / "away.db")
    with running(world) as cycle:
        until(lambda: state(world, "kis").state == "failing")
        until(lambda: state(world, "mes").state == "ok")
        message = state(world, "kis").message
        assert message is not None
        assert "kis.db" in message.en
        assert str(world.home) not in message.en
        (world.home / "away.db").rename(world.home / "kis.db")
        cycle.soon("kis")
        until(lambda: state(world, "kis").state == "ok")
        cycle.soon("mes")
        until(lambda: len(world.records("work_order")) == 500)


def test_a_stream_that_needs_a_person_stops_and_the_others_go_on(world: World) -> None:
    world.sql("mes", "ALTER TABLE wo RENAME COLUMN qty TO amount")
    with running(world) as cycle:
        until(lambda: state(world, "mes").state == "attention")
        stopped = next(s for s in state(world, "mes").streams if s["sync"] == "mes_order")
        assert "qty" in stopped["failure"].zh
        until(lambda: world.state("product").last_success_at)
        tried = len([r for r in world.all(sync_run) if r.sync == "mes_order"])
        world.sql("mes", "ALTER TABLE wo RENAME COLUMN amount TO qty")
        threading.Event().wait(0.3)
        assert state(world, "mes").state == "attention"
        assert len([r for r in world.all(sync_run) if r.sync == "mes_order"]) == tried
        assert service.check_source(world.deps, "mes")["ok"]
        cycle.soon("mes")
        until(lambda: state(world, "mes").state == "ok")
    assert len(world.records("work_order")) == 500


def test_old_runs_are_forgotten_and_rows_are_not(world: World) -> None:
    cycle = SyncCycle(world.deps)
    cycle.run_source("kis")
    assert world.all(sync_run)
    with world.hub.write() as tx:
        tx.execute(sa.text("UPDATE sync_run SET ended_at = '2020-01-01 00:00:00.000000'"))
    cycle._purge()
    assert world.all(sync_run) == []
    assert len(world.rows("t_item")) == 300


DEFINITIONS = """
{kind: source, code: wms, label: {zh: 仓库, en: WMS}, system: {zh: 仓库, en: WMS}, connector: sql}
---
{kind: source, code: crm, label: {zh: 销售, en: CRM}, system: {zh: 销售, en: CRM}, connector: http}
---
kind: entity
code: part
label: {zh: 零件, en: Part}
fields:
  - {code: code, label: {zh: 编码, en: Code}, type: text, required: true}
  - {code: name, label: {zh: 名称, en: Name}, type: text}
  - {code: qty, label: {zh: 数量, en: Quantity}, type: decimal, scale: 4}
  - {code: at, label: {zh: 时间, en: At}, type: datetime}
---
kind: sync
code: wms_part
source: wms
label: {zh: 零件, en: Parts}
target: part
stream: {name: parts, table: part list, key: [code], cursor: {column: changed}}
fields: {code: code, name: part name, qty: qty, at: changed}
---
kind: sync
code: crm_part
source: crm
label: {zh: 零件, en: Parts}
target: part
stream: {name: parts, path: /api/parts, key: [code], cursor: {column: changed}}
fields: {code: code, name: part name, qty: qty, at: changed}
"""


def test_a_mariadb_table_and_a_rest_system_give_the_same_records(
    hub_url: str, tmp_path: Path, mariadb_url: str
) -> None:
    fill_server(mariadb_url)
    with world_at(tmp_path, hub_url) as world, api() as server:
        found = tuple(parse(d, "test") for d in yaml.safe_load_all(DEFINITIONS))
        check(found)
        catalogue = publish_more(world, found)
        deps = ConnectDeps(
            world.hub, lambda _tx=None: catalogue, world.deps.policy, Connections(tmp_path)
        )
        deps.connections.secrets.set("crm", "right")
        deps.connections.save({
            "wms": {"url": mariadb_url},
            "crm": {"url": server.url, "token": "secret:crm", "page_rows": 40},
        })  # fmt: skip
        cycle = SyncCycle(deps)
        for code in ("wms", "crm"):
            assert [o.counts.applied for o in cycle.run_source(code)] == [100]
            assert [o.counts.applied for o in cycle.run_source(code)] == [0]
        world.catalogue = catalogue
        parts: dict[str, set[Any]] = {"wms": set(), "crm": set()}
        for r in world.records("part"):
            parts[r.source].add((r.code, r.name, r.qty, r.at))
        assert parts["wms"] == parts["crm"]
        assert len(parts["wms"]) == 100
        world.adds_up()
        canary = json.dumps([str(r) for r in world.all(sync_run)])
        assert "right" not in canary


def publish_more(world: World, found: tuple[Any, ...]) -> Catalogue:
    package = Package(code="more", version="1.0.0", label=Label(zh="更多", en="More"))
    with world.hub.write() as tx:
        plan = publish.plan(tx, package, (package, *found))
        return publish.publish(
            tx, plan, "test", lambda t, b, a: apply_schema(t, a, plan_schema(t, b, a))
        )


def test_a_sync_may_be_left_out_of_rounds_that_come_too_soon(world: World) -> None:
    """A large table compared in full is not read every five seconds, unless a person asks."""
    definitions = tuple(
        one.model_copy(update={"every_seconds": 3600}) if one.code == "mes_report" else one
        for one in world.catalogue.definitions
    )
    catalogue = Catalogue(world.catalogue.epoch, definitions)
    cycle = SyncCycle(replace(world.deps, catalogue=lambda _tx=None: catalogue))
    cycle._schedule.add("sync mes", 3600, lambda: None)

    def round_() -> set[str]:
        return {outcome.sync for outcome in cycle.run_source("mes")}

    cycle.run_source("kis")
    assert "mes_report" in round_()
    assert round_() >= {"mes_item", "mes_order"}
    assert "mes_report" not in round_()
    cycle.soon("mes")
    assert "mes_report" in round_()


@pytest.mark.parametrize(("said", "every"), [({}, 5), ({"every_seconds": 1}, 1)])
def test_an_installation_says_how_often_a_source_is_polled(
    world: World, said: dict[str, int], every: int
) -> None:
    source = world.catalogue.source("mes")
    connections = Connections(world.home)
    connections.save({"mes": {"url": "sqlite:///x.db"} | said})
    assert connections.every(source) == every


@pytest.mark.parametrize("wrong", [0, -1, "1", True, 0.5])
def test_an_interval_that_is_none_is_refused(world: World, wrong: object) -> None:
    connections = Connections(world.home)
    connections.save({"mes": {"url": "sqlite:///x.db", "every_seconds": wrong}})
    with pytest.raises(Config, match="every_seconds"):
        connections.every(world.catalogue.source("mes"))

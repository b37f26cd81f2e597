"""A small factory for the sync tests: a legacy file, its definitions, a hub, a runner."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml

import tenon.connect.tables
import tenon.jobs.lease
import tenon.master.tables
import tenon.tasks.tables  # noqa: F401
from tenon.connect.deps import ConnectDeps
from tenon.connect.report import Outcome
from tenon.connect.retry import Retried, retry
from tenon.connect.runner import Runner
from tenon.connect.settings import Connections
from tenon.connect.tables import source_row, sync_batch, sync_run, sync_state
from tenon.define import publish
from tenon.define.catalogue import Catalogue, check, parse
from tenon.define.models import Definition, Package
from tenon.records.ports import Actor
from tenon.records.schema import apply_schema, plan_schema
from tenon.records.tables import entity_tables, event
from tenon.store import Hub, open_hub
from tenon.store.migrate import migrate

DEFINITIONS = """
{kind: package, code: small, version: 1.0.0, label: {zh: 小厂, en: Small}}
---
{kind: source, code: mes, label: {zh: 制造, en: MES}, system: {zh: 制造, en: MES}, connector: sql}
---
{kind: source, code: kis, label: {zh: 财务, en: KIS}, system: {zh: 财务, en: KIS}, connector: sql}
---
kind: entity
code: item
label: {zh: 物料, en: Item}
title: name
fields:
  - {code: code, label: {zh: 编码, en: Code}, type: text, length: 60, required: true}
  - {code: name, label: {zh: 名称, en: Name}, type: text, required: true}
  - {code: drawing_no, label: {zh: 图号, en: Drawing}, type: text, length: 60}
---
kind: master
code: item
entity: item
label: {zh: 物料, en: Item}
keys:
  - {code: drawing_no, label: {zh: 图号, en: Drawing}, clean: code}
  - {code: number, label: {zh: 代码, en: Number}, clean: code}
---
kind: entity
code: work_order
label: {zh: 工单, en: Work order}
title: number
fields:
  - {code: number, label: {zh: 单号, en: No.}, type: text, length: 20, required: true, unique: true}
  - {code: item, label: {zh: 物料, en: Item}, type: ref, target: item}
  - {code: qty, label: {zh: 数量, en: Qty}, type: decimal, scale: 4, minimum: 0, required: true}
  - {code: due_at, label: {zh: 交期, en: Due}, type: datetime}
  - {code: note, label: {zh: 备注, en: Note}, type: text, length: 20}
---
kind: entity
code: report
label: {zh: 报工, en: Report}
title: number
fields:
  - {code: number, label: {zh: 单号, en: No.}, type: text, length: 20, required: true}
  - {code: work_order, label: {zh: 工单, en: WO}, type: ref, target: work_order, required: true}
  - {code: qty, label: {zh: 数量, en: Quantity}, type: decimal, scale: 4}
---
kind: sync
code: kis_item
source: kis
label: {zh: 物料, en: Items}
target: item
order: 10
stream: {name: t_item, table: t_item, key: [id], cursor: {column: changed}}
identity: {code: number, name: name, founds: true, keys: {drawing_no: model, number: number}}
fields: {code: number, name: name, drawing_no: model}
---
kind: sync
code: mes_item
source: mes
label: {zh: 产品, en: Products}
target: item
order: 10
stream: {name: product, table: product, key: [code], cursor: {column: changed}}
identity: {code: code, name: name, keys: {drawing_no: drawing}}
---
kind: sync
code: mes_order
source: mes
label: {zh: 工单, en: Work orders}
target: work_order
order: 20
stream: {name: wo, table: wo, key: ["no"], cursor: {column: changed}}
fields:
  number: {from: "no", clean: document_no}
  item: {from: product, master: item}
  qty: qty
  due_at: due
  note: note
---
kind: sync
code: mes_report
source: mes
label: {zh: 报工, en: Reports}
target: report
order: 30
stream: {name: report, table: report, key: [id]}
fields:
  number: id
  work_order: {from: wo, ref: work_order, by: number, clean: document_no}
  qty: qty
---
kind: sync
code: mes_extra
source: mes
label: {zh: 可选, en: Optional}
target: report
order: 40
stream: {name: extra, table: no_such_table, key: [id], optional: true}
fields: {number: id, work_order: {from: wo, ref: work_order, by: number}}
"""

MES = """
CREATE TABLE product (code TEXT PRIMARY KEY, name TEXT, drawing TEXT, changed DATETIME);
CREATE TABLE wo (no TEXT PRIMARY KEY, product TEXT, qty, due, note TEXT, changed DATETIME);
CREATE TABLE report (id INTEGER PRIMARY KEY, wo TEXT, qty);
"""
KIS = """
CREATE TABLE t_item (id INTEGER PRIMARY KEY, number TEXT, name TEXT, model TEXT, changed DATETIME);
"""
ANA = Actor("u1", "Ana", "planner")


class Anyone:
    """A policy that allows everything."""

    def check_read(self, _actor: Actor, _entity: str) -> frozenset[str]:
        return frozenset()

    def check_write(self, _actor: Actor, _entity: str, _fields: frozenset[str]) -> None: ...


@dataclass
class SourceFiles:
    """The legacy files of a home."""

    home: Path

    def sql(self, source: str, statement: str, rows: list[tuple[Any, ...]] | None = None) -> None:
        db = sqlite3.connect(self.home / f"{source}.db")
        with db:
            if rows is None:
                db.executescript(statement)
            else:
                db.executemany(statement, rows)
        db.close()

    def orders(self, *rows: tuple[Any, ...]) -> None:
        """Write (no, product, qty, due, note, changed) into the MES."""
        self.sql("mes", "INSERT OR REPLACE INTO wo VALUES (?, ?, ?, ?, ?, ?)", list(rows))

    def items(self, *rows: tuple[Any, ...]) -> None:
        """Write (id, number, name, drawing, changed) into the ledger."""
        self.sql("kis", "INSERT OR REPLACE INTO t_item VALUES (?, ?, ?, ?, ?)", list(rows))


@dataclass
class World(SourceFiles):
    """Everything a sync test needs."""

    hub: Hub
    catalogue: Catalogue
    deps: ConnectDeps

    def sync(self, code: str) -> Outcome:
        return Runner(self.deps).sync(code)

    def retry(self, source: str | None = None, *, everything: bool = False) -> Retried:
        return retry(self.deps, source, everything=everything)

    def records(self, entity: str) -> list[Any]:
        with self.hub.read() as connection:
            table = entity_tables(self.catalogue)[entity]
            return list(connection.execute(sa.select(table).order_by(table.c.source_key)))

    def rows(self, stream: str, state: str | None = None) -> dict[str, Any]:
        query = sa.select(source_row).where(source_row.c.stream == stream)
        if state:
            query = query.where(source_row.c.state == state)
        with self.hub.read() as connection:
            return {r.key: r for r in connection.execute(query)}

    def all(self, table: sa.Table) -> list[Any]:
        with self.hub.read() as connection:
            return list(connection.execute(sa.select(table)))

    def state(self, stream: str) -> Any:
        return next((r for r in self.all(sync_state) if r.stream == stream), None)

    def events(self, entity: str) -> list[Any]:
        return [e for e in self.all(event) if e.entity == entity]

    def adds_up(self) -> None:
        """Every run, and every run's batches: read = applied + unchanged + set aside."""
        for table in (sync_run, sync_batch):
            for row in self.all(table):
                assert row.read == row.applied + row.unchanged + row.set_aside, row


def definitions() -> tuple[Package, tuple[Definition, ...]]:
    """The small factory's package."""
    found = [parse(d, "test") for d in yaml.safe_load_all(DEFINITIONS)]
    check(found)
    return next(d for d in found if isinstance(d, Package)), tuple(found)


def make_sources(home: Path) -> None:
    """Empty legacy files, and the connections to them."""
    for code, schema in (("mes", MES), ("kis", KIS)):
        with sqlite3.connect(home / f"{code}.db") as db:
            db.executescript(schema)
        db.close()
    Connections(home).save({c: {"url": f"sqlite:///{home / c}.db"} for c in ("mes", "kis")})


def open_world(home: Path, url: str, lease_seconds: float = 60.0) -> World:
    """Open the hub of a home (publishing the definitions the first time)."""
    hub = open_hub(url)
    migrate(hub)
    package, found = definitions()
    with hub.write() as tx:
        plan = publish.plan(tx, package, found)
        catalogue = publish.publish(
            tx, plan, "test", lambda t, b, a: apply_schema(t, a, plan_schema(t, b, a))
        )
    deps = ConnectDeps(hub, lambda _tx=None: catalogue, Anyone(), Connections(home), lease_seconds)
    return World(home, hub, catalogue, deps)


@contextmanager
def world_at(home: Path, url: str) -> Iterator[World]:
    """A fresh world, closed at the end."""
    make_sources(home)
    world = open_world(home, url)
    try:
        yield world
    finally:
        world.hub.close()

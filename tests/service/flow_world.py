"""A small installation with flows, its jobs done on the test's own thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml

from tenon.assembly import Tenon, open_tenon, packages
from tenon.assembly.home import HomeSettings, write_settings
from tenon.automate.tables import flow_run, flow_step
from tenon.define.catalogue import parse
from tenon.define.models import Package
from tenon.jobs.worker import Worker
from tenon.records.ports import SYSTEM
from tenon.records.write import RowKey

THINGS = """
{kind: package, code: shop, version: 1.0.0, label: {zh: 小厂, en: Shop}}
---
kind: entity
code: thing
label: {zh: 物, en: Thing}
title: name
fields:
  - {code: name, label: {zh: 名, en: Name}, type: text, required: true}
  - {code: qty, label: {zh: 数, en: Qty}, type: decimal, scale: 2}
  - {code: due_at, label: {zh: 期, en: Due}, type: datetime}
  - {code: note, label: {zh: 注, en: Note}, type: text}
"""


class World:
    """An open Tenon with a package of its own, and a worker that runs when told."""

    def __init__(self, tenon: Tenon, flows: str) -> None:
        self.tenon = tenon
        self.publish(flows)
        self.worker = Worker(tenon.hub, tenon.working.kinds())

    def publish(self, flows: str) -> None:
        found = [
            parse(data, "test") for data in yaml.safe_load_all(THINGS + "\n---\n" + flows) if data
        ]
        package = next(d for d in found if isinstance(d, Package))
        packages.publish_package(self.tenon.hub, package, tuple(found), "test")
        self.tenon.refresh()

    def put(self, name: str, *, origin: str = "live", **values: Any) -> str:
        """A new thing."""
        with self.tenon.hub.write() as tx:
            row = {"name": name, "qty": None, "due_at": None, "note": None} | values
            (written,) = self.tenon.writer.write(
                tx, SYSTEM, "thing", [(RowKey(), row)], origin=origin
            )
        return written.id

    def change(self, id_: str, **values: Any) -> None:
        with self.tenon.hub.write() as tx:
            self.tenon.writer.write(tx, SYSTEM, "thing", [(RowKey(id=id_), values)])

    def work(self) -> None:
        """Do jobs until there are none that may begin."""
        while self.worker.run_once("flow"):
            pass

    def rows(self, table: sa.Table) -> list[Any]:
        with self.tenon.hub.read() as connection:
            return list(connection.execute(sa.select(table)))

    def runs(self) -> list[Any]:
        return sorted(self.rows(flow_run), key=lambda r: r.id)

    def steps(self) -> dict[str, str]:
        return {r.step: r.state for r in self.rows(flow_step)}

    def things(self) -> dict[str, Any]:
        with self.tenon.hub.read() as connection:
            found = self.tenon.reader(SYSTEM).select(connection, "thing", limit=1000)
        return {r["name"]: r for r in found}


@contextmanager
def world(home: Path, hub_url: str, flows: str) -> Iterator[World]:
    """A world over a fresh home."""
    write_settings(home, HomeSettings(hub=hub_url))
    with open_tenon(home) as tenon:
        yield World(tenon, flows)

"""A home with the factory's package, items with routings, and a worker that runs when told."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from tenon.assembly import Tenon, open_tenon, packages
from tenon.assembly.home import HomeSettings, write_settings
from tenon.automate import switch
from tenon.automate.tables import flow_run, notice
from tenon.boards.reading import reading
from tenon.connect import report
from tenon.define.models import Definition, Flow
from tenon.factory import changes, engineering, taking
from tenon.factory.desk import Desk
from tenon.factory.numbers import work_order_numbers
from tenon.factory.order_page import order_page
from tenon.jobs.worker import Worker
from tenon.kernel import clock
from tenon.kernel.errors import Conflict
from tenon.records.ports import SYSTEM, Actor
from tenon.records.write import RowKey
from tenon.server.models import OrderPage
from tenon.server.planning_models import EngineeringList, OrderChangeList
from tenon.store import open_hub

SPECIAL = {"item_name": "左支架加强", "drawing_no": "DW-100-07", "standard": False}
NOW = datetime(2026, 11, 3, 2, 30, 20, tzinfo=UTC)  # 10:30 at the plant
DUE = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)  # 17:00 at the plant
PLANNER = Actor("u-1", "计划员", "planner")
ROUTE = (
    (10, "CY", "冲压", "P160", "30", "0.12", False),
    (20, "DD", "电镀", "WW", "0", "0", True),
    (30, "BZ", "包装", "PACK", "5", "0.02", False),
)


@dataclass
class Shop:
    """An open Tenon that plans; what stands outside (the MES) is written by the test."""

    tenon: Tenon
    ids: dict[str, str] = field(default_factory=dict)
    _orders: int = 0

    def __post_init__(self) -> None:
        self.worker = Worker(self.tenon.hub, self.tenon.working.kinds())

    def put(
        self, entity: str, rows: Sequence[dict[str, Any]], *, origin: str = "initial",
        source: str | None = None,
    ) -> list[str]:  # fmt: skip
        """New records."""
        keys = [
            RowKey(source=source, source_key=f"{entity}:{n}:{clock.monotonic()}") if source
            else RowKey() for n in range(len(rows))
        ]  # fmt: skip
        with self.tenon.hub.write() as tx:
            pairs = list(zip(keys, rows, strict=True))
            written = self.tenon.writer.write(tx, SYSTEM, entity, pairs, origin=origin)
        return [row.id for row in written]

    def change(self, entity: str, id_: str, *, actor: Actor = SYSTEM, **values: Any) -> None:
        with self.tenon.hub.write() as tx:
            self.tenon.writer.write(tx, actor, entity, [(RowKey(id=id_), values)])

    def item(self, code: str, name: str, drawing: str, *, routed: bool = True) -> str:
        """An item, with a routing of three operations when it is `routed`."""
        (id_,) = self.put("item", [
            {"code": code, "name": name, "drawing_no": drawing, "unit": "件", "standard": routed}
        ])  # fmt: skip
        self.ids[code] = id_
        if routed:
            self.route(id_, 1)
        return id_

    def route(self, item: str, version: int, route: Sequence[Any] = ROUTE) -> None:
        self.put("routing_operation", [
            {"item": item, "routing_version": version, "seq": seq, "process": process,
             "name": name, "work_centre": centre, "setup_min": setup, "run_min_per_piece": run,
             "outside": outside, "supplier_name": "镀厂" if outside else None}
            for seq, process, name, centre, setup, run, outside in route
        ])  # fmt: skip

    def order(
        self, *lines: dict[str, Any], origin: str = "live", status: str = "open"
    ) -> tuple[str, list[str]]:
        """An order with these lines, as the CRM brings it; its id and those of the lines."""
        self._orders += 1
        number = f"SO-2611-{self._orders:04}"
        (order,) = self.put("sales_order", [
            {"order_no": number, "status": status, "rush": False, "ordered_at": NOW}
        ])  # fmt: skip
        usual = {
            "sales_order": order, "item": None, "item_name": "支架", "drawing_no": "DW-1",
            "standard": True, "qty": Decimal(100), "unit": "件", "due_at": DUE, "status": "open",
        }  # fmt: skip
        rows = [
            usual | {"line_no": at, "line_key": f"{number}|{at}"} | line
            for at, line in enumerate(lines, 1)
        ]
        return order, self.put("order_line", rows, origin=origin, source="crm")

    def asks(self, order: str, **what: Any) -> str:
        """A customer's change, as the CRM brings it."""
        usual = {
            "sales_order": order, "line_no": 1, "revision": 1, "change": "qty",
            "old_value": "100", "new_value": "150", "changed_at": NOW,
        }  # fmt: skip
        (id_,) = self.put("order_change", [usual | what], origin="live", source="crm")
        self.work()
        return id_

    def work(self) -> None:
        """Do jobs until there are none that may begin."""
        while self.worker.run_once("flow"):
            pass

    def all(self, entity: str, **where: Any) -> list[Any]:
        """The records of an entity with these values, in the order they were made."""
        table = self.tenon.reader(SYSTEM).table(entity)
        query = sa.select(table).where(*(table.c[k] == v for k, v in where.items()))
        with self.tenon.hub.read() as connection:
            return list(connection.execute(query.order_by(table.c.id)))

    def one(self, entity: str, **where: Any) -> Any:
        (row,) = self.all(entity, **where)
        return row

    def operations(self, order: str) -> list[Any]:
        return sorted(self.all("operation", work_order=order), key=lambda o: (o.seq, o.job_no))

    def runs(self, flow: str) -> list[Any]:
        query = sa.select(flow_run).where(flow_run.c.flow == flow).order_by(flow_run.c.id)
        with self.tenon.hub.read() as connection:
            return list(connection.execute(query))

    def told(self) -> list[dict[str, str]]:
        """The titles of all notices."""
        with self.tenon.hub.read() as connection:
            query = sa.select(notice.c.title).order_by(notice.c.id)
            return list(connection.scalars(query))


@contextmanager
def shop_at(home: Path, hub_url: str) -> Iterator[Shop]:
    """A fresh home whose flows are on; they stop short of writing into the MES."""
    write_settings(home, HomeSettings(hub=hub_url))
    with open_tenon(home) as tenon:
        package, definitions = packages.built_in()
        kept = tuple(_without_push(one) for one in definitions)
        packages.publish_package(tenon.hub, package, kept, "test")
        tenon.refresh()
        with tenon.hub.write() as tx:
            for flow in tenon.catalogue.of(Flow):
                switch.set_enabled(tx, flow.code, True, "test")
        shop = Shop(tenon)
        furnish(shop)
        with clock.fixed(NOW):
            with tenon.hub.write() as tx:  # so that no stage is doubted for the age of its data
                for source in ("mes", "wms"):
                    report.note_source(tx, source, None)
            yield shop


def furnish(shop: Shop) -> None:
    """Two work centres, and two items with routings."""
    shop.put("work_centre", [
        {"code": "P160", "name": "冲压", "hours_per_day": "12"},
        {"code": "PACK", "name": "包装", "hours_per_day": "24"},
    ])  # fmt: skip
    shop.item("F1", "左支架", "DW-100-01")
    shop.item("F2", "油底壳", "YK-200-01")


def _without_push(one: Definition) -> Definition:
    if not isinstance(one, Flow):
        return one
    return one.model_copy(
        update={"steps": tuple(step for step in one.steps if step.step != "write_back")}
    )


def take_numbers(url: str, times: int) -> list[str]:
    """What another process takes from the series, three at a time."""
    hub, found = open_hub(url), []
    try:
        for _ in range(times):
            with hub.write() as tx:
                found += work_order_numbers(tx, NOW, ZoneInfo("Asia/Shanghai"), 3)
    finally:
        hub.close()
    return found


def page(shop: Shop, line: str) -> OrderPage:
    with reading(shop.tenon, PLANNER) as context:
        return OrderPage.model_validate(order_page(context, line))


def awaiting(shop: Shop) -> EngineeringList:
    return EngineeringList.model_validate(engineering.engineering(shop.tenon, PLANNER))


def pending(shop: Shop) -> OrderChangeList:
    found = changes.order_changes(shop.tenon, PLANNER, decision="pending")
    return OrderChangeList.model_validate(found)


def accept(shop: Shop, change: str) -> None:
    changes.decide(shop.tenon, PLANNER, change, accept=True, note=None)
    shop.work()


def take(shop: Shop, order: Any, seen: int, item: str = "F1", version: int = 1) -> dict[str, Any]:
    choice = taking.Choice(shop.ids[item], version, seen)
    return taking.take_routing(shop.tenon, PLANNER, order.id, choice)


def at_once(count: int, do: Any) -> list[str]:
    """What became of so many who do the same at one moment."""
    barrier = threading.Barrier(count)

    def one(number: int) -> str:
        barrier.wait(30)
        try:
            do(number)
        except Conflict as refused:
            return refused.code
        return "done"

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def planned(shop: Shop, **line: Any) -> tuple[str, str, Any]:
    """An order with one planned line: order, line, work order."""
    order, (id_,) = shop.order({"item": shop.ids["F1"]} | line)
    shop.work()
    allocation = shop.one("allocation", order_line=id_)
    return order, id_, shop.one("work_order", id=allocation.work_order)


def desk(shop: Shop, tx: sa.Connection, actor: Actor = SYSTEM) -> Desk:
    tenon = shop.tenon
    return Desk(tx, tenon.reader(actor), tenon.writer, actor, tenon.zone)

"""Syncs from SQL Server by its rowversion, over the wire: nothing missed or twice (P2, F6)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tenon.connect.settings import Connections
from tenon.testkit.proxy import CuttingProxy, cutting_proxy
from tenon.testkit.tds import TdsServer, serve
from tests import odbc_drivers
from tests.service import sync_world
from tests.service.sync_world import World, world_at

WO = """
    CREATE TABLE wo (no NVARCHAR(20) COLLATE NOCASE PRIMARY KEY, product VARCHAR(20),
                     qty DECIMAL(18,4), due DATETIME, note VARCHAR(20), rv ROWVERSION)
"""


class Plant:
    """A MES on SQL Server behind a wire that can be cut."""

    def __init__(self, world: World, server: TdsServer, proxy: CuttingProxy, path: Path) -> None:
        self.world, self.server, self.proxy = world, server, proxy
        self._path = path

    def change(self, statement: str, *values: Any) -> None:
        """Change rows as the MES does, so that their rowversion grows."""
        self.change_many(statement, [values])

    def change_many(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        database = self.server.open()
        database._db.execute("BEGIN")
        database._db.executemany(statement, rows)
        database._db.commit()
        database.close()

    def sync(self) -> Any:
        return self.world.sync("mes_order")


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plant]:
    odbc_drivers.need("FreeTDS")
    old = 'key: ["no"], cursor: {column: changed}'
    assert old in sync_world.DEFINITIONS
    new = 'key: ["no"], cursor: {column: rv, type: rowversion}'
    monkeypatch.setattr(sync_world, "DEFINITIONS", sync_world.DEFINITIONS.replace(old, new))
    path = tmp_path / "mes-server.db"
    with sqlite3.connect(path) as db:
        db.execute(WO)
    db.close()
    with ExitStack() as stack:
        world = stack.enter_context(world_at(tmp_path, f"sqlite:///{tmp_path / 'hub.db'}"))
        server = stack.enter_context(serve(TdsServer(str(path))))
        proxy = stack.enter_context(cutting_proxy("127.0.0.1", server.port))
        url = f"mssql://tenon@127.0.0.1:{proxy.port}/main"
        kis = {"url": f"sqlite:///{tmp_path / 'kis.db'}"}
        Connections(tmp_path).save({"mes": {"url": url, "password": "right"}, "kis": kis})
        yield Plant(world, server, proxy, path)


INSERT = "INSERT INTO wo (no, qty, due, note) VALUES (?, ?, ?, ?)"


def test_only_what_changed_is_read_again(plant: Plant) -> None:
    due = "2026-01-31 08:00:00"
    plant.change_many(INSERT, [(f"WO{n:03}", 1.25, due, "急 ㎡") for n in range(40)])
    first = plant.sync()
    assert (first.state, first.counts.read, first.counts.applied) == ("succeeded", 40, 40)
    assert plant.world.state("wo").watermark["value"].startswith("0x")
    plant.change("UPDATE wo SET qty = 3 WHERE no = ?", "WO007")
    plant.change(INSERT, "WO999", 2, None, None)
    second = plant.sync()
    # The last row of before is read again and is unchanged: at least once, with one effect.
    assert (second.counts.read, second.counts.applied, second.counts.unchanged) == (3, 2, 1)
    third = plant.sync()
    assert (third.counts.read, third.counts.applied) == (1, 0)
    orders = {row.number: row for row in plant.world.records("work_order")}
    assert len(orders) == 41
    assert int(orders["WO007"].qty) == 3
    assert orders["WO001"].note == "急 ㎡"
    plant.world.adds_up()


@pytest.mark.parametrize("after", [0, 300, 3000, 9000, 20000])
def test_a_cut_connection_is_gone_on_from(plant: Plant, after: int) -> None:
    """F6, F8: cut in the login, in the catalogue, in the rows; then all rows are there, once."""
    due = "2026-01-31 08:00:00"
    plant.change_many(INSERT, [(f"WO{n:03}", n, due, "备注") for n in range(400)])
    plant.proxy.cut("down", after)
    broken = plant.sync()
    assert broken.state == "failed"
    assert broken.error.recovery == "retry", broken.error
    plant.proxy.heal()
    whole = plant.sync()
    assert whole.state == "succeeded"
    assert len(plant.world.records("work_order")) == 400
    plant.world.adds_up()

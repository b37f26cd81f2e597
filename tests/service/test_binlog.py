"""A MariaDB that tells of its changes: heard at once, never trusted with a row."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from tenon.connect import cycle as cycles
from tenon.connect import listening
from tenon.connect.contract import Heard
from tenon.connect.cycle import SyncCycle
from tenon.connect.listening import Round, Wakes
from tenon.connect.service import check_source, source_states
from tenon.connect.settings import Connections
from tenon.connect.tables import source_listen, sync_run
from tenon.define.catalogue import Catalogue
from tenon.define.models import SourceDef
from tests import servers
from tests.own_mariadb import OwnMariadb, own_mariadb
from tests.service.sync_world import World, world_at

TABLES = """
CREATE TABLE product (code VARCHAR(20) PRIMARY KEY, name VARCHAR(50), drawing VARCHAR(50),
  changed DATETIME);
CREATE TABLE wo (no VARCHAR(20) PRIMARY KEY, product VARCHAR(20), qty DECIMAL(12,4), due DATETIME,
  note VARCHAR(20), changed DATETIME(3));
CREATE TABLE report (id INT PRIMARY KEY, wo VARCHAR(20), qty DECIMAL(12,4));
CREATE TABLE beside (id INT PRIMARY KEY AUTO_INCREMENT, n INT)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[OwnMariadb]:
    try:
        found = own_mariadb()
        one = found.__enter__()
    except servers.ServerMissing as missing:
        if servers.in_ci():
            pytest.fail(f"CI=true and {missing}", pytrace=False)
        pytest.skip(str(missing))
    yield one
    found.__exit__(None, None, None)


@dataclasses.dataclass
class Plant:
    """A hub whose MES is a database of the server; it is polled once an hour."""

    world: World
    server: OwnMariadb
    database: str

    def run(self, *statements: str) -> None:
        self.server.run(*statements, database=self.database)

    def order(self, no: str, qty: int, second: int = 0) -> None:
        changed = f"2026-01-02 08:00:{second:02}"
        self.run(f"REPLACE INTO wo VALUES ('{no}', NULL, {qty}, NULL, NULL, '{changed}')")

    def connect(self, url: str, **settings: Any) -> None:
        kept = {"url": url.replace("mysql+pymysql", "mysql"), "binlog": True} | settings
        Connections(self.world.home).save({"mes": kept})

    def connections(self) -> list[int]:
        """The open connections to the database."""
        engine = sa.create_engine(self.server.url("mysql"), poolclass=NullPool)
        query = "SELECT id FROM information_schema.processlist WHERE db = %s"
        with engine.connect() as connection:
            return list(connection.exec_driver_sql(query, (self.database,)).scalars())

    def said(self) -> Any:
        return next((r for r in self.world.all(source_listen)), None)

    def listens(self) -> None:
        self.wait(lambda: self.said() is not None and self.said().state == "listening")

    def orders(self) -> dict[str, int]:
        return {r.number: int(r.qty) for r in self.world.records("work_order")}

    def wait(self, until: Callable[[], bool]) -> None:
        end = time.monotonic() + 30
        while not until():
            assert time.monotonic() < end, (self.said(), self.orders())
            time.sleep(0.02)

    @contextmanager
    def syncing(self) -> Iterator[None]:
        cycle = SyncCycle(self.world.deps)
        cycle.start()
        try:
            yield
        finally:
            cycle.stop()


@pytest.fixture
def plant(tmp_path: Path, server: OwnMariadb, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plant]:
    monkeypatch.setattr(cycles, "LISTEN_AGAIN", 0.2)
    monkeypatch.setattr(listening, "_PATIENCE", 0.2)
    with world_at(tmp_path, f"sqlite:///{tmp_path / 'hub.db'}") as world:
        rarely = Catalogue(
            world.catalogue.epoch,
            tuple(
                d.model_copy(update={"every_seconds": 3600}) if isinstance(d, SourceDef) else d
                for d in world.catalogue.definitions
            ),
        )
        world.deps = dataclasses.replace(world.deps, catalogue=lambda _tx=None: rarely)
        one = Plant(world, server, server.fresh())
        one.run(*TABLES.split(";"))
        one.connect(server.url(one.database))
        yield one


def test_a_change_is_read_although_no_poll_is_due(plant: Plant) -> None:
    plant.order("W1", 1)
    with plant.syncing():
        plant.listens()
        plant.order("W2", 2, 1)
        plant.wait(lambda: plant.orders() == {"W1": 1, "W2": 2})
        plant.run("UPDATE wo SET qty = 5, changed = '2026-01-02 08:00:02' WHERE no = 'W1'")
        plant.wait(lambda: plant.orders() == {"W1": 5, "W2": 2})
        woken = [r for r in plant.world.all(sync_run) if r.applied and r.sync == "mes_order"]
    assert plant.said().message is None
    assert len(woken) == 3
    plant.world.adds_up()


def test_only_the_table_that_changed_is_read(plant: Plant) -> None:
    catalogue = plant.world.deps.catalogue()
    connector: Any = plant.world.deps.connections.open(catalogue.source("mes"))
    streams = [s.stream for s in catalogue.syncs_of("mes")]
    with closing(connector), closing(connector.watch(streams)) as told:
        assert next(told).streams == {s.name for s in streams}
        plant.run("INSERT INTO beside (n) VALUES (1)")
        plant.order("W1", 1)
        assert next(heard for heard in told if heard.streams) == Heard(frozenset({"wo"}))
    cycle = SyncCycle(plant.world.deps)
    assert [o.sync for o in cycle.run_source("mes", Round(frozenset({"wo"})))] == ["mes_order"]
    cycle.stop()


def test_a_deleted_row_is_marked_and_its_record_stays(plant: Plant) -> None:
    plant.order("W1", 1)
    plant.order("W2", 2)
    with plant.syncing():
        plant.listens()
        plant.run("DELETE FROM wo WHERE no = 'W1'")
        plant.wait(lambda: plant.world.rows("wo")["W1"].state == "gone")
        assert plant.world.rows("wo")["W2"].state == "applied"
        plant.wait(lambda: plant.world.state("wo").rows == 1)
        plant.order("W1", 7, 3)  # it comes back
        plant.wait(lambda: plant.orders() == {"W1": 7, "W2": 2})
    assert plant.world.rows("wo")["W1"].state == "applied"


def test_a_row_deleted_and_written_again_is_not_marked(plant: Plant) -> None:
    plant.order("W1", 1)
    with plant.syncing():
        plant.listens()
        plant.run(
            "BEGIN", "DELETE FROM wo WHERE no = 'W1'",
            "INSERT INTO wo VALUES ('W1', NULL, 3, NULL, NULL, '2026-01-02 09:00:00')", "COMMIT",
        )  # fmt: skip
        plant.wait(lambda: plant.orders() == {"W1": 3})
    assert plant.world.rows("wo")["W1"].state == "applied"


@pytest.mark.deep
def test_what_happens_while_nobody_listens_is_read_once_somebody_does(plant: Plant) -> None:
    with plant.syncing():
        plant.listens()
        plant.server.crash()
        plant.wait(lambda: plant.said().state == "failing")
        plant.server.start()
        plant.order("W1", 1)
        plant.listens()
        plant.wait(lambda: plant.orders() == {"W1": 1})
        plant.order("W2", 2, 1)
        plant.wait(lambda: plant.orders() == {"W1": 1, "W2": 2})
    assert "不会漏读" not in str(plant.said().message)


def test_logs_that_are_purged_and_tables_that_change_lose_nothing(plant: Plant) -> None:
    with plant.syncing():
        plant.listens()
        plant.order("W1", 1)
        plant.run("FLUSH BINARY LOGS", "PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY")
        plant.order("W2", 2, 1)
        plant.run("ALTER TABLE beside ADD COLUMN more JSON FIRST", "TRUNCATE TABLE beside")
        plant.run("ALTER TABLE wo MODIFY note VARCHAR(30)")
        plant.order("W3", 3, 2)
        plant.run("RESET MASTER")
        plant.order("W4", 4, 3)
        plant.wait(lambda: plant.orders() == {"W1": 1, "W2": 2, "W3": 3, "W4": 4})
    plant.world.adds_up()


def test_a_missing_privilege_is_named_with_the_grant_that_mends_it(plant: Plant) -> None:
    plant.run(
        "CREATE OR REPLACE USER 'reader'@'127.0.0.1' IDENTIFIED BY 'pw'",
        f"GRANT SELECT ON {plant.database}.* TO 'reader'@'127.0.0.1'",
    )
    plant.connect(plant.server.url(plant.database, "reader", "pw"))
    plant.order("W1", 1)
    with plant.syncing():
        plant.wait(lambda: plant.said() is not None and plant.said().state == "failing")
        message = plant.said().message
        grant = "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'reader'@'127.0.0.1'"
        assert grant in message["zh"]
        assert grant in message["en"]
        plant.wait(lambda: plant.orders() == {"W1": 1})  # polled as ever
        plant.run("GRANT REPLICATION CLIENT ON *.* TO 'reader'@'127.0.0.1'")  # half of it
        plant.run("GRANT REPLICATION SLAVE ON *.* TO 'reader'@'127.0.0.1'")
        plant.listens()
        plant.order("W2", 2, 1)
        plant.wait(lambda: plant.orders() == {"W1": 1, "W2": 2})


@pytest.mark.deep
def test_without_names_in_the_log_deletions_are_said_to_be_unheard(plant: Plant) -> None:
    plant.server.run("SET GLOBAL binlog_row_metadata = MINIMAL")
    try:
        with plant.syncing():
            plant.listens()
            assert "binlog_row_metadata" in plant.said().message["zh"]
            plant.order("W1", 1)
            plant.run("DELETE FROM wo WHERE no = 'nothing'")
            plant.wait(lambda: plant.orders() == {"W1": 1})
    finally:
        plant.server.run("SET GLOBAL binlog_row_metadata = FULL")


@pytest.mark.deep
@pytest.mark.parametrize("setting", ["STATEMENT", "MIXED"])
def test_another_format_is_explained(plant: Plant, setting: str) -> None:
    plant.server.run(f"SET GLOBAL binlog_format = {setting}")
    try:
        with plant.syncing():
            plant.wait(lambda: plant.said() is not None)
            assert setting in plant.said().message["en"]
    finally:
        plant.server.run("SET GLOBAL binlog_format = ROW")


@pytest.mark.deep
def test_a_server_without_a_binlog_is_explained(plant: Plant, mariadb_url: str) -> None:
    plant.connect(mariadb_url)
    with plant.syncing():
        plant.wait(lambda: plant.said() is not None and plant.said().message is not None)
    assert "log_bin" in plant.said().message["zh"]
    assert plant.said().message["code"] == "binlog_off"


def test_a_source_that_keeps_no_binlog_says_what_to_change(plant: Plant) -> None:
    plant.connect(f"sqlite:///{plant.world.home / 'mes.db'}")
    with plant.syncing():
        plant.wait(lambda: plant.said() is not None)
    assert plant.said().message["code"] == "no_binlog_here"


def test_the_sources_page_tells_whether_it_is_listened_to(plant: Plant) -> None:
    def state() -> Any:
        with plant.world.hub.read() as connection:
            found = source_states(plant.world.deps, connection)
        return next(s for s in found if s.code == "mes").listening

    assert state()["state"] == "starting"
    with plant.syncing():
        plant.listens()
    assert state()["state"] == "listening"
    Connections(plant.world.home).save({"mes": {"url": f"sqlite:///{plant.world.home / 'mes.db'}"}})
    assert state() is None
    assert check_source(plant.world.deps, "mes")["ok"]


def test_hints_neither_delay_a_whole_round_nor_are_lost_by_one() -> None:
    wakes = Wakes()
    wakes.add("mes", Heard(frozenset({"wo"}), {"wo": frozenset({("W1",)})}))
    first = wakes.take("mes", 3600)
    assert first.only is None  # the first round reads everything
    assert first.deleted_of("wo") == {("W1",)}
    wakes.ran("mes", first, [])
    wakes.add("mes", Heard(frozenset({"wo"})))
    wakes.add("mes", Heard(frozenset({"report"}), {"report": frozenset({(1,)})}))
    second = wakes.take("mes", 3600)
    assert second == Round(frozenset({"wo", "report"}), {"report": frozenset({(1,)})})
    assert wakes.ran("mes", second, [])  # nothing found: a second look,
    third = wakes.take("mes", 3600)
    assert third.only == second.only
    assert not wakes.ran("mes", third, [])  # and no third
    assert wakes.take("mes", 3600).only is None
    wakes.add("mes", Heard(frozenset({"wo"})))
    wakes.whole("mes")
    assert wakes.take("mes", 3600).only is None
    assert wakes.take("mes", 0).only is None


def test_a_connection_that_was_kept_is_not_trusted_to_live(plant: Plant) -> None:
    cycle = SyncCycle(plant.world.deps)
    plant.order("W1", 1)
    assert [o.error for o in cycle.run_source("mes", Round(frozenset({"wo"})))] == [None]
    plant.server.run(*(f"KILL {id_}" for id_ in plant.connections()))
    plant.order("W2", 2, 1)
    assert [o.error for o in cycle.run_source("mes", Round(frozenset({"wo"})))] == [None]
    assert plant.orders() == {"W1": 1, "W2": 2}
    cycle.stop()
    assert plant.connections() == []

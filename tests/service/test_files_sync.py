"""A source of files from its definition to its records: taken once, remembered, put away.

F1 (killed between any two steps), F10, F13 (a whole file with rows missing) and the late file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import yaml

from tenon.connect import late, service
from tenon.connect.cycle import SyncCycle
from tenon.connect.deps import ConnectDeps
from tenon.connect.runner import Runner
from tenon.connect.settings import Connections
from tenon.connect.tables import source_file, source_row, source_state, sync_run
from tenon.define import publish
from tenon.define.catalogue import check, parse
from tenon.define.models import Package, Sync
from tenon.kernel import clock, faults
from tenon.records.schema import apply_schema, plan_schema
from tenon.store import open_hub
from tenon.store.migrate import migrate
from tests.service.file_servers import sftp
from tests.service.sync_world import Anyone, World

DEFINITIONS = """
{kind: package, code: small, version: 1.0.0, label: {zh: 小厂, en: Small}}
---
kind: source
code: erp
label: {zh: 库存表, en: Stock lists}
system: {zh: 表格, en: Sheets}
connector: files
---
kind: entity
code: stock
label: {zh: 库存, en: Stock}
title: number
fields:
  - {code: number, label: {zh: 编码, en: Code}, type: text, length: 20, required: true}
  - {code: qty, label: {zh: 数量, en: Qty}, type: decimal, scale: 4, minimum: 0, required: true}
---
kind: sync
code: erp_stock
source: erp
label: {zh: 库存, en: Stock}
target: stock
stream:
  name: stock
  table: out/库存_*.csv
  columns: [物料编码, 数量]
  key: [物料编码]
  file: {expect_by: "08:30"}
fields: {number: 物料编码, qty: 数量}
---
kind: sync
code: erp_moves
source: erp
label: {zh: 出入库, en: Moves}
target: stock
stream:
  name: moves
  table: moves/*.csv
  columns: ["no", qty]
  key: ["no"]
  cursor: {column: file_name}
fields: {number: "no", qty: qty}
"""


class FileWorld(World):
    """A hub with a source of files in a folder."""

    @property
    def folder(self) -> Path:
        return self.home / "share"

    def put(self, name: str, text: str | bytes, age: float = 0.0) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        at = 1_790_000_000 - age
        os.utime(path, (at, at))
        return path

    def stock(self, name: str, *rows: tuple[str, Any], age: float = 0.0) -> Path:
        lines = "".join(f"{code},{qty}\n" for code, qty in rows)
        return self.put(f"out/{name}", f"物料编码,数量\n{lines}", age)

    def connect(self, **values: Any) -> None:
        Connections(self.home).save(
            {"erp": {"url": self.folder.as_uri(), "stable_seconds": 0, **values}}
        )

    def held(self) -> dict[str, Any]:
        return {r.number: r.qty for r in self.records("stock")}

    def taken(self) -> list[tuple[str, bool]]:
        return [(r.name, r.read) for r in sorted(self.all(source_file), key=lambda r: r.name)]

    def shown(self) -> service.SourceState:
        with self.hub.read() as connection:
            return service.source_states(self.deps, connection)[0]


def open_files_world(home: Path, url: str, change: Any = None) -> FileWorld:
    hub = open_hub(url)
    migrate(hub)
    text = change(DEFINITIONS) if change else DEFINITIONS
    found = [parse(d, "test") for d in yaml.safe_load_all(text)]
    check(found)
    package = next(d for d in found if isinstance(d, Package))
    with hub.write() as tx:
        plan = publish.plan(tx, package, tuple(found))
        catalogue = publish.publish(
            tx, plan, "test", lambda t, b, a: apply_schema(t, a, plan_schema(t, b, a))
        )
    deps = ConnectDeps(hub, lambda _tx=None: catalogue, Anyone(), Connections(home))
    return FileWorld(home, hub, catalogue, deps)


@pytest.fixture
def world(tmp_path: Path, hub_url: str) -> Iterator[FileWorld]:
    made = open_files_world(tmp_path, hub_url)
    (made.folder / "out").mkdir(parents=True)
    (made.folder / "moves").mkdir()
    made.connect()
    yield made
    made.adds_up()
    made.hub.close()


def test_a_whole_file_becomes_records_and_is_read_once(world: FileWorld) -> None:
    world.stock("库存_0101.csv", ("A1", 5), ("B2", "1.5"))
    first = world.sync("erp_stock")
    assert (first.state, first.counts.read, first.counts.applied) == ("succeeded", 2, 2)
    assert {k: str(v) for k, v in world.held().items()} == {"A1": "5.0000", "B2": "1.5000"}
    again = world.sync("erp_stock")
    assert (again.state, again.counts.read) == ("succeeded", 0)
    assert {r.state for r in world.all(source_row)} == {"applied"}, "what was not read is not gone"
    assert (world.folder / "out" / "库存_0101.csv").exists(), "nothing is moved unless allowed"


def test_the_same_content_under_a_new_name_is_read_once(world: FileWorld) -> None:
    world.stock("库存_0101.csv", ("A1", 5))
    world.sync("erp_stock")
    world.stock("库存_0102.csv", ("A1", 5))
    assert world.sync("erp_stock").counts.read == 0
    assert world.taken() == [("out/库存_0101.csv", True), ("out/库存_0102.csv", False)]
    world.put("moves/1.csv", "no,qty\nM1,1\n")
    world.put("moves/2.csv", "no,qty\nM1,1\n")
    assert world.sync("erp_moves").counts.read == 1
    assert world.sync("erp_moves").counts.read == 0


def test_an_older_whole_never_undoes_a_newer_one(world: FileWorld) -> None:
    world.stock("库存_0102.csv", ("A1", 7))
    world.sync("erp_stock")
    (world.folder / "out" / "库存_0102.csv").unlink()
    world.stock("库存_0101.csv", ("A1", 5))
    assert world.sync("erp_stock").counts.read == 0
    assert str(world.held()["A1"]) == "7.0000"
    last = max(world.all(sync_run), key=lambda r: r.id)
    assert "库存_0101.csv" in last.message["zh"]


def test_content_that_comes_back_is_news_again(world: FileWorld) -> None:
    for n, qty in enumerate((5, 7, 5)):
        world.stock("库存_now.csv", ("A1", qty), age=-n)
        assert world.sync("erp_stock").counts.applied == 1
    assert str(world.held()["A1"]) == "5.0000"


def test_rows_missing_from_a_whole_are_marked_gone_but_not_when_unsure(world: FileWorld) -> None:
    every = [(f"K{n:02}", n) for n in range(30)]
    world.stock("库存_1.csv", *every)
    world.sync("erp_stock")
    world.stock("库存_2.csv", *every[:-1], ("K29", '"stray'))
    outcome = world.sync("erp_stock")
    assert outcome.counts.set_aside == 1
    assert world.rows("stock")["K29"].state == "applied", "it may be the line that cannot be read"
    world.stock("库存_3.csv", *every[:-1])
    world.sync("erp_stock")
    assert world.rows("stock")["K29"].state == "gone"
    assert world.held()["K29"] == 29, "its record stays"


def test_half_the_rows_missing_marks_nothing(world: FileWorld) -> None:
    world.stock("库存_1.csv", *[(f"K{n}", n) for n in range(100)])
    world.sync("erp_stock")
    world.stock("库存_2.csv", *[(f"K{n}", n) for n in range(50)])
    world.sync("erp_stock")
    assert {r.state for r in world.all(source_row)} == {"applied"}


def test_lines_that_are_no_rows_are_set_aside_with_their_bytes(world: FileWorld) -> None:
    world.put(
        "out/库存_1.csv", "物料编码,数量\nA1,5\n坏行\nA2,1.23E+11\nA3,4,x\nA4,6\n".encode("gb18030")
    )
    outcome = world.sync("erp_stock")
    assert (outcome.counts.read, outcome.counts.applied, outcome.counts.set_aside) == (5, 2, 3)
    assert outcome.counts.reasons == {"wrong_fields": 2, "abbreviated_number": 1}
    aside = world.rows("stock", "set_aside")
    kept = [bytes.fromhex(r.raw_bytes.split('"')[3]) for r in aside.values()]
    assert "坏行\n".encode("gb18030") in kept
    assert "“1.23E+11”" in next(
        r.reason["zh"] for r in aside.values() if r.reason_code == "abbreviated_number"
    )
    assert world.retry(everything=True).still_set_aside == 3
    assert world.rows("stock", "set_aside").keys() == aside.keys()
    with world.hub.read() as connection:
        page = service.set_aside(connection, world.catalogue)
    assert page["total"] == 3


def test_parts_are_taken_in_order_and_late_ones_too(world: FileWorld) -> None:
    world.put("moves/02.csv", "no,qty\nM1,2\n")
    world.put("moves/01.csv", "no,qty\nM1,1\nM2,9\n")
    world.sync("erp_moves")
    assert {k: int(v) for k, v in world.held().items()} == {"M1": 2, "M2": 9}
    world.put("moves/00-late.csv", "no,qty\nM3,3\n")
    world.put("moves/02.csv", "no,qty\nM1,2\nM4,4\n", age=-5)  # it was added to
    outcome = world.sync("erp_moves")
    assert outcome.counts.applied == 2
    assert {k: int(v) for k, v in world.held().items()} == {"M1": 2, "M2": 9, "M3": 3, "M4": 4}
    assert {r.state for r in world.all(source_row)} == {"applied"}, "a part says nothing of others"


def test_a_refused_file_stops_is_put_away_and_the_mended_one_is_read(world: FileWorld) -> None:
    world.connect(archive="done", quarantine="bad")
    world.stock("库存_1.csv", ("A1", 5))
    cycle = SyncCycle(world.deps)
    cycle.run_source("erp")
    assert [p.name[16:] for p in (world.folder / "done").iterdir()] == ["库存_1.csv"]
    world.put("out/库存_2.csv", b"<html>")
    outcome = cycle.run_source("erp")[-1]
    assert outcome.state == "failed"
    cycle.run_source("erp")
    assert world.shown().state == "stale", "it stays to be seen"
    assert "库存_2.csv" in world.shown().message.zh  # type: ignore[union-attr]
    names = sorted(p.name[16:] for p in (world.folder / "bad").iterdir())
    assert names == ["库存_2.csv", "库存_2.csv.reason.txt"]
    world.stock("库存_2.csv", ("A1", 6))
    assert service.check_source(world.deps, "erp")["ok"]
    cycle.run_source("erp")
    assert world.held()["A1"] == 6
    assert list((world.folder / "out").iterdir()) == []


def test_a_file_of_mostly_bad_rows_stops_and_is_put_away(world: FileWorld) -> None:
    """F11: the circuit opens, nothing is written, and the file waits for a person."""
    world.connect(quarantine="bad")
    world.stock("库存_1.csv", *[(f"K{n}", "x") for n in range(300)])
    outcome = world.sync("erp_stock")
    assert outcome.error is not None
    assert outcome.error.code == "file_quarantined"
    assert world.held() == {}
    assert len(list((world.folder / "bad").iterdir())) == 2


def test_a_file_that_cannot_be_moved_is_told_and_read_once(world: FileWorld) -> None:
    (world.folder / "done").write_text("a file where the folder should be", "utf-8")
    world.connect(archive="done")
    world.stock("库存_1.csv", ("A1", 5))
    outcome = world.sync("erp_stock")
    assert (outcome.state, outcome.counts.applied) == ("succeeded", 1)
    assert outcome.error is not None
    assert outcome.error.code == "file_not_moved"
    (world.folder / "done").unlink()
    again = world.sync("erp_stock")
    assert (again.error, again.counts.read) == (None, 0)
    assert len(list((world.folder / "done").iterdir())) == 1


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize(
    "point",
    ["sync.plan.after", "sync.connect.after", "sync.read.after", "sync.stage.after",
     "sync.commit.after", "sync.report.before", "sync.report.after"],
)  # fmt: skip
def test_killed_at_a_point_and_run_again(
    point: str, world: FileWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F1: the file is neither lost nor moved before its rows are there, and has its effect once."""
    world.connect(archive="done")
    world.stock("库存_1.csv", *[(f"K{n:03}", n) for n in range(600)])

    def point_of(name: str) -> None:
        if name == point:
            raise Killed

    monkeypatch.setattr(faults, "point", point_of)
    with pytest.raises(Killed):
        world.sync("erp_stock")
    monkeypatch.undo()
    moved = (world.folder / "done").exists()
    assert not moved, "nothing is moved before the run has ended"
    with world.hub.write() as tx:  # the dead process's lease runs out
        tx.execute(sa.text("DELETE FROM lease"))
    world.sync("erp_stock")
    assert len(world.held()) == 600
    assert {r.version for r in world.records("stock")} == {1}
    assert len(list((world.folder / "done").iterdir())) == 1
    assert world.taken() == [("out/库存_1.csv", True)]


def test_a_changed_definition_reads_the_file_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    world = open_files_world(tmp_path, url)
    world.connect()
    world.put("out/库存_1.csv", "物料编码,数量,可用\nA1,5,4\n")
    world.sync("erp_stock")
    world.hub.close()

    def available(text: str) -> str:
        return (
            text.replace("数量]", "可用]")
            .replace("qty: 数量", "qty: 可用")
            .replace("1.0.0", "1.1.0")
        )

    changed = open_files_world(tmp_path, url, available)
    assert changed.sync("erp_stock").counts.applied == 1
    assert changed.held()["A1"] == 4
    changed.hub.close()


def test_a_source_on_sftp_is_synced_and_a_wrong_key_pauses_it(world: FileWorld) -> None:
    world.stock("库存_1.csv", ("A1", 5))
    with sftp(world.folder) as server:
        connections = Connections(world.home)
        connections.secrets.set("erp", "s3cret-canary")
        said = {"url": f"sftp://tenon@127.0.0.1:{server.port}/", "password": "secret:erp",
                "stable_seconds": 0}  # fmt: skip
        connections.save({"erp": said})
        cycle = SyncCycle(world.deps)
        cycle.run_source("erp")
        shown = world.shown()
        assert shown.state == "paused"
        assert server.pin["host_key"] in shown.message.zh  # type: ignore[union-attr]
        connections.save({"erp": said | server.pin})
        assert service.check_source(world.deps, "erp")["ok"]
        cycle.run_source("erp")
        assert world.held()["A1"] == 5
        assert world.shown().address == f"sftp://127.0.0.1:{server.port}/"


# --- the file that does not come -----------------------------------------------------------------


@contextmanager
def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(clock, "now", lambda: moment)
        yield


def test_a_late_file_shows_on_its_source_until_it_comes(
    world: FileWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    monday = datetime(2026, 3, 2, 8, 0, tzinfo=zone).astimezone(UTC)
    cycle = SyncCycle(world.deps)
    world.put("moves/1.csv", "no,qty\nM1,1\n")
    with at(monkeypatch, monday):
        cycle.run_source("erp")
        shown = world.shown()
        assert shown.state == "stale"
        assert "库存" in shown.message.zh  # type: ignore[union-attr]
        world.stock("库存_0302.csv", ("A1", 5))
        cycle.run_source("erp")
        assert world.shown().state == "ok"
    for hours, state in ((1, "ok"), (24, "ok"), (25, "stale")):
        with at(monkeypatch, monday + timedelta(hours=hours)):
            cycle.run_source("erp")
            assert world.shown().state == state, hours
    with at(monkeypatch, monday + timedelta(hours=25.1)):
        assert "08:30" in world.shown().message.zh  # type: ignore[union-attr]
        world.stock("库存_0303.csv", ("A1", 5))  # the same content also came
        cycle.run_source("erp")
        assert world.shown().state == "ok"


@pytest.mark.parametrize(
    ("last", "now", "is_late"),
    [
        (None, "2026-03-02 00:00", True),
        ("2026-03-01 08:31", "2026-03-02 08:29", False),
        ("2026-03-01 08:31", "2026-03-02 08:31", False),
        ("2026-03-01 08:29", "2026-03-02 08:31", True),
        ("2026-02-28 23:00", "2026-03-02 08:29", False),
        ("2026-02-28 23:00", "2026-03-02 08:30", True),
    ],
)
def test_when_a_file_is_late(last: str | None, now: str, is_late: bool) -> None:
    zone = ZoneInfo("Asia/Shanghai")

    def local(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=zone)

    assert late.is_late(time(8, 30), local(last) if last else None, local(now), zone) is is_late


def test_a_problem_of_the_source_goes_before_a_missing_file(world: FileWorld) -> None:
    world.connect(url="file:///no/such/folder")
    SyncCycle(world.deps).run_source("erp")
    assert world.shown().state == "paused"
    assert "/no/such/folder" in world.shown().message.zh  # type: ignore[union-attr]
    assert world.all(source_state)[0].failure["code"] == "source_folder"


def test_the_hour_is_read_from_yaml_with_and_without_quotes(world: FileWorld) -> None:
    text = DEFINITIONS.replace('"08:30"', "18:30")
    syncs = [parse(d, "test") for d in yaml.safe_load_all(text)]
    how = next(s.stream.file for s in syncs if isinstance(s, Sync) and s.code == "erp_stock")
    assert how is not None
    assert how.expect_by == time(18, 30)


def test_a_runner_may_be_given_an_open_connector(world: FileWorld) -> None:
    world.stock("库存_1.csv", ("A1", 5))
    connector = world.deps.connections.open(world.catalogue.source("erp"))
    runner = Runner(replace(world.deps))
    assert runner.sync("erp_stock", connector).counts.applied == 1
    assert runner.sync("erp_moves", connector).counts.read == 0
    connector.close()


def test_one_bad_file_harms_no_other_stream_and_shows_until_it_is_mended(world: FileWorld) -> None:
    world.connect(archive="done", quarantine="bad")
    world.put("moves/1.csv", b"\xff\xff\xff")
    world.stock("库存_1.csv", ("A1", 5))
    cycle = SyncCycle(world.deps)
    assert [o.state for o in cycle.run_source("erp")] == ["failed", "succeeded"]
    assert world.held()["A1"] == 5
    world.put("moves/2.csv", "no,qty\nM2,2\n")
    cycle.run_source("erp")
    assert world.held()["M2"] == 2
    shown = world.shown()
    assert shown.state == "stale"
    assert "moves/1.csv" in shown.message.zh  # type: ignore[union-attr]
    assert "UTF-8" in shown.message.zh  # type: ignore[union-attr]
    world.put("moves/1.csv", "no,qty\nM1,1\n")
    cycle.run_source("erp")
    assert world.held()["M1"] == 1
    assert "moves/1.csv" not in str(world.shown().message)


def test_an_upgraded_hub_gets_the_table_of_files(world: FileWorld) -> None:
    with world.hub.write() as tx:
        source_file.drop(tx)
        tx.execute(sa.text("DELETE FROM schema_migration WHERE number = 3"))
    migrate(world.hub)
    world.stock("库存_1.csv", ("A1", 5))
    assert world.sync("erp_stock").counts.applied == 1

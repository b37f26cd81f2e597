"""Files through the whole sync: rows into records, broken lines aside, files put away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tenon.connect import service
from tenon.connect.connectors.files import FilesConnector
from tenon.connect.cycle import SyncCycle
from tenon.connect.settings import Connections
from tenon.define.catalogue import Catalogue
from tenon.define.models import CursorDef, Definition, SourceDef, Sync
from tests.service.sync_world import World, world_at

ORDERS = "no,product,qty,due,note\n"


def _of_files(one: Definition) -> Definition:
    """The MES as a system that exports files: orders as they come, reports always all."""
    if isinstance(one, SourceDef) and one.code == "mes":
        return one.model_copy(update={"connector": "files"})
    if isinstance(one, Sync) and one.code == "mes_order":
        more = {"table": "wo_*.csv", "cursor": CursorDef(column="file_time")}
        fields = {code: rule for code, rule in one.fields.items() if code != "item"}
        stream = one.stream.model_copy(update=more)
        return one.model_copy(update={"stream": stream, "fields": fields})
    if isinstance(one, Sync) and one.code == "mes_report":
        return one.model_copy(
            update={"stream": one.stream.model_copy(update={"table": "report*.csv"})}
        )
    return one


@pytest.fixture
def world(hub_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(tmp_path, hub_url) as made:
        kept = [d for d in made.catalogue.definitions if d.code not in {"mes_item", "mes_extra"}]
        made.catalogue = Catalogue(made.catalogue.epoch, tuple(_of_files(d) for d in kept))
        made.deps = replace(made.deps, catalogue=lambda _tx=None: made.catalogue)
        (tmp_path / "export").mkdir()
        mes = {"url": f"file://{tmp_path}/export", "stable_seconds": 0}
        mes |= {"archive": "done", "quarantine": "bad"}
        kis = {"url": f"sqlite:///{tmp_path}/kis.db"}
        Connections(tmp_path).save({"mes": mes, "kis": kis})
        yield made


def put(world: World, name: str, text: str | bytes, at: int = 1_767_225_600) -> None:
    file = world.home / "export" / name
    file.write_bytes(text.encode("gb18030") if isinstance(text, str) else text)
    os.utime(file, (at, at))


def there(world: World, folder: str = "") -> set[str]:
    found = world.home / "export" / folder
    return {f.name for f in found.iterdir() if f.is_file()} if found.is_dir() else set()


def test_a_file_becomes_records_and_goes_into_the_archive(world: World) -> None:
    put(world, "wo_1.csv", ORDERS + "WO-1,P1,5,2026/1/31,急\nWO-2,P1,6,,\n")
    outcome = world.sync("mes_order")
    assert (outcome.state, outcome.counts.read, outcome.counts.applied) == ("succeeded", 2, 2)
    assert [(r.number, r.note) for r in world.records("work_order")] == [
        ("WO-1", "急"),
        ("WO-2", None),
    ]
    assert there(world, "done") == {"wo_1.csv"}
    assert world.sync("mes_order").counts.read == 0, "nothing is new"
    world.adds_up()


def test_a_broken_line_is_set_aside_with_its_reason_and_itself(world: World) -> None:
    put(world, "wo_1.csv", ORDERS + "WO-1,P1,5,,\nWO-2,P1,6,,左,右\n1.2E+09,P1,6,,\n")
    counts = world.sync("mes_order").counts
    assert (counts.read, counts.applied, counts.set_aside) == (3, 1, 2)
    aside = {r.reason_code: r for r in world.rows("wo", "set_aside").values()}
    assert set(aside) == {"wrong_fields", "damaged_value"}
    assert "右" in aside["wrong_fields"].raw
    assert "6 个字段" in aside["wrong_fields"].reason["zh"]
    assert aside["damaged_value"].key == "1.2E+09"
    world.adds_up()


def test_the_same_file_again_changes_nothing(world: World) -> None:
    for _ in range(2):
        put(world, "wo_1.csv", ORDERS + "WO-1,P1,5,,\n")
        counts = world.sync("mes_order").counts
    assert (counts.read, counts.applied, counts.unchanged) == (1, 0, 1)
    assert len(world.events("work_order")) == 1


def test_a_run_that_dies_before_the_file_is_put_away_reads_it_again_without_effect(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F1: between the commit of the rows and the move of the file."""
    put(world, "wo_1.csv", ORDERS + "WO-1,P1,5,,\n")

    def dies(_self: FilesConnector, _stream: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(FilesConnector, "finish", dies)
        with pytest.raises(KeyboardInterrupt):
            world.sync("mes_order")
    assert len(world.records("work_order")) == 1
    assert there(world) == {"wo_1.csv"}
    world.deps.hub.close()
    world.deps = replace(world.deps, lease_seconds=0.0)
    with world.hub.write() as tx:
        tx.exec_driver_sql("DELETE FROM lease")  # the process that held it is gone
    assert world.sync("mes_order").counts.unchanged == 1
    assert there(world, "done") == {"wo_1.csv"}
    assert len(world.events("work_order")) == 1


def test_a_snapshot_that_lacks_a_row_marks_it_gone(world: World) -> None:
    put(world, "wo_1.csv", ORDERS + "WO-1,P1,5,,\n")
    world.sync("mes_order")
    put(world, "report_1.csv", "id,wo,qty\n1,WO-1,5\n2,WO-1,6\n")
    world.sync("mes_report")
    put(world, "report_2.csv", "id,wo,qty\n2,WO-1,6\n", 1_767_226_000)
    world.sync("mes_report")
    assert {k: r.state for k, r in world.rows("report").items()} == {"1": "gone", "2": "applied"}
    assert "report_1.csv" in there(world), "a whole is never moved"


def test_one_bad_file_harms_neither_the_other_streams_nor_the_next_round(world: World) -> None:
    put(world, "wo_1.csv", b"no,product,qty,due,note\nWO-1,\xff\xff,5,,\n")
    put(world, "wo_2.csv", ORDERS + "WO-2,P1,6,,\n", 1_767_226_000)
    put(world, "report_1.csv", "id,wo,qty\n1,WO-2,5\n")
    cycle = SyncCycle(world.deps)
    outcomes = cycle.run_source("mes")
    assert {o.sync: o.state for o in outcomes} == {"mes_order": "failed", "mes_report": "succeeded"}
    assert [r.number for r in world.records("report")] == ["1"]
    with world.hub.read() as connection:
        (mes,) = [s for s in service.source_states(world.deps, connection) if s.code == "mes"]
    assert mes.message is not None
    assert "wo_1.csv" in mes.message.zh
    assert there(world, "bad") == {"wo_1.csv", "wo_1.csv.reason.txt"}
    assert [o.state for o in cycle.run_source("mes")] == ["succeeded"] * 2
    world.adds_up()

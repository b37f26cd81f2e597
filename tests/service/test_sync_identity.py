"""Identity: codes of several systems meet in golden records; people settle what does not match."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenon.connect import service, settle
from tenon.define.catalogue import Catalogue
from tenon.define.models import Definition, MapRule, Sync
from tenon.kernel.errors import BadInput, Conflict, NotFound
from tenon.master import lookup
from tenon.master import service as masters
from tenon.master.tables import crosswalk
from tenon.records.query import Reader
from tenon.server import models
from tenon.tasks.tables import task
from tests.service.sync_world import ANA, Anyone, World, world_at

AT = "2026-01-31 08:00:00"


@pytest.fixture
def world(hub_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(tmp_path, hub_url) as made:
        yield made


def product(world: World, *rows: tuple[Any, ...]) -> None:
    world.sql("mes", "INSERT OR REPLACE INTO product VALUES (?, ?, ?, ?)", list(rows))


def links(world: World, source: str = "mes") -> dict[str, tuple[str, str]]:
    return {
        r.code: (r.how, r.record_id)
        for r in world.all(crosswalk)
        if r.source == source and r.valid_to is None
    }


def tasks(world: World, state: str = "open") -> dict[str, Any]:
    return {r.code: r for r in world.all(task) if r.state == state}


def order(number: str, product_code: str, changed: str = AT) -> tuple[Any, ...]:
    return (number, product_code, "5", None, "", changed)


def test_exact_and_normalised_keys_link_and_say_how(world: World) -> None:
    world.items((1, "3.02.1", "支架", "DRW-1", AT), (2, "3.02.2", "底座", "ＤＲＷ２", AT))
    product(world, ("P1", "支架", "DRW-1", AT), ("P2", "底座", "drw-2 ", AT))
    world.sync("kis_item")
    world.sync("mes_item")
    ids = {r.code: r.id for r in world.records("item")}
    assert links(world, "kis") == {c: ("founding", ids[c]) for c in ("3.02.1", "3.02.2")}
    assert links(world) == {"P1": ("exact", ids["3.02.1"]), "P2": ("normalised", ids["3.02.2"])}
    assert {r.matched_on for r in world.all(crosswalk) if r.source == "mes"} == {"drawing_no"}
    assert tasks(world) == {}


def test_only_the_founding_row_changes_a_golden_record(world: World) -> None:
    world.items((1, "3.02.1", "支架", "DRW-1", AT))
    product(world, ("P1", "别名", "DRW-1", AT))
    world.sync("kis_item")
    world.sync("mes_item")
    assert [r.name for r in world.records("item")] == ["支架"]
    world.items((1, "3.02.1", "支架总成", "DRW-1", "2026-01-31 09:00:00"))
    product(world, ("P1", "又一别名", "DRW-1", "2026-01-31 09:00:00"))
    world.sync("kis_item")
    world.sync("mes_item")
    assert [r.name for r in world.records("item")] == ["支架总成"]
    names = {r.source: r.name for r in world.all(crosswalk)}
    assert names == {"kis": "支架总成", "mes": "又一别名"}


def test_two_rows_of_one_batch_with_one_key_found_one_record(world: World) -> None:
    world.items((1, "3.02.1", "支架", "DRW-1", AT), (2, "3.02.1B", "支架", "drw 1", AT))
    world.sync("kis_item")
    assert len(world.records("item")) == 1
    assert {how for how, _ in links(world, "kis").values()} == {"founding", "normalised"}


def test_an_unknown_code_waits_and_goes_on_when_a_person_links_it(world: World) -> None:
    world.items((1, "3.02.1", "支架", "DRW-1", AT))
    product(world, ("P7", "未知件", "MISTYPED", AT))
    world.orders(order("WO-1", "P7"), order("WO-2", "P7"))
    for code in ("kis_item", "mes_item", "mes_order"):
        world.sync(code)
    one = tasks(world)["P7"]
    assert (one.kind, one.name, one.entity) == ("unknown_code", "未知件", "item")
    assert ["drawing", "MISTYPED"] in [list(pair) for pair in one.seen]
    with world.hub.read() as connection:
        listed = models.TaskList.model_validate(
            settle.task_list(connection, world.catalogue, entity="item")
        )
    assert [t.waiting_rows for t in listed.rows] == [3], "its own row and two work orders"
    assert world.records("work_order") == []
    record = world.records("item")[0].id
    answer = settle.resolve(world.deps, ANA, one.id, "link", record)
    assert models.UnknownCodeTask.model_validate(answer).done_by == "Ana"
    assert [r.item for r in world.records("work_order")] == [record, record]
    assert links(world)["P7"] == ("confirmed", record)
    assert [r.confirmed_by for r in world.all(crosswalk) if r.code == "P7"] == ["Ana"]
    assert world.rows("wo", "set_aside") == world.rows("product", "set_aside") == {}
    with pytest.raises(Conflict, match="task_settled"):
        settle.resolve(world.deps, ANA, one.id, "ignore")
    world.adds_up()


def test_a_person_may_create_the_record_a_row_names(world: World) -> None:
    world.items((1, "3.02.1", "支架", "DRW-1", AT))
    world.sync("kis_item")
    world.orders(order("WO-1", "P8"))
    world.sync("mes_order")
    one = tasks(world)["P8"]
    assert one.stream is None, "no base data explains the code yet"
    answer = settle.resolve(world.deps, ANA, one.id, "create")
    assert answer["state"] == "done"
    made = next(r for r in world.records("item") if r.code == "P8")
    assert (made.created_by, made.name) == ("u1", "P8")
    assert [r.item for r in world.records("work_order")] == [made.id]


def test_a_person_may_create_the_record_of_base_data(world: World) -> None:
    product(world, ("P9", "新件", "DRW-9", AT))
    world.orders(order("WO-1", "P9"))
    world.sync("mes_item")
    world.sync("mes_order")
    settle.resolve(world.deps, ANA, tasks(world)["P9"].id, "create")
    made = world.records("item")[0]
    assert (made.code, made.name, made.drawing_no) == ("P9", "新件", "DRW-9")
    assert links(world) == {"P9": ("founding", made.id)}
    assert [r.item for r in world.records("work_order")] == [made.id]


def test_a_row_that_breaks_a_rule_cannot_found_a_record(world: World) -> None:
    product(world, ("P9", "长" * 201, "DRW-9", AT))
    world.sync("mes_item")
    one = tasks(world)["P9"]
    with pytest.raises(BadInput, match="not_created"):
        settle.resolve(world.deps, ANA, one.id, "create")
    assert "P9" in tasks(world), "the task is open again"
    assert world.records("item") == []


def test_linking_needs_a_record_that_exists(world: World) -> None:
    product(world, ("P9", "新件", "DRW-9", AT))
    world.sync("mes_item")
    one = tasks(world)["P9"]
    for record in (None, "01a20402-1366-7818-b72d-a4decd2bd620", "'; DROP TABLE task; --"):
        with pytest.raises(BadInput, match="no_record_chosen"):
            settle.resolve(world.deps, ANA, one.id, "link", record)
    with pytest.raises(NotFound):
        settle.resolve(world.deps, ANA, "01a20402-1366-7818-b72d-a4decd2bd620", "ignore")
    assert "P9" in tasks(world)


def test_an_ignored_code_asks_no_more(world: World) -> None:
    product(world, ("P9", "作废件", "NONE", AT))
    world.sync("mes_item")
    settle.resolve(world.deps, ANA, tasks(world)["P9"].id, "ignore")
    world.orders(order("WO-1", "P9"))
    world.sync("mes_order")
    assert tasks(world) == {}
    assert set(world.rows("wo", "set_aside")) == {"WO-1"}


def test_a_task_closes_by_itself_when_its_match_arrives(world: World) -> None:
    product(world, ("P1", "支架", "DRW-1", AT))
    world.orders(order("WO-1", "P1"))
    world.sync("mes_item")
    world.sync("mes_order")
    assert set(tasks(world)) == {"P1"}
    assert world.retry().tried == 0, "nothing arrived yet"
    world.items((1, "3.02.1", "支架", "DRW-1", AT))
    world.sync("kis_item")
    done = world.retry()
    assert (done.tried, done.applied, done.still_set_aside) == (2, 2, 0)
    assert tasks(world) == {}
    assert tasks(world, "done")["P1"].done_by == "sync:mes"
    assert world.retry().tried == 0
    world.adds_up()


def test_a_key_of_several_records_asks_a_person(world: World) -> None:
    world.items((1, "3.02.1", "支架", None, AT), (2, "3.02.2", "支架", None, AT))
    world.sync("kis_item")
    with world.hub.write() as tx:
        first, second = [r.id for r in world.records("item")]
        rows = [("x", r, "drawing_no", f"DRW-{i}", "DRW") for i, r in enumerate((first, second))]
        lookup.put_keys(tx, "item", "kis", rows)
    product(world, ("P1", "支架", "drw", AT))
    world.sync("mes_item")
    one = tasks(world)["P1"]
    assert one.kind == "several"
    assert set(one.candidates) == {first, second}
    assert world.retry().tried == 0, "it waits for a person, not for a key"


def test_a_reused_code_is_noticed_and_its_facts_follow_the_person(world: World) -> None:
    world.items((1, "3.02.1", "支架", "DRW-1", AT), (2, "3.02.2", "底座", "DRW-2", AT))
    product(world, ("P1", "支架", "DRW-1", AT))
    for code in ("kis_item", "mes_item"):
        world.sync(code)
    old, new = [r.id for r in world.records("item")]
    product(world, ("P1", "底座", "DRW-2", "2026-01-31 09:00:00"))
    outcome = world.sync("mes_item")
    assert outcome.counts.set_aside == 1
    one = tasks(world)["P1"]
    assert (one.kind, list(one.candidates)) == ("code_reused", [new])
    assert links(world)["P1"][1] == old
    assert world.retry().tried == 0
    settle.resolve(world.deps, ANA, one.id, "link", new)
    assert links(world)["P1"] == ("confirmed", new)
    history = [r for r in world.all(crosswalk) if r.code == "P1"]
    assert len(history) == 2
    assert world.rows("product", "set_aside") == {}
    world.sync("mes_item")
    assert tasks(world) == {}, "what a person confirmed is not asked again"


def test_rows_found_once_their_owner_turns_out_to_be_absent(world: World) -> None:
    product(world, ("P1", "支架", "DRW-1", AT))
    world.catalogue = Catalogue(1, tuple(_owned(d) for d in world.catalogue.definitions))
    world.deps = replace(world.deps, catalogue=lambda _tx=None: world.catalogue)
    world.sync("mes_item")
    assert set(world.rows("product", "set_aside")) == {"P1"}, "the ledger may still bring it"
    assert world.retry().tried == 0
    world.sql("kis", "DROP TABLE t_item")
    assert world.sync("kis_item").state == "absent"
    assert world.retry().applied == 1
    assert [r.name for r in world.records("item")] == ["支架"]
    assert tasks(world) == {}


def _owned(one: Definition) -> Definition:
    """The definition, with the ledger's items optional and the MES founding only without them."""
    if isinstance(one, Sync) and one.code == "kis_item":
        return one.model_copy(update={"stream": one.stream.model_copy(update={"optional": True})})
    if isinstance(one, Sync) and one.code == "mes_item" and one.identity:
        founds = {"founds": True, "found_unless": "kis_item"}
        rules = {"code": MapRule(from_="code"), "name": MapRule(from_="name")}
        identity = one.identity.model_copy(update=founds)
        return one.model_copy(update={"identity": identity, "fields": rules})
    return one


def test_waiting_rows_of_a_document_are_counted(world: World) -> None:
    world.sql("mes", "INSERT INTO report VALUES (1, ' wo-77', 1), (2, 'WO-77', 'bad')")
    world.sync("mes_report")
    with world.hub.read() as connection:
        assert service.waiting_rows(connection, ["WO-77", "SO-1"]) == 2
        assert service.waiting_rows(connection, ["WO-78"]) == 0
        assert service.waiting_rows(connection, []) == 0


def test_a_person_retries_everything(world: World) -> None:
    world.items((1, "3.02.1", "支架", "DRW-1", AT))
    product(world, ("P1", "支架", "DRW-1", AT))
    world.orders(order("WO-1", "P1"), ("WO-2", "P1", "-5", None, "", AT))
    for code in ("kis_item", "mes_item", "mes_order"):
        world.sync(code)
    again = world.retry(everything=True)
    assert (again.tried, again.applied, again.still_set_aside) == (1, 0, 1)
    assert world.rows("wo")["WO-2"].tries == 2
    world.adds_up()


def test_masters_and_their_codes_are_shown(world: World) -> None:
    world.items((1, "3.02.1", "支架", "DRW-1", AT), (2, "3.02.2", "底座", "DRW-2", AT))
    product(world, ("P1", "支架 A", "drw 1", AT))
    world.sync("kis_item")
    world.sync("mes_item")
    reader = Reader(world.catalogue, Anyone(), ANA)
    with world.hub.read() as connection:
        for query in ("P1", "支架", "drw1", "3.02.1"):
            found = models.MasterList.model_validate(
                masters.masters(connection, reader, "item", query=query)
            )
            assert [r.code for r in found.rows] == ["3.02.1"], query
        assert found.rows[0].systems == ["kis", "mes"]
        page = models.MasterPage.model_validate(
            masters.master_page(connection, reader, "item", found.rows[0].id)
        )
        assert [(c.source, c.code, c.how) for c in page.codes] == [
            ("kis", "3.02.1", "founding"), ("mes", "P1", "normalised"),
        ]  # fmt: skip
        everything = masters.masters(connection, reader, "item", query="' OR 1=1 --")
        assert everything["total"] == 0
        with pytest.raises(NotFound):
            masters.masters(connection, reader, "work_order")

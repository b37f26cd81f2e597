"""Records of ours in a legacy system: allowed, sent once, recognised when they are read back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from plant.legacy import mes
from tenon.automate import switch
from tenon.automate.tables import flow_run
from tenon.connect import writeback
from tenon.connect.contract import Written
from tenon.connect.tables import push_row
from tenon.connect.writeback import Intent, OfStep, Sending
from tenon.kernel import clock
from tenon.kernel.errors import Config, NeedsUser, NotAllowed, Retry
from tenon.kernel.ids import uuid7
from tenon.records.ports import SYSTEM
from tenon.records.tables import event
from tenon.records.write import RowKey
from tests.faults.small_plant import ZONE
from tests.service.hook_world import HookWorld, hook_world

PUSHES = {"mes_work_order": "work_order", "mes_allocation": "allocation", "mes_job": "operation"}


@pytest.fixture
def world(tmp_path: Path, hub_url: str) -> Iterator[HookWorld]:
    with hook_world(tmp_path, hub_url) as found:
        with found.tenon.hub.write() as tx:  # what starts by itself is not what is tested here
            for flow in found.tenon.catalogue.definitions:
                if flow.kind == "flow":
                    switch.set_enabled(tx, flow.code, False, "test")
        yield found


def make(world: HookWorld, number: int = 1) -> dict[str, list[str]]:
    """A work order with an allocation and two operations, for an order line; ids by push."""
    order = world.plant.order(number)
    world.sync("crm_item", "crm_order", "crm_order_line")
    (line,) = world.rows("order_line", line_key=f"{order['id']}|1")
    no = f"TW-2611-{number:05}"
    with world.tenon.hub.write() as tx:
        work_order = write(world, tx, "work_order", {
            "work_order_no": no, "item": line.item, "qty": line.qty, "routing_version": 1,
            "due_at": line.due_at, "status": "released", "released_at": clock.now(),
            "planned_by": "tenon",
        })  # fmt: skip
        allocation = write(world, tx, "allocation", {
            "work_order": work_order, "order_line": line.id, "qty": line.qty,
        })  # fmt: skip
        operations = [
            write(world, tx, "operation", {
                "job_no": f"{no}-{seq:03}", "work_order": work_order, "seq": seq, "process": "CY",
                "name": "冲压", "work_centre": "P160", "outside": False, "setup_min": "30",
                "run_min": "12", "qty_plan": line.qty, "state": "wait",
            })
            for seq in (10, 20)
        ]  # fmt: skip
    return {
        "mes_work_order": [work_order], "mes_allocation": [allocation], "mes_job": operations,
    }  # fmt: skip


def write(world: HookWorld, tx: sa.Connection, entity: str, values: dict[str, Any]) -> str:
    (written,) = world.tenon.writer.write(tx, SYSTEM, entity, [(RowKey(), values)])
    return written.id


def change(world: HookWorld, entity: str, id_: str, **values: Any) -> None:
    with world.tenon.hub.write() as tx:
        world.tenon.writer.write(tx, SYSTEM, entity, [(RowKey(id=id_), values)])


def prepare(world: HookWorld, ids: dict[str, list[str]]) -> list[Sending]:
    tenon = world.tenon
    intents = [Intent(tenon.catalogue.push(code), tuple(own)) for code, own in ids.items()]
    with tenon.hub.write() as tx:
        found = writeback.prepare(tx, tenon.reader(SYSTEM), intents)
        writeback.intend(tx, [OfStep(uuid7(), "test", found)])
    return found


def push(world: HookWorld, ids: dict[str, list[str]]) -> list[Written]:
    sendings = prepare(world, ids)
    (answers,) = writeback.send(world.tenon.connect, [sendings])
    with world.tenon.hub.write() as tx:
        writeback.record(tx, [(sendings, answers)])
    return answers


def there(world: HookWorld, table: sa.Table) -> list[Any]:
    engine = world.plant.mes()
    with engine.connect() as connection:
        found = list(connection.execute(sa.select(table)))
    engine.dispose()
    return found


def allow(world: HookWorld, **writes: list[str]) -> None:
    connections = world.tenon.connect.connections
    kept = yaml.safe_load((world.tenon.home / "connections.yaml").read_text("utf-8"))
    connections.save(kept | {"mes": kept["mes"] | {"writes": writes}})


def test_a_work_order_goes_into_the_mes_and_comes_back_as_itself(world: HookWorld) -> None:
    ids = make(world)
    assert [a.state for a in push(world, ids)] == ["sent"] * 4
    (order,) = there(world, mes.WORKORDER)
    assert (order.workorder_code, order.product_code) == ("TW-2611-00001", "P003")
    assert (order.order_source, order.status) == ("TENON", "CONFIRMED")
    (link,) = there(world, mes.WORKORDER_SOURCE)
    assert (link.order_no, link.order_line) == ("SO-2611-0001", 1)
    assert [j.op_seq for j in there(world, mes.JOB)] == [10, 20]
    world.sync("mes_work_order", "mes_allocation", "mes_operation")
    for entity in PUSHES.values():
        rows = world.rows(entity)
        assert len(rows) == (2 if entity == "operation" else 1)
        assert {r.source for r in rows} == {"mes"}
    (found,) = world.rows("work_order")
    assert found.planned_by == "tenon"
    with world.tenon.hub.read() as connection:
        unheard = sa.select(sa.func.count()).where(push_row.c.echoed_at.is_(None))
        assert connection.scalar(unheard) == 0
        origins = connection.scalars(
            sa.select(event.c.origin).where(event.c.cause.startswith("sync:"), event.c.entity.in_(
                ["work_order", "operation", "allocation"]
            ))
        )  # fmt: skip
        assert set(origins) <= {"echo:mes"}


def test_what_the_mes_changes_afterwards_is_live(world: HookWorld) -> None:
    ids = make(world)
    push(world, ids)
    world.sync("mes_work_order")
    engine = world.plant.mes()
    with engine.begin() as tx:
        tx.execute(
            mes.WORKORDER.update().values(
                status="STARTED", update_time=datetime.now(ZONE).replace(tzinfo=None)
            )
        )
    engine.dispose()
    world.sync("mes_work_order")
    (found,) = world.rows("work_order")
    assert found.status == "started"
    with world.tenon.hub.read() as connection:
        last = connection.scalar(
            sa.select(event.c.origin).where(event.c.entity == "work_order")
            .order_by(event.c.seq.desc()).limit(1)
        )  # fmt: skip
    assert last == "live"


def test_sending_again_changes_nothing(world: HookWorld) -> None:
    """F2: a process that died after the call and before noting it down sends again."""
    ids = make(world)
    writeback.send(world.tenon.connect, [prepare(world, ids)])
    assert [a.state for a in push(world, ids)] == ["same"] * 4
    assert len(there(world, mes.JOB)) == 2
    assert len(there(world, mes.WORKORDER_SOURCE)) == 1


def test_read_back_before_it_was_noted_down(world: HookWorld) -> None:
    """The sync may be quicker than the note: still one record, and no echo left over."""
    ids = make(world)
    sendings = prepare(world, ids)
    (answers,) = writeback.send(world.tenon.connect, [sendings])
    world.sync("mes_work_order", "mes_allocation", "mes_operation")
    with world.tenon.hub.write() as tx:
        writeback.record(tx, [(sendings, answers)])
    assert [len(world.rows(e)) for e in PUSHES.values()] == [1, 1, 2]


def test_a_change_is_sent_while_the_mes_still_waits(world: HookWorld) -> None:
    ids = make(world)
    push(world, ids)
    change(world, "work_order", ids["mes_work_order"][0], qty="55")
    assert [a.state for a in push(world, {"mes_work_order": ids["mes_work_order"]})] == ["changed"]
    assert there(world, mes.WORKORDER)[0].quantity == 55
    engine = world.plant.mes()
    with engine.begin() as tx:
        tx.execute(mes.WORKORDER.update().values(status="STARTED"))
    engine.dispose()
    change(world, "work_order", ids["mes_work_order"][0], qty="66")
    (answer,) = push(world, {"mes_work_order": ids["mes_work_order"]})
    assert (answer.state, answer.column, answer.theirs) == ("conflict", "status", "STARTED")
    assert there(world, mes.WORKORDER)[0].quantity == 55


def test_a_dry_run_writes_nothing(world: HookWorld) -> None:
    sendings = prepare(world, make(world))
    (answers,) = writeback.send(world.tenon.connect, [sendings], dry=True)
    assert [a.state for a in answers] == ["sent"] * 4
    assert there(world, mes.WORKORDER) == []


def test_nothing_is_written_that_was_not_allowed(world: HookWorld) -> None:
    ids = make(world)
    allow(world, pro_workorder=["insert"])
    with pytest.raises(NotAllowed) as refused:
        push(world, ids)
    assert refused.value.code == "write_not_allowed"
    assert refused.value.params["table"] == "pro_workorder_source"
    assert there(world, mes.WORKORDER) == []
    push(world, {"mes_work_order": ids["mes_work_order"]})
    change(world, "work_order", ids["mes_work_order"][0], qty="55")
    with pytest.raises(NotAllowed) as update:
        push(world, {"mes_work_order": ids["mes_work_order"]})
    assert update.value.params["action"] == "update"
    allow(world, pro_workorder=["everything"])
    with pytest.raises(Config):
        push(world, {"mes_work_order": ids["mes_work_order"]})


def test_a_ledger_is_never_written(world: HookWorld) -> None:
    sendings = prepare(world, make(world))
    definition = sendings[0].push.model_copy(update={"source": "kis"})
    wrong = [Sending(definition, s.key, s.record_id, s.row) for s in sendings]
    with pytest.raises(NotAllowed) as refused:
        writeback.send(world.tenon.connect, [wrong])
    assert refused.value.code == "ledger"


def test_an_item_the_mes_does_not_know_is_named(world: HookWorld) -> None:
    ids = make(world)
    with world.tenon.hub.write() as tx:
        item = write(world, tx, "item", {"code": "X1", "name": "新支架"})
    change(world, "work_order", ids["mes_work_order"][0], item=item)
    with pytest.raises(NeedsUser) as refused:
        prepare(world, ids)
    assert (refused.value.code, refused.value.params["name"]) == ("no_code_there", "新支架")


def test_a_mes_that_does_not_answer_is_a_passing_fault(world: HookWorld) -> None:
    sendings = prepare(world, make(world))
    path = Path(sa.make_url(world.plant.mes_url).database or "")
    with world.plant.turn:  # the plant's own look would make an empty file in its place
        away = path.rename(path.with_suffix(".away"))
        with pytest.raises(Retry):
            writeback.send(world.tenon.connect, [sendings])
        away.rename(path)
    assert [a.state for a in writeback.send(world.tenon.connect, [sendings])[0]] == ["sent"] * 4


def test_no_run_is_left_by_what_was_pushed(world: HookWorld) -> None:
    push(world, make(world))
    world.sync("mes_work_order", "mes_allocation", "mes_operation")
    with world.tenon.hub.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(flow_run)) == 0

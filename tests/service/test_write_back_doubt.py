"""Write-back in doubt: crashes half-way, answers that come early, what is not allowed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from plant.legacy import mes
from tenon.connect import writeback
from tenon.connect.tables import push_row
from tenon.kernel.errors import NeedsUser, NotAllowed
from tenon.records.tables import event
from tests.faults.small_plant import ZONE
from tests.service.hook_world import HookWorld, hook_world
from tests.service.test_write_back import allow, change, make, prepare, push, there


@pytest.fixture
def world(tmp_path: Path, hub_url: str) -> Iterator[HookWorld]:
    with hook_world(tmp_path, hub_url, answers=False) as found:
        yield found


def in_mes(world: HookWorld, statement: Any) -> None:
    engine = world.plant.mes()
    with engine.begin() as tx:
        tx.execute(statement)
    engine.dispose()


def later() -> datetime:
    """A moment after whatever was written: such systems count in seconds."""
    return datetime.now(ZONE).replace(tzinfo=None, microsecond=0, year=2090)


def last_origin(world: HookWorld) -> str | None:
    with world.tenon.hub.read() as connection:
        found: str | None = connection.scalar(
            sa.select(event.c.origin)
            .where(event.c.entity == "work_order", event.c.cause.startswith("sync:"))
            .order_by(event.c.seq.desc())
            .limit(1)
        )
    return found


def ledger(world: HookWorld) -> dict[str, Any]:
    with world.tenon.hub.read() as connection:
        return {row.push: row for row in connection.execute(sa.select(push_row))}


def order_of(ids: dict[str, list[str]]) -> dict[str, list[str]]:
    return {"mes_work_order": ids["mes_work_order"]}


def test_a_change_after_an_echo_that_came_before_the_note_is_live(world: HookWorld) -> None:
    """The sync reads the row before we note that we sent it; what follows is no second echo."""
    ids = order_of(make(world))
    sendings = prepare(world, ids)
    (answers,) = writeback.send(world.tenon.connect, [sendings])
    world.sync("mes_work_order")
    with world.tenon.hub.write() as tx:
        writeback.record(tx, [(sendings, answers)])
    assert ledger(world)["mes_work_order"].echoed_at is not None
    in_mes(world, mes.WORKORDER.update().values(status="STARTED", update_time=later()))
    world.sync("mes_work_order")
    assert world.rows("work_order")[0].status == "started"
    assert last_origin(world) == "live"


def test_an_answer_that_came_before_the_first_reading_is_live(world: HookWorld) -> None:
    """What is read back first may hold the other system's own change already: no mere echo."""
    ids = order_of(make(world))
    push(world, ids)
    in_mes(world, mes.WORKORDER.update().values(remark="拒绝：缺料", status="CANCELLED",
                                                update_time=later()))  # fmt: skip
    world.sync("mes_work_order")
    (found,) = world.rows("work_order")
    assert (found.id, found.source) == (ids["mes_work_order"][0], "mes")
    assert (found.status, found.mes_answer) == ("cancelled", "拒绝：缺料")
    assert last_origin(world) == "live"


def test_a_change_made_between_a_crash_and_the_next_try_arrives(world: HookWorld) -> None:
    """F2: the call was made, its note was not; meanwhile the order was changed."""
    ids = order_of(make(world))
    writeback.send(world.tenon.connect, [prepare(world, ids)])
    change(world, "work_order", ids["mes_work_order"][0], qty="55")
    assert [a.state for a in push(world, ids)] == ["changed"]
    assert there(world, mes.WORKORDER)[0].quantity == 55


def test_a_change_taken_back_between_a_crash_and_the_next_try_arrives(world: HookWorld) -> None:
    ids = order_of(make(world))
    push(world, ids)
    before = there(world, mes.WORKORDER)[0].quantity
    change(world, "work_order", ids["mes_work_order"][0], qty="55")
    writeback.send(world.tenon.connect, [prepare(world, ids)])
    assert there(world, mes.WORKORDER)[0].quantity == 55
    change(world, "work_order", ids["mes_work_order"][0], qty=str(before))
    push(world, ids)
    assert there(world, mes.WORKORDER)[0].quantity == before


def test_a_crash_undoes_nothing_the_other_system_did_since(world: HookWorld) -> None:
    ids = order_of(make(world))
    writeback.send(world.tenon.connect, [prepare(world, ids)])
    in_mes(world, mes.WORKORDER.update().values(status="STARTED", quantity_produced=7, priority=9))
    assert [a.state for a in push(world, ids)] == ["same"]
    (row,) = there(world, mes.WORKORDER)
    assert (row.status, row.quantity_produced, row.priority) == ("STARTED", 7, 9)


def test_a_row_that_we_know_nothing_of_is_compared_in_full(world: HookWorld) -> None:
    """A hub restored from before the sending: the row is ours, but not as we mean it now."""
    ids = order_of(make(world))
    push(world, ids)
    with world.tenon.hub.write() as tx:
        tx.execute(push_row.delete())
    change(world, "work_order", ids["mes_work_order"][0], qty="55")
    assert [a.state for a in push(world, ids)] == ["changed"]
    with world.tenon.hub.write() as tx:
        tx.execute(push_row.delete())
    in_mes(world, mes.WORKORDER.update().values(status="STARTED"))
    change(world, "work_order", ids["mes_work_order"][0], qty="66")
    (said,) = push(world, ids)
    assert (said.state, said.theirs) == ("conflict", "STARTED")
    assert there(world, mes.WORKORDER)[0].quantity == 55


def test_leave_to_change_is_no_leave_to_insert(world: HookWorld) -> None:
    """The row vanished there: who may only change may not put it back."""
    ids = order_of(make(world))
    push(world, ids)
    in_mes(world, mes.WORKORDER.delete())
    allow(world, pro_workorder=["update"])
    change(world, "work_order", ids["mes_work_order"][0], qty="55")
    with pytest.raises(NotAllowed) as refused:
        push(world, ids)
    assert refused.value.params["action"] == "insert"
    assert there(world, mes.WORKORDER) == []


def test_a_state_without_a_word_for_it_there_is_not_written(world: HookWorld) -> None:
    ids = order_of(make(world))
    change(world, "work_order", ids["mes_work_order"][0], status="engineering")
    with pytest.raises(NeedsUser) as refused:
        push(world, ids)
    assert refused.value.code == "no_choice_there"
    assert there(world, mes.WORKORDER) == []


def test_two_runs_that_write_the_same_row_at_once(world: HookWorld) -> None:
    ids = order_of(make(world))
    one, other = prepare(world, ids), prepare(world, ids)
    answers = writeback.send(world.tenon.connect, [one, other])
    assert [[a.state for a in own] for own in answers] == [["sent"], ["same"]]
    assert len(there(world, mes.WORKORDER)) == 1

"""Customers' changes: numbered, decided once, carried out on what we planned and has not begun."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tenon.automate import switch
from tenon.factory import changes
from tenon.kernel.errors import Conflict
from tests.service.planning_world import (
    DUE,
    NOW,
    PLANNER,
    SPECIAL,
    Shop,
    accept,
    at_once,
    awaiting,
    page,
    pending,
    planned,
    shop_at,
    take,
)


@pytest.fixture
def shop(hub_url: str, tmp_path: Path) -> Iterator[Shop]:
    with shop_at(tmp_path / "home", hub_url) as made:
        yield made


def test_a_change_of_quantity_is_numbered_decided_and_carried_out(shop: Shop) -> None:
    (sheet,) = shop.put("item", [{"code": "M1", "name": "钢板", "unit": "kg"}])
    shop.put("bom_line", [{"item": shop.ids["F1"], "component": sheet, "qty_per": "2"}])
    order, line, before = planned(shop)
    change = shop.asks(order)
    asked = shop.one("order_change")
    assert (asked.change_no, asked.decision) == ("SO-2611-0001-V1", "pending")
    assert shop.told()[-1]["zh"] == "客户变更 SO-2611-0001-V1 待确认"
    (row,) = pending(shop).rows
    assert (row.id, row.line_id, row.new, row.kind) == (change, line, "150", "qty")
    assert [w.work_order_no for w in row.work_orders] == ["TW-2611-00001"]
    assert shop.one("work_order").qty == 100, "nothing happens before a planner decides"

    accept(shop, change)
    after = shop.one("work_order")
    assert (after.qty, shop.one("allocation").qty) == (Decimal(150), Decimal(150))
    first, second, last = shop.operations(after.id)
    assert [o.qty_plan for o in (first, second, last)] == [Decimal(150)] * 3
    assert (first.setup_min, first.run_min, last.run_min) == (30, 18, 3)
    assert first.plan_end == first.plan_start + timedelta(minutes=96)
    assert (after.plan_start, after.plan_end) == (before.plan_start, last.plan_end)
    assert after.est_hours == Decimal("0.93")
    assert shop.one("work_order_material").required_qty == Decimal(300)
    (run,) = shop.runs("order_change_accepted")
    assert run.state == "done"
    assert run.data["steps"]["apply"]["work_orders"] == [after.id]
    assert run.data["steps"]["apply"]["operations"] == [first.id, second.id, last.id]
    decided = shop.one("order_change")
    assert (decided.decision, decided.decided_by) == ("accepted", "计划员")
    assert decided.applied_at == NOW
    assert pending(shop).total == 0
    (shown,) = page(shop, line).changes
    assert (shown.decision, shown.change_no) == ("accepted", "SO-2611-0001-V1")


def test_other_changes(shop: Shop) -> None:
    order, line, before = planned(shop)
    date = shop.asks(order, change="date", old_value="2026-11-10", new_value="2026-11-12")
    drawing = shop.asks(order, change="drawing", old_value="A", new_value="B", revision=2)
    again = shop.asks(order, change="qty", new_value="80", revision=2)
    assert [c.change_no for c in shop.all("order_change")] == [
        "SO-2611-0001-V1", "SO-2611-0001-V2", "SO-2611-0001-V2-2",
    ]  # fmt: skip
    accept(shop, date)
    assert shop.one("work_order").due_at == DUE + timedelta(days=2), "17:00 at the plant, as before"

    accept(shop, drawing)
    flagged = shop.one("work_order")
    assert (flagged.status, flagged.engineering_note) == ("released", "A → B")
    (row,) = awaiting(shop).rows
    assert (row.reason, row.note) == ("drawing_changed", "A → B")
    waits = page(shop, line).waits_for
    assert waits is not None
    assert waits.zh == "图纸版次变更（A → B），等待工艺确认"

    changes.decide(shop.tenon, PLANNER, again, accept=False, note="来不及")
    shop.work()
    assert shop.one("work_order").qty == 100
    rejected = shop.one("order_change", id=again)
    assert (rejected.decision, rejected.note, rejected.applied_at) == ("rejected", "来不及", None)

    cancel = shop.asks(order, change="cancel", new_value="cancelled", revision=3)
    accept(shop, cancel)
    assert shop.one("work_order").status == "cancelled"
    assert {o.state for o in shop.operations(before.id)} == {"cancel"}
    assert awaiting(shop).total == 0
    (run,) = shop.runs("order_change_accepted")[-1:]
    assert len(run.data["steps"]["apply"]["operations"]) == 3, "the MES must hear of it"


def test_a_revised_drawing_with_another_routing(shop: Shop) -> None:
    """Operations that stay keep their job; the others are cancelled or new, with a new number."""
    order, _, _ = planned(shop)
    accept(shop, shop.asks(order, change="drawing", old_value="A", new_value="B"))
    before = {o.seq: o for o in shop.operations(shop.one("work_order").id)}
    shop.route(shop.ids["F1"], 2, [
        (10, "CY", "冲压", "P160", "40", "0.2", False),
        (20, "QX", "清洗", "QX", "1", "0.1", False),
        (40, "JY", "检验", "JY", "1", "0.1", False),
    ])  # fmt: skip
    row = shop.one("work_order")
    take(shop, row, row.version, version=2)
    after = shop.one("work_order")
    assert (after.engineering_note, after.routing_version, after.status) == (None, 2, "released")
    found = {o.job_no: o for o in shop.operations(after.id)}
    stem = "TW-2611-00001"
    assert {n: o.state for n, o in found.items()} == {
        f"{stem}-10": "wait", f"{stem}-20": "cancel", f"{stem}-20-2": "wait",
        f"{stem}-30": "cancel", f"{stem}-40": "wait",
    }  # fmt: skip
    assert found[f"{stem}-10"].id == before[10].id
    assert (found[f"{stem}-10"].setup_min, found[f"{stem}-10"].run_min) == (40, 20)


def test_a_change_of_a_line_that_awaits_engineering_is_not_for_the_mes(shop: Shop) -> None:
    order, _ = shop.order(SPECIAL)
    shop.work()
    accept(shop, shop.asks(order))
    assert shop.one("work_order").qty == 150
    accept(shop, shop.asks(order, change="cancel", revision=2))
    assert shop.one("work_order").status == "cancelled"
    runs = shop.runs("order_change_accepted")
    assert [r.data["steps"]["apply"]["work_orders"] for r in runs] == [[], []]


def test_a_change_of_a_line_we_did_not_plan_needs_no_decision(shop: Shop) -> None:
    order, _ = shop.order({"item": shop.ids["F1"]}, origin="initial")
    change = shop.asks(order)
    assert shop.one("order_change").decision == "none"
    with pytest.raises(Conflict) as refused:
        accept(shop, change)
    assert refused.value.code == "change_decided"


@pytest.mark.parametrize("sign", ["status", "state", "started_at", "qty_good"])
def test_a_work_order_that_has_begun_is_not_changed(shop: Shop, sign: str) -> None:
    order, _, before = planned(shop)
    change = shop.asks(order)
    operation = shop.operations(before.id)[0]

    def begin() -> None:
        signs: dict[str, Any] = {"state": "run", "started_at": NOW, "qty_good": 5}
        if sign == "status":
            shop.change("work_order", before.id, status="started")
        else:
            shop.change("operation", operation.id, **{sign: signs[sign]})

    # It begins after the planner has accepted, and before the change is carried out.
    changes.decide(shop.tenon, PLANNER, change, accept=True, note=None)
    begin()
    shop.work()
    assert shop.one("work_order").qty == 100
    refused = shop.one("order_change")
    assert (refused.decision, refused.decided_by, refused.applied_at) == ("pending", None, None)
    assert shop.told()[-1]["zh"] == "变更 SO-2611-0001-V1 未能执行"
    (run,) = shop.runs("order_change_accepted")
    assert (run.state, run.data["steps"]["apply"]["begun"]) == ("done", ["TW-2611-00001"])
    # From now on it is said at once; and rejecting is always possible.
    with pytest.raises(Conflict) as said:
        changes.decide(shop.tenon, PLANNER, change, accept=True, note=None)
    assert said.value.code == "work_order_begun"
    assert pending(shop).total == 1
    changes.decide(shop.tenon, PLANNER, change, accept=False, note=None)
    assert pending(shop).total == 0


def test_a_change_is_decided_once(shop: Shop) -> None:
    """S18: several who decide at once have one effect."""
    order, _, _ = planned(shop)
    change = shop.asks(order)
    outcomes = at_once(
        4, lambda n: changes.decide(shop.tenon, PLANNER, change, accept=n % 2 == 0, note=str(n))
    )
    shop.work()
    assert sorted(outcomes) == ["change_decided"] * 3 + ["done"]
    winner = outcomes.index("done")
    decided = shop.one("order_change")
    assert (decided.note, decided.decision) == (
        str(winner), "accepted" if winner % 2 == 0 else "rejected",
    )  # fmt: skip
    assert shop.one("work_order").qty == (150 if winner % 2 == 0 else 100)
    assert len(shop.runs("order_change_accepted")) == (1 if winner % 2 == 0 else 0)


def test_changes_accepted_together_all_take_effect(shop: Shop) -> None:
    order, _, before = planned(shop)
    asked = [
        shop.asks(order, revision=1, new_value="150"),
        shop.asks(order, revision=2, change="date", new_value="2026-11-20"),
        shop.asks(order, revision=3, old_value="150", new_value="300"),
    ]
    for change in reversed(asked):
        changes.decide(shop.tenon, PLANNER, change, accept=True, note=None)
    shop.work()
    after = shop.one("work_order")
    assert (after.qty, after.due_at) == (Decimal(300), DUE + timedelta(days=10))
    assert [o.run_min for o in shop.operations(before.id)] == [36, 0, 6]


def test_without_the_flow_a_change_cannot_be_accepted(shop: Shop) -> None:
    order, _, _ = planned(shop)
    change = shop.asks(order)
    with shop.tenon.hub.write() as tx:
        switch.set_enabled(tx, changes.FLOW, False, "admin")
    with pytest.raises(Conflict) as refused:
        accept(shop, change)
    assert refused.value.code == "flow_off"
    assert pending(shop).total == 1


def test_the_whole_order_is_cancelled(shop: Shop) -> None:
    order, _ = shop.order({"item": shop.ids["F1"]}, {"item": shop.ids["F2"]}, SPECIAL)
    shop.work()
    accept(shop, shop.asks(order, line_no=None, change="cancel"))
    assert {o.status for o in shop.all("work_order")} == {"cancelled"}
    (run,) = shop.runs("order_change_accepted")
    assert len(run.data["steps"]["apply"]["work_orders"]) == 2

"""Planning: order lines become work orders once, changes are decided once, the MES goes first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tenon.connect.tables import source_row
from tenon.factory import planning
from tenon.factory.numbers import work_order_numbers
from tenon.kernel import clock
from tenon.kernel.errors import Conflict, NotFound
from tenon.records.ports import Written
from tests.service.planning_world import (
    DUE,
    NOW,
    ROUTE,
    SPECIAL,
    Shop,
    at_once,
    awaiting,
    desk,
    page,
    shop_at,
    take,
    take_numbers,
)


@pytest.fixture
def shop(hub_url: str, tmp_path: Path) -> Iterator[Shop]:
    with shop_at(tmp_path / "home", hub_url) as made:
        yield made


def test_a_line_with_a_routing_is_released_with_everything_frozen(shop: Shop) -> None:
    sheet, box = shop.put("item", [
        {"code": "M1", "name": "钢板", "unit": "kg"}, {"code": "M2", "name": "纸箱", "unit": "个"},
    ])  # fmt: skip
    item = shop.ids["F1"]
    shop.put("bom_line", [
        {"item": item, "bom_version": "V1", "component": box, "qty_per": "9", "base_qty": None,
         "scrap_percent": None},
        {"item": item, "bom_version": "V2", "component": sheet, "qty_per": "2.5", "base_qty": "10",
         "scrap_percent": "3"},
        {"item": item, "bom_version": "V2", "component": box, "qty_per": "0.005", "base_qty": None,
         "scrap_percent": None},
    ])  # fmt: skip
    shop.route(item, 2, [(10, "CY", "冲压", "P160", "30", "0.12345", False), *ROUTE[1:]])
    _, (line,) = shop.order({"item": item, "qty": Decimal(120)})
    shop.work()

    order = shop.one("work_order")
    assert (order.work_order_no, order.status, order.planned_by) == (
        "TW-2611-00001", "released", "tenon",
    )  # fmt: skip
    assert (order.item, order.qty, order.due_at, order.priority) == (item, Decimal(120), DUE, 1)
    assert (order.routing_item, order.routing_version, order.bom_version) == (item, 2, 2)
    first, second, last = shop.operations(order.id)
    assert [o.job_no for o in (first, second, last)] == [
        "TW-2611-00001-10", "TW-2611-00001-20", "TW-2611-00001-30",
    ]  # fmt: skip
    assert (first.setup_min, first.run_min) == (Decimal(30), Decimal("14.8140"))
    assert {o.state for o in (first, second, last)} == {"wait"}
    assert {o.qty_plan for o in (first, second, last)} == {Decimal(120)}
    assert (second.outside, second.supplier_name) == (True, "镀厂")
    start = datetime(2026, 11, 3, 2, 31, tzinfo=UTC)
    assert (first.plan_start, first.plan_end) == (start, start + timedelta(minutes=90)), (
        "12 h a day"
    )
    assert second.plan_end == first.plan_end + timedelta(days=2)
    assert last.plan_end == second.plan_end + timedelta(minutes=8)
    assert (order.plan_start, order.plan_end) == (start, last.plan_end)
    assert order.est_hours == Decimal("0.87"), "(30 + 14.814 + 5 + 2.4) minutes"
    allocation = shop.one("allocation")
    assert (allocation.work_order, allocation.order_line, allocation.qty) == (order.id, line, 120)
    needed = {m.item: m.required_qty for m in shop.all("work_order_material")}
    assert needed == {sheet: Decimal("30.9000"), box: Decimal("0.6000")}

    shown = page(shop, line)
    assert (shown.stage.code, shown.stage.confirmed) == ("released", True)
    (work_order,) = shown.work_orders
    assert (work_order.id, work_order.planned_by, work_order.engineering) == (
        order.id, "tenon", False,
    )  # fmt: skip
    assert {(m.item_code, m.required_qty, m.issued_qty) for m in work_order.materials} == {
        ("M1", Decimal("30.9000"), Decimal(0)), ("M2", Decimal("0.6000"), Decimal(0)),
    }  # fmt: skip
    (run,) = shop.runs("new_order_line")
    assert run.state == "waiting", "for the MES's answer"
    assert run.data["steps"]["plan"] == {
        "planned": True, "engineering": False, "work_order": order.id,
        "allocations": [allocation.id], "operations": [first.id, second.id, last.id],
    }  # fmt: skip
    # What was planned later for the master data does not reach what is frozen.
    shop.route(item, 3)
    assert shop.one("work_order").routing_version == 2


@pytest.mark.parametrize(
    ("answer", "status", "told"),
    [("已接收", "released", 0), ("拒绝：缺图纸", "cancelled", 1), (None, "released", 1)],
)
def test_the_planner_is_told_when_the_mes_refuses_or_is_silent(
    shop: Shop, answer: str | None, status: str, told: int
) -> None:
    shop.order({"item": shop.ids["F1"]})
    shop.work()
    order = shop.one("work_order")
    if answer:
        shop.change("work_order", order.id, mes_answer=answer, status=status)
    later = NOW + timedelta(minutes=31)
    with clock.fixed(later), shop.tenon.hub.write() as tx:
        # The timer is a job; here the record's change wakes the run at the later time.
        shop.tenon.triggers.changed(tx, "work_order", [Written(order.id, "updated")], "live")
    with clock.fixed(later):
        shop.work()
    (run,) = shop.runs("new_order_line")
    assert run.state == "done", run.failure
    assert len([t for t in shop.told() if "MES" in t["zh"]]) == told


def test_a_line_without_a_routing_awaits_engineering_with_the_nearest(shop: Shop) -> None:
    _, (line,) = shop.order(SPECIAL)
    shop.work()
    order = shop.one("work_order")
    assert (order.status, order.planned_by, order.work_order_no) == (
        "engineering", "tenon", "TW-2611-00001",
    )  # fmt: skip
    assert (order.proposed_item, order.proposed_version) == (shop.ids["F1"], 1)
    assert Decimal(50) < order.proposal_score < Decimal(100)
    assert shop.all("operation") == []
    shown = page(shop, line)
    assert (shown.stage.code, shown.work_orders[0].engineering) == ("engineering", True)
    assert shown.waits_for is not None
    assert shown.waits_for.zh == "等待工艺确认"
    assert [t["zh"] for t in shop.told()] == ["工单 TW-2611-00001 待工艺"]

    listed = awaiting(shop)
    assert listed.total == 1
    (row,) = listed.rows
    assert (row.reason, row.line_id, row.work_order_version) == ("no_routing", line, 1)
    assert row.proposal is not None
    assert row.proposal.item_id == shop.ids["F1"]
    assert [op.seq for op in row.proposal.operations] == [10, 20, 30]
    assert row.proposal.est_hours == Decimal("0.82"), "(30 + 12 + 5 + 2) minutes"
    assert row.candidates[0].item_id == shop.ids["F1"]


def test_nothing_alike_proposes_nothing(shop: Shop) -> None:
    shop.order({"item_name": "ABCDEFG", "drawing_no": "99999", "standard": False})
    shop.work()
    assert shop.one("work_order").proposed_item is None
    (row,) = awaiting(shop).rows
    assert (row.proposal, row.candidates) == (None, [])


def test_a_routing_that_is_gone_from_the_mes_is_not_used(shop: Shop) -> None:
    gone = shop.one("routing_operation", item=shop.ids["F1"], seq=30)
    with shop.tenon.hub.write() as tx:
        tx.execute(source_row.insert().values(
            source="mes", stream="pro_route", key="F1|1|30", hash="x", raw="{}", state="gone",
            entity="routing_operation", record_id=gone.id, run_id=gone.id, first_seen_at=NOW,
            seen_at=NOW, tries=0, waits=False,
        ))  # fmt: skip
    shop.order({"item": shop.ids["F1"]})
    shop.work()
    assert [o.seq for o in shop.operations(shop.one("work_order").id)] == [10, 20]


@pytest.mark.parametrize(
    ("line", "status"),
    [({"status": "cancelled"}, "open"), ({}, "cancelled"), ({}, "closed"), ({"qty": 0}, "open")],
)
def test_what_is_not_open_is_not_planned(shop: Shop, line: dict[str, Any], status: str) -> None:
    shop.order({"item": shop.ids["F1"]} | line, status=status)
    shop.work()
    assert shop.all("work_order") == []
    assert {r.state for r in shop.runs("new_order_line")} <= {"done"}


def test_a_first_load_plans_nothing(shop: Shop) -> None:
    shop.order({"item": shop.ids["F1"]}, origin="initial")
    shop.work()
    assert shop.all("work_order") == []


def test_a_line_that_the_mes_serves_is_left_alone(shop: Shop) -> None:
    _, (line,) = shop.order({"item": shop.ids["F1"]}, origin="initial")
    theirs, cancelled = shop.put("work_order", [
        {"work_order_no": "WO-1", "qty": 100, "status": "released"},
        {"work_order_no": "WO-2", "qty": 100, "status": "cancelled"},
    ])  # fmt: skip
    (allocation,) = shop.put("allocation", [
        {"work_order": theirs, "order_line": line, "qty": 100}
    ])  # fmt: skip
    with shop.tenon.hub.write() as tx:
        assert planning.plan_lines(desk(shop, tx), [line]) == {}
    shop.change("allocation", allocation, work_order=cancelled)
    with shop.tenon.hub.write() as tx:
        assert list(planning.plan_lines(desk(shop, tx), [line])) == [line], "cancelled serves none"


def test_many_lines_are_planned_as_one_set(shop: Shop) -> None:
    """The number of statements does not grow with the lines: they are planned as a set."""
    counts = []
    for lines in (2, 16):
        _, ids = shop.order(
            *({"item": shop.ids["F1" if n % 2 else "F2"]} for n in range(lines)), origin="initial"
        )
        _, more = shop.order(*(SPECIAL for _ in range(lines)), origin="initial")
        statements = 0

        def count(*_: Any) -> None:
            nonlocal statements
            statements += 1

        engine = shop.tenon.hub._writer
        sa.event.listen(engine, "before_cursor_execute", count)
        with shop.tenon.hub.write() as tx:
            planned = planning.plan_lines(desk(shop, tx), [*ids, *more])
        sa.event.remove(engine, "before_cursor_execute", count)
        assert len(planned) == 2 * lines
        counts.append(statements)
    assert counts[1] <= counts[0] < 70, "the first makes the temporary tables"
    numbers = [o.work_order_no for o in shop.all("work_order")]
    assert sorted(numbers) == [f"TW-2611-{n:05}" for n in range(1, 37)]
    assert len(shop.all("operation")) == 18 * len(ROUTE)


def test_two_runs_for_one_line_make_one_work_order(shop: Shop) -> None:
    _, (line,) = shop.order({"item": shop.ids["F1"]})
    with shop.tenon.hub.write() as tx:
        shop.tenon.triggers.changed(tx, "order_line", [Written(line, "created")], "live")
    shop.work()
    assert len(shop.runs("new_order_line")) == 2
    assert len(shop.all("work_order")) == len(shop.all("allocation")) == 1
    planned = [r.data["steps"]["plan"]["planned"] for r in shop.runs("new_order_line")]
    assert sorted(planned) == [False, True]


@pytest.mark.postgres
def test_two_workers_that_plan_one_line_at_once_plan_it_once(pg_url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        shop = stack.enter_context(shop_at(tmp_path / "home", pg_url))
        _, (line,) = shop.order({"item": shop.ids["F1"]}, origin="initial")
        found: list[dict[str, Any]] = []

        def other() -> None:
            with shop.tenon.hub.write() as tx:
                found.append(planning.plan_lines(desk(shop, tx), [line]))

        with shop.tenon.hub.write() as tx:
            first = planning.plan_lines(desk(shop, tx), [line])
            thread = threading.Thread(target=other)
            thread.start()
            while not waiting_locks(shop):  # the other stands at the line that we plan
                assert thread.is_alive()
        thread.join(30)
        assert list(first) == [line]
        assert found == [{}]
        assert len(shop.all("work_order")) == len(shop.all("allocation")) == 1


def waiting_locks(shop: Shop) -> int:
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with shop.tenon.hub.read() as connection:
        return int(connection.exec_driver_sql(query).scalar_one())


@pytest.mark.postgres
def test_numbers_are_never_given_twice_by_several_processes(pg_url: str, tmp_path: Path) -> None:
    with shop_at(tmp_path / "home", pg_url):
        pass
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        asked = [pool.submit(take_numbers, pg_url, 40) for _ in range(3)]
        numbers = [number for one in asked for number in one.result(60)]
    assert sorted(numbers) == [f"TW-2611-{n:05}" for n in range(1, 361)]


def test_numbers_begin_anew_with_the_plants_month(shop: Shop) -> None:
    # 31 October 23:00 in UTC is the first of November at the plant.
    with shop.tenon.hub.write() as tx:
        found = [
            work_order_numbers(tx, datetime(2026, month, day, hour, tzinfo=UTC), shop.tenon.zone, 2)
            for month, day, hour in ((10, 31, 15), (10, 31, 23), (11, 1, 0), (10, 31, 15))
        ]
    assert found == [
        ["TW-2610-00001", "TW-2610-00002"],
        ["TW-2611-00001", "TW-2611-00002"],
        ["TW-2611-00003", "TW-2611-00004"],
        ["TW-2610-00003", "TW-2610-00004"],
    ]


def test_the_mes_s_own_work_order_goes_first(shop: Shop) -> None:
    """For a line that awaits engineering; one that we released is not withdrawn but told of."""
    _, (special, standard) = shop.order(SPECIAL, {"item": shop.ids["F1"]})
    shop.work()
    ours = {o.status: o for o in shop.all("work_order")}
    assert set(ours) == {"engineering", "released"}
    theirs = shop.put("work_order", [
        {"work_order_no": f"WO-{n}", "qty": 100, "status": "released"} for n in (1, 2)
    ], source="mes")  # fmt: skip
    shop.put("allocation", [
        {"work_order": order, "order_line": line, "qty": 100}
        for order, line in zip(theirs, (special, standard), strict=True)
    ], origin="live", source="mes")  # fmt: skip
    assert page(shop, special).stage.code == "released", "before the flow has run, too"
    shop.work()
    assert shop.one("work_order", id=ours["engineering"].id).status == "cancelled"
    assert shop.one("work_order", id=ours["released"].id).status == "released"
    assert [t["zh"] for t in shop.told()].count("同一订单行有两张工单") == 1
    assert awaiting(shop).total == 0
    assert page(shop, special).stage.code == "released"
    with pytest.raises(Conflict) as refused:
        take(shop, ours["engineering"], 2)
    assert refused.value.code == "routing_taken"


def test_a_planner_takes_the_nearest_routing(shop: Shop) -> None:
    sheet, own = shop.put("item", [
        {"code": "M1", "name": "钢板", "unit": "kg"}, {"code": "N1", "name": "新件", "unit": "件"},
    ])  # fmt: skip
    shop.put("bom_line", [
        {"item": shop.ids["F1"], "bom_version": "V1", "component": sheet, "qty_per": "1"},
        {"item": own, "bom_version": "V1", "component": sheet, "qty_per": "3"},
    ])  # fmt: skip
    _, (line,) = shop.order(SPECIAL | {"item": own})
    shop.work()
    order = shop.one("work_order")
    with pytest.raises(NotFound):
        take(shop, order, 1, version=9)
    with pytest.raises(Conflict) as stale:
        take(shop, order, 7)
    assert stale.value.code == "stale_version"
    answer = take(shop, order, 1)
    assert (answer["status"], answer["operations"], answer["routing_version"]) == ("released", 3, 1)
    taken = shop.one("work_order")
    assert (taken.status, taken.routing_item, taken.item) == ("released", shop.ids["F1"], own)
    assert [o.job_no for o in shop.operations(order.id)] == [
        f"TW-2611-00001-{seq}" for seq in (10, 20, 30)
    ]
    material = shop.one("work_order_material")
    assert material.required_qty == Decimal(300), "of the item itself, not of the one alike"
    decision = shop.one("routing_decision")
    assert (decision.decided_by, decision.score) == ("计划员", order.proposal_score)
    shop.work()
    (run,) = shop.runs("routing_taken")
    assert run.state == "done"
    assert len(run.data["steps"]["parts"]["operations"]) == 3
    assert page(shop, line).stage.code == "released"
    with pytest.raises(Conflict) as second:
        take(shop, order, 2)
    assert second.value.code == "routing_taken"


def test_two_planners_take_a_routing_at_once_and_one_wins(shop: Shop) -> None:
    shop.order(SPECIAL)
    shop.work()
    order = shop.one("work_order")
    outcomes = at_once(4, lambda n: take(shop, order, 1, item=("F1", "F2")[n % 2]))
    assert sorted(outcomes) == ["done", "routing_taken", "routing_taken", "routing_taken"]
    assert len(shop.all("operation")) == len(ROUTE)
    assert len(shop.all("routing_decision")) == 1

"""The rules of docs/reference/stage-rules.md, one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tenon.factory.stage import (
    Operation,
    OrderLine,
    Stage,
    WorkOrder,
    line_stage,
    work_order_stage,
)

NOW = datetime(2026, 11, 3, 2, 30, tzinfo=UTC)
AN_HOUR_AGO = NOW - timedelta(hours=1)


def press(seq: int, **evidence: Any) -> Operation:
    return Operation(seq, f"冲压{seq}", "press", timedelta(minutes=60), **evidence)


def manual(seq: int, **evidence: Any) -> Operation:
    return Operation(seq, f"去毛刺{seq}", "manual", timedelta(minutes=60), **evidence)


def outside(seq: int, **evidence: Any) -> Operation:
    return Operation(seq, f"电镀{seq}", "outside", timedelta(days=2), **evidence)


def order(*operations: Operation, **facts: Any) -> WorkOrder:
    usual: dict[str, Any] = {"status": "released", "last_evidence": AN_HOUR_AGO}
    return WorkOrder(**usual | facts, operations=operations)


DONE = {"ran": True, "last_run_end": AN_HOUR_AGO, "reported_done": True}
RUNNING = {"ran": True, "running_now": True}


@pytest.mark.parametrize(
    ("work_order", "code", "op_seq", "rule"),
    [
        (order(press(10), status="cancelled"), "cancelled", None, None),
        (order(press(10, **DONE), status="closed"), "closed", None, None),
        (order(press(10), received=Decimal(5)), "stocked", None, None),
        (order(press(10), status="planned"), "planned", None, None),
        (order(status="engineering"), "engineering", None, None),
        (order(press(10), status="engineering", issued=True), "engineering", None, None),
        (order(press(10), manual(20)), "released", None, None),
        (order(press(10, **RUNNING), manual(20)), "in_process", 10, None),
        (order(press(10, **DONE), manual(20)), "in_process", 20, None),
        (order(press(10, **DONE), outside(20), press(30)), "outside", 20, None),
        (order(press(10, **DONE), outside(20, sent=True), press(30)), "outside", 20, None),
        (order(press(10, **DONE), outside(20, back=True), press(30)), "in_process", 30, None),
        (order(press(10, **DONE), manual(20, reported_done=True)), "finished", None, None),
        (order(press(10, **DONE), outside(20, back=True)), "finished", None, None),
        # an earlier manual operation nobody reported is passed, not doubted
        (order(manual(10), press(20, **RUNNING)), "in_process", 20, None),
        # a planned order that was started all the same is in process
        (order(press(10, **RUNNING), status="planned"), "in_process", 10, None),
    ],
)  # fmt: skip
def test_stage_follows_the_evidence(
    work_order: WorkOrder, code: str, op_seq: int | None, rule: str | None
) -> None:
    stage = work_order_stage(work_order, NOW)
    assert (stage.code, stage.op_seq, stage.rule) == (code, op_seq, rule)


@pytest.mark.parametrize(
    ("work_order", "rule"),
    [
        (order(press(10, ran=True, last_run_end=NOW - timedelta(minutes=2)), manual(20)), "U1"),
        (order(press(10, ran=True, last_run_end=NOW - timedelta(seconds=50)), manual(20)), None),
        (order(press(10, reported_done=True), press(20)), "U2"),
        (order(press(10, reported_done=True, ran=True, running_now=True), press(20)), "U2"),
        (order(press(10, **DONE, reported_end=AN_HOUR_AGO), press(20)), None),
        (order(press(10, **DONE, reported_end=NOW - timedelta(hours=2)), press(20)), "U2"),
        (order(press(10, reported_done=True), received=Decimal(1)), None),
        (order(press(10), press(20, **RUNNING)), "U3"),
        (order(press(10, **DONE), manual(20), last_evidence=NOW - timedelta(minutes=61)), "U4"),
        (order(press(10, **DONE), manual(20), last_evidence=NOW - timedelta(minutes=59)), None),
        (order(manual(10), press(20), issued=True), "U4"),
        (order(manual(10), press(20)), None),
        (order(press(10), manual(20), issued=True, issued_at=NOW - timedelta(hours=14)), None),
        (order(press(10), manual(20), issued=True, issued_at=NOW - timedelta(hours=16)), "U4"),
        (order(press(10), manual(20), issued_at=NOW - timedelta(hours=16)), None),
        (order(press(10), manual(20), offcuts=True), "U3"),
        # outside work is settled by the warehouse, however long it takes
        (order(press(10, **DONE), outside(20, sent=True), last_evidence=NOW - timedelta(9)), None),
    ],
)  # fmt: skip
def test_missing_or_contradictory_evidence_is_unconfirmed(
    work_order: WorkOrder, rule: str | None
) -> None:
    stage = work_order_stage(work_order, NOW)
    assert stage.rule == rule
    assert stage.confirmed == (rule is None)


def test_stale_sources_make_every_unsettled_stage_unconfirmed() -> None:
    assert work_order_stage(order(press(10, **RUNNING)), NOW, stale=True).rule == "U5"
    settled = order(press(10), received=Decimal(1))
    assert work_order_stage(settled, NOW, stale=True).confirmed


def line(**facts: Any) -> OrderLine:
    usual: dict[str, Any] = {
        "status": "open",
        "order_status": "open",
        "standard": True,
        "qty": Decimal(10),
        "shipped": Decimal(0),
    }
    return OrderLine(**usual | facts)


def test_line_takes_the_least_advanced_work_order() -> None:
    ahead = work_order_stage(order(press(10, **DONE), press(20, **RUNNING)), NOW)
    behind = work_order_stage(order(press(10, **RUNNING), press(20)), NOW)
    assert line_stage(line(), [ahead, behind]).op_seq == 10
    assert line_stage(line(), [Stage("cancelled"), ahead]).op_seq == 20


@pytest.mark.parametrize(
    ("facts", "work_orders", "code"),
    [
        (line(), [], "accepted"),
        (line(standard=False), [], "engineering"),
        (line(status="cancelled"), [Stage("stocked")], "cancelled"),
        (line(order_status="cancelled"), [], "cancelled"),
        (line(order_status="closed"), [], "closed"),
        (line(shipped=Decimal(10)), [Stage("stocked")], "shipped"),
        (line(shipped=Decimal("9.9999")), [Stage("stocked")], "stocked"),
        (line(), [Stage("closed", progress=5.0)], "stocked"),
        (line(), [Stage("engineering", progress=-1.0)], "engineering"),
        (line(standard=False), [Stage("cancelled"), Stage("engineering")], "engineering"),
        # the MES has its own work order; ours that awaits a routing is about to be withdrawn
        (
            line(standard=False),
            [Stage("engineering", progress=-1.0), Stage("released")],
            "released",
        ),
    ],
)
def test_line_stage_without_work_orders_or_settled(
    facts: OrderLine, work_orders: list[Stage], code: str
) -> None:
    assert line_stage(facts, work_orders).code == code

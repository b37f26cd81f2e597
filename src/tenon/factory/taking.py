"""Taking a routing for a work order that waits for one: its operations are frozen, it is released.

The same for one whose drawing was revised: operations that stay the same keep their job number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from tenon.boards.reading import Opened
from tenon.factory.begun import begun, locked_operations, locked_orders
from tenon.factory.components import load_boms
from tenon.factory.desk import TENON, Desk, new_rows
from tenon.factory.numbers import one_at_a_time
from tenon.factory.planning import Frozen, freeze, write_materials
from tenon.factory.routing import load_routings, work_hours
from tenon.kernel.errors import Conflict, NotFound
from tenon.kernel.text import Text
from tenon.records.ports import Actor
from tenon.records.write import RowKey, Writer

_NO_ORDER = Text("没有这张工单。", "There is no such work order.")
_NO_ROUTING = Text(
    "该物料没有第 {version} 版工艺路线；请从候选中选择。",
    "That item has no routing of version {version}; choose one of the candidates.",
)
_TAKEN = Text(
    "工单 {number} 已不在等待工艺（可能已由他人确认，或 MES 已自行建单）；请刷新。",
    "The work order {number} no longer awaits engineering: somebody took a routing, or the MES "
    "has its own work order. Reload.",
)
_BEGUN = Text(
    "工单 {number} 已经开工，工艺不能再换；请在 MES 中处理。",
    "The work order {number} has begun; its routing cannot be changed. Settle it in the MES.",
)
_SAME: Final = ("process", "name", "work_centre", "outside", "supplier_name")
_TIMES: Final = ("qty_plan", "setup_min", "run_min", "plan_start", "plan_end", "state")
_WAITS: Final = frozenset({"engineering", "planned", "released", "on_hold"})


class Planning(Opened, Protocol):
    """The part of an opened Tenon that planning needs."""

    @property
    def writer(self) -> Writer:
        """The one write path."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """Which routing is taken, and which version of the work order was seen."""

    item: str
    version: int
    work_order_version: int


def take_routing(tenon: Planning, actor: Actor, order_id: str, choice: Choice) -> dict[str, Any]:
    """Take a routing for a work order; Conflict when somebody was first."""
    with tenon.hub.write() as tx:
        desk = Desk(tx, tenon.reader(actor), tenon.writer, actor, tenon.zone)
        one_at_a_time(tx, "order_line", _lines(desk, order_id))
        order = next(iter(locked_orders(desk, [order_id])), None)
        if order is None:
            raise NotFound("no_work_order", _NO_ORDER)
        existing = locked_operations(desk, [order_id])
        _refuse(desk, order, existing)
        frozen = _frozen(desk, order, choice)
        _release(desk, order, choice, frozen)
        _merge(desk, order, frozen, existing)
        _note(desk, order, choice)
        return _answer(desk, order_id)


def _lines(desk: Desk, order_id: str) -> list[str]:
    allocation = desk.table("allocation")
    query = sa.select(allocation.c.order_line).where(allocation.c.work_order == order_id)
    return list(desk.tx.scalars(query))


def _refuse(desk: Desk, order: RowMapping, operations: Sequence[RowMapping]) -> None:
    number = order["work_order_no"]
    waits = order["status"] == "engineering" or order["engineering_note"] is not None
    if order["planned_by"] != TENON or not waits or order["status"] not in _WAITS:
        raise Conflict("routing_taken", _TAKEN, number=number)
    if begun(desk, [order], operations):
        raise Conflict("work_order_begun", _BEGUN, number=number)


def _frozen(desk: Desk, order: RowMapping, choice: Choice) -> Frozen:
    routings = load_routings(desk.tx, desk.reader, [choice.item])
    routing = routings.get((choice.item, choice.version))
    if routing is None:
        raise NotFound("no_routing", _NO_ROUTING, version=choice.version)
    # Components are those of the item itself: another item's material would be wrong.
    boms = load_boms(desk.tx, desk.reader, [order["item"]] if order["item"] else [])
    hours = work_hours(desk.tx, desk.reader)
    return freeze(routing, boms.get(order["item"] or ""), order["qty"], desk.start, hours)


def _release(desk: Desk, order: RowMapping, choice: Choice, frozen: Frozen) -> None:
    fresh = order["status"] == "engineering"
    values = frozen.values | {
        "status": "released" if fresh else order["status"],
        "released_at": desk.now if fresh else order["released_at"],
        "engineering_note": None,
    }
    key = RowKey(id=order["id"], version=choice.work_order_version)
    desk.write("work_order", [(key, values)])
    if fresh:
        write_materials(desk, [(order["id"], frozen.materials)])


def _merge(desk: Desk, order: RowMapping, frozen: Frozen, existing: Sequence[RowMapping]) -> None:
    """Write the operations: those that are the same with new times, others new, the rest none."""
    old = {op["seq"]: op for op in existing}
    kept = {op["seq"] for op in frozen.operations if _same(op, old.get(op["seq"]))}
    desk.write("operation", [
        (RowKey(id=old[op["seq"]]["id"]), {code: op[code] for code in _TIMES})
        for op in frozen.operations if op["seq"] in kept
    ])  # fmt: skip
    gone = [op["id"] for op in existing if op["seq"] not in kept]
    desk.write("operation", [(RowKey(id=id_), {"state": "cancel"}) for id_ in gone])
    used = _job_numbers(desk, order["id"])
    desk.write("operation", new_rows([
        {"job_no": _free(f"{order['work_order_no']}-{op['seq']}", used), "work_order": order["id"]}
        | op
        for op in frozen.operations if op["seq"] not in kept
    ]))  # fmt: skip


def _same(new: Mapping[str, Any], old: RowMapping | None) -> bool:
    return old is not None and all((new[code] or None) == (old[code] or None) for code in _SAME)


def _job_numbers(desk: Desk, order_id: str) -> set[str]:
    operation = desk.table("operation")
    query = sa.select(operation.c.job_no).where(operation.c.work_order == order_id)
    return set(desk.tx.scalars(query))


def _free(number: str, used: set[str]) -> str:
    """The job's number; that of a cancelled job is not given again."""
    found, at = number, 1
    while found in used:
        at += 1
        found = f"{number}-{at}"
    return found


def _note(desk: Desk, order: RowMapping, choice: Choice) -> None:
    proposed = (order["proposed_item"], order["proposed_version"])
    score = order["proposal_score"] if proposed == (choice.item, choice.version) else None
    decision = {
        "work_order": order["id"], "item": choice.item, "routing_version": choice.version,
        "score": score,
        "decided_by": desk.actor.name[:100], "decided_at": desk.now,
    }  # fmt: skip
    desk.write("routing_decision", new_rows([decision]))


def _answer(desk: Desk, order_id: str) -> dict[str, Any]:
    order = desk.reader.get(desk.tx, "work_order", order_id)
    return {
        "work_order_id": order_id, "work_order_no": order["work_order_no"],
        "version": order["version"], "status": order["status"],
        "routing_version": order["routing_version"], "plan_start": order["plan_start"],
        "plan_end": order["plan_end"], "est_hours": order["est_hours"],
        "operations": len(locked_operations(desk, [order_id])),
    }  # fmt: skip

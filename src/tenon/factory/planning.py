"""Planning order lines: a work order with operations and materials, or one that awaits a routing.

Everything is done for a set of lines at once, with a statement for the set and not for the line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from tenon.factory.components import Bom, load_boms
from tenon.factory.desk import TENON, Desk, new_rows, served
from tenon.factory.numbers import one_at_a_time, work_order_numbers
from tenon.factory.proposals import Proposal, items_made, nearest
from tenon.factory.routing import (
    Routing,
    hours_of,
    load_routings,
    newest,
    planned_operations,
    work_hours,
)
from tenon.records.write import RowKey

NORMAL: Final = 1  # priorities as the MES numbers them
URGENT: Final = 3


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a routing and a bill of materials come to for a quantity, kept with the work order."""

    values: dict[str, Any]
    operations: list[dict[str, Any]]
    materials: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Planned:
    """The work order of a line; without operations it awaits engineering."""

    work_order: str
    allocation: str
    operations: tuple[str, ...]


def plan_lines(desk: Desk, line_ids: Sequence[str]) -> dict[str, Planned]:
    """Plan the lines that are open and that no work order serves; each gets one work order.

    Two who plan the same line at once plan it once: the second finds it served.
    """
    one_at_a_time(desk.tx, "order_line", list(line_ids))
    lines = _to_plan(desk, line_ids)
    if not lines:
        return {}
    items = {line["item"] for line in lines if line["item"]}
    routings = newest(load_routings(desk.tx, desk.reader, items))
    boms = load_boms(desk.tx, desk.reader, routings.keys())
    hours = work_hours(desk.tx, desk.reader)
    frozen = [
        freeze(routing, boms.get(line["item"]), line["qty"], desk.start, hours)
        if (routing := routings.get(line["item"]))
        else None
        for line in lines
    ]
    return _write(desk, lines, frozen)


def _to_plan(desk: Desk, line_ids: Sequence[str]) -> list[RowMapping]:
    line, order = desk.table("order_line"), desk.table("sales_order")
    done = {row["order_line"] for row in served(desk, line_ids)}
    query = (
        sa.select(
            line.c.id, line.c.item, line.c.item_name, line.c.drawing_no, line.c.qty,
            sa.func.coalesce(line.c.due_at, order.c.due_at, type_=line.c.due_at.type).label("due"),
            order.c.rush,
        )
        .join_from(line, order, order.c.id == line.c.sales_order)
        .where(
            line.c.id.in_(line_ids),
            line.c.archived_at.is_(None),
            line.c.status == "open",
            order.c.status.in_(("open", "on_hold")),
            line.c.qty > 0,
        )
        .order_by(line.c.line_key)
    )  # fmt: skip
    return [row for row in desk.rows(query) if row["id"] not in done]


def freeze(
    routing: Routing,
    bom: Bom | None,
    qty: Decimal,
    start: datetime,
    hours: Mapping[str, Decimal],
) -> Frozen:
    """The operations, times and components for a quantity, as the master data are now."""
    operations = planned_operations(routing, qty, start, hours)
    return Frozen(
        {
            "routing_item": routing.item,
            "routing_version": routing.version,
            "bom_version": bom.version if bom else None,
            "plan_start": operations[0]["plan_start"],
            "plan_end": operations[-1]["plan_end"],
            "est_hours": hours_of(operations),
        },
        operations,
        bom.required(qty) if bom else [],
    )


_AWAITING: Final[dict[str, Any]] = dict.fromkeys(
    ("routing_item", "routing_version", "bom_version", "plan_start", "plan_end", "est_hours")
)


def _write(
    desk: Desk, lines: Sequence[RowMapping], frozen: Sequence[Frozen | None]
) -> dict[str, Planned]:
    proposals = _proposals(desk, lines, frozen)
    numbers = work_order_numbers(desk.tx, desk.now, desk.zone, len(lines))
    rows = [
        _order(desk, line, number, what, proposals.get(line["id"]))
        for line, number, what in zip(lines, numbers, frozen, strict=True)
    ]
    orders = desk.write("work_order", new_rows(rows))
    allocations = desk.write("allocation", new_rows([
        {"work_order": order, "order_line": line["id"], "qty": line["qty"]}
        for order, line in zip(orders, lines, strict=True)
    ]))  # fmt: skip
    made = [
        (order, number, what)
        for order, number, what in zip(orders, numbers, frozen, strict=True)
        if what is not None
    ]
    operations = write_operations(desk, made)
    write_materials(desk, [(order, what.materials) for order, _, what in made])
    return {
        line["id"]: Planned(order, allocation, tuple(operations.get(order, ())))
        for line, order, allocation in zip(lines, orders, allocations, strict=True)
    }


def _proposals(
    desk: Desk, lines: Sequence[RowMapping], frozen: Sequence[Frozen | None]
) -> dict[str, Proposal]:
    """The nearest routing for each line whose item has none."""
    lacking = [line for line, what in zip(lines, frozen, strict=True) if what is None]
    made = items_made(desk.tx, desk.reader) if lacking else []
    found = {ln["id"]: nearest(ln["item_name"], ln["drawing_no"], made) for ln in lacking}
    return {id_: best[0] for id_, best in found.items() if best}


def _order(
    desk: Desk, line: RowMapping, number: str, frozen: Frozen | None, proposal: Proposal | None
) -> dict[str, Any]:
    return {
        "work_order_no": number,
        "item": line["item"],
        "qty": line["qty"],
        "due_at": line["due"],
        "priority": URGENT if line["rush"] else NORMAL,
        "released_at": desk.now,
        "status": "released" if frozen else "engineering",
        "planned_by": TENON,
        "proposed_item": proposal.item["id"] if proposal else None,
        "proposed_version": proposal.version if proposal else None,
        "proposal_score": proposal.score if proposal else None,
        **(frozen.values if frozen else _AWAITING),
    }


def write_operations(desk: Desk, made: Sequence[tuple[str, str, Frozen]]) -> dict[str, list[str]]:
    """Write the operations of new work orders (id, number, what was frozen); ids by work order."""
    rows = [
        {"job_no": f"{number}-{operation['seq']}", "work_order": order, **operation}
        for order, number, what in made
        for operation in what.operations
    ]
    found: dict[str, list[str]] = {}
    for row, id_ in zip(rows, desk.write("operation", new_rows(rows)), strict=True):
        found.setdefault(str(row["work_order"]), []).append(id_)
    return found


def write_materials(desk: Desk, made: Sequence[tuple[str, list[dict[str, Any]]]]) -> None:
    """Write the components of work orders."""
    rows = [{"work_order": order, **need} for order, needs in made for need in needs]
    desk.write("work_order_material", [(RowKey(), row) for row in rows])

"""Carrying out a customer's changes that a planner accepted, on the work orders we planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from tenon.factory.begun import begun, locked_operations, locked_orders
from tenon.factory.desk import TENON, Desk, served
from tenon.factory.numbers import one_at_a_time
from tenon.factory.routing import duration, hours_of, rounded, work_hours
from tenon.kernel import clock
from tenon.kernel.decimals import to_decimal
from tenon.kernel.errors import BadInput
from tenon.kernel.text import Text
from tenon.records.write import RowKey

_BAD_DATE = Text(
    "变更的新交期“{value}”不是日期；请在 CRM 中更正后再处理。",
    "The change's new date “{value}” is no date. Correct it in the CRM, then decide.",
)
_PLANNED_FIELDS: Final = (
    "qty", "due_at", "plan_start", "plan_end", "status", "est_hours", "engineering_note",
)  # fmt: skip
_TIMED_FIELDS: Final = ("qty_plan", "setup_min", "run_min", "plan_start", "plan_end", "state")


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a change: the work orders and operations the MES must hear of.

    `begun` are the numbers of work orders that have begun: then nothing was changed.
    """

    lines: tuple[str, ...] = ()
    work_orders: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    begun: tuple[str, ...] = ()


@dataclass(slots=True)
class _Order:
    """A work order as it is being changed."""

    row: RowMapping
    values: dict[str, Any]
    operations: list[dict[str, Any]]
    begun: bool
    ratio: Decimal = Decimal(1)  # of its quantity now to that before
    touched: bool = False


@dataclass(slots=True)
class _Work:
    """Everything a set of changes touches."""

    lines: dict[tuple[str, int], str]  # (order, line no.) → line
    allocations: list[dict[str, Any]]
    orders: dict[str, _Order]
    moved: set[str] = field(default_factory=set)  # allocations with another quantity


def apply_changes(desk: Desk, change_ids: Sequence[str]) -> dict[str, Applied]:
    """Carry out these changes in the order of their revisions; by the change's id."""
    change = desk.table("order_change")
    query = sa.select(change).where(change.c.id.in_(change_ids))
    changes = desk.rows(query.order_by(change.c.revision, change.c.changed_at, change.c.id))
    work = _load(desk, changes)
    found = {row["id"]: _apply(desk, work, row) for row in changes}
    _write(desk, work)
    return found


def lines_of(desk: Desk, changes: Sequence[RowMapping]) -> dict[tuple[str, int], str]:
    """The lines of the orders that are changed, by order and line number."""
    line = desk.table("order_line")
    query = sa.select(line.c.sales_order, line.c.line_no, line.c.id).where(
        line.c.sales_order.in_({row["sales_order"] for row in changes})
    )
    return {(r["sales_order"], r["line_no"]): r["id"] for r in desk.rows(query)}


def touched_lines(lines: dict[tuple[str, int], str], change: RowMapping) -> list[str]:
    """The lines a change is about: one, or all of the order."""
    order, number = change["sales_order"], change["line_no"]
    return [id_ for (o, n), id_ in sorted(lines.items()) if o == order and number in {None, n}]


def _load(desk: Desk, changes: Sequence[RowMapping]) -> _Work:
    lines = lines_of(desk, changes)
    wanted = list(dict.fromkeys(id_ for row in changes for id_ in touched_lines(lines, row)))
    one_at_a_time(desk.tx, "order_line", wanted)
    own = [dict(row) for row in served(desk, wanted) if row["planned_by"] == TENON]
    ids = sorted({row["work_order"] for row in own})
    rows, operations = locked_orders(desk, ids), locked_operations(desk, ids)
    under_way = begun(desk, rows, operations)
    orders = {
        row["id"]: _Order(
            row,
            {code: row[code] for code in _PLANNED_FIELDS},
            [dict(op) for op in operations if op["work_order"] == row["id"]],
            row["id"] in under_way,
        )
        for row in rows
    }
    return _Work(lines, own, orders)


def _apply(desk: Desk, work: _Work, change: RowMapping) -> Applied:
    lines = touched_lines(work.lines, change)
    own = [one for one in work.allocations if one["order_line"] in lines]
    orders = {one["work_order"]: work.orders[one["work_order"]] for one in own}
    under_way = [order.row["work_order_no"] for order in orders.values() if order.begun]
    if under_way:
        return Applied(tuple(lines), begun=tuple(under_way))
    for allocation in own:
        _change(desk, work, change, allocation)
    pushed = {id_: order for id_, order in orders.items() if order.row["status"] != "engineering"}
    return Applied(
        tuple(lines),
        tuple(pushed),
        tuple(op["id"] for order in pushed.values() for op in order.operations),
    )


def _change(desk: Desk, work: _Work, change: RowMapping, allocation: dict[str, Any]) -> None:
    order = work.orders[allocation["work_order"]]
    order.touched = True
    match change["change"]:
        case "qty":
            new = to_decimal(change["new_value"])
            before = order.values["qty"]
            order.values["qty"] += new - allocation["qty"]
            order.ratio *= order.values["qty"] / before if before else Decimal(1)
            allocation["qty"] = new
            work.moved.add(allocation["id"])
        case "date":
            order.values["due_at"] = _moment(desk, change["new_value"], order.values["due_at"])
        case "drawing":
            note = f"{change['old_value'] or ''} → {change['new_value'] or ''}"
            order.values["engineering_note"] = note[:200]
        case _:
            order.values["status"] = "cancelled"
            for operation in order.operations:
                operation["state"] = "cancel"


def _moment(desk: Desk, value: str | None, before: datetime | None) -> datetime:
    """The new date at the time of day of the old one, unless it has a time itself."""
    text = (value or "").strip()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("bad_date", _BAD_DATE, value=text[:80]) from None
    if len(text) <= len("2026-01-31"):
        local = clock.local(before, desk.zone) if before else None
        of_day = local.time() if local else time(17)
        found = datetime.combine(date.fromisoformat(text), of_day)
    return found if found.tzinfo else clock.from_local(found, desk.zone)


def _write(desk: Desk, work: _Work) -> None:
    orders = [order for order in work.orders.values() if order.touched]
    hours = work_hours(desk.tx, desk.reader) if orders else {}
    for order in orders:
        _plan_again(order, hours)
    desk.write("work_order", [(RowKey(id=o.row["id"]), o.values) for o in orders])
    desk.write("operation", [
        (RowKey(id=op["id"]), {code: op[code] for code in _TIMED_FIELDS})
        for order in orders for op in order.operations
    ])  # fmt: skip
    moved = [one for one in work.allocations if one["id"] in work.moved]
    desk.write("allocation", [(RowKey(id=one["id"]), {"qty": one["qty"]}) for one in moved])
    _materials(desk, {o.row["id"]: o.ratio for o in orders if o.ratio != 1})


def _plan_again(order: _Order, hours: dict[str, Decimal]) -> None:
    """Another quantity takes another time; the minutes of a piece stay as they were frozen."""
    if order.ratio == 1 or not order.operations:
        return
    start = order.values["plan_start"]
    for op in sorted(order.operations, key=lambda one: one["seq"]):
        op["qty_plan"] = order.values["qty"]
        op["run_min"] = rounded((op["run_min"] or Decimal(0)) * order.ratio, 4)
        minutes = (op["setup_min"] or Decimal(0)) + op["run_min"]
        end = start + duration(
            minutes, hours.get(op["work_centre"] or ""), outside=bool(op["outside"])
        )
        op["plan_start"], op["plan_end"], start = start, end, end
    order.values["plan_end"] = start
    order.values["est_hours"] = hours_of(order.operations)


def _materials(desk: Desk, ratios: dict[str, Decimal]) -> None:
    """Our own component lists follow the quantity; finance changes its own."""
    if not ratios:
        return
    material = desk.table("work_order_material")
    query = sa.select(material.c.id, material.c.work_order, material.c.required_qty).where(
        material.c.work_order.in_(ratios),
        material.c.source.is_(None),
        material.c.required_qty.is_not(None),
    )
    desk.write("work_order_material", [
        (
            RowKey(id=row["id"]),
            {"required_qty": rounded(row["required_qty"] * ratios[row["work_order"]], 4)},
        )
        for row in desk.rows(query.order_by(material.c.id))
    ])  # fmt: skip

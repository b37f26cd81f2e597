"""Order lines with their stage: the list, and the rows every page about orders shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from tenon.boards.reading import Context
from tenon.factory import stage, words
from tenon.factory.evidence import Evidence, load_shipped, load_work_orders
from tenon.kernel import clock


@dataclass(frozen=True, slots=True)
class Line:
    """An order line with its evidence and stage."""

    row: RowMapping
    shipped: Any
    allocations: list[RowMapping]
    work_orders: dict[str, Evidence]
    stages: dict[str, stage.Stage]
    stage: stage.Stage

    @property
    def open(self) -> bool:
        """Whether it still has to be shipped."""
        return self.stage.code not in stage.CLOSED_STAGES


def line_query(context: Context) -> sa.Select[Any]:
    """Order lines joined to their order and customer."""
    reader = context.reader
    line, order, customer = map(reader.table, ("order_line", "sales_order", "customer"))
    return (
        sa.select(
            line,
            order.c.order_no,
            order.c.customer,
            order.c.customer_po,
            order.c.ordered_at,
            order.c.status.label("order_status"),
            order.c.rush,
            order.c.due_at.label("order_due_at"),
            order.c.promised_at.label("order_promised_at"),
            customer.c.name.label("customer_name"),
            customer.c.short_name.label("customer_short_name"),
        )
        .join_from(line, order, line.c.sales_order == order.c.id)
        .outerjoin(customer, customer.c.id == order.c.customer)
    )


def load_lines(context: Context, rows: Sequence[RowMapping]) -> list[Line]:
    """The lines of these rows of `line_query`, with evidence and stage, in their order."""
    ids = [r["id"] for r in rows]
    allocation = context.reader.table("allocation")
    allocations: dict[str, list[RowMapping]] = {id_: [] for id_ in ids}
    for start in range(0, len(ids), 5000):
        query = sa.select(allocation).where(
            allocation.c.order_line.in_(ids[start : start + 5000]),
            allocation.c.archived_at.is_(None),
        )
        for found in context.connection.execute(query.order_by(allocation.c.id)).mappings():
            allocations[found["order_line"]].append(found)
    order_ids = list({a["work_order"]: None for own in allocations.values() for a in own})
    evidence = load_work_orders(context.connection, context.reader, order_ids)
    stages = {
        id_: stage.work_order_stage(e.rules, context.now, stale=context.stale)
        for id_, e in evidence.items()
    }
    shipped = load_shipped(context.connection, context.reader, ids)
    return [_line(row, allocations[row["id"]], evidence, stages, shipped) for row in rows]


def _line(
    row: RowMapping,
    allocations: list[RowMapping],
    evidence: dict[str, Evidence],
    stages: dict[str, stage.Stage],
    shipped: dict[str, Any],
) -> Line:
    qty, at = shipped.get(row["id"], (row["qty"] * 0, None))
    own = {a["work_order"]: evidence[a["work_order"]] for a in allocations}
    own_stages = {id_: stages[id_] for id_ in own}
    facts = stage.OrderLine(
        row["status"], row["order_status"], bool(row["standard"]), row["qty"], qty, at
    )
    return Line(
        row, qty, allocations, own, own_stages, stage.line_stage(facts, list(own_stages.values()))
    )


def deadline(context: Context, row: RowMapping) -> datetime | None:
    """When the line must have been shipped: the promise, else the date asked for.

    A date without a time means the end of that day in the plant's zone.
    """
    at: datetime | None = (
        row["promised_at"] or row["order_promised_at"] or row["due_at"] or row["order_due_at"]
    )
    if at is not None and at == clock.day_start(at, context.zone):
        return clock.day_start(at, context.zone, days=1) - timedelta(seconds=1)
    return at


def is_late(context: Context, line: Line) -> bool:
    """Whether the line should have been shipped by now, and is not."""
    due = deadline(context, line.row)
    return line.open and due is not None and context.now > due


def stage_answer(value: stage.Stage) -> dict[str, Any]:
    """A stage as the API gives it."""
    return {
        "code": value.code,
        "label": words.STAGES[value.code].as_dict(),
        "confirmed": value.confirmed,
        "reason": words.RULES[value.rule].as_dict() if value.rule else None,
        "rule": value.rule,
        "op_seq": value.op_seq,
        "op_name": value.op_name,
        "evidence_at": value.evidence_at,
    }


def customer_name(context: Context, row: RowMapping) -> str:
    """The customer's name, or nothing for a role that must not see it."""
    if "customer" in context.reader.hidden("sales_order"):
        return ""
    return row["customer_short_name"] or row["customer_name"] or ""


def item_name(row: RowMapping) -> str:
    """The item as people call it: drawing number and name."""
    return " ".join(part for part in (row["drawing_no"], row["item_name"]) if part)


def order_row(context: Context, line: Line) -> dict[str, Any]:
    """A line of the order list."""
    row = line.row
    hidden = context.reader.hidden("sales_order")
    return {
        "line_id": row["id"],
        "order_no": row["order_no"],
        "line_no": row["line_no"],
        "customer": customer_name(context, row),
        "customer_po": None if "customer_po" in hidden else row["customer_po"],
        "item": item_name(row),
        "qty": row["qty"],
        "shipped_qty": line.shipped,
        "unit": row["unit"] or "",
        "due_at": row["due_at"] or row["order_due_at"],
        "promised_at": row["promised_at"] or row["order_promised_at"],
        "rush": bool(row["rush"]),
        "on_hold": on_hold(line),
        "late": is_late(context, line),
        "stage": stage_answer(line.stage),
    }


def on_hold(line: Line) -> bool:
    """Whether the order or a work order of it is on hold."""
    return (
        line.row["order_status"] == "on_hold"
        or line.row["status"] == "on_hold"
        or any(e.row["status"] == "on_hold" for e in line.work_orders.values())
    )


def open_lines(context: Context) -> list[Line]:
    """Every order line that still has to be shipped, by due time."""
    return context.once("open_lines", lambda: _open_lines(context))


def _open_lines(context: Context) -> list[Line]:
    reader = context.reader
    order, line = reader.table("sales_order"), reader.table("order_line")
    query = (
        line_query(context)
        .where(
            order.c.status.in_(("open", "on_hold")),
            line.c.status.in_(("open", "on_hold")),
            line.c.archived_at.is_(None),
        )
        .order_by(line.c.promised_at, line.c.due_at, line.c.line_key)
    )
    rows = context.connection.execute(query).mappings().all()
    return [line for line in load_lines(context, rows) if line.open]


def all_lines(context: Context, page: int, page_size: int) -> tuple[list[Line], int]:
    """A page of all order lines ever, newest order first, and how many there are."""
    line, order = context.reader.table("order_line"), context.reader.table("sales_order")
    there = line.c.archived_at.is_(None)
    rows = (
        context.connection.execute(
            line_query(context)
            .where(there)
            .order_by(order.c.order_no.desc(), line.c.line_no)
            .limit(page_size)
            .offset((page - 1) * page_size)
        )
        .mappings()
        .all()
    )
    total = context.connection.scalar(sa.select(sa.func.count()).where(there)) or 0
    return load_lines(context, rows), total


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What the order list may be narrowed by."""

    stage: str | None = None
    op: str | None = None
    late: bool | None = None
    confirmed: bool | None = None
    customer: str | None = None
    state: Literal["open", "all"] = "open"


def list_orders(
    context: Context, wanted: OrderFilter, *, page: int = 1, page_size: int = 50
) -> dict[str, Any]:
    """A page of the order lines that match: of the open ones, or of all there ever were.

    Of all lines only the number may be asked for, not the stage: that is known a page at a time.
    """
    if wanted.state == "all":
        lines, total = all_lines(context, page, page_size)
        return {
            "rows": [order_row(context, line) for line in lines],
            "total": total,
            "page": page,
            "page_size": page_size,
        }
    matching = [line for line in open_lines(context) if _matches(context, line, wanted)]
    start = (page - 1) * page_size
    return {
        "rows": [order_row(context, line) for line in matching[start : start + page_size]],
        "total": len(matching),
        "page": page,
        "page_size": page_size,
    }


def _matches(context: Context, line: Line, wanted: OrderFilter) -> bool:
    return (
        (wanted.stage is None or line.stage.code == wanted.stage)
        and (wanted.op is None or line.stage.op_name == wanted.op)
        and (wanted.late is None or is_late(context, line) == wanted.late)
        and (wanted.confirmed is None or line.stage.confirmed == wanted.confirmed)
        and (
            wanted.customer is None
            or wanted.customer.casefold() in customer_name(context, line.row).casefold()
        )
    )

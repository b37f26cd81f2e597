"""Everything the order page shows of one order line; each fact names its source rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from tenon.boards.reading import Context
from tenon.factory import words
from tenon.factory.changes import change_answer
from tenon.factory.desk import TENON
from tenon.factory.evidence import Evidence
from tenon.factory.orders import (
    Line,
    customer_name,
    deadline,
    is_late,
    line_query,
    load_lines,
    order_row,
    stage_answer,
)
from tenon.factory.stations import Names, load_names, stations
from tenon.factory.trace import sources
from tenon.factory.waiting import line_waits_for, work_order_waits_for
from tenon.kernel.decimals import plain
from tenon.kernel.errors import NotFound
from tenon.kernel.text import Text

_GONE = Text(
    "没有这个订单行，或您无权查看。", "There is no such order line, or it is not yours to see."
)


def order_page(context: Context, line_id: str) -> dict[str, Any]:
    """The page of one order line; NotFound when there is none."""
    lines = _order_lines(context, line_id)
    line = next((found for found in lines if found.row["id"] == line_id), None)
    if line is None:
        raise NotFound("no_order", _GONE)
    names = load_names(context, line)
    row, due = line.row, deadline(context, line.row)
    late = is_late(context, line)
    shown = order_row(context, line)
    del shown["item"]  # the page gives its code and its name apart
    return shown | {
        "item_code": row["item_no"] or row["drawing_no"] or "",
        "item_name": row["item_name"] or "",
        "drawing": _drawing(row),
        "standard": bool(row["standard"]),
        "ordered_at": row["ordered_at"],
        "late_hours": int((context.now - due).total_seconds() // 3600) if late and due else None,
        "waits_for": _text(line_waits_for(line, names.centres)),
        "other_lines": [order_row(context, other) for other in lines if other is not line],
        "work_orders": [
            _work_order(context, line, allocation, names) for allocation in line.allocations
        ],
        "shipments": _shipments(context, line),
        "revisions": _revisions(context, line),
        "changes": _order_changes(context, line),
        "facts": _facts(context, line, names),
        "waiting_rows": context.tenon.waiting_rows(context.connection, _keys(line)),
    }


def _order_lines(context: Context, line_id: str) -> list[Line]:
    line = context.reader.table("order_line")
    order = sa.select(line.c.sales_order).where(line.c.id == line_id).scalar_subquery()
    query = line_query(context).where(line.c.sales_order == order).order_by(line.c.line_no)
    return load_lines(context, context.connection.execute(query).mappings().all())


def _keys(line: Line) -> list[str]:
    """The numbers by which rows that wait may name this order."""
    numbers = [line.row["order_no"], line.row["line_key"]]
    return numbers + [e.row["work_order_no"] for e in line.work_orders.values()]


def _drawing(row: RowMapping) -> str | None:
    if not row["drawing_no"]:
        return None
    return (
        f"{row['drawing_no']} / {row['drawing_rev']}" if row["drawing_rev"] else row["drawing_no"]
    )


def _text(text: Text | None) -> dict[str, str] | None:
    return text.as_dict() if text else None


def _work_order(
    context: Context, line: Line, allocation: RowMapping, names: Names
) -> dict[str, Any]:
    evidence = line.work_orders[allocation["work_order"]]
    stage, row = line.stages[allocation["work_order"]], evidence.row
    return {
        "id": row["id"],
        "work_order_no": row["work_order_no"],
        "planned_by": row["planned_by"],
        "mes_answer": row["mes_answer"],
        "est_hours": row["est_hours"],
        "engineering": row["status"] == "engineering",
        "allocated_qty": allocation["qty"],
        "qty": row["qty"],
        "received_qty": evidence.rules.received,
        "priority": row["priority"],
        "on_hold": row["status"] == "on_hold",
        "plan_start": row["plan_start"],
        "plan_end": row["plan_end"],
        "stage": stage_answer(stage),
        "stations": stations(context, evidence, stage, names),
        "materials": _materials(context, evidence, names),
        "waits_for": _text(work_order_waits_for(evidence, stage, names.centres)),
        "sources": sources(context, [row, allocation]),
    }


def _materials(context: Context, evidence: Evidence, names: Names) -> list[dict[str, Any]]:
    """Issues less returns, by item and lot; with what the component list asks for.

    Of a work order that Tenon planned, also the components of which nothing was issued yet.
    """
    used: dict[tuple[str, str | None, str], list[RowMapping]] = {}
    for move in evidence.moves:
        if move["move"] in {"issue", "return"} and move["item"]:
            key = (move["item"], move["lot_no"], move["unit"] or "")
            used.setdefault(key, []).append(move)
    required = names.required.get(evidence.row["id"], {})
    issued = {item for item, _, _ in used}
    if evidence.row["planned_by"] == TENON:
        used |= {
            (item, None, names.units.get(item, "")): [] for item in required if item not in issued
        }
    return [
        {
            "item_code": names.items[item][0],
            "item_name": names.items[item][1],
            "lot_no": lot,
            "required_qty": required.get(item),
            "issued_qty": -sum((m["qty"] for m in rows), Decimal(0)),
            "unit": unit,
            "last_at": max((m["moved_at"] for m in rows), default=None),
            "sources": sources(context, rows),
        }
        for (item, lot, unit), rows in used.items()
    ]


def _shipments(context: Context, line: Line) -> list[dict[str, Any]]:
    move = context.reader.table("stock_move")
    query = (
        sa.select(move)
        .where(move.c.order_line == line.row["id"], move.c.move == "ship", sa.not_(move.c.void))
        .order_by(move.c.moved_at)
    )
    return [
        {
            "move_no": found["move_no"],
            "qty": -found["qty"],
            "unit": found["unit"] or "",
            "shipped_at": found["moved_at"],
            "sources": sources(context, [found]),
        }
        for found in context.connection.execute(query).mappings()
    ]


def _revisions(context: Context, line: Line) -> list[dict[str, Any]]:
    change = context.reader.table("order_change")
    query = (
        sa.select(change)
        .where(
            change.c.sales_order == line.row["sales_order"],
            sa.or_(change.c.line_no.is_(None), change.c.line_no == line.row["line_no"]),
        )
        .order_by(change.c.revision, change.c.changed_at)
    )
    return [
        {
            "revision": found["revision"],
            "kind": found["change"],
            "label": words.CHANGES[found["change"]].as_dict(),
            "old": found["old_value"],
            "new": found["new_value"],
            "changed_at": found["changed_at"],
            "sources": sources(context, [found]),
        }
        for found in context.connection.execute(query).mappings()
    ]


def _order_changes(context: Context, line: Line) -> list[dict[str, Any]]:
    """Every change of the order, of its other lines too, with what a planner decided."""
    change = context.reader.table("order_change")
    query = (
        sa.select(change)
        .where(change.c.sales_order == line.row["sales_order"])
        .order_by(change.c.revision, change.c.changed_at, change.c.id)
    )
    return [change_answer(found) for found in context.connection.execute(query).mappings()]


def _facts(context: Context, line: Line, names: Names) -> list[dict[str, Any]]:
    """The facts of the header, with the rows they came from."""
    row = line.row
    order = context.reader.table("sales_order")
    order_source = (
        context.connection.execute(sa.select(order).where(order.c.id == row["sales_order"]))
        .mappings()
        .one()
    )
    facts = [
        (Text("订单", "Order"), row["order_no"], [order_source]),
        (Text("订单行", "Order line"), f"{row['order_no']}-{row['line_no']}", [row]),
        (Text("数量", "Quantity"), f"{plain(row['qty'])} {row['unit'] or ''}".strip(), [row]),
    ]
    customer = customer_name(context, row)
    if customer:
        facts.append((Text("客户", "Customer"), customer, [order_source]))
    if row["item"] in names.items:
        code, name = names.items[row["item"]]
        facts.append((Text("物料", "Item"), f"{code} {name}", [row]))
    return [
        {"label": label.as_dict(), "value": value, "sources": sources(context, rows)}
        for label, value, rows in facts
    ]

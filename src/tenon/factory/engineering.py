"""待工艺: the work orders that wait for their routing, and which routings may serve."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from tenon.boards.reading import Context, Opened, reading
from tenon.factory.desk import TENON
from tenon.factory.orders import customer_name
from tenon.factory.proposals import Proposal, items_made, nearest
from tenon.factory.routing import Routing, hours_for, load_routings
from tenon.records.ports import Actor

_CANDIDATES: Final = 5


def engineering(
    tenon: Opened, actor: Actor, *, page: int = 1, page_size: int = 50
) -> dict[str, Any]:
    """A page of the work orders that wait for engineering, oldest first, with candidates."""
    with reading(tenon, actor) as context:
        query = _waiting(context)
        counted = sa.select(sa.func.count()).select_from(query.subquery())
        total = context.connection.scalar(counted) or 0
        page_query = query.limit(page_size).offset((page - 1) * page_size)
        rows = context.connection.execute(page_query).mappings().all()
        return {
            "rows": _with_candidates(context, rows),
            "total": total, "page": page, "page_size": page_size,
        }  # fmt: skip


def _waiting(context: Context) -> sa.Select[Any]:
    order, allocation, line, sales, customer, item = map(
        context.reader.table,
        ("work_order", "allocation", "order_line", "sales_order", "customer", "item"),
    )
    return (
        sa.select(
            order,
            line.c.id.label("line_id"), line.c.line_no, line.c.item_name, line.c.drawing_no,
            line.c.drawing_rev, line.c.unit, sales.c.order_no,
            customer.c.name.label("customer_name"),
            customer.c.short_name.label("customer_short_name"),
            item.c.code.label("item_code"),
        )
        .join_from(allocation, order, order.c.id == allocation.c.work_order)
        .join(line, line.c.id == allocation.c.order_line)
        .join(sales, sales.c.id == line.c.sales_order)
        .outerjoin(customer, customer.c.id == sales.c.customer)
        .outerjoin(item, item.c.id == order.c.item)
        .where(_awaits(order), line.c.status.in_(("open", "on_hold")))
        .order_by(order.c.work_order_no)
    )  # fmt: skip


def _awaits(order: sa.Table) -> sa.ColumnElement[bool]:
    """Ours without a routing, or with one that a new drawing put in question."""
    planned = order.c.status.in_(("planned", "released", "on_hold"))
    return sa.and_(
        order.c.planned_by == TENON,
        sa.or_(
            order.c.status == "engineering",
            sa.and_(order.c.engineering_note.is_not(None), planned),
        ),
    )


def _with_candidates(context: Context, rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    connection, reader = context.connection, context.reader
    made = items_made(connection, reader) if rows else []
    found = {r["id"]: nearest(r["item_name"], r["drawing_no"], made, _CANDIDATES) for r in rows}
    kept = {r["proposed_item"] for r in rows if r["proposed_item"]}
    items = {p.item["id"] for own in found.values() for p in own} | kept
    routings = load_routings(connection, reader, items)
    by_item = {one.row["id"]: one.row for one in made}
    return [_row(context, row, found[row["id"]], by_item, routings) for row in rows]


def _row(
    context: Context,
    row: RowMapping,
    found: list[Proposal],
    items: dict[str, RowMapping],
    routings: dict[tuple[str, int], Routing],
) -> dict[str, Any]:
    drawing = " / ".join(part for part in (row["drawing_no"], row["drawing_rev"]) if part)
    proposed = items.get(row["proposed_item"] or "")
    version, score = row["proposed_version"], row["proposal_score"]
    kept = Proposal(proposed, version, score) if proposed and version is not None else None
    candidates = [_candidate(p, row["qty"], routings) for p in found]
    return {
        "work_order_id": row["id"],
        "work_order_no": row["work_order_no"],
        "work_order_version": row["version"],
        "line_id": row["line_id"],
        "order_no": row["order_no"],
        "line_no": row["line_no"],
        "customer": customer_name(context, row),
        "item_id": row["item"],
        "item_code": row["item_code"],
        "item_name": row["item_name"] or "",
        "drawing": drawing or None,
        "qty": row["qty"],
        "unit": row["unit"] or "",
        "due_at": row["due_at"],
        "since": row["created_at"],
        "reason": "no_routing" if row["status"] == "engineering" else "drawing_changed",
        "note": row["engineering_note"],
        "proposal": _candidate(kept, row["qty"], routings) if kept else None,
        "candidates": [one for one in candidates if one is not None],
    }


def _candidate(
    proposal: Proposal, qty: Decimal, routings: dict[tuple[str, int], Routing]
) -> dict[str, Any] | None:
    item, routing = proposal.item, routings.get((proposal.item["id"], proposal.version))
    if routing is None:
        return None  # it was withdrawn since
    operations = [
        {
            "seq": op["seq"], "process": op["process"], "name": op["name"] or "",
            "work_centre": op["work_centre"], "setup_min": op["setup_min"],
            "run_min_per_piece": op["run_min_per_piece"], "outside": bool(op["outside"]),
            "supplier": op["supplier_name"],
        }
        for op in routing.operations
    ]  # fmt: skip
    return {
        "item_id": item["id"], "version": proposal.version, "item_code": item["code"],
        "item_name": item["name"], "drawing_no": item["drawing_no"], "score": proposal.score,
        "operations": operations, "est_hours": hours_for(routing, qty),
    }  # fmt: skip

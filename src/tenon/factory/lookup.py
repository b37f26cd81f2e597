"""The one search box: order, work order, customer, customer's PO, item → order lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tenon.boards.reading import Context, Opened, reading
from tenon.factory.order_page import order_page as _page
from tenon.factory.orders import (
    OrderFilter,
    customer_name,
    is_late,
    item_name,
    line_query,
    load_lines,
    stage_answer,
)
from tenon.factory.orders import (
    list_orders as _list,
)
from tenon.kernel.errors import NotFound
from tenon.kernel.text import Text, normal_code, normal_document_no
from tenon.records.ports import Actor

_LIMIT = 20
_NO_ORDER = Text(
    "没有订单“{order_no}”，请核对订单号。", "There is no order “{order_no}”; check the number."
)


@dataclass(frozen=True, slots=True)
class _Match:
    how: str
    column: sa.ColumnElement[str]
    lines: sa.ColumnElement[bool]


def search(tenon: Opened, actor: Actor, query: str) -> dict[str, Any]:
    """Order lines that the query names, best first: open before done, newest first."""
    typed = query.strip()[:100]
    if not typed:
        return {"query": typed, "hits": [], "more": False}
    with reading(tenon, actor) as context:
        # A whole number names one thing and is found by its index; else look inside the texts.
        hits, more = _hits(context, _whole_numbers(context, typed))
        if not hits:
            hits, more = _hits(context, _matches(context, typed))
        ranked = sorted(hits.values(), key=lambda h: h["stage"]["code"] in _DONE)
        return {"query": typed, "hits": ranked[:_LIMIT], "more": more or len(ranked) > _LIMIT}


_DONE = ("shipped", "closed", "cancelled")


def _hits(context: Context, matches: list[_Match]) -> tuple[dict[str, dict[str, Any]], bool]:
    """The hits of all matches by line, the surest match of each, and whether there are more."""
    hits: dict[str, dict[str, Any]] = {}
    more = False
    for match in matches:
        found = _run(context, match)
        more = more or len(found) > _LIMIT
        for line_id, hit in found:
            hits.setdefault(line_id, hit)
    return hits, more


def _whole_numbers(context: Context, typed: str) -> list[_Match]:
    reader, number = context.reader, normal_document_no(typed)
    order, line = reader.table("sales_order"), reader.table("order_line")
    served = _served_by(context, reader.table("work_order").c.work_order_no == number)
    matches = [
        _Match("order", order.c.order_no, order.c.order_no == number),
        _Match("work_order", sa.literal(number), line.c.id.in_(served)),
    ]
    if "customer_po" not in reader.hidden("sales_order"):
        matches.append(_Match("customer_po", order.c.customer_po, order.c.customer_po == typed))
    return matches


def _served_by(context: Context, work_orders: sa.ColumnElement[bool]) -> sa.Select[Any]:
    work_order = context.reader.table("work_order")
    allocation = context.reader.table("allocation")
    return (
        sa.select(allocation.c.order_line)
        .join(work_order, work_order.c.id == allocation.c.work_order)
        .where(work_orders)
    )


def _matches(context: Context, typed: str) -> list[_Match]:
    reader = context.reader
    line, order, customer, item = map(
        reader.table, ("order_line", "sales_order", "customer", "item")
    )
    number, code = normal_document_no(typed), normal_code(typed)
    served = _served_by(context, _has(reader.table("work_order").c.work_order_no, number))
    items = sa.select(item.c.id).where(
        sa.or_(_has(item.c.code, typed), _has(item.c.name, typed), _has(item.c.drawing_no, typed))
    )
    matches = [
        _Match("order", order.c.order_no, _has(order.c.order_no, number)),
        _Match(
            "work_order",
            sa.literal(number),
            line.c.id.in_(served),
        ),
        _Match(
            "item",
            line.c.item_name,
            sa.or_(
                line.c.item.in_(items), _has(line.c.item_no, typed), _has(line.c.drawing_no, code)
            ),
        ),
    ]
    if "customer" not in reader.hidden("sales_order"):
        customers = sa.select(customer.c.id).where(
            sa.or_(_has(customer.c.name, typed), _has(customer.c.short_name, typed))
        )
        matches += [
            _Match("customer_po", order.c.customer_po, _has(order.c.customer_po, typed)),
            _Match("customer", customer.c.name, order.c.customer.in_(customers)),
        ]
    return matches


def _has(column: sa.Column[Any], typed: str) -> sa.ColumnElement[bool]:
    return column.icontains(typed, autoescape=True)


def _run(context: Context, match: _Match) -> list[tuple[str, dict[str, Any]]]:
    order, line = context.reader.table("sales_order"), context.reader.table("order_line")
    still_open = sa.case((order.c.status.in_(("open", "on_hold")), 0), else_=1)
    rows = (
        context.connection.execute(
            line_query(context)
            .add_columns(match.column.label("matched_text"))
            .where(match.lines, line.c.archived_at.is_(None))
            .order_by(still_open, order.c.ordered_at.desc(), line.c.line_no)
            .limit(_LIMIT + 1)
        )
        .mappings()
        .all()
    )
    return [
        (
            found.row["id"],
            {
                "line_id": found.row["id"],
                "order_no": found.row["order_no"],
                "line_no": found.row["line_no"],
                "matched": match.how,
                "matched_text": found.row["matched_text"] or "",
                "customer": customer_name(context, found.row),
                "item": item_name(found.row),
                "qty": found.row["qty"],
                "unit": found.row["unit"] or "",
                "due_at": found.row["due_at"] or found.row["order_due_at"],
                "stage": stage_answer(found.stage),
                "late": is_late(context, found),
            },
        )
        for found in load_lines(context, rows)
    ]


def order_page(tenon: Opened, actor: Actor, line_id: str) -> dict[str, Any]:
    """Everything about one order line; NotFound when there is none."""
    with reading(tenon, actor) as context:
        return _page(context, line_id)


def by_number(tenon: Opened, actor: Actor, order_no: str) -> dict[str, Any]:
    """The order page of the first line of an order; NotFound when there is none."""
    with reading(tenon, actor) as context:
        order, line = context.reader.table("sales_order"), context.reader.table("order_line")
        line_id = context.connection.scalar(
            sa.select(line.c.id)
            .join(order, order.c.id == line.c.sales_order)
            .where(order.c.order_no == normal_document_no(order_no))
            .order_by(line.c.line_no)
            .limit(1)
        )
        if line_id is None:
            raise NotFound("no_order", _NO_ORDER, order_no=order_no[:60])
        return _page(context, line_id)


def list_orders(
    tenon: Opened, actor: Actor, wanted: OrderFilter, *, page: int = 1, page_size: int = 50
) -> dict[str, Any]:
    """A page of the open order lines that match."""
    with reading(tenon, actor) as context:
        return _list(context, wanted, page=page, page_size=page_size)

"""Customers' changes: the list that a planner works through, and deciding one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from tenon.automate import switch
from tenon.boards.reading import Context, reading
from tenon.define.models import Flow
from tenon.factory import words
from tenon.factory.begun import begun, locked_operations, locked_orders
from tenon.factory.desk import TENON, Desk, served
from tenon.factory.numbers import one_at_a_time
from tenon.factory.orders import customer_name
from tenon.factory.revise import lines_of, touched_lines
from tenon.factory.taking import Planning
from tenon.kernel.errors import Conflict, NotFound
from tenon.kernel.text import Text
from tenon.records.ports import Actor
from tenon.records.write import RowKey

FLOW: Final = "order_change_accepted"

_NO_CHANGE = Text("没有这项变更。", "There is no such change.")
_DECIDED = Text(
    "这项变更不在待确认状态（{by} 已处理，或无需处理）；请刷新。",
    "This change is not to be decided: {by} was first, or there is nothing to decide. Reload.",
)
_BEGUN = Text(
    "工单 {numbers} 已经开工，变更不能直接接受；请与车间商定后，在 MES 中处理。",
    "The work order {numbers} has begun, so the change cannot simply be accepted. Agree on it "
    "with the shop floor, and settle it in the MES.",
)
_OFF = Text(
    "流程“执行订单变更”（{flow}）未启用，接受后不会生效；请管理员先启用。",
    "The flow that carries changes out ({flow}) is switched off, so accepting would change "
    "nothing. Ask an administrator to switch it on.",
)


def order_changes(
    tenon: Planning, actor: Actor, *, decision: str | None, page: int = 1, page_size: int = 50
) -> dict[str, Any]:
    """A page of changes, the newest first, with the work orders they touch."""
    with reading(tenon, actor) as context:
        query = _changes(context)
        if decision is not None:
            query = query.where(context.reader.table("order_change").c.decision == decision)
        counted = sa.select(sa.func.count()).select_from(query.order_by(None).subquery())
        total = context.connection.scalar(counted) or 0
        page_query = query.limit(page_size).offset((page - 1) * page_size)
        rows = context.connection.execute(page_query).mappings().all()
        return {
            "rows": _shown(context, rows),
            "total": total, "page": page, "page_size": page_size,
        }  # fmt: skip


def decide(
    tenon: Planning, actor: Actor, change_id: str, *, accept: bool, note: str | None
) -> dict[str, Any]:
    """Accept or reject a change; Conflict when it is decided already or cannot be carried out.

    What an accepted change does is done by the flow that its new state starts.
    """
    with tenon.hub.write() as tx:
        desk = Desk(tx, tenon.reader(actor), tenon.writer, actor, tenon.zone)
        change = _locked(desk, change_id)
        if change["decision"] != "pending":
            raise Conflict("change_decided", _DECIDED, by=change["decided_by"] or "—")
        if accept:
            _refuse(desk, change)
        values = {
            "decision": "accepted" if accept else "rejected", "note": note,
            "decided_by": actor.name[:100], "decided_at": desk.now, "applied_at": None,
        }  # fmt: skip
        desk.write("order_change", [(RowKey(id=change_id, version=change["version"]), values)])
    with reading(tenon, actor) as context:
        query = _changes(context).where(context.reader.table("order_change").c.id == change_id)
        return _shown(context, context.connection.execute(query).mappings().all())[0]


def _locked(desk: Desk, change_id: str) -> RowMapping:
    table = desk.table("order_change")
    found = desk.rows(sa.select(table).where(table.c.id == change_id).with_for_update())
    if not found:
        raise NotFound("no_change", _NO_CHANGE)
    return found[0]


def _refuse(desk: Desk, change: RowMapping) -> None:
    flows = [flow for flow in desk.reader.catalogue.of(Flow) if flow.code == FLOW]
    if not any(switch.enabled(desk.tx, flows).values()):
        raise Conflict("flow_off", _OFF, flow=FLOW)
    lines = touched_lines(lines_of(desk, [change]), change)
    one_at_a_time(desk.tx, "order_line", lines)
    ids = sorted({r["work_order"] for r in served(desk, lines) if r["planned_by"] == TENON})
    orders = locked_orders(desk, ids)
    under_way = begun(desk, orders, locked_operations(desk, ids))
    if under_way:
        numbers = "、".join(row["work_order_no"] for row in orders if row["id"] in under_way)
        raise Conflict("work_order_begun", _BEGUN, numbers=numbers)


def _changes(context: Context) -> sa.Select[Any]:
    change, order, line, customer = map(
        context.reader.table, ("order_change", "sales_order", "order_line", "customer")
    )
    own = sa.and_(line.c.sales_order == order.c.id, line.c.line_no == change.c.line_no)
    return (
        sa.select(
            change, order.c.order_no, line.c.id.label("line_id"), line.c.item_name,
            line.c.drawing_no, customer.c.name.label("customer_name"),
            customer.c.short_name.label("customer_short_name"),
        )
        .join_from(change, order, order.c.id == change.c.sales_order)
        .outerjoin(line, own)
        .outerjoin(customer, customer.c.id == order.c.customer)
        .order_by(change.c.id.desc())
    )  # fmt: skip


def _shown(context: Context, rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    orders = _work_orders(context, rows)
    return [
        change_answer(row)
        | {
            "order_no": row["order_no"],
            "line_id": row["line_id"],
            "customer": customer_name(context, row),
            "item": " ".join(part for part in (row["drawing_no"], row["item_name"]) if part),
            "work_orders": [
                one
                for line, line_no, one in orders.get(row["sales_order"], [])
                if row["line_no"] in {None, line_no} or line == row["line_id"]
            ],
        }
        for row in rows
    ]


def change_answer(row: RowMapping) -> dict[str, Any]:
    """A change with its decision, as the API gives it."""
    return {
        "id": row["id"],
        "change_no": row["change_no"],
        "line_no": row["line_no"],
        "revision": row["revision"],
        "kind": row["change"],
        "label": words.CHANGES[row["change"]].as_dict(),
        "old": row["old_value"],
        "new": row["new_value"],
        "changed_at": row["changed_at"],
        "decision": row["decision"],
        "decided_by": row["decided_by"],
        "decided_at": row["decided_at"],
        "applied_at": row["applied_at"],
        "note": row["note"],
    }


def _work_orders(
    context: Context, rows: Sequence[RowMapping]
) -> dict[str, list[tuple[str, int, dict[str, Any]]]]:
    """The work orders we planned for the orders of these changes, by order."""
    order, allocation, line = map(
        context.reader.table, ("work_order", "allocation", "order_line")
    )  # fmt: skip
    query = (
        sa.select(
            line.c.sales_order, line.c.id.label("line_id"), line.c.line_no, order.c.id,
            order.c.work_order_no, order.c.status, order.c.qty, order.c.due_at,
        )
        .join_from(allocation, order, order.c.id == allocation.c.work_order)
        .join(line, line.c.id == allocation.c.order_line)
        .where(
            line.c.sales_order.in_({row["sales_order"] for row in rows}),
            order.c.planned_by == TENON,
            allocation.c.archived_at.is_(None),
        )
        .order_by(order.c.work_order_no)
    )  # fmt: skip
    found: dict[str, list[tuple[str, int, dict[str, Any]]]] = {}
    for row in context.connection.execute(query).mappings():
        shown = {code: row[code] for code in ("id", "work_order_no", "status", "qty", "due_at")}
        found.setdefault(row["sales_order"], []).append((row["line_id"], row["line_no"], shown))
    return found

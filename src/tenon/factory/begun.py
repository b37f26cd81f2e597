"""Whether work orders have begun: what is planned again must not be under way."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from tenon.define.models import Entity
from tenon.factory.desk import BEGUN, Desk

_REPORTS = "op_event"  # the workers' own reports, where a package has them


def begun(desk: Desk, orders: Sequence[RowMapping], operations: Sequence[RowMapping]) -> set[str]:
    """The work orders of these that have begun, by the MES or by a worker's report."""
    found = {row["id"] for row in orders if row["status"] in BEGUN}
    found |= {op["work_order"] for op in operations if _started(op)}
    return found | _reported(desk, [op for op in operations if op["work_order"] not in found])


def _started(operation: RowMapping) -> bool:
    return (
        operation["state"] in {"run", "done"}
        or operation["started_at"] is not None
        or (operation["qty_good"] or 0) > 0
        or (operation["qty_scrap"] or 0) > 0
    )


def _reported(desk: Desk, operations: Sequence[RowMapping]) -> set[str]:
    if not operations or _REPORTS not in {e.code for e in desk.reader.catalogue.of(Entity)}:
        return set()
    event, order_of = desk.table(_REPORTS), {op["id"]: op["work_order"] for op in operations}
    query = sa.select(event.c.operation).where(
        event.c.operation.in_(order_of), event.c.undone_at.is_(None)
    )
    return {order_of[id_] for id_ in desk.tx.scalars(query)}


def locked_orders(desk: Desk, ids: Sequence[str]) -> list[RowMapping]:
    """These work orders, locked against change until the end of the transaction."""
    order = desk.table("work_order")
    query = sa.select(order).where(order.c.id.in_(ids)).order_by(order.c.id)
    return desk.rows(query.with_for_update(key_share=True))


def locked_operations(desk: Desk, orders: Sequence[str]) -> list[RowMapping]:
    """The operations of these work orders that are not cancelled, locked likewise."""
    operation = desk.table("operation")
    query = (
        sa.select(operation)
        .where(operation.c.work_order.in_(orders), operation.c.state != "cancel")
        .order_by(operation.c.id)
    )
    return desk.rows(query.with_for_update(key_share=True))

"""Material issued to work orders, net of returns: what material loss is attributed by."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from tenon.boards.reading import Opened, reading
from tenon.records.ports import Actor


def issued(tenon: Opened, actor: Actor, *, page: int = 1, page_size: int = 200) -> dict[str, Any]:
    """A page of net quantities issued, by work order, item and unit, newest work order first."""
    with reading(tenon, actor) as context:
        order, item, move = map(context.reader.table, ("work_order", "item", "stock_move"))
        query = (
            sa.select(
                order.c.work_order_no,
                item.c.code.label("item_code"),
                item.c.name.label("item_name"),
                move.c.unit,
                (-sa.func.sum(move.c.qty, type_=move.c.qty.type)).label("issued_qty"),
                sa.func.count().label("moves"),
            )
            .join_from(move, order, order.c.id == move.c.work_order)
            .outerjoin(item, item.c.id == move.c.item)
            .where(move.c.move.in_(("issue", "return")), sa.not_(move.c.void))
            .group_by(order.c.work_order_no, item.c.code, item.c.name, move.c.unit)
        )
        total = context.connection.scalar(sa.select(sa.func.count()).select_from(query.subquery()))
        rows = context.connection.execute(
            query.order_by(order.c.work_order_no.desc(), item.c.code, move.c.unit)
            .limit(page_size)
            .offset((page - 1) * page_size)
        ).mappings()
        return {
            "rows": [dict(row) | {"unit": row["unit"] or ""} for row in rows],
            "total": total or 0,
            "page": page,
            "page_size": page_size,
        }

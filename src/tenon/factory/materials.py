"""Material issued to work orders, net of returns: what material loss is attributed by."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from tenon.boards.reading import Opened, reading
from tenon.master import lookup
from tenon.records.ports import Actor

_SHOWN = ("work_order_no", "item_code", "item_name", "issued_qty", "moves")


def issued(tenon: Opened, actor: Actor, *, page: int = 1, page_size: int = 200) -> dict[str, Any]:
    """A page of net quantities issued, by work order, item and unit, newest work order first."""
    with reading(tenon, actor) as context:
        order, item, move = map(context.reader.table, ("work_order", "item", "stock_move"))
        query = (
            sa.select(
                order.c.work_order_no,
                move.c.item,
                move.c.source,
                item.c.code.label("item_code"),
                item.c.name.label("item_name"),
                move.c.unit,
                (-sa.func.sum(move.c.qty, type_=move.c.qty.type)).label("issued_qty"),
                sa.func.count().label("moves"),
            )
            .join_from(move, order, order.c.id == move.c.work_order)
            .outerjoin(item, item.c.id == move.c.item)
            .where(move.c.move.in_(("issue", "return")), sa.not_(move.c.void))
            .group_by(
                order.c.work_order_no,
                move.c.item,
                move.c.source,
                item.c.code,
                item.c.name,
                move.c.unit,
            )
        )
        total = context.connection.scalar(sa.select(sa.func.count()).select_from(query.subquery()))
        rows = (
            context.connection.execute(
                query.order_by(order.c.work_order_no.desc(), item.c.code, move.c.unit)
                .limit(page_size)
                .offset((page - 1) * page_size)
            )
            .mappings()
            .all()
        )
        codes = lookup.codes_of(context.connection, "item", {r["item"] for r in rows if r["item"]})
        return {
            "rows": [_row(row, codes.get((row["item"], row["source"]), [])) for row in rows],
            "total": total or 0,
            "page": page,
            "page_size": page_size,
        }


def _row(row: RowMapping, codes: list[str]) -> dict[str, Any]:
    shown = {name: row[name] for name in _SHOWN}
    return shown | {"unit": row["unit"] or "", "source_codes": codes}

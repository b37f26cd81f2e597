"""A few orders, written through the one write path."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tenon.assembly import Tenon
from tenon.records.ports import SYSTEM
from tenon.records.write import RowKey

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def write_orders(tenon: Tenon, count: int = 2) -> None:
    """Orders SO-1… with one line each, and one work order WO-1… for each line."""
    with tenon.hub.write() as tx:

        def put(entity: str, rows: list[dict[str, Any]]) -> list[str]:
            keyed = [(RowKey(source="crm", source_key=f"{entity}:{n}"), r) for n, r in
                     enumerate(rows)]  # fmt: skip
            return [w.id for w in tenon.writer.write(tx, SYSTEM, entity, keyed)]

        (customer,) = put(
            "customer", [{"code": "C1", "name": "宁波北仑汽配", "short_name": "北仑"}]
        )
        (item,) = put("item", [{"code": "F1", "name": "支架", "drawing_no": "DW-1"}])
        numbers = range(1, count + 1)
        orders = put("sales_order", [
            {"order_no": f"SO-{n}", "customer": customer, "status": "open", "ordered_at": AT}
            for n in numbers
        ])  # fmt: skip
        lines = put("order_line", [
            {"sales_order": o, "line_no": 1, "line_key": f"SO-{n}/1", "item": item,
             "item_name": "支架", "drawing_no": "DW-1", "standard": True, "qty": Decimal(100),
             "unit": "件", "price": Decimal("1.25"), "status": "open"}
            for n, o in zip(numbers, orders, strict=True)
        ])  # fmt: skip
        works = put("work_order", [
            {"work_order_no": f"WO-{n}", "item": item, "qty": Decimal(100), "status": "planned"}
            for n in numbers
        ])  # fmt: skip
        put("allocation", [
            {"work_order": w, "order_line": line, "qty": Decimal(100)}
            for w, line in zip(works, lines, strict=True)
        ])  # fmt: skip

"""The orders that should have been shipped by now, the longest overdue first."""

from __future__ import annotations

from typing import Any

from tenon.boards.reading import Context
from tenon.boards.registry import card, figure
from tenon.define.models import CardDef
from tenon.factory.orders import deadline, is_late, open_lines, order_row
from tenon.kernel.text import Text


@card("late_orders")
def late_orders(context: Context, definition: CardDef) -> dict[str, Any]:
    """Late order lines; `rows` says how many are shown."""
    late = [line for line in open_lines(context) if is_late(context, line)]
    late.sort(key=lambda line: deadline(context, line.row) or context.now)
    shown = int(definition.settings.get("rows", 10))
    return {
        "kind": "orders",
        "figures": [
            figure(
                "late",
                Text("逾期未发", "Late, not shipped"),
                len(late),
                unit=Text("行", "lines"),
                tone="bad" if late else "good",
                link="/orders?late=true",
            )
        ],
        "orders": [order_row(context, line) for line in late[:shown]],
    }

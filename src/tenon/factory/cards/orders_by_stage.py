"""Orders in progress by stage: how many, how many unconfirmed, how many late."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tenon.boards.reading import Context
from tenon.boards.registry import card, figure
from tenon.define.models import CardDef
from tenon.factory import words
from tenon.factory.orders import is_late, open_lines
from tenon.factory.stage import CLOSED_STAGES
from tenon.kernel.text import Text

_LINES = Text("行", "lines")
_DOUBT = Text("未确认", "Unconfirmed")
_LATE = Text("逾期", "Late")


@card("orders_by_stage")
def orders_by_stage(context: Context, _definition: CardDef) -> dict[str, Any]:
    """Open order lines by stage, in the order of the route; opens to the list."""
    lines = open_lines(context)
    count = Counter(line.stage.code for line in lines)
    late = Counter(line.stage.code for line in lines if is_late(context, line))
    doubt = Counter(line.stage.code for line in lines if not line.stage.confirmed)
    return {
        "kind": "stages",
        "hint": Text(f"共 {len(lines)} 行在制", f"{len(lines)} lines in progress").as_dict(),
        "figures": [
            one
            for code, label in words.STAGES.items()
            if code not in CLOSED_STAGES
            for one in _tile(code, label, count[code], doubt[code], late[code])
        ],
    }


def _tile(code: str, label: Text, count: int, doubt: int, late: int) -> list[dict[str, Any]]:
    """A stage and, keyed below it, its unconfirmed and late lines; each opens to its own list."""
    link = f"/orders?stage={code}"
    return [
        figure(code, label, count, unit=_LINES, link=link),
        figure(
            f"{code}.unconfirmed",
            _DOUBT,
            doubt,
            tone="warning" if doubt else "normal",
            link=f"{link}&confirmed=false",
        ),
        figure(
            f"{code}.late", _LATE, late, tone="bad" if late else "normal", link=f"{link}&late=true"
        ),
    ]

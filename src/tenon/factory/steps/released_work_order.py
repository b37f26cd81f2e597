"""The step that finds what belongs to the work order for which a routing was taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from tenon.automate.registry import At, Outcome, StepContext, StepSettings, step
from tenon.factory.desk import Desk, desk_of
from tenon.kernel.text import Text


class Settings(StepSettings):
    """It looks at the decision that started the run; there is nothing to set."""


@step
class ReleasedWorkOrder:
    """Gives the allocations and operations of the work order, cancelled operations too."""

    name = "released_work_order"
    label = Text("已下达的工单", "The released work order")
    settings = Settings

    def run(self, context: StepContext, runs: Sequence[At[Settings]]) -> list[Outcome]:
        """Look for the parts of all runs' work orders as one set."""
        desk = desk_of(context)
        orders = [str(at.data["trigger"]["work_order"]) for at in runs]
        allocations = _of(desk, "allocation", orders)
        operations = _of(desk, "operation", orders)
        return [
            Outcome({
                "allocations": allocations.get(order, []), "operations": operations.get(order, []),
            })
            for order in orders
        ]  # fmt: skip


def _of(desk: Desk, entity: str, orders: list[str]) -> dict[str, list[Any]]:
    table = desk.table(entity)
    query = sa.select(table.c.id, table.c.work_order).where(table.c.work_order.in_(orders))
    found: dict[str, list[Any]] = {}
    for row in desk.rows(query.order_by(table.c.id)):
        found.setdefault(row["work_order"], []).append(row["id"])
    return found

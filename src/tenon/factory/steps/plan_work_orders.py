"""The step that plans work orders for new order lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tenon.automate.registry import At, Outcome, StepContext, StepSettings, step
from tenon.factory.desk import desk_of
from tenon.factory.planning import Planned, plan_lines
from tenon.kernel.text import Text


class Settings(StepSettings):
    """It plans the order line that started the run; there is nothing to set."""


@step
class PlanWorkOrders:
    """Plans each line once: released with its operations, or awaiting engineering."""

    name = "plan_work_orders"
    label = Text("排工单", "Plan work orders")
    settings = Settings

    def run(self, context: StepContext, runs: Sequence[At[Settings]]) -> list[Outcome]:
        """Plan the lines of all runs as one set."""
        lines = [str(at.data["trigger"]["id"]) for at in runs]
        planned = plan_lines(desk_of(context), list(dict.fromkeys(lines)))
        # A line that several runs ask for was planned by the first of them.
        return [_outcome(planned.pop(line, None)) for line in lines]


def _outcome(planned: Planned | None) -> Outcome:
    released = planned is not None and bool(planned.operations)
    output: dict[str, Any] = {
        "planned": released,
        "engineering": planned is not None and not released,
        "work_order": planned.work_order if planned else None,
        "allocations": [planned.allocation] if planned else [],
        "operations": list(planned.operations) if planned else [],
    }
    return Outcome(output)

"""The step that carries out a customer's change which a planner accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tenon.automate import notices
from tenon.automate.registry import At, Outcome, StepContext, StepSettings, step
from tenon.factory.desk import desk_of
from tenon.factory.revise import Applied, apply_changes
from tenon.kernel.text import Text
from tenon.records.write import RowKey

_BEGUN_TITLE = Text("变更 {change} 未能执行", "Change {change} could not be carried out")
_BEGUN = Text(
    "工单 {numbers} 已经开工，变更仍为待确认；请与车间商定后，在 MES 中处理。",
    "The work order {numbers} has begun, so the change is undecided again. Agree on it with the "
    "shop floor, and settle it in the MES.",
)


class Settings(StepSettings):
    """It carries out the change that started the run; there is nothing to set."""


@step
class ApplyOrderChange:
    """Changes the planned work order and its operations; refuses once it has begun."""

    name = "apply_order_change"
    label = Text("执行订单变更", "Carry out the order change")
    settings = Settings

    def run(self, context: StepContext, runs: Sequence[At[Settings]]) -> list[Outcome]:
        """Carry out the changes of all runs as one set."""
        desk = desk_of(context)
        ids = list(dict.fromkeys(str(at.data["trigger"]["id"]) for at in runs))
        found = apply_changes(desk, ids)
        refused = [id_ for id_ in ids if found[id_].begun]
        undecided = dict.fromkeys(("decided_by", "decided_at"))
        desk.write("order_change", [
            (RowKey(id=id_), {"decision": "pending", **undecided}) for id_ in refused
        ])  # fmt: skip
        desk.write("order_change", [
            (RowKey(id=id_), {"applied_at": desk.now}) for id_ in ids if id_ not in refused
        ])  # fmt: skip
        _tell(context, runs, found)
        return [_outcome(found[str(at.data["trigger"]["id"])]) for at in runs]


def _tell(context: StepContext, runs: Sequence[At[Settings]], found: dict[str, Applied]) -> None:
    notices.write(context.tx, [
        notices.NewNotice(
            role="planner",
            title=_BEGUN_TITLE.format(change=at.data["trigger"].get("change_no") or ""),
            body=_BEGUN.format(numbers="、".join(applied.begun)),
            link=f"/orders/{applied.lines[0]}",
            run_id=at.run_id,
        )
        for at in runs
        if (applied := found[str(at.data["trigger"]["id"])]).begun
    ])  # fmt: skip


def _outcome(applied: Applied) -> Outcome:
    output: dict[str, Any] = {
        "applied": not applied.begun,
        "begun": list(applied.begun),
        "order_line": applied.lines[0] if applied.lines else None,
        "work_orders": list(applied.work_orders),
        "operations": list(applied.operations),
    }
    return Outcome(output)

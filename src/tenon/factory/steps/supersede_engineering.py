"""The step that gives way when the MES itself brings a work order for a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tenon.automate.registry import At, Outcome, StepContext, StepSettings, step
from tenon.factory.desk import TENON, Desk, desk_of, served
from tenon.factory.numbers import one_at_a_time
from tenon.kernel.text import Text
from tenon.records.write import RowKey


class Settings(StepSettings):
    """It looks at the allocation that started the run; there is nothing to set."""


@step
class SupersedeEngineering:
    """Cancels our work order that awaits engineering, once the MES has one for the same line.

    Ours that is released already stays: then two serve the line, and a person must choose.
    """

    name = "supersede_engineering"
    label = Text("让位于 MES 工单", "Give way to the MES's work order")
    settings = Settings

    def run(self, context: StepContext, runs: Sequence[At[Settings]]) -> list[Outcome]:
        """Look at the lines of all runs as one set."""
        lines = [str(at.data["trigger"]["order_line"]) for at in runs]
        superseded, doubled = _give_way(desk_of(context), list(dict.fromkeys(lines)))
        return [
            Outcome({
                "superseded": superseded.pop(line, []), "doubled": doubled.get(line, []),
                "order_line": line,
            })
            for line in lines
        ]  # fmt: skip


def _give_way(desk: Desk, lines: list[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    one_at_a_time(desk.tx, "order_line", lines)
    rows = served(desk, lines)
    theirs = {row["order_line"] for row in rows if row["planned_by"] != TENON}
    ours = [row for row in rows if row["planned_by"] == TENON and row["order_line"] in theirs]
    waiting = [row for row in ours if row["status"] == "engineering"]
    cancelled: dict[str, Any] = {"status": "cancelled"}
    desk.write("work_order", [
        (RowKey(id=id_), cancelled) for id_ in dict.fromkeys(row["work_order"] for row in waiting)
    ])  # fmt: skip
    superseded: dict[str, list[str]] = {}
    for row in waiting:
        superseded.setdefault(row["order_line"], []).append(row["work_order"])
    doubled: dict[str, list[str]] = {}
    for row in ours:
        if row["status"] != "engineering":
            doubled.setdefault(row["order_line"], []).append(row["work_order_no"])
    return superseded, doubled

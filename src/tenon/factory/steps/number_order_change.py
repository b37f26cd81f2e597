"""The step that gives a customer's change its number and asks a planner, where there is need."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from tenon.automate.registry import At, Outcome, StepContext, StepSettings, step
from tenon.factory.desk import TENON, Desk, desk_of, served
from tenon.factory.numbers import one_at_a_time
from tenon.factory.revise import lines_of, touched_lines
from tenon.kernel.text import Text
from tenon.records.write import RowKey


class Settings(StepSettings):
    """It numbers the change that started the run; there is nothing to set."""


@step
class NumberOrderChange:
    """Numbers each change of an order; asks for a decision where we planned the work order."""

    name = "number_order_change"
    label = Text("登记订单变更", "Register the order change")
    settings = Settings

    def run(self, context: StepContext, runs: Sequence[At[Settings]]) -> list[Outcome]:
        """Number the changes of all runs as one set."""
        desk = desk_of(context)
        ids = [str(at.data["trigger"]["id"]) for at in runs]
        found = _register(desk, ids)
        return [Outcome(found[id_]) for id_ in ids]


def _register(desk: Desk, ids: list[str]) -> dict[str, dict[str, str | None]]:
    change, order = desk.table("order_change"), desk.table("sales_order")
    query = (
        sa.select(change, order.c.order_no)
        .join_from(change, order, order.c.id == change.c.sales_order)
        .where(change.c.id.in_(ids))
        .order_by(change.c.revision, change.c.changed_at, change.c.source_key, change.c.id)
    )
    orders = {str(row["sales_order"]) for row in desk.rows(query)}
    one_at_a_time(desk.tx, "order_change", sorted(orders))
    changes = desk.rows(query)  # again, now that nobody else numbers them
    lines = lines_of(desk, changes)
    asked = _planned_lines(desk, lines, changes)
    numbers = _numbers(desk, changes)
    rows = {}
    for row in changes:
        own = touched_lines(lines, row)
        decision = row["decision"] or ("pending" if asked & set(own) else "none")
        rows[row["id"]] = {
            "change_no": numbers[row["id"]], "decision": decision,
            "order_line": own[0] if own else None,
        }  # fmt: skip
    desk.write("order_change", [
        (RowKey(id=id_), {"change_no": one["change_no"], "decision": one["decision"]})
        for id_, one in rows.items()
    ])  # fmt: skip
    return rows


def _planned_lines(
    desk: Desk, lines: dict[tuple[str, int], str], changes: Sequence[RowMapping]
) -> set[str]:
    """The lines for which a work order of ours is there."""
    wanted = sorted({id_ for row in changes for id_ in touched_lines(lines, row)})
    one_at_a_time(desk.tx, "order_line", wanted)
    return {r["order_line"] for r in served(desk, wanted) if r["planned_by"] == TENON}


def _numbers(desk: Desk, changes: Sequence[RowMapping]) -> dict[str, str]:
    """`<order>-V<revision>`, and `-2`, `-3` for further changes of the same revision."""
    change = desk.table("order_change")
    query = sa.select(change.c.change_no).where(
        change.c.sales_order.in_({row["sales_order"] for row in changes}),
        change.c.change_no.is_not(None),
    )
    taken = set(desk.tx.scalars(query))
    found = {}
    for row in changes:
        number = row["change_no"]
        if number is None:
            stem, at = f"{row['order_no']}-V{row['revision']}", 1
            while (number := stem if at == 1 else f"{stem}-{at}") in taken:
                at += 1
        taken.add(number)
        found[row["id"]] = number
    return found

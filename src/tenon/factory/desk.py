"""The planner's desk: what planning works with in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from tenon.automate.registry import StepContext
from tenon.kernel import clock
from tenon.records.ports import Actor
from tenon.records.query import Reader
from tenon.records.write import RowKey, Writer

TENON: Final = "tenon"  # `planned_by` of the work orders we plan ourselves
BEGUN: Final = frozenset({"started", "finished", "closed"})

Row = tuple[RowKey, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Desk:
    """A transaction, and who plans in it."""

    tx: Connection
    reader: Reader
    writer: Writer
    actor: Actor
    zone: ZoneInfo
    cause: str | None = None

    @property
    def now(self) -> datetime:
        """This moment, in the whole seconds that legacy systems keep."""
        return clock.now().replace(microsecond=0)

    @property
    def start(self) -> datetime:
        """The next whole minute, from which new work is planned."""
        return self.now.replace(second=0) + timedelta(minutes=1)

    def table(self, entity: str) -> sa.Table:
        """The entity's table."""
        return self.reader.table(entity)

    def rows(self, query: sa.Select[Any]) -> list[RowMapping]:
        """What a query finds."""
        return list(self.tx.execute(query).mappings())

    def write(self, entity: str, rows: Sequence[Row]) -> list[str]:
        """Create or change records; their ids in order."""
        written = self.writer.write(self.tx, self.actor, entity, rows, cause=self.cause)
        return [row.id for row in written]


def desk_of(context: StepContext) -> Desk:
    """The desk of a step's runs."""
    return Desk(
        context.tx, context.reader, context.writer, context.actor, context.connect.zone,
        context.actor.id,
    )  # fmt: skip


def served(desk: Desk, line_ids: Sequence[str]) -> list[RowMapping]:
    """The allocations of these order lines to work orders that are not cancelled."""
    allocation, order = desk.table("allocation"), desk.table("work_order")
    return desk.rows(
        sa.select(
            allocation.c.id, allocation.c.order_line, allocation.c.work_order, allocation.c.qty,
            order.c.work_order_no, order.c.status, order.c.planned_by,
        )
        .join_from(allocation, order, order.c.id == allocation.c.work_order)
        .where(
            allocation.c.order_line.in_(line_ids),
            allocation.c.archived_at.is_(None),
            order.c.status != "cancelled",
        )
        .order_by(allocation.c.id)
    )  # fmt: skip


def new_rows(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Rows of new records."""
    return [(RowKey(), row) for row in rows]

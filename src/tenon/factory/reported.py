"""What workers reported of operations on their phones, added up: evidence beside the MES's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.records.query import Reader

_CHUNK: Final = 5000  # below SQLite's limit of bound parameters
_SCRAP: Final = frozenset({"scrap_work", "scrap_material"})


@dataclass(slots=True)
class Reported:
    """The reports of one operation that stand."""

    started_at: datetime
    last_at: datetime
    finished: bool = False
    good: Decimal = Decimal(0)
    scrap: Decimal = Decimal(0)
    employees: list[str] = field(default_factory=list)
    machines: list[str] = field(default_factory=list)

    def done(self, planned: Decimal | None) -> bool:
        """Whether the planned quantity is reported, good or scrap, and the end of the work."""
        return self.finished and self.good + self.scrap >= (planned or Decimal(0))


def load_reported(
    connection: Connection, reader: Reader, operations: Sequence[str]
) -> dict[str, Reported]:
    """What was reported of each of these operations."""
    found: dict[str, Reported] = {}
    for at in range(0, len(operations), _CHUNK):
        part = operations[at : at + _CHUNK]
        _events(connection, reader, part, found)
        _quantities(connection, reader, part, found)
    return found


def _events(
    connection: Connection, reader: Reader, part: Sequence[str], found: dict[str, Reported]
) -> None:
    event = reader.table("op_event").c
    rows = connection.execute(
        sa.select(event.operation, event.event, event.at, event.employee, event.machine)
        .where(event.operation.in_(part), event.undone_at.is_(None))
        .order_by(event.at)
    )
    for operation, kind, moment, employee, machine in rows:
        own = found.setdefault(operation, Reported(moment, moment))
        own.last_at = max(own.last_at, moment)
        own.finished |= kind == "finish"
        for id_, names in ((employee, own.employees), (machine, own.machines)):
            if id_ and id_ not in names:
                names.append(id_)


def _quantities(
    connection: Connection, reader: Reader, part: Sequence[str], found: dict[str, Reported]
) -> None:
    quantity = reader.table("op_quantity").c
    rows = connection.execute(
        sa.select(
            quantity.operation, quantity.quantity,
            sa.func.sum(quantity.qty, type_=quantity.qty.type),
            sa.func.min(quantity.at, type_=quantity.at.type),
            sa.func.max(quantity.at, type_=quantity.at.type),
        )
        .where(quantity.operation.in_(part), quantity.undone_at.is_(None))
        .group_by(quantity.operation, quantity.quantity)
    )  # fmt: skip
    for operation, kind, qty, first, last in rows:
        own = found.setdefault(operation, Reported(first, last))
        own.started_at, own.last_at = min(own.started_at, first), max(own.last_at, last)
        if kind == "good":
            own.good += qty
        elif kind in _SCRAP:
            own.scrap += qty

"""The job a report code stands for: what the worker's page shows of it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from tenon.factory.reported import load_reported
from tenon.kernel import clock
from tenon.kernel.errors import NotFound
from tenon.kernel.text import Text
from tenon.records.query import Reader

_GONE = Text("这道工序已不存在。", "This operation is no longer there.")
_OVER: Final = frozenset({"finished", "closed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Job:
    """An operation with its work order, and whether anything may still be reported."""

    operation: RowMapping
    order: RowMapping

    @property
    def closed(self) -> str | None:
        """Why nothing is to be reported any more; None while something is."""
        if self.operation["state"] == "cancel":
            return "operation_cancelled"
        if self.order["status"] in _OVER:
            return f"order_{self.order['status']}"
        return "order_engineering" if self.order["status"] == "engineering" else None

    @property
    def closed_at(self) -> datetime:
        """When it was closed, as far as is known."""
        found: datetime = max(self.operation["updated_at"], self.order["updated_at"])
        return found


def load(connection: Connection, reader: Reader, operation_id: str) -> Job:
    """The job of an operation; NotFound when it is gone."""
    operation, order = reader.table("operation"), reader.table("work_order")
    found = connection.execute(
        sa.select(operation).where(operation.c.id == operation_id)
    ).mappings().first()  # fmt: skip
    if found is None:
        raise NotFound("no_operation", _GONE)
    own = connection.execute(
        sa.select(order).where(order.c.id == found["work_order"])
    ).mappings().one()  # fmt: skip
    return Job(found, own)


def has_machine(connection: Connection, reader: Reader, machine_id: str) -> bool:
    """Whether there is such a machine (it may have been merged since the phone saw it)."""
    machine = reader.table("machine")
    there = sa.select(sa.exists().where(machine.c.id == machine_id))
    return bool(connection.scalar(there))


def page(connection: Connection, reader: Reader, operation_id: str) -> dict[str, Any]:
    """What the worker's page shows of a job."""
    job = load(connection, reader, operation_id)
    item = reader.table("item")
    named = connection.execute(
        sa.select(item.c.name, item.c.drawing_no, item.c.drawing_rev, item.c.unit).where(
            item.c.id == job.order["item"]
        )
    ).first()
    return {
        "work_order_no": job.order["work_order_no"],
        "item_name": named.name if named else None,
        "drawing_no": named.drawing_no if named else None,
        "drawing_rev": named.drawing_rev if named else None,
        "unit": (named.unit if named else None) or "",
        "seq": job.operation["seq"],
        "name": job.operation["name"] or job.operation["process"] or str(job.operation["seq"]),
        "work_centre": job.operation["work_centre"],
        "qty_plan": job.operation["qty_plan"] or Decimal(0),
        "qty_good": good(connection, reader, job),
        "closed": job.closed,
        "machines": _machines(connection, reader, job.operation["work_centre"]),
        "server_time": clock.now(),
    }


def good(connection: Connection, reader: Reader, job: Job) -> Decimal:
    """The good quantity of a job so far.

    The same work may be reported in the MES too: the larger figure, never the sum.
    """
    id_ = job.operation["id"]
    ours = load_reported(connection, reader, [id_]).get(id_)
    return max(ours.good if ours else Decimal(0), job.operation["qty_good"] or Decimal(0))


def machine(connection: Connection, reader: Reader, machine_id: str | None) -> str | None:
    """A machine's code and name; None when there is no such machine."""
    table = reader.table("machine")
    found = connection.execute(
        sa.select(table.c.code, table.c.name).where(table.c.id == machine_id)
    ).first()
    if found is None:
        return None
    # Many a machine is named by its code and its kind.
    return found.name if found.code in (found.name or "") else f"{found.code} {found.name or ''}"


def employee(connection: Connection, reader: Reader, number: str) -> tuple[str, str] | None:
    """The id and name of an employee by their number, however it was typed."""
    table = reader.table("employee")
    typed = unicodedata.normalize("NFKC", number)  # a Chinese keyboard types full-width digits
    same = sa.func.lower(table.c.code) == "".join(typed.split()).lower()
    found = connection.execute(
        sa.select(table.c.id, table.c.name).where(same, table.c.archived_at.is_(None)).limit(1)
    ).first()
    return (found.id, found.name) if found else None


def _machines(connection: Connection, reader: Reader, centre: str | None) -> list[dict[str, str]]:
    table = reader.table("machine")
    rows = connection.execute(
        sa.select(table.c.id, table.c.code, table.c.name)
        .where(table.c.work_centre == centre)
        .order_by(table.c.code)
        .limit(60)
    )
    return [{"id": row.id, "code": row.code, "name": row.name} for row in rows]

"""Routings: the operations an item is made by, and what they come to for a quantity."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from tenon.connect.tables import source_row
from tenon.records.query import Reader

OUTSIDE_DAYS: Final = 2  # for outside work whose routing says no time
_ALL_DAY: Final = Decimal(24)


@dataclass(frozen=True, slots=True)
class Routing:
    """The operations of one version of an item's routing, in sequence."""

    item: str
    version: int
    operations: tuple[RowMapping, ...]


def live_routings(reader: Reader) -> sa.Select[Any]:
    """The operations of all routings, without those that are no longer in the source."""
    operation, row = reader.table("routing_operation"), source_row.c
    gone = sa.exists().where(
        row.entity == "routing_operation", row.record_id == operation.c.id, row.state == "gone"
    )
    return sa.select(operation).where(operation.c.archived_at.is_(None), ~gone)


def load_routings(
    connection: Connection, reader: Reader, items: Collection[str]
) -> dict[tuple[str, int], Routing]:
    """Every version of the routings of these items, by item and version."""
    if not items:
        return {}
    table = reader.table("routing_operation")
    query = live_routings(reader).where(table.c.item.in_(items)).order_by(table.c.seq)
    found: dict[tuple[str, int], list[RowMapping]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault((row["item"], row["routing_version"]), []).append(row)
    return {place: Routing(*place, tuple(rows)) for place, rows in found.items()}


def newest(routings: Mapping[tuple[str, int], Routing]) -> dict[str, Routing]:
    """The newest version of each item's routing."""
    return {item: routings[item, version] for item, version in sorted(routings)}


def work_hours(connection: Connection, reader: Reader) -> dict[str, Decimal]:
    """How many hours a day each work centre works."""
    centre = reader.table("work_centre")
    query = sa.select(centre.c.code, centre.c.hours_per_day)
    return {code: hours for code, hours in connection.execute(query) if hours}


def planned_operations(
    routing: Routing, qty: Decimal, start: datetime, hours: Mapping[str, Decimal]
) -> list[dict[str, Any]]:
    """The operations for a quantity: times frozen, one after the other from `start`.

    No capacity is looked at: an operation takes its minutes at the hours its work centre works.
    """
    found = []
    for step in routing.operations:
        setup = step["setup_min"] or Decimal(0)
        run = rounded((step["run_min_per_piece"] or Decimal(0)) * qty, 4)
        outside = bool(step["outside"])
        end = start + duration(setup + run, hours.get(step["work_centre"] or ""), outside=outside)
        found.append({
            "seq": step["seq"], "process": step["process"], "name": step["name"],
            "work_centre": step["work_centre"], "outside": outside,
            "supplier_name": step["supplier_name"], "plan_start": start, "plan_end": end,
            "setup_min": setup, "run_min": run, "qty_plan": qty, "state": "wait",
        })  # fmt: skip
        start = end
    return found


def duration(minutes: Decimal, hours_a_day: Decimal | None, *, outside: bool) -> timedelta:
    """How long so much work takes by the calendar, in whole minutes."""
    if outside and not minutes:
        return timedelta(days=OUTSIDE_DAYS)
    elapsed = minutes * _ALL_DAY / (hours_a_day or _ALL_DAY)
    return timedelta(minutes=int(elapsed.to_integral_value(rounding="ROUND_CEILING")))


def hours_of(operations: Sequence[Mapping[str, Any]]) -> Decimal:
    """The estimated hours of operations in the plant itself."""
    own = [o for o in operations if not o["outside"]]
    minutes: Decimal = sum(
        ((o["setup_min"] or Decimal(0)) + (o["run_min"] or Decimal(0)) for o in own), Decimal(0)
    )
    return rounded(minutes / 60, 2)


def hours_for(routing: Routing, qty: Decimal) -> Decimal:
    """The estimated hours of a routing for a quantity, in the plant itself."""
    return hours_of([
        {**op, "run_min": (op["run_min_per_piece"] or Decimal(0)) * qty}
        for op in routing.operations
    ])  # fmt: skip


def rounded(value: Decimal, places: int) -> Decimal:
    """A computed value with so many places."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)

"""The numbers of our own documents: never given twice, whoever asks; gaps are allowed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from tenon.factory.tables import number_series
from tenon.kernel import clock


def work_order_numbers(tx: Connection, at: datetime, zone: ZoneInfo, count: int) -> list[str]:
    """The next `count` numbers of work orders: `TW-<year and month at the plant>-<number>`."""
    series = f"TW-{clock.local(at, zone):%y%m}"
    last = _advance(tx, series, count)
    return [f"{series}-{number:05d}" for number in range(last - count + 1, last + 1)]


def _advance(tx: Connection, series: str, count: int) -> int:
    """Take numbers of a series; the last one taken. Others wait for the row until our commit."""
    dialect: Any = sqlite if tx.dialect.name == "sqlite" else postgresql
    taken = dialect.insert(number_series).values(series=series, last=count)
    last = number_series.c.last + count
    row = tx.execute(
        taken.on_conflict_do_update(index_elements=["series"], set_={"last": last}).returning(
            number_series.c.last
        )
    )
    return int(row.scalar_one())


def one_at_a_time(tx: Connection, what: str, ids: list[str]) -> None:
    """Let one transaction at a time decide about each of these (SQLite has one writer anyway).

    Advisory locks, not locks of the rows: a sync that changes the rows must not wait for us
    while we wait for it. Always taken in the same order.
    """
    if tx.dialect.name == "sqlite" or not ids:
        return
    names = sorted({f"tenon:{what}:{id_}" for id_ in ids})
    tx.execute(
        sa.text(
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM "
            "(SELECT name FROM unnest(CAST(:names AS text[])) AS name ORDER BY name) AS ordered"
        ),
        {"names": names},
    )

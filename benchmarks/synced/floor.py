"""The bare floor, a process of its own: no Tenon, no mapping, no history; one table into another.

`floor SOURCE TARGET [SINCE]`: into PostgreSQL the server's own client writes what `COPY` reads;
into SQLite rows as texts by `executemany`, 10,000 in a transaction. With SINCE only what changed.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import asyncmy
import psycopg
from asyncmy.converters import conversions
from asyncmy.cursors import SSCursor
from sqlalchemy.engine import URL, make_url

_COLUMNS: Final = (
    "id", "doc_no", "item_code", "work_order_no", "warehouse", "move_type", "qty", "unit_cost",
    "moved_at", "updated_at",
)  # fmt: skip
_TEXTS: Final = {kind: do for kind, do in conversions.items() if not isinstance(kind, int)}
_SQLITE: Final = (
    "CREATE TABLE IF NOT EXISTS stock_moves (id INTEGER PRIMARY KEY, doc_no TEXT, item_code TEXT, "
    "work_order_no TEXT, warehouse TEXT, move_type TEXT, qty TEXT, unit_cost TEXT, moved_at TEXT, "
    "updated_at TEXT)"
)
_POSTGRES: Final = (
    "CREATE TABLE IF NOT EXISTS stock_moves (id BIGINT PRIMARY KEY, doc_no TEXT, item_code TEXT, "
    "work_order_no TEXT, warehouse TEXT, move_type TEXT, qty NUMERIC(18,4), "
    "unit_cost NUMERIC(18,6), moved_at TIMESTAMP, updated_at TIMESTAMP)"
)


def main() -> int:
    """Copy; the seconds as JSON."""
    source, target = make_url(sys.argv[1]), sys.argv[2]
    since = sys.argv[3] if len(sys.argv) > 3 else None
    started = time.perf_counter()
    if target.startswith("postgresql"):
        asyncio.run(_into_postgresql(source, target, since))
    else:
        asyncio.run(_into_sqlite(source, Path(target), since))
    print(json.dumps({"seconds": time.perf_counter() - started}))
    return 0


async def _into_postgresql(source: URL, target: str, since: str | None) -> None:
    updates = ", ".join(f"{c} = EXCLUDED.{c}" for c in _COLUMNS[1:])
    with psycopg.connect(target) as hub, hub.cursor() as cursor:
        cursor.execute(_POSTGRES)
        into = "stock_moves"
        if since is not None:
            cursor.execute("CREATE TEMP TABLE news (LIKE stock_moves) ON COMMIT DROP")
            into = "news"
        with cursor.copy(f"COPY {into} FROM STDIN") as copy:
            async for rows in _pages(source, since):
                copy.write("".join(["\t".join(row) + "\n" for row in rows]))
        if since is not None:
            cursor.execute(
                "INSERT INTO stock_moves SELECT * FROM news "
                f"ON CONFLICT (id) DO UPDATE SET {updates}"
            )


async def _into_sqlite(source: URL, target: Path, since: str | None) -> None:
    hub = sqlite3.connect(target, isolation_level=None)
    hub.execute("PRAGMA journal_mode=WAL")
    hub.execute("PRAGMA synchronous=NORMAL")
    hub.execute(_SQLITE)
    updates = ", ".join(f"{c} = excluded.{c}" for c in _COLUMNS[1:])
    marks = ", ".join("?" * len(_COLUMNS))
    insert = f"INSERT INTO stock_moves VALUES ({marks})"
    if since is not None:
        insert += f" ON CONFLICT (id) DO UPDATE SET {updates}"
    async for rows in _pages(source, since):
        hub.execute("BEGIN IMMEDIATE")
        hub.executemany(insert, rows)
        hub.execute("COMMIT")
    hub.close()


async def _pages(source: URL, since: str | None) -> AsyncIterator[Any]:
    connection = await asyncmy.connect(
        host=source.host or "127.0.0.1", port=source.port or 3306, user=source.username,
        password=source.password or "", database=source.database, conv=_TEXTS,
        charset="utf8mb4",
    )  # fmt: skip
    async with connection.cursor(SSCursor) as cursor:
        where = "" if since is None else f" WHERE updated_at > '{since}'"
        await cursor.execute(f"SELECT * FROM stock_moves{where}")
        while rows := await cursor.fetchmany(10_000):
            yield rows
    connection.close()


if __name__ == "__main__":
    sys.exit(main())

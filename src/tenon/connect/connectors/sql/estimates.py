"""How many rows tables have, by the database's own estimate: never by counting them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

_MOST_TABLES: Final = 500
_ASKED: Final = {
    "mysql": "SELECT table_name, table_rows FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'",
    "postgresql": "SELECT relname, CAST(reltuples AS bigint) FROM pg_class "
    "WHERE relkind IN ('r', 'p', 'm') AND pg_table_is_visible(oid)",
    "mssql": "SELECT o.name, SUM(p.rows) FROM sys.objects o JOIN sys.partitions p "
    "ON p.object_id = o.object_id AND p.index_id IN (0, 1) WHERE o.type = 'U' GROUP BY o.name",
}  # fmt: skip


def estimates(connection: Connection, dialect: str, tables: Sequence[str]) -> Mapping[str, int]:
    """Rows by table; nothing where the database says nothing, or may not be asked."""
    ask: Callable[[], Mapping[str, int]] = (
        (lambda: _last_rows(connection, tables))
        if dialect == "sqlite"
        else (lambda: _told(connection, dialect))
    )
    try:
        return ask()
    except DBAPIError:
        return {}


def _told(connection: Connection, dialect: str) -> Mapping[str, int]:
    if dialect not in _ASKED:
        return {}
    rows = connection.execute(sa.text(_ASKED[dialect]))
    return {str(name): int(count) for name, count in rows if count is not None and count >= 0}


def _last_rows(connection: Connection, tables: Sequence[str]) -> Mapping[str, int]:
    """SQLite has no estimate; the highest row number of a table comes near, and costs nothing."""
    found: dict[str, int] = {}
    for name in tables[:_MOST_TABLES]:
        last: sa.ColumnElement[int] = sa.func.max(sa.literal_column("rowid", sa.Integer))
        query = sa.select(last).select_from(sa.table(name))
        try:
            found[name] = connection.scalar(query) or 0
        except DBAPIError:
            continue  # a view, or a table without row numbers
    return found

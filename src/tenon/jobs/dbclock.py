"""The database's own clock, which all processes of one hub share."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection


def db_now(connection: Connection) -> sa.ColumnElement[Any]:
    """Seconds since 1970 by the database's clock, as SQL."""
    if connection.dialect.name == "sqlite":
        return sa.literal_column("((julianday('now') - 2440587.5) * 86400.0)", sa.Float)
    return sa.literal_column("extract(epoch from clock_timestamp())::float8", sa.Float)

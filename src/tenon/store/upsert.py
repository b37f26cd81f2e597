"""INSERT … ON CONFLICT, which SQLite and PostgreSQL share but SQLAlchemy keeps by dialect."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection


def insert_new(tx: Connection, table: sa.Table) -> sa.Insert:
    """An insert that leaves rows alone that are there already."""
    return _insert_new(tx.dialect.name, table)


def insert_or_change(tx: Connection, table: sa.Table, changed: tuple[str, ...]) -> sa.Insert:
    """An insert that changes these columns of the row with the same primary key."""
    return _insert_or_change(tx.dialect.name, table, changed)


# Kept: building such a statement costs as much as running it.
@lru_cache(maxsize=256)
def _insert_new(dialect: str, table: sa.Table) -> sa.Insert:
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


@lru_cache(maxsize=256)
def _insert_or_change(dialect: str, table: sa.Table, changed: tuple[str, ...]) -> sa.Insert:
    key = [c.name for c in table.primary_key]
    statement: Any = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    upsert: sa.Insert = statement.on_conflict_do_update(
        index_elements=key, set_={name: statement.excluded[name] for name in changed}
    )
    return upsert

"""Which definitions are published, for people."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.define.tables import definition


def published(connection: Connection) -> list[Any]:
    """Every published definition with its version, by kind and code."""
    rows = connection.execute(
        sa.select(
            definition.c.kind, definition.c.code, definition.c.version, definition.c.package,
            definition.c.published_at, definition.c.published_by, definition.c.body,
        )
        .where(definition.c.state == "published")
        .order_by(definition.c.kind, definition.c.code)
    )  # fmt: skip
    return list(rows)


def packages_of(connection: Connection) -> dict[tuple[str, str], str]:
    """The package of every published definition, by kind and code."""
    query = sa.select(definition.c.kind, definition.c.code, definition.c.package)
    rows = connection.execute(query.where(definition.c.state == "published"))
    return {(kind, code): package for kind, code, package in rows}


def published_one(connection: Connection, kind: str, code: str) -> Any:
    """A published definition with its version; None when there is none."""
    rows = (r for r in published(connection) if (r.kind, r.code) == (kind, code))
    return next(rows, None)


def published_version(connection: Connection, package: str) -> str | None:
    """The highest version of a package ever published here; None when it never was."""
    versions = connection.scalars(
        sa.select(definition.c.package_version).where(definition.c.package == package).distinct()
    )
    return max(versions, key=version_key, default=None)


def version_key(version: str) -> tuple[int, ...]:
    """A version such as 0.12.3 as numbers that compare."""
    return tuple(int(part) for part in version.split("."))

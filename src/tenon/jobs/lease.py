"""Leases: a named piece of work belongs to one runner at a time, over all processes.

Kept by the database's own clock, so that a demo plant's clock or a wall clock that jumps cannot
end them. On SQLite one process owns the database: leases of a process before it are dead.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.jobs.dbclock import db_now
from tenon.kernel.errors import Retry
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text
from tenon.store import metadata

_LOST = Text(
    "“{name}”的租约已被另一进程接管；本次未提交的内容已放弃，不会重复写入。",
    "The lease of “{name}” was taken over by another process; what was not committed is dropped "
    "and nothing is written twice.",
)

PROCESS = uuid7()

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("name", sa.String(120), primary_key=True),
    sa.Column("owner", sa.String(80), nullable=False),
    sa.Column("until", sa.Float, nullable=False),  # seconds since 1970 by the database's clock
)


def take(tx: Connection, name: str, seconds: float) -> str | None:
    """The new owner's mark, or None when somebody holds the lease."""
    owner = f"{PROCESS}:{uuid7()}"
    free = lease.c.until < db_now(tx)
    if tx.dialect.name == "sqlite":
        free = sa.or_(free, ~lease.c.owner.startswith(f"{PROCESS}:"))
    taking = (
        lease.update()
        .where(lease.c.name == name, free)
        .values(owner=owner, until=db_now(tx) + seconds)
    )
    if tx.execute(taking).rowcount:
        return owner
    # Never taken before, or held. On PostgreSQL two takers meet on the row they insert.
    tx.execute(_insert_free(tx, name))
    return owner if tx.execute(taking).rowcount else None


def keep(tx: Connection, name: str, owner: str, seconds: float) -> None:
    """Prolong the lease inside a transaction that relies on it; Retry when it was lost."""
    changed = tx.execute(
        lease.update()
        .where(lease.c.name == name, lease.c.owner == owner)
        .values(until=db_now(tx) + seconds)
    )
    if not changed.rowcount:
        raise Retry("lease_lost", _LOST, name=name)


def give_back(tx: Connection, name: str, owner: str) -> None:
    """Free the lease if it is still the owner's."""
    tx.execute(lease.update().where(lease.c.name == name, lease.c.owner == owner).values(until=0.0))


def _insert_free(tx: Connection, name: str) -> sa.TextClause:
    return sa.text(
        "INSERT INTO lease (name, owner, until) VALUES (:name, '', 0) ON CONFLICT DO NOTHING"
    ).bindparams(name=name)

"""Our own migrations: numbered steps, each applied once, in one transaction, and remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.kernel import clock
from tenon.kernel.errors import Stop
from tenon.kernel.text import Text
from tenon.store.engine import Hub
from tenon.store.tables import metadata
from tenon.store.types import UtcTime

_NEWER = Text(
    "数据库由更新的版本（步骤 {found}）写过，本程序只认识到步骤 {known}；"
    "请安装更新的版本，不要降级。",
    "The database was written by a newer version (step {found}); this one knows steps up to "
    "{known}. Install the newer version; do not downgrade.",
)

migration = sa.Table(
    "schema_migration",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("applied_at", UtcTime, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A migration step."""

    number: int
    name: str
    apply: Callable[[Connection], None]


def _baseline(connection: Connection) -> None:
    metadata.create_all(connection)


def _writing_half(connection: Connection) -> None:
    _baseline(connection)  # makes what is missing
    if "sync_state" not in metadata.tables:
        return  # a hub with only some rooms, in a test
    if "told" not in {c["name"] for c in sa.inspect(connection).get_columns("sync_state")}:
        connection.exec_driver_sql(
            "ALTER TABLE sync_state ADD COLUMN told BIGINT NOT NULL DEFAULT 0"
        )


def _control_of_syncs(connection: Connection) -> None:
    _baseline(connection)
    _add_column(connection, "sync_run", "expected")
    _add_column(connection, "sync_state", "compared_at")


def _lineage(connection: Connection) -> None:
    _baseline(connection)
    _add_column(connection, "sync_run", "epoch")
    _add_column(connection, "sync_batch", "row_keys")


def _add_column(connection: Connection, table: str, name: str) -> None:
    """Add a column that may be empty, where the table has not got it yet."""
    known = metadata.tables.get(table)
    if known is None or name in {c["name"] for c in sa.inspect(connection).get_columns(table)}:
        return
    kind = known.c[name].type.compile(connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")


STEPS: tuple[Step, ...] = (
    Step(1, "the first tables", _baseline),
    Step(2, "jobs, flows, webhooks, write-back, job reports", _writing_half),
    Step(3, "control of syncs: pauses, back-fills, columns as known", _control_of_syncs),
    Step(4, "calls that are paid for, versions of what was read", _baseline),
    Step(5, "the mapping a run used, the rows of a batch, who is listened to", _lineage),
)


def migrate(hub: Hub) -> int:
    """Bring the hub to this version; the number of steps applied.

    Raises Stop when the database is newer than this program. The rooms' tables must have been
    imported before, or step 1 would miss them.
    """
    with hub.write() as tx:
        if hub.dialect == "postgresql":
            # Two servers starting together must not both create the tables.
            tx.exec_driver_sql("SELECT pg_advisory_xact_lock(843621)")
        migration.create(tx, checkfirst=True)
        done = set(tx.scalars(sa.select(migration.c.number)))
        if done and max(done) > STEPS[-1].number:
            raise Stop("database_newer", _NEWER, found=max(done), known=STEPS[-1].number)
        waiting = [step for step in STEPS if step.number not in done]
        for step in waiting:
            step.apply(tx)
            tx.execute(
                migration.insert().values(
                    number=step.number, name=step.name, applied_at=clock.now()
                )
            )
        return len(waiting)

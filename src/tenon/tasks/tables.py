"""The table of tasks."""

from __future__ import annotations

import sqlalchemy as sa

from tenon.store import Id, Json, UtcTime, metadata

_OPEN = sa.text("state = 'open'")

# A code of a source that a person must settle: once for each (entity, source, code) while open.
task = sa.Table(
    "task",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),  # unknown_code, several, code_reused
    sa.Column("entity", sa.String(48), nullable=False),
    sa.Column("source", sa.String(48), nullable=False),
    sa.Column("code", sa.String(200), nullable=False),
    sa.Column("name", sa.String(400), nullable=True),
    sa.Column("stream", sa.String(48), nullable=True),  # the identity row, when there is one
    sa.Column("key", sa.String(200), nullable=True),
    sa.Column("seen", Json, nullable=False),
    sa.Column("candidates", Json, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),  # open, done, ignored
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("done_at", UtcTime, nullable=True),
    sa.Column("done_by", sa.String(100), nullable=True),
    sa.Column("outcome", Json, nullable=True),
    sa.Index("ix_task_code", "entity", "source", "code"),
    sa.Index("ix_task_state", "state", "created_at"),
    sa.Index(
        "uq_task_open", "entity", "source", "code", unique=True,
        sqlite_where=_OPEN, postgresql_where=_OPEN,
    ),
)  # fmt: skip

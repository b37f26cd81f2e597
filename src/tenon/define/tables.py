"""The tables of definitions and their versions."""

from __future__ import annotations

import sqlalchemy as sa

from tenon.store import Id, Json, UtcTime, metadata

# Every version ever published; `state` published on exactly one version of a (kind, code).
definition = sa.Table(
    "definition",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("code", sa.String(48), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("package", sa.String(48), nullable=False),
    sa.Column("package_version", sa.String(20), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("retired_epoch", sa.Integer, nullable=True),
    sa.Column("published_at", UtcTime, nullable=False),
    sa.Column("published_by", sa.String(100), nullable=False),
    sa.UniqueConstraint("kind", "code", "version"),
)

# One row: the number of the last publish; a transaction compares it with its catalogue's.
epoch = sa.Table(
    "definition_epoch",
    metadata,
    sa.Column("one", sa.Integer, primary_key=True),
    sa.Column("epoch", sa.Integer, nullable=False),
)

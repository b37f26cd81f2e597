"""The tables of job reporting."""

from __future__ import annotations

import sqlalchemy as sa

from tenon.store import Id, Json, UtcTime, metadata

# The codes printed on travelers; only their hashes are kept.
report_code = sa.Table(
    "report_code",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("operation_id", Id, nullable=False),
    sa.Column("serial", sa.Integer, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("revoked_at", UtcTime, nullable=True),
    sa.Index("ix_report_code_operation", "operation_id"),
)

# Every report that came, so that the same one is answered the same and has its effect once.
report = sa.Table(
    "report",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("operation_id", Id, nullable=False),
    sa.Column("device", sa.String(80), nullable=False),
    sa.Column("hash", sa.String(32), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),  # recorded, review, undone, rejected
    sa.Column("reason", sa.String(48), nullable=True),  # why a person must look at it
    sa.Column("body", Json, nullable=False),
    sa.Column("sent_at", UtcTime, nullable=False),  # by the phone's clock: how far it is off
    sa.Column("received_at", UtcTime, nullable=False),
    sa.Column("decided_by", sa.String(100), nullable=True),
    sa.Column("decided_at", UtcTime, nullable=True),
    sa.Index("ix_report_operation", "operation_id"),
    sa.Index(
        "ix_report_review", "id", sqlite_where=sa.text("state = 'review'"),
        postgresql_where=sa.text("state = 'review'"),
    ),
)  # fmt: skip

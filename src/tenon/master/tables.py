"""The tables of identity."""

from __future__ import annotations

import sqlalchemy as sa

from tenon.store import Id, UtcTime, metadata

_CURRENT = sa.text("valid_to IS NULL")

# The codes of a golden record; one current row for each (entity, source, code).
crosswalk = sa.Table(
    "crosswalk",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("entity", sa.String(48), nullable=False),
    sa.Column("source", sa.String(48), nullable=False),
    sa.Column("code", sa.String(200), nullable=False),
    sa.Column("record_id", Id, nullable=False),
    sa.Column("name", sa.String(400), nullable=False),
    sa.Column("how", sa.String(10), nullable=False),  # founding, exact, normalised, confirmed
    sa.Column("matched_on", sa.String(48), nullable=True),  # the match key
    sa.Column("confirmed_by", sa.String(100), nullable=True),
    sa.Column("stream", sa.String(48), nullable=True),  # the source row that says so
    sa.Column("key", sa.String(200), nullable=True),
    sa.Column("valid_from", UtcTime, nullable=False),
    sa.Column("valid_to", UtcTime, nullable=True),
    sa.Index("ix_crosswalk_record", "entity", "record_id"),
    sa.Index(
        "uq_crosswalk_current", "entity", "source", "code", unique=True,
        sqlite_where=_CURRENT, postgresql_where=_CURRENT,
    ),
)  # fmt: skip

# By which values a golden record is recognised, and whose row says so.
match_key = sa.Table(
    "match_key",
    metadata,
    sa.Column("entity", sa.String(48), primary_key=True),
    sa.Column("key", sa.String(48), primary_key=True),
    sa.Column("exact", sa.String(400), primary_key=True),
    sa.Column("record_id", Id, primary_key=True),
    sa.Column("source", sa.String(48), primary_key=True),
    sa.Column("code", sa.String(200), primary_key=True),
    sa.Column("value", sa.String(400), nullable=False),  # cleaned
    sa.Index("ix_match_key_value", "entity", "key", "value"),
    sa.Index("ix_match_key_code", "entity", "source", "code"),
)

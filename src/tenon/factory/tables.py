"""The factory's own tables."""

from __future__ import annotations

import sqlalchemy as sa

from tenon.store import metadata

# The last number given out of each series; a series is a month of work orders.
number_series = sa.Table(
    "number_series",
    metadata,
    sa.Column("series", sa.String(40), primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)

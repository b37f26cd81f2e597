"""Which packages this installation has taken from the program itself."""

from __future__ import annotations

import sqlalchemy as sa

from tenon.store import UtcTime, metadata

# A row for each content of a built-in package that was published once: after a roll-back the
# next start must not publish the same content again.
installed_package = sa.Table(
    "installed_package",
    metadata,
    sa.Column("package", sa.String(48), primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("version", sa.String(20), nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)

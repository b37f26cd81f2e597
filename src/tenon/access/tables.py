"""The tables of accounts, sessions and failed sign-ins."""

from __future__ import annotations

import sqlalchemy as sa

from tenon.store import Id, UtcTime, metadata

user_account = sa.Table(
    "user_account",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("username", sa.String(40), nullable=False, unique=True),
    sa.Column("display_name", sa.String(100), nullable=False),
    sa.Column("role", sa.String(48), nullable=False),
    sa.Column("password_hash", sa.String(200), nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("must_change_password", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("last_seen_at", UtcTime, nullable=True),
)

# Only the SHA-256 of a session's token is kept: a copy of the database opens no session.
session = sa.Table(
    "session",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("user_account.id"), nullable=False, index=True),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("seen_at", UtcTime, nullable=False),
)

# A try under way, or known to be wrong; `key` is a hash of an account or an address.
sign_in_try = sa.Table(
    "sign_in_try",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("wrong", sa.Boolean, nullable=False),
    sa.Index("ix_sign_in_try_key", "key", "at"),
)

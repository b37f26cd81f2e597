"""Sessions: kept on the server, found by the hash of their token, ended by one function."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.access.tables import session, user_account
from tenon.kernel import clock
from tenon.kernel.ids import secret_token
from tenon.records.ports import Actor

IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=7)
# Being seen is written at most this often: a read of a page is not a write of the database.
_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a token belongs to."""

    token_hash: str
    actor: Actor
    username: str
    must_change_password: bool
    seen_at: datetime

    @property
    def seen_long_ago(self) -> bool:
        """Whether the time last seen should be written again."""
        return clock.wall() - self.seen_at > _SEEN_EVERY


def start(tx: Connection, user_id: str) -> str:
    """Start a session; its token, which is kept nowhere else."""
    token, now = secret_token(), clock.wall()
    tx.execute(
        session.insert().values(
            token_hash=_hash(token), user_id=user_id, created_at=now, seen_at=now
        )
    )
    _forget_expired(tx, now)
    return token


def find(connection: Connection, token: str) -> SignedIn | None:
    """Who is signed in with this token; None when it is unknown, expired or revoked."""
    now = clock.wall()
    row = connection.execute(
        sa.select(session.c.token_hash, session.c.seen_at, user_account)
        .join(user_account, user_account.c.id == session.c.user_id)
        .where(
            session.c.token_hash == _hash(token),
            session.c.created_at > now - ABSOLUTE,
            session.c.seen_at > now - IDLE,
            user_account.c.active,
        )
    ).first()
    if row is None:
        return None
    actor = Actor(row.id, row.display_name, row.role)
    return SignedIn(row.token_hash, actor, row.username, row.must_change_password, row.seen_at)


def touch(tx: Connection, who: SignedIn) -> None:
    """Note that the session was used now."""
    now = clock.wall()
    tx.execute(session.update().where(session.c.token_hash == who.token_hash).values(seen_at=now))
    tx.execute(
        user_account.update().where(user_account.c.id == who.actor.id).values(last_seen_at=now)
    )


def revoke(tx: Connection, *, user_id: str | None = None, token_hash: str | None = None) -> int:
    """End every session of a user, or one session; how many ended.

    Sign-out, password change, reset, suspension and change of role all end here.
    """
    if user_id is None and token_hash is None:
        message = "revoke needs a user or a session"
        raise ValueError(message)
    query = session.delete()
    if user_id is not None:
        query = query.where(session.c.user_id == user_id)
    if token_hash is not None:
        query = query.where(session.c.token_hash == token_hash)
    return tx.execute(query).rowcount


def csrf_token(token: str) -> str:
    """The token that unsafe requests of this session must carry; it does not tell the session's."""
    return hashlib.sha256(f"csrf|{token}".encode()).hexdigest()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _forget_expired(tx: Connection, now: datetime) -> None:
    tx.execute(
        session.delete().where(
            sa.or_(session.c.created_at <= now - ABSOLUTE, session.c.seen_at <= now - IDLE)
        )
    )

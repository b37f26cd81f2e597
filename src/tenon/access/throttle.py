"""The throttle of sign-ins: ten wrong tries a minute for an account, and for an address.

A try is counted before the password is looked at and forgiven when it was right, so that many
tries at once cannot slip through between counting and knowing.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.access.errors import TOO_MANY, TooMany
from tenon.access.tables import sign_in_try
from tenon.kernel import clock
from tenon.kernel.ids import uuid7

TRIES = 10
# A whole shift signs in from behind one address: tries under way there have room.
UNDER_WAY = 60
WINDOW = timedelta(minutes=1)


def count_try(tx: Connection, username: str, address: str) -> list[str]:
    """Count a try of this account from this address; TooMany when the minute is used up.

    The answer names the try, to `forgive` it or to say it was `wrong`.
    """
    _one_at_a_time(tx)
    now = clock.wall()
    tx.execute(sign_in_try.delete().where(sign_in_try.c.at <= now - WINDOW))
    rows = [
        {"id": uuid7(), "key": _key(kind, value), "at": now, "wrong": False}
        for kind, value in (("account", username), ("address", address))
    ]
    for row, most in zip(rows, (TRIES, UNDER_WAY), strict=True):
        _refuse_too_many(tx, str(row["key"]), most, now)
    tx.execute(sign_in_try.insert(), rows)
    return [str(row["id"]) for row in rows]


def _refuse_too_many(tx: Connection, key: str, most: int, now: datetime) -> None:
    wrong = sa.func.coalesce(sa.func.sum(sa.case((sign_in_try.c.wrong, 1), else_=0)), 0)
    counted, known_wrong, first = tx.execute(
        sa.select(sa.func.count(), wrong, sa.func.min(sign_in_try.c.at)).where(
            sign_in_try.c.key == key
        )
    ).one()
    if counted >= most or known_wrong >= TRIES:
        wait = int((first + WINDOW - now).total_seconds()) + 1
        raise TooMany("too_many_tries", TOO_MANY, seconds=wait)


def wrong(tx: Connection, tries: list[str]) -> None:
    """Keep the try: it was wrong."""
    tx.execute(sign_in_try.update().where(sign_in_try.c.id.in_(tries)).values(wrong=True))


def forgive(tx: Connection, tries: list[str]) -> None:
    """Take back the tries that were right."""
    tx.execute(sign_in_try.delete().where(sign_in_try.c.id.in_(tries)))


def _one_at_a_time(tx: Connection) -> None:
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql("SELECT pg_advisory_xact_lock(843622)")


def _key(kind: str, value: str) -> str:
    # Hashed: people type passwords into the name field by mistake.
    return hashlib.sha256(f"{kind}:{value.casefold()}".encode()).hexdigest()

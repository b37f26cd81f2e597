"""The throttle of sign-ins: ten wrong tries a minute for an account, and for an address.

A try is counted before the password is looked at and forgiven when it was right, so that many
tries at once cannot slip through between counting and knowing.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.access.errors import TOO_MANY, TooMany
from tenon.access.tables import sign_in_try
from tenon.kernel import clock
from tenon.kernel.ids import uuid7

TRIES = 10
WINDOW = timedelta(minutes=1)


def count_try(tx: Connection, username: str, address: str) -> list[str]:
    """Count a try of this account from this address; TooMany when the minute is used up.

    The answer is the keys to forgive when the password was right.
    """
    keys = [_key("account", username), _key("address", address)]
    _one_at_a_time(tx)
    now = clock.wall()
    tx.execute(sign_in_try.delete().where(sign_in_try.c.at <= now - WINDOW))
    for key in keys:
        count, first = tx.execute(
            sa.select(sa.func.count(), sa.func.min(sign_in_try.c.at)).where(
                sign_in_try.c.key == key
            )
        ).one()
        if count >= TRIES:
            wait = int((first + WINDOW - now).total_seconds()) + 1
            raise TooMany("too_many_tries", TOO_MANY, seconds=wait)
    rows = [{"id": uuid7(), "key": key, "at": now} for key in keys]
    tx.execute(sign_in_try.insert(), rows)
    return [row["id"] for row in rows]  # type: ignore[misc]  # the ids are the strings put in


def forgive(tx: Connection, tries: list[str]) -> None:
    """Take back the tries that were right."""
    tx.execute(sign_in_try.delete().where(sign_in_try.c.id.in_(tries)))


def _one_at_a_time(tx: Connection) -> None:
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql("SELECT pg_advisory_xact_lock(843622)")


def _key(kind: str, value: str) -> str:
    # Hashed: people type passwords into the name field by mistake.
    return hashlib.sha256(f"{kind}:{value.casefold()}".encode()).hexdigest()

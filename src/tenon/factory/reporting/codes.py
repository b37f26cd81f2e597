"""Report codes: what the QR of an operation holds, and which operation a code stands for.

132 bits, made from a key of this installation and the operation, so that a reprint shows the
same code; in the database stands its hash alone. A code that is renewed makes the old one void.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets as random
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.access.attempts import Attempts
from tenon.connect.secrets import Secrets
from tenon.factory.reporting.tables import report_code
from tenon.kernel import clock
from tenon.kernel.errors import NotFound
from tenon.kernel.text import Text
from tenon.store.upsert import insert_new

_KEY: Final = "report-codes"
_LENGTH: Final = 22  # of 6 bits each
WRONG: Final = Attempts(20)

_UNKNOWN = Text(
    "无效的报工码；请重新扫描流转卡上的二维码，或请班组长重新打印。",
    "This report code is not valid. Scan the traveler's QR code again, or have it printed anew.",
)
_REVOKED = Text(
    "此流转卡已作废（已重新打印）；请使用新的流转卡。",
    "This traveler is void: it was printed anew. Use the new one.",
)


def issue(
    tx: Connection, secrets: Secrets, operations: Sequence[str], *, renew: bool
) -> dict[str, str]:
    """The code of each operation; with `renew` new ones, and the old ones are void."""
    now, c = clock.now(), report_code.c
    if renew:
        void = sa.and_(c.operation_id.in_(operations), c.revoked_at.is_(None))
        tx.execute(report_code.update().where(void).values(revoked_at=now))
    known = dict(
        tx.execute(
            sa.select(c.operation_id, sa.func.max(c.serial))
            .where(c.operation_id.in_(operations))
            .group_by(c.operation_id)
        ).all()
    )
    serials = {id_: known.get(id_, 0) + int(renew or id_ not in known) for id_ in operations}
    key = _key(secrets)
    tokens = {id_: _token(key, id_, serial) for id_, serial in serials.items()}
    rows = [
        {
            "token_hash": _hash(token), "operation_id": id_, "serial": serials[id_],
            "created_at": now,
        }
        for id_, token in tokens.items()
    ]  # fmt: skip
    if rows:
        tx.execute(insert_new(tx, report_code), rows)
    return tokens


def operation_of(connection: Connection, token: str, address: str) -> str:
    """The operation a code stands for; NotFound when it is unknown or void.

    Twenty wrong codes from an address within a minute, and it has to wait (TooMany).
    """
    WRONG.refuse_many(address)
    c = report_code.c
    row = connection.execute(
        sa.select(c.operation_id, c.revoked_at).where(c.token_hash == _hash(token))
    ).first()
    if row is None:
        WRONG.count(address)
        raise NotFound("unknown_code", _UNKNOWN)
    if row.revoked_at is not None:
        raise NotFound("code_void", _REVOKED)
    return str(row.operation_id)


def _key(secrets: Secrets) -> bytes:
    if _KEY not in secrets.names():
        secrets.set(_KEY, random.token_hex(32))
    return secrets.get(_KEY).encode()


def _token(key: bytes, operation: str, serial: int) -> str:
    made = hmac.new(key, f"{operation}:{serial}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).decode()[:_LENGTH]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

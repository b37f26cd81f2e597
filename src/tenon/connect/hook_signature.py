"""A webhook's signature: HMAC-SHA256 over the timestamp, a dot and the raw body.

The form that most senders share. Compared in constant time, before the body is read as anything.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from tenon.define.models import HookSignature


def problem(
    how: HookSignature,
    secret: str,
    signatures: Sequence[str],
    timestamps: Sequence[str],
    body: bytes,
    now: float,
) -> str | None:
    """What is wrong with it, None when it is right; `now` in seconds since 1970.

    Each header must be there exactly once: with two of them, who reads the first and who reads
    the last would see different messages.
    """
    if len(signatures) != 1 or len(timestamps) != 1:
        return "unsigned" if not signatures else "headers"
    stamp = timestamps[0].strip()
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):
        return "timestamp"
    right = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    given = signatures[0].strip()
    if not hmac.compare_digest(given.encode(), (how.prefix + right).encode()):
        return "signature"
    # Looked at last: an old message tells nobody whether its signature was right.
    return "stale" if abs(now - int(stamp)) > how.tolerance_seconds else None

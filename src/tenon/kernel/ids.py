"""UUIDv7 (RFC 9562): ids that sort by the time they were made."""

from __future__ import annotations

import os
import secrets
import threading
import time


class _Ticks:
    lock = threading.Lock()
    last = 0


def uuid7() -> str:
    """A new UUIDv7 in canonical form; later calls in one process sort later."""
    with _Ticks.lock:
        # 48 bits of milliseconds and 12 of sub-millisecond fraction (RFC 9562, method 3).
        tick = time.time_ns() * 4096 // 1_000_000
        _Ticks.last = tick = max(tick, _Ticks.last + 1)
    stamp, fraction = tick >> 12, tick & 0xFFF
    tail = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    value = stamp << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | tail
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def secret_token() -> str:
    """256 random bits as URL-safe text, for sessions and links."""
    return secrets.token_urlsafe(32)

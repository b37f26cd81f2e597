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
    tick = _ticks(1)
    stamp, fraction = tick >> 12, tick & 0xFFF
    tail = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    value = stamp << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | tail
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def uuid7s(count: int) -> list[str]:
    """Many new UUIDv7s, in order."""
    first = _ticks(count)
    tails = os.urandom(8 * count).hex()
    found = []
    for tick, at in zip(range(first, first + count), range(0, 16 * count, 16), strict=True):
        head = f"{tick:015x}"
        variant = "89ab"[int(tails[at], 16) & 3]
        found.append(
            f"{head[:8]}-{head[8:12]}-7{head[12:]}-"
            f"{variant}{tails[at + 1 : at + 4]}-{tails[at + 4 : at + 16]}"
        )
    return found


def _ticks(count: int) -> int:
    """The first of so many ticks that no id has had yet."""
    with _Ticks.lock:
        # 48 bits of milliseconds and 12 of sub-millisecond fraction (RFC 9562, method 3).
        first = max(time.time_ns() * 4096 // 1_000_000, _Ticks.last + 1)
        _Ticks.last = first + count - 1
    return first


def secret_token() -> str:
    """256 random bits as URL-safe text, for sessions and links."""
    return secrets.token_urlsafe(32)

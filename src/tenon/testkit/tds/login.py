"""What a client says before and while it logs in."""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(slots=True)
class Login:
    """What a client said of itself."""

    version: int
    packet_size: int
    user: str
    password: str
    database: str
    application: str
    read_only: bool


def read_login(body: bytes) -> Login:
    """LOGIN7."""
    version, size = struct.unpack_from("<II", body, 4)
    read_only = bool(body[26] & 0x20)
    texts = []
    for number in (1, 2, 3, 8):
        at, length = struct.unpack_from("<HH", body, 36 + 4 * number)
        texts.append(body[at : at + 2 * length])
    opened = bytes(((b ^ 0xA5) << 4 & 0xF0) | ((b ^ 0xA5) >> 4) for b in texts[1])
    user, application, database = (
        raw.decode("utf-16-le", "replace") for raw in (texts[0], texts[2], texts[3])
    )
    password = opened.decode("utf-16-le", "replace")
    return Login(version, size, user, password, database, application, read_only)


def prelogin_option(body: bytes, wanted: int, otherwise: int) -> int:
    """One byte that a client said before it logged in."""
    at = 0
    while at + 5 <= len(body) and body[at] != 0xFF:
        code: int
        place: int
        length: int
        code, place, length = struct.unpack_from(">BHH", body, at)
        if code == wanted and length and place < len(body):
            return body[place]
        at += 5
    return otherwise

"""Asking a SQL Server, before any login, which version it is and whether it encrypts.

Drivers answer “unable to connect” for everything that goes wrong before the login. This tells a
server that is away from one with which no encryption could be agreed.
facts: [MS-TDS] 2.2.6.5 PRELOGIN.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Final

from tenon.kernel import clock

_SECONDS: Final = 3
_LONGEST: Final = 4096
_OPTIONS: Final = (
    b"\x00\x00\x10\x00\x06\x01\x00\x16\x00\x01\x02\x00\x17\x00\x01\xff"
)  # fmt: skip
_BODY: Final = _OPTIONS + b"\x00" * 6 + b"\x00" + b"\x00"
_ASKING: Final = struct.pack(">BBHHBB", 0x12, 1, len(_BODY) + 8, 0, 1, 0) + _BODY
_NOT_SUPPORTED: Final = 2


@dataclass(frozen=True, slots=True)
class Told:
    """What the server said."""

    version: str
    encryption: int

    @property
    def encrypts(self) -> bool:
        """Whether it can."""
        return self.encryption != _NOT_SUPPORTED

    @property
    def demands(self) -> bool:
        """Whether it lets nobody in without."""
        return self.encryption in {1, 3}


def ask(address: str, port: int) -> Told | None:
    """The server's answer; None when there is none that makes sense."""
    try:
        with socket.create_connection((address, port), _SECONDS) as server:
            server.sendall(_ASKING)
            answer, until = b"", clock.monotonic() + _SECONDS
            while len(answer) < 8 or len(answer) < int.from_bytes(answer[2:4], "big"):
                part = server.recv(_LONGEST)
                if not part or len(answer) > _LONGEST or clock.monotonic() > until:
                    break
                answer += part
    except OSError:
        return None
    return _read(answer[8:]) if answer[:1] == b"\x04" else None


def _read(body: bytes) -> Told | None:
    found: dict[int, bytes] = {}
    at = 0
    while at + 5 <= len(body) and body[at] != 0xFF:
        code, place, length = struct.unpack_from(">BHH", body, at)
        found[code] = body[place : place + length]
        at += 5
    version, encryption = found.get(0, b""), found.get(1, b"")
    if len(version) < 4 or not encryption:
        return None
    major, minor, build = struct.unpack_from(">BBH", version)
    return Told(f"{major}.{minor}.{build}", encryption[0])

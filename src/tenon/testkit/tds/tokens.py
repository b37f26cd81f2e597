"""The tokens of an answer."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tenon.testkit.tds.columns import COLLATIONS, Kind
from tenon.testkit.tds.wire import V72, text8, text16

SERVER: Final = "TENON-TDS"
MORE: Final = 0x01
FAILED: Final = 0x02
COUNTED: Final = 0x10
ATTENTION: Final = 0x20
DONE: Final = 0xFD
DONE_IN_PROC: Final = 0xFF
DONE_PROC: Final = 0xFE


@dataclass(frozen=True, slots=True)
class SqlError(Exception):
    """An error as the server would send it."""

    number: int
    message: str
    level: int = 16


@dataclass(frozen=True, slots=True)
class Table:
    """A result: its columns and rows."""

    names: Sequence[str]
    kinds: Sequence[Kind]
    rows: Sequence[Sequence[Any]]
    nullable: Sequence[bool] = ()


def message(number: int, text: str, level: int, version: int) -> bytes:
    """INFO, or ERROR when the level says so."""
    line = struct.pack("<i" if version >= V72 else "<H", 1)
    body = struct.pack("<iBB", number, 1, level) + text16(text) + text8(SERVER) + text8("") + line
    return struct.pack("<BH", 0xAA if level > 10 else 0xAB, len(body)) + body


def done(version: int, status: int = 0, rows: int = 0, token: int = DONE) -> bytes:
    """The end of a statement, or of the whole answer when `status` lacks MORE."""
    return struct.pack("<BHHQ" if version >= V72 else "<BHHI", token, status, 0xC1, rows)


def return_status(value: int) -> bytes:
    """What a procedure returned."""
    return struct.pack("<Bi", 0x79, value)


def return_handle(value: int, version: int) -> bytes:
    """The first output parameter of sp_prepare: a statement's handle."""
    user = b"\0\0\0\0" if version >= V72 else b"\0\0"
    head = struct.pack("<BH", 0xAC, 0) + text8("") + b"\x01" + user + b"\0\0"
    return head + b"\x26\x04\x04" + struct.pack("<i", value)


def changed(kind: int, new: str, old: str = "") -> bytes:
    """ENVCHANGE of a text."""
    body = bytes([kind]) + text8(new) + text8(old)
    return struct.pack("<BH", 0xE3, len(body)) + body


def changed_bytes(kind: int, new: bytes, old: bytes = b"") -> bytes:
    """ENVCHANGE of bytes: a collation, a transaction."""
    body = bytes([kind, len(new)]) + new + bytes([len(old)]) + old
    return struct.pack("<BH", 0xE3, len(body)) + body


def collation(page: str) -> bytes:
    """ENVCHANGE that tells the database's collation."""
    return changed_bytes(7, COLLATIONS[page])


def login_ack(version: int, product: tuple[int, int, int]) -> bytes:
    """LOGINACK with the server's version."""
    major, minor, build = product
    body = b"\x01" + struct.pack(">I", version) + text8("Microsoft SQL Server")
    body += bytes([major, minor]) + struct.pack(">H", build)
    return struct.pack("<BH", 0xAD, len(body)) + body


def table(result: Table, version: int) -> Iterable[bytes]:
    """COLMETADATA and a ROW for each row."""
    user = b"\0\0\0\0" if version >= V72 else b"\0\0"
    head = struct.pack("<BH", 0x81, len(result.names))
    nullable = result.nullable or [True] * len(result.names)
    for name, kind, empty in zip(result.names, result.kinds, nullable, strict=True):
        info = kind.info(version)
        head += user + struct.pack("<H", 0x09 if empty else 0x08) + info
        if info[0] in {0x22, 0x23, 0x63}:
            head += (b"\x01" if version >= V72 else b"") + text16("t")
        head += text8(name)
    yield head
    for row in result.rows:
        yield b"\xd1" + b"".join(
            kind.value(value, version) for kind, value in zip(result.kinds, row, strict=True)
        )

"""Parameters of calls, as clients send them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tenon.testkit.tds.columns import COLLATIONS, DAY_ONE, EPOCH, MAX, WIDE
from tenon.testkit.tds.wire import Closed, Reader

_FIXED: Final[Mapping[int, int]] = {
    0x30: 1, 0x32: 1, 0x34: 2, 0x38: 4, 0x7F: 8, 0x3E: 8, 0x3B: 4, 0x3C: 8, 0x3D: 8
}  # fmt: skip


def read_parameter(reader: Reader) -> Any:
    """A parameter's TYPE_INFO and value, as a Python value."""
    code = reader.u8()
    if code in _FIXED:
        return _sent(code, reader.take(_FIXED[code]), 0, "cp936")
    scale, page, size = 0, "cp936", 0
    if code in {0x26, 0x68, 0x6D, 0x6E, 0x6F, 0x24, 0x25, 0x2D}:
        size = reader.u8()
    elif code in {0x6A, 0x6C}:
        size, _, scale = reader.u8(), reader.u8(), reader.u8()
    elif code in {0x29, 0x2A}:
        scale = reader.u8()
    elif code in {0xA5, 0xA7, 0xAD, 0xAF, 0xE7, 0xEF}:
        size = reader.u16()
    elif code in {0x22, 0x23, 0x63}:
        size = reader.u32()
    elif code != 0x28:
        raise Closed
    if code in {0xA7, 0xAF, 0xE7, 0xEF, 0x23, 0x63}:
        page = "cp936" if reader.take(5)[:2] == COLLATIONS["cp936"][:2] else "cp1252"
    raw = _parameter_bytes(reader, code, size)
    return None if raw is None else _sent(code, raw, scale, page)


def _parameter_bytes(reader: Reader, code: int, size: int) -> bytes | None:
    if code in {0x22, 0x23, 0x63}:
        length = reader.u32()
        return None if length == 0xFFFFFFFF else reader.take(length)
    if code not in {0xA5, 0xA7, 0xAD, 0xAF, 0xE7, 0xEF}:
        length = reader.u8()
        return reader.take(length) if length else None
    if size != MAX:
        length = reader.u16()
        return None if length == MAX else reader.take(length)
    if reader.u64() == 0xFFFFFFFFFFFFFFFF:
        return None
    raw = b""
    while part := reader.u32():
        raw += reader.take(part)
    return raw


def _sent(code: int, raw: bytes, scale: int, page: str) -> Any:
    if code in {0xE7, 0xEF, 0x63}:
        return raw.decode("utf-16-le")
    if code in {0xA7, 0xAF, 0x23}:
        return raw.decode(page, "replace")
    if code in {0xA5, 0xAD, 0x22, 0x25, 0x2D}:
        return raw
    return _sent_number(code, raw, scale) if code not in _TIMES else _sent_time(code, raw, scale)


_TIMES: Final = frozenset({0x28, 0x29, 0x2A, 0x3D, 0x6F})


def _sent_number(code: int, raw: bytes, scale: int) -> Any:
    if code in {0x3E, 0x6D, 0x3B}:
        return struct.unpack("<d" if len(raw) == 8 else "<f", raw)[0]
    if code in {0x6A, 0x6C}:
        whole = int.from_bytes(raw[1:], "little") * (1 if raw[0] else -1)
        return Decimal(whole).scaleb(-scale, WIDE)
    if code in {0x6E, 0x3C}:
        high, low = struct.unpack("<iI", raw) if len(raw) == 8 else (0, *struct.unpack("<i", raw))
        return Decimal((high << 32) + low).scaleb(-4)
    return int.from_bytes(raw, "little", signed=len(raw) > 1)


def _sent_time(code: int, raw: bytes, scale: int) -> datetime:
    if code in {0x3D, 0x6F}:
        days, ticks = struct.unpack("<iI", raw) if len(raw) == 8 else struct.unpack("<HH", raw)
        seconds = timedelta(seconds=ticks / 300) if len(raw) == 8 else timedelta(minutes=ticks)
        moment = EPOCH + timedelta(days=days) + seconds
        return moment.replace(microsecond=round(moment.microsecond, -3) % 10**6)
    day = DAY_ONE if code == 0x29 else DAY_ONE + timedelta(int.from_bytes(raw[-3:], "little"))
    clock = raw if code == 0x29 else raw[:-3]
    passed = timedelta(microseconds=int.from_bytes(clock, "little") * 10**6 // 10**scale)
    return datetime(day.year, day.month, day.day) + passed  # noqa: DTZ001

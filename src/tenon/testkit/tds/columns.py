"""Column types of SQL Server and their values, as they travel."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final

from tenon.testkit.tds.wire import V72, V73

# Collations by the name of their code page: LCID, flags, version, sort id.
COLLATIONS: Final[Mapping[str, bytes]] = {
    "cp936": bytes((0x04, 0x08, 0xD0, 0x00, 0x00)),  # Chinese_PRC_CI_AS
    "cp1252": bytes((0x09, 0x04, 0xD0, 0x00, 0x34)),  # SQL_Latin1_General_CP1_CI_AS
}
EPOCH: Final = datetime(1900, 1, 1)  # noqa: DTZ001  the server's own local time
DAY_ONE: Final = date(1, 1, 1)
_DECIMAL_BYTES: Final = ((9, 5), (19, 9), (28, 13), (38, 17))
_DECLARED: Final = re.compile(r"^\s*([a-z0-9_ ]+?)\s*(?:\(\s*([a-z0-9]+)\s*(?:,\s*(\d+)\s*)?\))?$")
MAX: Final = 0xFFFF
WIDE: Final = Context(prec=80)  # more digits than any decimal of the server


@dataclass(frozen=True, slots=True)
class Kind:
    """A column's type: its name in T-SQL, length or precision, scale, and code page."""

    name: str
    size: int = 0
    scale: int = 0
    page: str = "cp936"

    def info(self, version: int) -> bytes:
        """TYPE_INFO for a client of this version."""
        return _CODERS[_travelling(self, version).name][0](_travelling(self, version))

    def value(self, value: Any, version: int) -> bytes:
        """A value of a row."""
        kind = _travelling(self, version)
        return _CODERS[kind.name][1](kind, value)


def declared(text: str, page: str) -> Kind | None:
    """The type as a table declares it; None for what is none of ours."""
    match = _DECLARED.match(text.lower().replace("_cp1252", "").replace("_cp936", ""))
    if match is None:
        return None
    own = next((p for p in COLLATIONS if p in text.lower()), page)
    name = _ALIASES.get(match[1], match[1])
    size, scale = match[2], int(match[3] or 0)
    if name in {"varchar", "nvarchar", "varbinary", "char", "nchar", "binary"}:
        length = MAX if size == "max" else int(size or 1 if size or "var" not in name else 8000)
        return Kind(name, MAX if length > 8000 else length, 0, own)
    if name == "decimal":
        return Kind(name, int(size or 18), scale)
    if name in {"datetime2", "time"}:
        return Kind(name, 0, int(size or 7))
    return Kind(name, page=own) if name in _CODERS else None


def guessed(values: list[Any], page: str) -> Kind:
    """The type of an expression, by its values."""
    kinds = {type(v) for v in values} - {type(None)}
    if not kinds:
        return Kind("int")
    if kinds <= {int, bool}:
        return Kind("int" if all(-(2**31) <= (v or 0) < 2**31 for v in values) else "bigint")
    if kinds <= {int, float}:
        return Kind("float")
    if kinds == {bytes}:
        return Kind("varbinary", max(1, min(8000, max(len(v or b"") for v in values))))
    return Kind("nvarchar", 4000, 0, page)


_ALIASES: Final = {
    "integer": "int", "numeric": "decimal", "real": "float", "double": "float",
    "double precision": "float", "timestamp": "rowversion", "smalldatetime": "datetime",
    "boolean": "bit", "text": "ntext", "character varying": "varchar", "sysname": "nvarchar",
    "smallmoney": "money", "mediumint": "int",
}  # fmt: skip


def _travelling(kind: Kind, version: int) -> Kind:
    """Old clients get newer types as texts, as the server does it; and no long values in parts."""
    if kind.name in {"date", "datetime2", "time"} and version < V73:
        return Kind("nvarchar", 27, 0, kind.page)
    if kind.size == MAX and version < V72:
        return Kind({"varchar": "ntext", "nvarchar": "ntext"}.get(kind.name, "image"))
    return kind


def _integers(size: int) -> _Coder:
    def value(_kind: Kind, value: Any) -> bytes:
        if value is None:
            return b"\0"
        return bytes([size]) + int(value).to_bytes(size, "little", signed=size > 1)

    return lambda _kind: bytes([0x26, size]), value


def _bit(_kind: Kind, value: Any) -> bytes:
    return b"\0" if value is None else bytes([1, 1 if int(value) else 0])


def _float(_kind: Kind, value: Any) -> bytes:
    return b"\0" if value is None else b"\x08" + struct.pack("<d", float(value))


def _money(_kind: Kind, value: Any) -> bytes:
    if value is None:
        return b"\0"
    cents = int((_number(value) * 10000).to_integral_value(ROUND_HALF_UP))
    high, low = cents >> 32, cents & 0xFFFFFFFF
    return b"\x08" + struct.pack("<iI", high, low)


def _decimal_info(kind: Kind) -> bytes:
    return bytes([0x6A, _decimal_bytes(kind.size), kind.size, kind.scale])


def _decimal(kind: Kind, value: Any) -> bytes:
    if value is None:
        return b"\0"
    number = _number(value)
    whole = int(number.scaleb(kind.scale, WIDE).to_integral_value(ROUND_HALF_UP))
    size = _decimal_bytes(kind.size)
    sign = b"\x00" if whole < 0 else b"\x01"
    return bytes([size]) + sign + abs(whole).to_bytes(size - 1, "little")


def _decimal_bytes(precision: int) -> int:
    return next(size for most, size in _DECIMAL_BYTES if precision <= most)


def _number(value: Any) -> Decimal:
    """A number as it is kept: exact ones with many digits are kept as bytes of their text."""
    if isinstance(value, bytes):
        return Decimal(value.decode("ascii"))
    return Decimal(repr(value) if isinstance(value, float) else str(value))


def _datetime(_kind: Kind, value: Any) -> bytes:
    if value is None:
        return b"\0"
    passed = _moment(value) - EPOCH
    ticks = round((passed.seconds + passed.microseconds / 1e6) * 300)
    return b"\x08" + struct.pack("<iI", passed.days + ticks // 25_920_000, ticks % 25_920_000)


def _date(_kind: Kind, value: Any) -> bytes:
    return b"\0" if value is None else b"\x03" + _days(_moment(value).date())


def _days(day: date) -> bytes:
    return (day - DAY_ONE).days.to_bytes(3, "little")


def _clock(moment: time, scale: int) -> bytes:
    size = 3 if scale < 3 else 4 if scale < 5 else 5
    micro = ((moment.hour * 60 + moment.minute) * 60 + moment.second) * 10**6 + moment.microsecond
    units: int = micro * 10**scale // 10**6
    return units.to_bytes(size, "little")


def _datetime2(kind: Kind, value: Any) -> bytes:
    if value is None:
        return b"\0"
    moment = _moment(value)
    raw = _clock(moment.time(), kind.scale) + _days(moment.date())
    return bytes([len(raw)]) + raw


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _text_info(code: int, wide: int) -> Callable[[Kind], bytes]:
    def info(kind: Kind) -> bytes:
        length = MAX if kind.size == MAX else min(kind.size * wide, 8000)
        return struct.pack("<BH", code, length) + COLLATIONS[kind.page]

    return info


def _bytes_info(code: int) -> Callable[[Kind], bytes]:
    return lambda kind: struct.pack("<BH", code, kind.size or 8)


def _text(kind: Kind, value: Any) -> bytes:
    if value is None:
        return _sized(kind, None)
    encoding = "utf-16-le" if kind.name.startswith("n") else kind.page
    # Bytes are what an old program put there, whatever the collation says.
    raw = value if isinstance(value, bytes) else str(value).encode(encoding, "replace")
    if kind.name in {"char", "nchar"}:
        unit = " ".encode("utf-16-le" if kind.name == "nchar" else "ascii")
        raw += unit * (kind.size - len(raw) // len(unit))
    return _sized(kind, raw)


def _binary(kind: Kind, value: Any) -> bytes:
    raw: bytes | None = value.encode() if isinstance(value, str) else value
    if raw is not None and kind.name in {"rowversion", "binary"}:
        raw = raw.rjust(8, b"\0") if kind.name == "rowversion" else raw.ljust(kind.size, b"\0")
    return _sized(kind, raw)


def _sized(kind: Kind, raw: bytes | None) -> bytes:
    if kind.size != MAX:
        return b"\xff\xff" if raw is None else struct.pack("<H", len(raw)) + raw
    if raw is None:
        return b"\xff" * 8
    part = struct.pack("<I", len(raw)) + raw if raw else b""
    return struct.pack("<Q", len(raw)) + part + b"\0\0\0\0"


def _long_info(code: int) -> Callable[[Kind], bytes]:
    # The name of the table follows, which clients read over.
    collation = b"" if code == 0x22 else COLLATIONS["cp936"]
    return lambda _kind: struct.pack("<BI", code, 0x7FFFFFFE) + collation


def _long(kind: Kind, value: Any) -> bytes:
    if value is None:
        return b"\0"
    if kind.name == "image":
        raw = value if isinstance(value, bytes) else str(value).encode()
    else:
        text = value.decode("cp936", "replace") if isinstance(value, bytes) else str(value)
        raw = text.encode("utf-16-le")
    return bytes([16]) + b"textpointer-----" + b"timestam" + struct.pack("<I", len(raw)) + raw


_Coder = tuple[Callable[[Kind], bytes], Callable[[Kind, Any], bytes]]
_CODERS: Final[Mapping[str, _Coder]] = {
    "tinyint": _integers(1), "smallint": _integers(2), "int": _integers(4),
    "bigint": _integers(8), "bit": (lambda _k: b"\x68\x01", _bit),
    "float": (lambda _k: b"\x6d\x08", _float), "money": (lambda _k: b"\x6e\x08", _money),
    "decimal": (_decimal_info, _decimal), "datetime": (lambda _k: b"\x6f\x08", _datetime),
    "date": (lambda _k: b"\x28", _date),
    "datetime2": (lambda k: bytes([0x2A, k.scale]), _datetime2),
    "varchar": (_text_info(0xA7, 1), _text), "char": (_text_info(0xAF, 1), _text),
    "nvarchar": (_text_info(0xE7, 2), _text), "nchar": (_text_info(0xEF, 2), _text),
    "varbinary": (_bytes_info(0xA5), _binary), "binary": (_bytes_info(0xAD), _binary),
    "rowversion": (_bytes_info(0xAD), _binary),
    "ntext": (_long_info(0x63), _long), "image": (_long_info(0x22), _long),
}  # fmt: skip

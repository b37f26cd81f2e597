"""Cells as values: text unless declared, and what Excel does to codes never taken in silence."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from tenon.connect.connectors.files.header import VIRTUAL, Header, plain
from tenon.define.models import FileDef, StreamDef
from tenon.kernel.decimals import plain as plain_number
from tenon.kernel.errors import SetAside
from tenon.kernel.text import Text

_EXPONENT: Final = re.compile(r"[+-]?[0-9](\.[0-9]+)?E\+[0-9]{2,3}")
_SCIENTIFIC: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?[Ee][+-]?[0-9]{1,9}")
_WRAPPED: Final = re.compile(r'="(.*)"', re.DOTALL)
_ERRORS: Final = frozenset(
    ["#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"]
)
_SERIAL: Final = re.compile(r"[0-9]{5}(\.[0-9]+)?")
_SLASHES: Final = re.compile(r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})")
_EXACT: Final = 10**15  # beyond it Excel has lost digits
_FIRST_SERIAL: Final = 61  # before it Excel counts a 29 February 1900 that never was
_LAST_SERIAL: Final = 2_958_466  # the year 10000
EPOCH_1900: Final = datetime(1899, 12, 30)  # noqa: DTZ001  local, as the sheet
EPOCH_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001

_ABBREVIATED = Text(
    "列“{column}”的值“{value}”是 Excel 缩写过的长数字，原来的编码已无法恢复；"
    "请把该列设为文本格式后重新导出（真正的数量列请在定义中声明为 number）。",
    "The value “{value}” of column “{column}” is a long number that Excel abbreviated; the code it "
    "was cannot be restored. Format the column as text and export again (declare a column of real "
    "numbers as number).",
)
_DIGITS_LOST = Text(
    "列“{column}”的值 {value} 超过 15 位，Excel 已丢失末尾的数字；请把该列设为文本格式后重新录入。",
    "The value {value} of column “{column}” has over 15 digits, of which Excel lost the last ones. "
    "Format the column as text and enter it again.",
)
_ERROR = Text(
    "列“{column}”的单元格是错误值 {value}；请在表格中更正公式。",
    "The cell of column “{column}” holds the error {value}. Correct its formula.",
)
_HASHES = Text(
    "列“{column}”只有 {value}：导出时列太窄，值没有写出；请加宽该列后重新导出。",
    "Column “{column}” holds only {value}: it was too narrow when it was exported, and the value "
    "was not written. Widen it and export again.",
)
_ZEROS = Text(
    "列“{column}”的编码“{value}”只有 {found} 位，应为 {width} 位，很可能丢失了前导零；"
    "请核对，或在定义中允许补零（fill_zeros）。",
    "The code “{value}” of column “{column}” has {found} digits instead of {width}: its leading "
    "zeros are probably lost. Check it, or allow them to be put back (fill_zeros).",
)
_BECAME_DATE = Text(
    "列“{column}”的编码被 Excel 变成了日期 {value}；请把该列设为文本格式后重新录入。",
    "Excel turned the code of column “{column}” into the date {value}. Format the column as text "
    "and enter it again.",
)
_NO_NUMBER = Text(
    "列“{column}”应为数字，收到的是“{value}”。",
    "Column “{column}” must be a number and holds “{value}”.",
)
_NO_DATE = Text(
    "列“{column}”的值“{value}”不是有效的日期时间。",
    "The value “{value}” of column “{column}” is not a date and time.",
)
_NUMERIC_CODES = Text(
    "文件“{file}”的编码列“{column}”是数字单元格，前导零可能已丢失；"
    "请设为文本格式，或在定义中声明位数（digits）。",
    "The codes in column “{column}” of the file “{file}” are numbers in Excel, so leading zeros "
    "may be lost. Format them as text, or declare their digits (digits).",
)


@dataclass(frozen=True, slots=True)
class Broken:
    """A cell without a value: an error, or a formula that was never worked out."""

    shown: str


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kind: str
    width: int | None
    restore: bool
    epoch: datetime


class Cells:
    """Turns the cells of one file into the values of a stream's rows."""

    def __init__(
        self, stream: StreamDef, header: Header, file: str, zone: ZoneInfo, epoch: datetime | None
    ) -> None:
        how = stream.file or FileDef()
        self._zone = zone
        self._file, self._header = file, header
        self._seen_numeric: set[str] = set()
        kinds = {plain(n): k for n, k in how.types.items()}
        widths = {plain(n): w for n, w in how.digits.items()}
        cursor = plain(stream.cursor.column) if stream.cursor else None
        self._cursor_type = stream.cursor.type if stream.cursor else "time"
        self._readers = tuple(
            self._reader(
                _Column(
                    name,
                    kinds.get(plain(name)) or _kind(stream, name, widths),
                    widths.get(plain(name)),
                    how.fill_zeros,
                    epoch or EPOCH_1900,
                ),
                is_cursor=plain(name) == cursor,
            )
            for name in header.names
            if name not in VIRTUAL
        )

    def values(self, cells: list[Any]) -> list[Any]:
        """A row's own values, in the header's order; SetAside names the cell that is refused."""
        return [
            read(cells[at] if at < len(cells) else None)
            for read, at in zip(self._readers, self._header.at, strict=False)
        ]

    def remarks(self) -> list[Text]:
        """What is odd in the file, though it could be read."""
        return [
            _NUMERIC_CODES.format(file=self._file, column=c) for c in sorted(self._seen_numeric)
        ]

    def _reader(self, column: _Column, *, is_cursor: bool) -> Callable[[Any], Any]:
        if not is_cursor:
            return lambda cell: self._value(column, cell)
        if self._cursor_type == "integer":
            return lambda cell: _integer(column, self._value(column, cell))
        return lambda cell: _moment(column, self._value(column, cell), self._zone)

    def _value(self, column: _Column, cell: Any) -> Any:
        if cell is None or cell == "":
            return None
        if isinstance(cell, Broken):
            raise _refuse("excel_error", _ERROR, column, cell.shown)
        if isinstance(cell, str):
            return _from_text(column, cell)
        if isinstance(cell, bool):
            return "TRUE" if cell else "FALSE"
        if isinstance(cell, int | float):
            return self._from_number(column, cell)
        return _from_time(column, cell)

    def _from_number(self, column: _Column, cell: float) -> str | None:
        if column.kind in {"date", "time"}:
            return _shown(_from_serial(column, float(cell), str(cell)), column)
        text = plain_number(Decimal(repr(cell)))
        text = text.removesuffix(".0")
        if column.kind in {"number", "free"}:
            return text
        if abs(cell) >= _EXACT:
            raise _refuse("digits_lost", _DIGITS_LOST, column, text)
        if column.kind == "code":
            if column.width is None:
                self._seen_numeric.add(column.name)
            return _full(column, text)
        return text


def _kind(stream: StreamDef, name: str, widths: dict[str, int]) -> str:
    # What recognises a row, or has a fixed number of digits, is a code.
    is_code = plain(name) in {plain(k) for k in stream.key} or plain(name) in widths
    is_cursor = stream.cursor is not None and plain(name) == plain(stream.cursor.column)
    if is_cursor and stream.cursor is not None:
        return "time" if stream.cursor.type == "time" else "number"
    return "code" if is_code else "text"


def _from_text(column: _Column, cell: str) -> str | None:
    if column.kind == "free":
        return cell
    if column.kind == "text" and not ("#" in cell or "+" in cell or "=" in cell):
        return cell  # most cells, and nothing of what is looked for below
    wrapped = _WRAPPED.fullmatch(cell.strip())
    text = wrapped[1] if wrapped else cell
    bare = text.strip()
    _refuse_broken(column, bare)
    if column.kind == "number":
        return _number_text(column, text, bare)
    if _EXPONENT.fullmatch(bare.upper()):
        raise _refuse("abbreviated_number", _ABBREVIATED, column, bare)
    if column.kind in {"date", "time"} and _SERIAL.fullmatch(bare):
        return _shown(_from_serial(column, float(bare), bare), column)
    return _full(column, text) if column.kind == "code" else text or None


def _refuse_broken(column: _Column, bare: str) -> None:
    if not bare.startswith("#"):
        return
    if bare.upper() in _ERRORS:
        raise _refuse("excel_error", _ERROR, column, bare)
    if len(bare) > 1 and not bare.strip("#"):
        raise _refuse("column_too_narrow", _HASHES, column, bare[:20])


def _number_text(column: _Column, text: str, bare: str) -> str:
    if not _SCIENTIFIC.fullmatch(bare):
        return text  # the field it goes to judges it
    number = Decimal(bare)
    if abs(number.adjusted()) > 40:
        raise _refuse("not_a_number", _NO_NUMBER, column, bare)
    return plain_number(number)


def _full(column: _Column, text: str) -> str | None:
    """A code with all its digits."""
    bare = text.strip()
    if column.width is None or not bare.isascii() or not bare.isdigit():
        return text or None
    if len(bare) >= column.width:
        return bare
    if column.restore:
        return bare.zfill(column.width)
    raise SetAside(
        "lost_zeros", _ZEROS, column=column.name, value=bare, found=len(bare), width=column.width
    )


def _from_time(column: _Column, cell: Any) -> str:
    if isinstance(cell, timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(cell, time):
        return cell.isoformat(timespec="seconds")
    shown = cell.isoformat(sep=" ") if isinstance(cell, datetime) else cell.isoformat()
    if column.kind == "code":
        raise _refuse("became_date", _BECAME_DATE, column, shown)
    if column.kind == "number":
        raise _refuse("not_a_number", _NO_NUMBER, column, shown)
    if isinstance(cell, datetime):
        return _shown(cell, column)
    return str(shown)


def _from_serial(column: _Column, serial: float, shown: str) -> datetime:
    first = _FIRST_SERIAL if column.epoch == EPOCH_1900 else 0
    if not first <= serial < _LAST_SERIAL:
        raise _refuse("bad_time", _NO_DATE, column, shown)
    return column.epoch + timedelta(days=int(serial), seconds=round(serial % 1 * 86400))


def _shown(moment: datetime, column: _Column) -> str:
    if column.kind == "date":
        return moment.date().isoformat()
    return moment.isoformat(sep=" ", timespec="auto")


def _moment(column: _Column, value: Any, zone: ZoneInfo) -> datetime | None:
    if value is None:
        return None
    text = value.replace("\x00", "").strip()
    if not text:
        return None
    if text[4:5] != "-":
        text = _SLASHES.sub(lambda m: f"{m[1]}-{m[2]:0>2}-{m[3]:0>2}", text)
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        raise _refuse("bad_time", _NO_DATE, column, text) from None


def _integer(column: _Column, value: Any) -> int | None:
    if value is None or not str(value).strip():
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise _refuse("not_a_number", _NO_NUMBER, column, str(value)) from None
    if not number.is_finite() or number != number.to_integral_value() or abs(number) >= 1 << 63:
        raise _refuse("not_a_number", _NO_NUMBER, column, str(value))
    return int(number)


def _refuse(code: str, text: Text, column: _Column, value: str) -> SetAside:
    return SetAside(code, text, column=column.name, value=value[:80])


def kind_of(cells: list[Any]) -> str:
    """What the cells of a column are."""
    kinds = {_cell_kind(c) for c in cells if c not in {"", None}}
    return kinds.pop() if len(kinds) == 1 else "mixed" if kinds else "empty"


def _cell_kind(cell: Any) -> str:
    if isinstance(cell, bool):
        return "boolean"
    if isinstance(cell, int | float):
        return "number"
    return "text" if isinstance(cell, str) else "date"

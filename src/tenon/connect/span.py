"""A range of a stream, by its cursor or by its key, as a person writes it and as rows meet it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from tenon.connect.contract import CursorValue
from tenon.kernel.errors import BadInput
from tenon.kernel.text import Text

_MOST_DIGITS: Final = 40  # Python refuses to read thousands of them

_NOT_SUCH = Text(
    "“{value}”不是这个水位列的值；现在的水位是“{like}”，请按同样的写法填写。",
    "“{value}” is no value of this cursor, which stands at “{like}” now. Write it in the same way.",
)
_BACKWARDS = Text(
    "范围的起点“{low}”在终点“{high}”之后；请对调。",
    "The range begins at “{low}”, after its end “{high}”. Swap them.",
)

By = Literal["cursor", "key"]


@dataclass(frozen=True, slots=True)
class Span:
    """From `low` to `high`, both included; of a key of several parts by the first."""

    by: By
    low: str
    high: str

    def as_dict(self) -> dict[str, str]:
        """As it is kept."""
        return {"by": self.by, "low": self.low, "high": self.high}


def refuse_backwards(span: Span, zone: ZoneInfo) -> None:
    """BadInput when the range ends before it begins."""
    if beyond(place(span.low, zone), end(span.high, zone)):
        raise BadInput("span_backwards", _BACKWARDS, low=span.low, high=span.high)


def begin(text: str, like: CursorValue, zone: ZoneInfo) -> CursorValue:
    """The beginning of a range as the source writes its cursor (`like`); BadInput if it cannot."""
    if isinstance(like, int):
        if not _digits(text):
            raise BadInput("not_a_cursor", _NOT_SUCH, value=text[:80], like=like)
        return int(text)
    shape = like if isinstance(like, datetime) else _moment(like)
    if shape is None:
        return text  # a file's name, a row's revision: as it is
    moment = _moment(text)
    if moment is None:
        raise BadInput("not_a_cursor", _NOT_SUCH, value=text[:80], like=str(like))
    try:
        fitted = _fitted(moment, shape, zone)
    except OverflowError:  # at the very end of all years
        raise BadInput("not_a_cursor", _NOT_SUCH, value=text[:80], like=str(like)) from None
    return fitted if isinstance(like, datetime) else _written(fitted, str(like))


def place(value: Any, zone: ZoneInfo) -> Any:
    """A value of a row, or of a person, in the form in which the two are compared."""
    if isinstance(value, datetime):
        return _universal(value, zone)
    if isinstance(value, int | Decimal):
        return Decimal(value)
    text = str(value)
    if _digits(text):
        return Decimal(text)
    moment = _moment(text)
    return text if moment is None else _universal(moment, zone)


def end(text: str, zone: ZoneInfo) -> Any:
    """Where a range ends; of a day, at its last moment."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return place(text, zone)
    return place(text, zone) if _digits(text) else _universal(datetime.combine(day, time.max), zone)


def beyond(one: Any, other: Any) -> bool:
    """Whether one place lies after another; places of two kinds have no order."""
    return type(one) is type(other) and bool(one > other)


def _digits(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdecimal() and len(text) <= _MOST_DIGITS


def _moment(text: Any) -> datetime | None:
    try:
        return None if _digits(str(text)) else datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _universal(value: datetime, zone: ZoneInfo) -> datetime:
    try:
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:  # at the very end of all years
        return value.replace(tzinfo=UTC)


def _fitted(moment: datetime, shape: datetime, zone: ZoneInfo) -> datetime:
    """A moment with a zone, or without one, as the source has it."""
    if shape.tzinfo is None:
        return moment if moment.tzinfo is None else moment.astimezone(zone).replace(tzinfo=None)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(shape.tzinfo)


def _written(moment: datetime, like: str) -> str:
    if len(like) == len("2026-01-31"):
        return moment.date().isoformat()
    text = moment.isoformat(sep=like[10], timespec="seconds")
    return text.replace("+00:00", "Z") if like.endswith("Z") else text

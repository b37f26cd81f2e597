"""Legacy values as the types of our fields: texts tidied, numbers exact, local times as UTC."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from tenon.define.models import FieldType, MapRule
from tenon.kernel import clock
from tenon.kernel.decimals import plain
from tenon.kernel.errors import SetAside
from tenon.kernel.text import Text, normal_code, normal_document_no, normal_name, tidy

_BAD_TIME = Text(
    "“{value}”不是有效的日期时间；应类似 2026-01-31 08:30:00。",
    "“{value}” is not a date and time such as 2026-01-31 08:30:00.",
)
_BAD_BOOLEAN = Text(
    "“{value}”不是是/否值；应为 1/0、Y/N、是/否。",
    "“{value}” is not a yes or no; it should be 1/0, Y/N, true/false.",
)
_UNDECODABLE = Text(
    "列“{column}”的字节 {hex} 不是有效文字；原字节已保存，请核对来源编码后重试。",
    "The bytes {hex} of column “{column}” are not valid text. They are kept; check the encoding "
    "of the source, then retry.",
)

CLEAN: Final[dict[str, Callable[[str], str]]] = {
    "text": tidy,
    "code": normal_code,
    "document_no": normal_document_no,
    "name": normal_name,
    "exact": tidy,
}
# A number written as text may carry thousands separators.
_NUMBER_NOISE: Final = re.compile(r"[,\s]")
_YES: Final = frozenset({"1", "Y", "YES", "T", "TRUE", "是", "-1"})
_NO: Final = frozenset({"0", "N", "NO", "F", "FALSE", "否"})
_SLASHES: Final = re.compile(r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})")
# How MySQL and old programs write “no date”.
_NO_DATE: Final = ("0000-00-00", "1900-01-00")

Parse = Callable[[Any], Any]


def text_of(value: Any) -> str | None:
    """A source value as text: as shown, hashed, and used in keys."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return str(value)


def refuse_bytes(column: str, value: bytes) -> SetAside:
    """The reason for bytes that are not text."""
    return SetAside("undecodable_text", _UNDECODABLE, column=column, hex=value[:24].hex(" "))


def clean_text(value: Any, rule: MapRule) -> str | None:
    """A value as cleaned text; nothing when there is nothing in it."""
    if value is None:
        return None
    text = value if type(value) is str else str(text_of(value))
    return CLEAN[rule.clean](text.replace("\x00", "")) or None


def parser(kind: FieldType, rule: MapRule, zone: ZoneInfo) -> Parse:
    """How a source value becomes a value of this type of field (then checked by the field)."""
    if rule.choices:
        plain_parse = parser(kind, rule.model_copy(update={"choices": {}}), zone)
        return lambda value: plain_parse(_chosen(value, rule))
    match kind:
        case "decimal" | "integer":
            return _number
        case "datetime":
            return lambda value: _moment(value, zone)
        case "date":
            return lambda value: _day(value, zone)
        case "boolean":
            return _boolean
        case "json":
            return lambda value: value
        case _:  # text, choice, ref
            return lambda value: clean_text(value, rule)


def _number(value: Any) -> Any:
    if type(value) is not str:
        return value
    text = value.replace("\x00", "")
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _NUMBER_NOISE.sub("", text) or None


def _moment(value: Any, zone: ZoneInfo) -> datetime | None:
    if type(value) is str:
        value = _parsed(value)
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001  local, as the source
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise SetAside("bad_time", _BAD_TIME, value=str(value)[:80])
    try:
        if value.tzinfo is None:
            return clock.from_local(value, zone)
        return value.astimezone(UTC)
    except OverflowError:
        raise SetAside("bad_time", _BAD_TIME, value=str(value)[:80]) from None


def _parsed(value: str) -> datetime | None:
    text = value.replace("\x00", "").strip()
    if not text or text.startswith(_NO_DATE):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    plainer = unicodedata.normalize("NFKC", text)
    plainer = _SLASHES.sub(lambda m: f"{m[1]}-{m[2]:0>2}-{m[3]:0>2}", plainer)
    try:
        return datetime.fromisoformat(plainer)
    except ValueError:
        raise SetAside("bad_time", _BAD_TIME, value=value[:80]) from None


def _day(value: Any, zone: ZoneInfo) -> date | None:
    if type(value) is str:
        value = _parsed(value)
    if isinstance(value, datetime):
        return (value.astimezone(zone) if value.tzinfo else value).date()
    if value is None or isinstance(value, date):
        return value
    raise SetAside("bad_time", _BAD_TIME, value=str(value)[:80])


def _boolean(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    text = str(text_of(value)).strip().upper()
    if not text:
        return None
    if text in _YES or text in _NO:
        return text in _YES
    raise SetAside("bad_boolean", _BAD_BOOLEAN, value=text[:80])


def _chosen(value: Any, rule: MapRule) -> Any:
    text = clean_text(value, rule)
    if text is None:
        return None
    return rule.choices.get(text, text if rule.otherwise is None else rule.otherwise)

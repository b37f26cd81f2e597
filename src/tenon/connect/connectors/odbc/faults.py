"""What an ODBC error means, by what the reader can do; drivers' own texts are never shown (S31)."""

from __future__ import annotations

import re
from typing import Any, Final

from tenon.connect.selecting import (
    CHANGED,
    DAMAGED,
    DENIED,
    LOGIN,
    SLOW,
    UNREACHABLE,
    Fault,
)
from tenon.kernel.errors import NeedsUser, Retry, TenonError
from tenon.kernel.text import Text

SECONDS: Final = 30
BUSY_SECONDS: Final = 5

_LOCKED = Text(
    "来源“{source}”（{address}）被其他程序锁定，未能读取。Tenon 会稍后重试。",
    "The source “{source}” ({address}) is locked by another program. Tenon tries again later.",
)
_NO_DATABASE = Text(
    "来源“{source}”（{address}）没有这个数据库；请更正后点击“检查连接”。",
    "There is no such database at the source “{source}” ({address}). Correct it, then press Check.",
)
_DRIVER = Text(
    "来源“{source}”（{address}）的 ODBC 驱动或数据源无法装载（{state}）；请检查本机的 ODBC 登记。",
    "The ODBC driver or data source of “{source}” ({address}) cannot be loaded ({state}). Check "
    "what is registered on this machine.",
)
_OTHER = Text(
    "读取来源“{source}”（{address}）时出错（{state}）。Tenon 会稍后重试。",
    "Reading the source “{source}” ({address}) failed ({state}). Tenon tries again later.",
)
_BUSY: Final[Fault] = (Retry, "source_locked", _LOCKED)
_NO_BASE: Final[Fault] = (NeedsUser, "no_database", _NO_DATABASE)
_UNLOADED: Final[Fault] = (NeedsUser, "odbc_driver", _DRIVER)

# The databases' own numbers, which drivers put into their texts.
_NUMBERS: Final = {
    18456: LOGIN, 18486: LOGIN, 18487: LOGIN, 18488: LOGIN, 1045: LOGIN,
    1698: LOGIN, 4060: _NO_BASE, 1049: _NO_BASE, 229: DENIED, 916: DENIED,
    1142: DENIED, 1143: DENIED, 1044: DENIED, 208: CHANGED, 207: CHANGED,
    1146: CHANGED, 1054: CHANGED, 1222: _BUSY, 1205: _BUSY, 1213: _BUSY, 1969: SLOW,
    2002: UNREACHABLE, 2003: UNREACHABLE, 2006: UNREACHABLE, 2013: UNREACHABLE, 824: DAMAGED,
}  # fmt: skip
_STATES: Final = {
    "28000": LOGIN, "HYT00": SLOW, "HYT01": UNREACHABLE, "40001": _BUSY,
    "42S02": CHANGED, "42S22": CHANGED, "IM": _UNLOADED, "08": UNREACHABLE,
    "01000": _UNLOADED,
}  # fmt: skip
_WORDS: Final = (
    ("connect failed", UNREACHABLE), ("unable to open", UNREACHABLE), ("locked", _BUSY),
    ("not a database", DAMAGED), ("malformed", DAMAGED), ("no such table", CHANGED),
    ("no such column", CHANGED), ("interrupted", SLOW),
)  # fmt: skip
_NUMBER: Final = re.compile(r"\((\d{3,6})\)")


def explain(error: Any, source: str, address: str) -> TenonError:
    """The driver's error as one of ours, without the driver's text."""
    state = str(error.args[0] if error.args else "")[:5]
    kind, code, text = _classify(state, str(error))
    return kind(code, text, source=source, address=address, seconds=SECONDS, state=state)


def _classify(state: str, text: str) -> Fault:
    for number in _NUMBER.findall(text):
        if found := _NUMBERS.get(int(number)):
            return found
    if state == "HYT00" and "SQLDriverConnect" in text:
        return UNREACHABLE
    known = _STATES.get(state) or _STATES.get(state[:2])
    if known is not None:
        return known
    lower = text.lower()
    words = (found for part, found in _WORDS if part in lower)
    return next(words, (Retry, "source_error", _OTHER))

"""What an ODBC error means, by what the reader can do; drivers' own texts are never shown (S31)."""

from __future__ import annotations

import re
from typing import Any, Final

from tenon.kernel.errors import NeedsUser, Retry, Stop, TenonError
from tenon.kernel.text import Text

SECONDS: Final = 30
BUSY_SECONDS: Final = 5

_UNREACHABLE = Text(
    "连接不上来源“{source}”（{address}）：文件不存在或服务器没有应答。Tenon 会继续重试；"
    "请检查网络、服务和文件位置。",
    "The source “{source}” ({address}) cannot be reached: the file is not there or the server does "
    "not answer. Tenon keeps trying; check the network, the service and the file.",
)
_LOCKED = Text(
    "来源“{source}”（{address}）被其他程序锁定，未能读取。Tenon 会稍后重试。",
    "The source “{source}” ({address}) is locked by another program. Tenon tries again later.",
)
_SLOW = Text(
    "来源“{source}”（{address}）的查询超过 {seconds} 秒，已取消。Tenon 会稍后重试；"
    "如反复出现，请为游标列建立索引。",
    "A query of the source “{source}” ({address}) took over {seconds} s and was cancelled. Tenon "
    "tries again later; if it happens again, index the cursor column.",
)
_LOGIN = Text(
    "来源“{source}”（{address}）拒绝登录：用户名或密码错误、已过期或被锁定。为避免锁死账号，"
    "已停止重试；请更正后点击“检查连接”。",
    "The source “{source}” ({address}) refused the login: wrong, expired or locked. Tenon has "
    "stopped trying so as not to lock the account. Correct it, then press Check.",
)
_DENIED = Text(
    "来源“{source}”（{address}）的账号没有读取权限；请授予只读权限后点击“检查连接”。",
    "The account of the source “{source}” ({address}) may not read this. Grant it read access, "
    "then press Check.",
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
_DAMAGED = Text(
    "来源“{source}”（{address}）不是有效的数据库文件，或已损坏。Tenon 没有改动它；请恢复该文件。",
    "The source “{source}” ({address}) is not a database file, or it is damaged. Tenon changed "
    "nothing in it. Restore the file.",
)
_CHANGED = Text(
    "来源“{source}”（{address}）的表或列在读取时消失了。同步已停止；请核对来源结构。",
    "A table or column of the source “{source}” ({address}) vanished while it was read. The sync "
    "has stopped; check the source's structure.",
)
_OTHER = Text(
    "读取来源“{source}”（{address}）时出错（{state}）。Tenon 会稍后重试。",
    "Reading the source “{source}” ({address}) failed ({state}). Tenon tries again later.",
)
_Class = tuple[type[TenonError], str, Text]
_UNREACHED: Final[_Class] = (Retry, "source_unreachable", _UNREACHABLE)
_BUSY: Final[_Class] = (Retry, "source_locked", _LOCKED)
_TOO_SLOW: Final[_Class] = (Retry, "source_slow", _SLOW)
_REFUSED: Final[_Class] = (NeedsUser, "source_login", _LOGIN)
_FORBIDDEN: Final[_Class] = (NeedsUser, "source_denied", _DENIED)
_NO_BASE: Final[_Class] = (NeedsUser, "no_database", _NO_DATABASE)
_UNLOADED: Final[_Class] = (NeedsUser, "odbc_driver", _DRIVER)
_BROKEN: Final[_Class] = (Stop, "source_damaged", _DAMAGED)
_VANISHED: Final[_Class] = (Stop, "source_changed", _CHANGED)

# The databases' own numbers, which drivers put into their texts.
_NUMBERS: Final = {
    18456: _REFUSED, 18486: _REFUSED, 18487: _REFUSED, 18488: _REFUSED, 1045: _REFUSED,
    1698: _REFUSED, 4060: _NO_BASE, 1049: _NO_BASE, 229: _FORBIDDEN, 916: _FORBIDDEN,
    1142: _FORBIDDEN, 1143: _FORBIDDEN, 1044: _FORBIDDEN, 208: _VANISHED, 207: _VANISHED,
    1146: _VANISHED, 1054: _VANISHED, 1222: _BUSY, 1205: _BUSY, 1213: _BUSY, 1969: _TOO_SLOW,
    2002: _UNREACHED, 2003: _UNREACHED, 2006: _UNREACHED, 2013: _UNREACHED, 824: _BROKEN,
}  # fmt: skip
_STATES: Final = {
    "28000": _REFUSED, "HYT00": _TOO_SLOW, "HYT01": _UNREACHED, "40001": _BUSY,
    "42S02": _VANISHED, "42S22": _VANISHED, "IM": _UNLOADED, "08": _UNREACHED,
    "01000": _UNLOADED,
}  # fmt: skip
_WORDS: Final = (
    ("connect failed", _UNREACHED), ("unable to open", _UNREACHED), ("locked", _BUSY),
    ("not a database", _BROKEN), ("malformed", _BROKEN), ("no such table", _VANISHED),
    ("no such column", _VANISHED), ("interrupted", _TOO_SLOW),
)  # fmt: skip
_NUMBER: Final = re.compile(r"\((\d{3,6})\)")


def explain(error: Any, source: str, address: str) -> TenonError:
    """The driver's error as one of ours, without the driver's text."""
    state = str(error.args[0] if error.args else "")[:5]
    kind, code, text = _classify(state, str(error))
    return kind(code, text, source=source, address=address, seconds=SECONDS, state=state)


def _classify(state: str, text: str) -> _Class:
    for number in _NUMBER.findall(text):
        if found := _NUMBERS.get(int(number)):
            return found
    if state == "HYT00" and "SQLDriverConnect" in text:
        return _UNREACHED
    known = _STATES.get(state) or _STATES.get(state[:2])
    if known is not None:
        return known
    lower = text.lower()
    words = (found for part, found in _WORDS if part in lower)
    return next(words, (Retry, "source_error", _OTHER))

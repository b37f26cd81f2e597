"""What a driver's error means, by what the reader can do; drivers' own texts are never shown."""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy.exc import DBAPIError

from tenon.connect.connectors.sql.engines import BUSY_SECONDS, STATEMENT_SECONDS
from tenon.connect.selecting import (
    CHANGED,
    DAMAGED,
    DENIED,
    LOGIN,
    SLOW,
    UNREACHABLE,
    Fault,
)
from tenon.kernel.errors import NeedsUser, Retry, Stop, TenonError
from tenon.kernel.text import Text

_LOCKED = Text(
    "来源“{source}”（{address}）被其他程序锁定，{seconds} 秒内未能读取。Tenon 会稍后重试。",
    "The source “{source}” ({address}) is locked by another program and could not be read within "
    "{seconds} s. Tenon tries again later.",
)
_NO_DATABASE = Text(
    "来源“{source}”（{address}）没有这个数据库；请更正连接地址后点击“检查连接”。",
    "There is no such database at the source “{source}” ({address}). Correct the address, then "
    "press Check.",
)
_RACED = Text(
    "写入来源“{source}”（{address}）时，别的程序正好写了同一行；没有写入任何内容，"
    "Tenon 会重新比较后再试。",
    "Another program wrote the same row of the source “{source}” ({address}) at that moment. "
    "Nothing was written; Tenon compares again.",
)
_ROW_REFUSED = Text(
    "来源“{source}”（{address}）拒绝了这一行（{kind}）：某列必填、有检查条件，或引用的内容不存在。"
    "没有写入任何内容；请核对该表的定义。",
    "The source “{source}” ({address}) refused the row ({kind}): a column is required, checked, "
    "or refers to what is not there. Nothing was written; look at the table's definition.",
)
_WRITE_DENIED = Text(
    "来源“{source}”（{address}）的账号没有写入权限，或该数据库只读；请授予该表的写入权限后重试。",
    "The account of the source “{source}” ({address}) may not write there, or the database is "
    "read-only. Grant it leave to write the table, then try again.",
)
_NOT_WRITTEN = Text(
    "写入来源“{source}”（{address}）时出错（{kind}）；结果不明，Tenon 会先比较再重试，不会写两次。",
    "Writing into the source “{source}” ({address}) failed ({kind}). What came of it is not "
    "known; Tenon compares before it tries again, and writes nothing twice.",
)
_OTHER = Text(
    "读取来源“{source}”（{address}）时出错（{kind}）。Tenon 会稍后重试。",
    "Reading the source “{source}” ({address}) failed ({kind}). Tenon tries again later.",
)

_NO_REVISIONS = Text(
    "来源“{source}”（{address}）不能告知最老的未完成事务（需要 SQL Server 2005 SP2 或更高版本），"
    "因此不能用 rowversion 作游标。请改用时间列。",
    "The source “{source}” ({address}) cannot tell its oldest open transaction (SQL Server 2005 "
    "SP2 can), so a rowversion cannot be the cursor. Use a time column.",
)

LOCKED: Final[Fault] = (Retry, "source_locked", _LOCKED)
NO_DATABASE: Final[Fault] = (NeedsUser, "no_database", _NO_DATABASE)
NO_REVISIONS: Final[Fault] = (Stop, "no_revisions", _NO_REVISIONS)
OTHER: Final[Fault] = (Retry, "source_error", _OTHER)
RACED: Final[Fault] = (Retry, "source_raced", _RACED)
ROW_REFUSED: Final[Fault] = (Stop, "row_refused", _ROW_REFUSED)
WRITE_DENIED: Final[Fault] = (NeedsUser, "write_denied", _WRITE_DENIED)
NOT_WRITTEN: Final[Fault] = (Retry, "write_failed", _NOT_WRITTEN)

_MYSQL: Final = {
    1045: LOGIN, 1698: LOGIN, 1820: LOGIN, 1862: LOGIN, 3118: LOGIN, 4151: LOGIN, 1130: LOGIN,
    1044: DENIED, 1142: DENIED, 1143: DENIED, 1049: NO_DATABASE,
    1146: CHANGED, 1054: CHANGED,
    1205: LOCKED, 1213: LOCKED, 1969: SLOW, 3024: SLOW,
    2002: UNREACHABLE, 2003: UNREACHABLE, 2006: UNREACHABLE, 2013: UNREACHABLE,
    1040: UNREACHABLE, 1053: UNREACHABLE, 1927: UNREACHABLE,
}  # fmt: skip
_POSTGRES: Final = {
    "28": LOGIN, "3D": NO_DATABASE, "42501": DENIED, "42P01": CHANGED, "42703": CHANGED,
    "57014": SLOW, "55P03": LOCKED, "40": LOCKED, "08": UNREACHABLE, "57": UNREACHABLE,
    "53": UNREACHABLE,
}  # fmt: skip
# Numbers of SQL Server's messages, then of FreeTDS and ODBC states.
_SQLSERVER: Final = {
    18456: LOGIN, 18452: LOGIN, 18470: LOGIN, 18486: LOGIN, 18487: LOGIN, 18488: LOGIN,
    4060: NO_DATABASE, 4064: NO_DATABASE, 911: NO_DATABASE, 916: DENIED,
    229: DENIED, 230: DENIED, 262: DENIED, 297: DENIED, 300: DENIED,
    208: CHANGED, 207: CHANGED, 1222: LOCKED, 1205: LOCKED, 3960: LOCKED, 3961: LOCKED,
    3952: LOCKED, 195: NO_REVISIONS, 823: DAMAGED, 824: DAMAGED, 605: DAMAGED,
    921: UNREACHABLE, 922: UNREACHABLE, 924: UNREACHABLE, 927: UNREACHABLE, 942: UNREACHABLE,
    945: UNREACHABLE, 6005: UNREACHABLE, 17142: UNREACHABLE, 17809: UNREACHABLE,
    20003: SLOW, 20002: UNREACHABLE, 20004: UNREACHABLE, 20006: UNREACHABLE, 20009: UNREACHABLE,
    20017: UNREACHABLE, 20047: UNREACHABLE,
}  # fmt: skip
_ODBC_STATES: Final = {
    "28000": LOGIN, "HYT00": SLOW, "HYT01": UNREACHABLE, "40001": LOCKED, "42S02": CHANGED,
    "42S22": CHANGED, "08": UNREACHABLE, "01000": UNREACHABLE,
}  # fmt: skip
_NUMBER: Final = re.compile(r"\((\d{3,6})\) \(SQL")
_SQLITE: Final = (
    ("unable to open database", UNREACHABLE), ("disk i/o error", UNREACHABLE),
    ("locked", LOCKED), ("busy", LOCKED), ("interrupted", SLOW),
    ("no such table", CHANGED), ("no such column", CHANGED),
    ("not a database", DAMAGED), ("malformed", DAMAGED),
)  # fmt: skip
_PG_CONNECT: Final = (
    ("authentication failed", LOGIN), ("no password supplied", LOGIN), ("role", LOGIN),
    ("does not exist", NO_DATABASE), ("pg_hba", LOGIN),
)  # fmt: skip

# What is particular to writing; anything else means what it means while reading.
_MYSQL_WRITE: Final = {
    1062: RACED, 1048: ROW_REFUSED, 1264: ROW_REFUSED, 1292: ROW_REFUSED, 1364: ROW_REFUSED,
    1366: ROW_REFUSED, 1406: ROW_REFUSED, 1452: ROW_REFUSED, 3819: ROW_REFUSED, 4025: ROW_REFUSED,
    1142: WRITE_DENIED, 1143: WRITE_DENIED, 1290: WRITE_DENIED, 1792: WRITE_DENIED,
}  # fmt: skip
_POSTGRES_WRITE: Final = {
    "23505": RACED, "23": ROW_REFUSED, "22": ROW_REFUSED, "42804": ROW_REFUSED,
    "42501": WRITE_DENIED, "25006": WRITE_DENIED,
}  # fmt: skip
_SQLITE_WRITE: Final = (
    ("unique constraint", RACED), ("constraint failed", ROW_REFUSED),
    ("datatype mismatch", ROW_REFUSED), ("readonly database", WRITE_DENIED),
    ("read-only", WRITE_DENIED),
)  # fmt: skip


def explain(error: DBAPIError, dialect: str, source: str, address: str) -> TenonError:
    """The driver's error as one of ours, without the driver's text."""
    return _told(_classify(error.orig, dialect), error, source, address)


def explain_write(error: DBAPIError, dialect: str, source: str, address: str) -> TenonError:
    """The same for an error that arose while writing."""
    found = _classify_write(error.orig, dialect) or _classify(error.orig, dialect)
    return _told(NOT_WRITTEN if found is OTHER else found, error, source, address)


def _told(found: Fault, error: DBAPIError, source: str, address: str) -> TenonError:
    kind, code, text = found
    seconds = BUSY_SECONDS if code == "source_locked" else STATEMENT_SECONDS
    return kind(
        code, text, source=source, address=address, seconds=seconds,
        kind=type(error.orig).__name__,
    )  # fmt: skip


def _classify(orig: Any, dialect: str) -> Fault:
    if dialect == "sqlite":
        return _by_text(str(orig).lower(), _SQLITE)
    if dialect == "postgresql":
        state = getattr(orig, "sqlstate", None)
        if state:
            return _POSTGRES.get(state) or _POSTGRES.get(state[:2]) or OTHER
        found = _by_text(str(orig).lower(), _PG_CONNECT)
        return UNREACHABLE if found is OTHER else found
    if dialect == "mssql":
        return _of_odbc(orig)
    number = orig.args[0] if orig.args else None
    return _MYSQL.get(number, OTHER) if isinstance(number, int) else OTHER


def _classify_write(orig: Any, dialect: str) -> Fault | None:
    if dialect == "sqlite":
        found = _by_text(str(orig).lower(), _SQLITE_WRITE)
        return None if found is OTHER else found
    if dialect == "postgresql":
        state = getattr(orig, "sqlstate", None) or ""
        return _POSTGRES_WRITE.get(state) or _POSTGRES_WRITE.get(state[:2])
    number = orig.args[0] if orig.args else None
    return _MYSQL_WRITE.get(number) if isinstance(number, int) else None


def _of_odbc(orig: Any) -> Fault:
    """By the server's number, which drivers put into the text, then by the state."""
    state, text = str(orig.args[0] if orig.args else ""), str(orig)
    for number in _NUMBER.findall(text):
        if found := _SQLSERVER.get(int(number)):
            return found
    if state == "HYT00" and "SQLDriverConnect" in text:
        return UNREACHABLE
    return _ODBC_STATES.get(state) or _ODBC_STATES.get(state[:2]) or OTHER


def _by_text(text: str, table: tuple[tuple[str, Fault], ...]) -> Fault:
    return next((found for part, found in table if part in text), OTHER)

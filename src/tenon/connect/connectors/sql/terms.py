"""How each dialect reads columns and binds values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from tenon.connect.selecting import Terms

ROWVERSION: Final = "TIMESTAMP"  # as SQLAlchemy calls it
_EXACT: Final = mssql.DATETIME2(7)  # type: ignore[no-untyped-call]
_MAX_TEXT: Final = mssql.VARCHAR("max")  # type: ignore[arg-type]
_MAX_BYTES: Final = mssql.VARBINARY("max")  # type: ignore[no-untyped-call]
_MOMENTS: Final[dict[str, Any]] = {
    "DATETIME": mssql.DATETIME(), "SMALLDATETIME": mssql.DATETIME(),
    "DATETIME2": _EXACT, "DATE": _EXACT,
}  # fmt: skip


def terms_of(dialect: str, encoding: str) -> Terms:
    """The terms of a dialect."""
    if dialect == "sqlite":
        return SqliteTerms(encoding)
    if dialect == "mssql":
        return MssqlTerms(encoding)
    return PostgresTerms() if dialect == "postgresql" else Terms()


_NUMBERS: Final = ("INTEGER", "BIGINT", "SMALLINT", "NUMERIC", "DECIMAL")


class PostgresTerms(Terms):
    """Where a text is no time and no number by itself."""

    def since(self, value: Any, kind: str) -> Any:
        """A text as the time, or the number, it says."""
        if isinstance(value, str) and "TIME" in kind.upper():
            value = datetime.fromisoformat(value)
        elif isinstance(value, str) and kind.upper().startswith(_NUMBERS):
            value = Decimal(value)
        return self.bound(value, kind)


class SqliteTerms(Terms):
    """Texts in the encoding of the file."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def bound(self, value: Any, kind: str = "") -> Any:
        """A text as the bytes the file holds."""
        if value is None:
            return None
        if isinstance(value, str) and self._encoding != "utf-8" and not value.isascii():
            value = value.encode(self._encoding)
        if isinstance(value, bytes):
            # The file holds these very bytes as TEXT; a plain bytes parameter would be a BLOB.
            return sa.cast(sa.literal(value, sa.LargeBinary), sa.Text)
        return sa.literal(value)

    def since(self, value: Any, kind: str) -> Any:
        """A time as SQLite writes it."""
        if isinstance(value, datetime):
            value = value.isoformat(sep=" ", timespec="seconds")
        return self.bound(value, kind)


class MssqlTerms(Terms):
    """SQL Server: parameters in the type of their column, revisions as hex, GBK kept in Latin1.

    A parameter of another type would be compared after converting the column: without its index,
    and, for DATETIME, with another fraction of a second, so that a page would begin anew with
    its last row.
    With an encoding other than utf-8, VARCHAR columns are read as bytes and decoded here: that is
    what a database needs whose programs put GBK into columns of a Latin1 collation.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = None if encoding == "utf-8" else encoding

    def shown(self, column: sa.ColumnElement[Any], kind: str) -> sa.ColumnElement[Any]:
        """A VARCHAR column as its bytes, when they are to be decoded here."""
        if self._encoding is None or not _narrow(kind):
            return column
        if kind.startswith("TEXT"):
            column = sa.cast(column, _MAX_TEXT)
        return sa.cast(column, _MAX_BYTES)

    def read(self, kind: str) -> Callable[[Any], Any] | None:
        """A revision as hex, bytes as text."""
        if kind == ROWVERSION:
            return revision
        encoding = self._encoding
        if encoding is None or not _narrow(kind):
            return None
        return lambda value: _decoded(value, encoding)

    def bound(self, value: Any, kind: str = "") -> Any:
        """A value in the type of its column."""
        if value is None:
            return None
        if kind == ROWVERSION and isinstance(value, str):
            return sa.literal(bytes.fromhex(value.removeprefix("0x")), sa.LargeBinary)
        if _narrow(kind) and isinstance(value, str | bytes):
            return self._narrow_text(value)
        moment = _MOMENTS.get(kind.split("(", maxsplit=1)[0])
        if moment is not None and isinstance(value, str):
            value = datetime.fromisoformat(value)
        return sa.literal(value) if moment is None else sa.cast(sa.literal(value), moment)

    def _narrow_text(self, value: str | bytes) -> Any:
        if isinstance(value, str) and self._encoding is not None:
            value = value.encode(self._encoding, "replace")
        if isinstance(value, bytes):
            return sa.cast(sa.literal(value, sa.LargeBinary), mssql.VARCHAR(8000))
        return sa.cast(sa.literal(value), mssql.VARCHAR(8000))


def revision(value: Any) -> str:
    """A rowversion as it is kept: hex of a fixed length, which sorts as the number does."""
    return "0x" + bytes(value).hex().upper()


def _narrow(kind: str) -> bool:
    return kind.startswith(("VARCHAR", "CHAR", "TEXT"))


def _decoded(value: Any, encoding: str) -> str | bytes:
    raw = bytes(value)
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return raw  # kept as bytes: the row is set aside with them, not lost

"""Statements in the words of the database behind a driver: quotes, and how many rows at most.

SQLAlchemy compiles them; the connection is ODBC's own, for few drivers have a dialect there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.compiler import IdentifierPreparer, SQLCompiler

from tenon.connect.selecting import Terms
from tenon.kernel.errors import Stop
from tenon.kernel.text import Text

_TOP: Final = ("sql server", "access", "jet")
_LIMIT: Final = ("sqlite", "mysql", "mariadb", "postgresql")
_ODD_NAME = Text(
    "该驱动不支持引用名称，而“{name}”不是普通名称；请建一个只含字母、数字、下划线的视图。",
    "The driver cannot quote names, and “{name}” is none of letters, digits and underscores: make "
    "a view whose names are.",
)


class _Names(IdentifierPreparer):
    """Every name quoted, with the driver's own sign."""

    def _requires_quotes(self, value: str) -> bool:
        return self.initial_quote.strip() != "" or self._odd(value)

    def _odd(self, value: str) -> bool:
        if value.isascii() and value.replace("_", "a").isalnum():
            return False
        raise Stop("odd_name", _ODD_NAME, name=value[:80])


class _Compiler(SQLCompiler):
    """TOP n before the columns, LIMIT n at the end, or nothing: then rows are fetched so far."""

    def get_select_precolumns(self, select: Any, **kw: Any) -> str:
        text = super().get_select_precolumns(select, **kw)
        rows = getattr(select._limit_clause, "value", None)  # noqa: SLF001
        return f"{text}TOP {int(rows)} " if self._style() == "top" and rows else text

    def limit_clause(self, select: Any, **_kw: Any) -> str:
        rows = getattr(select._limit_clause, "value", None)  # noqa: SLF001
        return f"\n LIMIT {int(rows)}" if self._style() == "limit" and rows else ""

    def _style(self) -> str:
        return getattr(self.dialect, "limit_style", "")


class OdbcDialect(DefaultDialect):
    """What a connection said of itself."""

    statement_compiler = _Compiler
    supports_statement_cache = False

    def __init__(self, quote: str, product: str) -> None:
        super().__init__(paramstyle="qmark")
        self.product = product.casefold()
        style = "top" if any(p in self.product for p in _TOP) else ""
        self.limit_style = "limit" if any(p in self.product for p in _LIMIT) else style
        last = {"[": "]"}.get(quote, quote)
        self.identifier_preparer = _Names(
            self, initial_quote=quote, final_quote=last, escape_quote=last
        )

    def compiled(self, query: sa.Select[Any]) -> tuple[str, list[Any]]:
        """The statement's text and its parameters in their order."""
        made = query.compile(dialect=self, compile_kwargs={"render_postcompile": True})
        order = made.positiontup or ()
        return str(made), [made.params[name] for name in order]


class OdbcTerms(Terms):
    """Exact numbers exact, times as the database compares them."""

    def __init__(self, product: str) -> None:
        self._sqlite = "sqlite" in product.casefold()
        self._typed = "sql server" in product.casefold()

    def read(self, kind: str) -> Callable[[Any], Any] | None:
        """Drivers give exact numbers as floats or texts; the column says how many places it has."""
        if not kind.startswith(("DECIMAL", "NUMERIC", "MONEY", "CURRENCY")):
            return None
        inner = kind.partition("(")[2].rstrip(")").split(",")
        places = int(inner[1]) if len(inner) > 1 and inner[1].strip().isdigit() else None
        return lambda value: _exact(value, places)

    def bound(self, value: Any, kind: str = "") -> Any:
        """A value in the type of its column, so that an index serves and times are equal."""
        if isinstance(value, datetime) and self._sqlite:
            value = value.isoformat(sep=" ", timespec="seconds")
        if value is None or not self._typed:
            # Not sa.literal of a Decimal or such: the driver binds what it is given.
            return None if value is None else sa.literal(value)
        if kind in {"DATETIME", "SMALLDATETIME"}:
            return sa.cast(sa.literal(value), sa.DATETIME())
        if kind.startswith(("VARCHAR", "CHAR")) and isinstance(value, str):
            return sa.cast(sa.literal(value), sa.VARCHAR(8000))
        return sa.literal(value)

    def since(self, value: Any, kind: str) -> Any:
        """A time that was kept as text, as a time again where the database wants one."""
        if isinstance(value, str) and not self._sqlite and ("TIME" in kind or kind == "DATE"):
            _ = kind
            value = datetime.fromisoformat(value)
        return self.bound(value, kind)


def _exact(value: Any, places: int | None) -> Any:
    if isinstance(value, int | Decimal):
        return value
    try:
        number = Decimal(repr(value) if isinstance(value, float) else str(value).strip())
        if places is None or not number.is_finite() or number.adjusted() > 27:
            return number
        return number.quantize(Decimal(1).scaleb(-places))
    except InvalidOperation:
        return value  # no number at all: the mapping will say so

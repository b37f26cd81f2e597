"""Values of ours in the form a column of the source takes: what does not fit is refused by name.

Old systems cut texts and round numbers without a word; then what we read back is not what we
wrote, and nobody knows who changed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedColumn

from tenon.kernel.decimals import plain
from tenon.kernel.errors import Stop
from tenon.kernel.text import Text

_NOT_FIT = Text(
    "值“{value}”写不进来源“{source}”的 {table}.{column}（{kind}）；没有写入任何内容。"
    "请缩短或更正后重试，或让管理员扩大该列。",
    "“{value}” does not fit into {table}.{column} ({kind}) of the source “{source}”; nothing was "
    "written. Shorten or correct it and try again, or have the column widened.",
)


@dataclass(frozen=True, slots=True)
class Fitting:
    """The columns of one table, by their names without case."""

    source: str
    table: str
    zone: ZoneInfo
    encoding: str
    columns: Mapping[str, ReflectedColumn]

    def fills_itself(self, name: str) -> bool:
        """Whether the database gives the column a value of its own."""
        column = self.columns[name.casefold()]
        counts = column.get("autoincrement") is True or column.get("identity") is not None
        return counts or column.get("default") is not None

    def fit(self, name: str, value: Any) -> Any:
        """The value in the column's type; Stop when it does not fit."""
        if value is None:
            return None
        kind = self.columns[name.casefold()]["type"]
        try:
            return self._typed(kind, value)
        except (ValueError, InvalidOperation, UnicodeEncodeError):
            raise Stop(
                "value_does_not_fit", _NOT_FIT, source=self.source, table=self.table,
                column=self.columns[name.casefold()]["name"], kind=str(kind), value=str(value)[:80],
            ) from None  # fmt: skip

    def _typed(self, kind: Any, value: Any) -> Any:
        if isinstance(value, datetime):
            return self._moment(kind, value)
        if isinstance(value, str):
            return self._text(kind, value)
        if isinstance(value, bool) and isinstance(kind, sa.Boolean):
            return value
        if isinstance(value, bool | int | Decimal):
            return self._number(kind, int(value) if isinstance(value, bool) else value)
        return value

    def _moment(self, kind: Any, value: datetime) -> datetime | date:
        if isinstance(kind, sa.Date):
            return value.date()
        return value.replace(tzinfo=self.zone) if getattr(kind, "timezone", False) else value

    def _text(self, kind: Any, value: str) -> str:
        length = getattr(kind, "length", None)
        if isinstance(kind, sa.String) and length is not None and len(value) > length:
            raise ValueError(value)
        value.encode(self.encoding)
        return value

    def _number(self, kind: Any, value: int | Decimal) -> Any:
        if isinstance(kind, sa.String):
            return self._text(kind, plain(Decimal(value)))
        if isinstance(kind, sa.Boolean):
            return bool(value)
        if isinstance(kind, sa.Integer):
            if value != int(value):
                raise ValueError(value)
            return int(value)
        scale = getattr(kind, "scale", None)
        if not isinstance(kind, sa.Numeric) or isinstance(kind, sa.Float) or scale is None:
            return value
        # To the places the column has, as it would do itself.
        fitted = Decimal(value).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
        if kind.precision is not None and len(fitted.as_tuple().digits) > kind.precision:
            raise ValueError(value)
        return fitted

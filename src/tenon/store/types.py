"""Column types that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from tenon.kernel.decimals import fit, from_scaled, to_scaled

_TIME_FORMAT = "%Y-%m-%d %H:%M:%S.%f"


class ScaledDecimal(TypeDecorator[Decimal]):
    """An exact decimal: NUMERIC on PostgreSQL, an integer scaled by `scale` on SQLite."""

    impl = sa.Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        super().__init__(precision, scale)
        self.precision, self.scale = precision, scale

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type in the dialect."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.BigInteger())
        return dialect.type_descriptor(sa.Numeric(self.precision, self.scale))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """The stored form; a value that does not fit is refused."""
        if value is None:
            return None
        number = fit(value, self.precision, self.scale)
        return to_scaled(number, self.scale) if dialect.name == "sqlite" else number

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """The decimal read back, always with `scale` places."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return from_scaled(int(value), self.scale)
        return Decimal(value).quantize(Decimal(1).scaleb(-self.scale))


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC: TIMESTAMPTZ on PostgreSQL, sortable text on SQLite."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type in the dialect."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.String(26))
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """The stored form; a time without a zone is a bug of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"a time without a zone cannot be stored: {value.isoformat()}"
            raise ValueError(message)
        moment = value.astimezone(UTC)
        return moment.strftime(_TIME_FORMAT) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """The UTC time read back."""
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        moment: datetime = value
        return moment.astimezone(UTC)


class Id(TypeDecorator[str]):
    """A UUID in canonical text: UUID on PostgreSQL, CHAR(36) on SQLite."""

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type in the dialect."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.String(36))
        return dialect.type_descriptor(postgresql.UUID(as_uuid=False))


class Json(TypeDecorator[Any]):
    """JSON text whose decimals and times are strings."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """The text stored."""
        return None if value is None else to_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """The value read back."""
        return None if value is None else json.loads(value)


def to_json(value: Any) -> str:
    """Compact JSON with sorted keys: equal values give equal texts."""
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_jsonable
    )


def _jsonable(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime | date):
        return value.isoformat()
    message = f"cannot be JSON: {type(value).__name__}"
    raise TypeError(message)

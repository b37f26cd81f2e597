"""Many new rows at once, given as columns: COPY on PostgreSQL, one prepared statement on SQLite.

A column is an Arrow array in the type its values have in Python (exact decimals, UTC times), or
one value for all rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from tenon.store.types import ScaledDecimal, UtcTime

Columns = Mapping[str, Any]
_TIME: Final = "%Y-%m-%d %H:%M:%S"  # Arrow adds the microseconds
_ESCAPES: Final = (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))


@dataclass(frozen=True, slots=True)
class Insert:
    """Rows in the form in which the database takes them: made before the transaction begins."""

    statement: str
    rows: Any  # tuples on SQLite, what COPY reads on PostgreSQL

    def run(self, tx: Connection) -> None:
        """Insert them; SQLAlchemy's IntegrityError when one of them is there already."""
        driver: Any = tx.connection.dbapi_connection
        with _refusals(tx):
            if tx.dialect.name == "sqlite":
                driver.executemany(self.statement, self.rows)
                return
            with driver.cursor() as cursor, cursor.copy(self.statement) as copy:
                copy.write(self.rows)


def insert_of(dialect: Dialect, table: sa.Table, columns: Columns, rows: int) -> Insert:
    """An insert of `rows` new rows."""
    if dialect.name == "sqlite":
        bound = (_bound(table.c[n].type, value, rows, dialect) for n, value in columns.items())
        return Insert(_insert(table, tuple(columns)), list(zip(*bound, strict=True)))
    statement = f'COPY "{table.name}" ({_listed(tuple(columns))}) FROM STDIN'
    return Insert(statement, _copied_rows(table, columns))


@contextmanager
def _refusals(tx: Connection) -> Iterator[None]:
    """The driver's refusals as those of SQLAlchemy."""
    driver: Any = tx.dialect.loaded_dbapi
    try:
        yield
    except driver.IntegrityError as error:
        raise sa.exc.IntegrityError(None, None, error) from error
    except driver.DataError as error:
        raise sa.exc.DataError(None, None, error) from error


@lru_cache(maxsize=256)
def _insert(table: sa.Table, names: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(names))
    # Names of our own tables, from our definitions.
    return f'INSERT INTO "{table.name}" ({_listed(names)}) VALUES ({marks})'  # noqa: S608


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _bound(kind: Any, value: Any, rows: int, dialect: Dialect) -> Any:
    """What SQLite stores in each row."""
    if not isinstance(value, pa.Array):
        process = kind.dialect_impl(dialect).bind_processor(dialect)
        return repeat(value if process is None else process(value), rows)
    if isinstance(kind, ScaledDecimal):
        return value.cast(pa.decimal64(kind.precision, kind.scale)).view(pa.int64()).to_pylist()
    if isinstance(kind, UtcTime):
        return pc.strftime(value, _TIME).to_pylist()
    if isinstance(kind, sa.Date):
        return value.cast(pa.string()).to_pylist()
    return value.to_pylist()


def _copied_rows(table: sa.Table, columns: Columns) -> memoryview:
    texts = [_copied(table.c[name].type, value) for name, value in columns.items()]
    lines = pc.binary_join_element_wise(
        *texts, _scalar("\t"), null_handling="replace", null_replacement="\\N"
    )
    lines = pc.binary_join_element_wise(lines, _scalar(""), _scalar("\n"))
    length = pc.sum(pc.binary_length(lines)).as_py()
    return memoryview(lines.buffers()[2])[:length]


def _copied(kind: Any, value: Any) -> Any:
    """What COPY reads, as text."""
    if not isinstance(value, pa.Array):
        return _scalar(None if value is None else _escaped_text(_text(value)))
    if isinstance(kind, UtcTime):
        return pc.binary_join_element_wise(pc.strftime(value, _TIME), _scalar("+00"), _scalar(""))
    if pa.types.is_string(value.type):
        return _escaped(value)
    return value.cast(pa.string())


def _scalar(text: str | None) -> pa.Scalar:
    return pa.scalar(text, pa.string())  # typed: Arrow need not guess what it is


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)


def _escaped(texts: pa.Array) -> pa.Array:
    if pc.any(pc.match_substring_regex(texts, r"[\\\n\r\t]")).as_py():
        for sign, instead in _ESCAPES:
            texts = pc.replace_substring(texts, sign, instead)
    return texts


def _escaped_text(text: str) -> str:
    for sign, instead in _ESCAPES:
        text = text.replace(sign, instead)
    return text

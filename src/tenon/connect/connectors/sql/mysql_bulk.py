"""Pages of MySQL and MariaDB for a stream of many rows: the server's texts made into columns.

PyMySQL builds an object for each cell; for a million rows that costs more than everything else.
Here numbers and times arrive as the texts the server sends and become columns at once. What does
not fit a column's type (`0000-00-00`) is read as PyMySQL would read it, so that a row is the same
whichever way it came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import asyncmy
import pyarrow as pa
import sqlalchemy as sa
from asyncmy.constants.FIELD_TYPE import (
    DATETIME,
    DECIMAL,
    INT24,
    LONG,
    LONGLONG,
    NEWDECIMAL,
    SHORT,
    TIMESTAMP,
    TINY,
)
from asyncmy.converters import conversions
from asyncmy.errors import MySQLError
from sqlalchemy.dialects.mysql import pymysql
from sqlalchemy.engine import URL

from tenon.connect.batches import batch_of
from tenon.connect.connectors.sql.engines import (
    CONNECT_SECONDS,
    PORTS,
    STATEMENT_SECONDS,
    mysql_session,
)
from tenon.connect.contract import Egress

_INTEGERS: Final = frozenset({TINY, SHORT, LONG, LONGLONG, INT24})
_DECIMALS: Final = frozenset({DECIMAL, NEWDECIMAL})
_MOMENTS: Final = frozenset({DATETIME, TIMESTAMP})
_AS_TEXT: Final = _INTEGERS | _DECIMALS | _MOMENTS
_CONVERSIONS: Final = {kind: do for kind, do in conversions.items() if kind not in _AS_TEXT}
_DIALECT: Final = pymysql.dialect()  # asyncmy takes parameters as PyMySQL does
_WIDEST: Final = 38  # digits of an Arrow decimal
# What a page can fail of: the server, the network, a text that is none, a loop that runs already.
UNREAD: Final = (MySQLError, OSError, EOFError, TimeoutError, UnicodeDecodeError, RuntimeError)


class BulkReader:
    """One connection to a MySQL, read by pages from the thread that made it."""

    def __init__(self, url: URL, egress: Egress) -> None:
        _refuse_running_loop()
        self._loop = asyncio.Runner()
        try:
            self._connection = self._run(self._connect(url, egress))
        except BaseException:
            self._loop.close()
            raise

    def page(self, names: Sequence[str], query: sa.Select[Any]) -> pa.RecordBatch | None:
        """The rows of a query as a batch; None when there are none."""
        said: Any = query.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
        found: pa.RecordBatch | None = self._run(
            self._fetch(names, said.string, [said.params[n] for n in said.positiontup])
        )
        return found

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run(asyncio.wait_for(work, 2 * STATEMENT_SECONDS))

    async def _connect(self, url: URL, egress: Egress) -> Any:
        port = url.port or PORTS["mysql"]
        connection = await asyncmy.connect(
            host=egress.admit(url.host or "localhost", port), port=port, user=url.username,
            password=url.password or "", database=url.database,
            charset=str(url.query.get("charset", "utf8mb4")), autocommit=True,
            connect_timeout=CONNECT_SECONDS, conv=_CONVERSIONS,
        )  # fmt: skip
        async with connection.cursor() as cursor:
            for statement in mysql_session(connection.get_server_info()):
                await cursor.execute(statement)
        return connection

    async def _fetch(
        self, names: Sequence[str], statement: str, params: Sequence[Any]
    ) -> pa.RecordBatch | None:
        async with self._connection.cursor() as cursor:
            await cursor.execute(statement, params)
            rows = await cursor.fetchall()
            if not rows:
                return None
            return _batch(names, cursor.description, rows)


def _refuse_running_loop() -> None:
    """Raise RuntimeError where this thread cannot wait for a loop of ours."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    message = "a loop runs in this thread already"
    raise RuntimeError(message)


def _batch(
    names: Sequence[str], described: Sequence[Sequence[Any]], rows: Sequence[Sequence[Any]]
) -> pa.RecordBatch:
    cells = list(zip(*rows, strict=True))
    columns = [_column(d[1], d[5], column) for d, column in zip(described, cells, strict=True)]
    if None not in columns:
        return pa.RecordBatch.from_arrays(columns, names=list(names))
    typed = [_typed(d[1], column) for d, column in zip(described, cells, strict=True)]
    return batch_of(names, list(zip(*typed, strict=True)))


def _column(kind: int, scale: int, cells: Sequence[Any]) -> pa.Array | None:
    """A column's cells in its type; None when they are for `batch_of` to judge."""
    wanted = _wanted(kind, scale)
    try:
        column = pa.array(cells, pa.string())
        return column if wanted is None else column.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return None


def _wanted(kind: int, scale: int) -> pa.DataType | None:
    if kind in _INTEGERS:
        return pa.int64()
    if kind in _DECIMALS:
        return pa.decimal128(_WIDEST, scale)
    return pa.timestamp("us") if kind in _MOMENTS else None


def _typed(kind: int, cells: Sequence[Any]) -> Sequence[Any]:
    if kind not in _AS_TEXT:
        return cells
    convert: Callable[[str], Any] = conversions[kind]
    return [None if cell is None else convert(cell) for cell in cells]

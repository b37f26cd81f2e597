"""The ODBC connector: one database behind a driver, read by pages, never written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, Final

import pyarrow as pa
import sqlalchemy as sa

from tenon.connect.batches import batch_of
from tenon.connect.connectors.odbc.address import address_of
from tenon.connect.connectors.odbc.catalogue import found_of, tables_of
from tenon.connect.connectors.odbc.dialect import OdbcDialect, OdbcTerms
from tenon.connect.connectors.odbc.faults import BUSY_SECONDS, SECONDS, explain
from tenon.connect.connectors.odbc.machine import REFUSED
from tenon.connect.contract import Capabilities, Column, ConnectorSettings, CursorValue, Found
from tenon.connect.selecting import Plan, Planner, after, first_page, in_words, without_cursor
from tenon.define.models import StreamDef
from tenon.kernel.errors import Config, NeedsUser, Stop
from tenon.kernel.text import Text

ENCODINGS: Final = ("utf-8", "gb18030", "big5")
CAPABILITIES: Final = Capabilities(
    kind="odbc",
    detects=frozenset({"watermark", "full"}),
    encodings=ENCODINGS,
    page_rows=5000,
    ranges=True,
)
_CONNECT_SECONDS: Final = 10
_NARROW: Final = (1, 12, -1)  # SQL_CHAR, SQL_VARCHAR, SQL_LONGVARCHAR
# How a session is told to read only, and to wait for nobody for long.
_READ_ONLY: Final = (
    ("sqlite", "PRAGMA query_only = 1"),
    ("mariadb", "SET SESSION TRANSACTION READ ONLY"),
    ("mariadb", f"SET SESSION lock_wait_timeout = {BUSY_SECONDS}"),
    ("mysql", "SET SESSION TRANSACTION READ ONLY"),
    ("postgresql", "SET default_transaction_read_only = on"),
    ("sql server", f"SET LOCK_TIMEOUT {BUSY_SECONDS * 1000}"),
    ("sql server", "SET DEADLOCK_PRIORITY LOW"),
)
_BAD_ENCODING = Text(
    "来源“{source}”的编码“{encoding}”不受支持；可用：{allowed}。SQL Server 请用 sql 连接器。",
    "The encoding “{encoding}” of the source “{source}” is not possible; use one of {allowed}, and "
    "for SQL Server the sql connector.",
)
_EMPTY = Text(
    "来源“{source}”（{address}）能连接，但看不到任何表或视图；请检查数据库名和账号的读取权限。",
    "The source “{source}” ({address}) can be reached but shows no table and no view. Check the "
    "database's name and what the account may read.",
)
_WRONG_VALUES = Text(
    "来源“{source}”使用的 MDBTools 驱动会把负的小整数读成 65535（借贷方向会错），因此不能使用。"
    "请用金蝶引出的 Excel，或在 Windows 上用 Microsoft 的 Access 驱动。",
    "The MDBTools driver of the source “{source}” reads small negative integers as 65535 (debit "
    "and credit would be wrong), so it cannot be used. Take files that Kingdee exports, or "
    "Microsoft's Access driver on Windows.",
)


class OdbcConnector:
    """One data source."""

    capabilities = CAPABILITIES

    def __init__(
        self, settings: ConnectorSettings, page_rows: int = CAPABILITIES.page_rows
    ) -> None:
        self._source, self._egress = settings.source, settings.egress
        self._where = address_of(settings)
        self._encoding = self._encoding_of(settings)
        self._page_rows = page_rows
        self.address = self._where.shown
        self._open: Any = None
        self._dialect: OdbcDialect | None = None
        self._planner: Planner | None = None

    def check(self) -> None:
        """Reach the database and read its list of tables."""
        self.close()
        with self._session() as connection:
            if not tables_of(connection):
                self._probe(connection)
                raise NeedsUser("source_empty", _EMPTY, source=self._source, address=self.address)

    def discover(self) -> list[Found]:
        """The tables and views with their columns."""
        with self._session() as connection:
            describe = self._describer(connection)
            return [describe(name) for name in sorted(tables_of(connection).values())]

    def read(self, stream: StreamDef, since: CursorValue | None) -> Iterator[pa.RecordBatch]:
        """The stream's pages: first the rows without a cursor value, then those in its order."""
        with self._session() as connection:
            planner = self._planner_of(connection)
            plan = planner.plan(stream)
            if plan.cursor is not None and plan.cursor_nullable:
                yield from self._pages(connection, plan, without_cursor(plan), 1)
            bound = None if since is None else planner.terms.since(since, plan.cursor_type)
            yield from self._pages(connection, plan, first_page(plan, bound), 0)

    def columns(self, stream: StreamDef) -> list[Column]:
        """The stream's columns as they are now."""
        with self._session() as connection:
            return self._planner_of(connection).columns(stream)

    def statement(self, stream: StreamDef) -> str:
        """What reads a page of the stream."""
        with self._session() as connection:
            plan = self._planner_of(connection).plan(stream)
            return "" if self._dialect is None else in_words(plan, self._page_rows, self._dialect)

    def close(self) -> None:
        """Close the connection."""
        opened, self._open, self._planner = self._open, None, None
        if opened is not None:
            with suppress(Exception):  # it may be gone already, and has nothing to lose
                opened.close()

    def _pages(
        self, connection: Any, plan: Plan, query: sa.Select[Any], skip: int
    ) -> Iterator[pa.RecordBatch]:
        order = (plan.key if plan.cursor is None else (plan.cursor, *plan.key))[skip:]
        at = list(zip(plan.order_at, plan.order_types, strict=True))[skip:]
        page, planner = query.limit(self._page_rows), self._planner
        while planner is not None:
            rows = plan.values(self._fetched(connection, page))
            if rows:
                yield batch_of(plan.names, rows)
            if len(rows) < self._page_rows:
                return
            last = [planner.terms.bound(rows[-1][i], kind) for i, kind in at]
            page = query.where(after(order, last)).limit(self._page_rows)

    def _fetched(self, connection: Any, page: sa.Select[Any]) -> list[Any]:
        """A page's rows; the statement is closed, so that the source is never held."""
        if self._dialect is None:
            return []
        text, values = self._dialect.compiled(page)
        with closing(connection.cursor()) as cursor:
            cursor.execute(text, values) if values else cursor.execute(text)
            found: list[Any] = cursor.fetchmany(self._page_rows)
            return found

    def _planner_of(self, connection: Any) -> Planner:
        if self._planner is None:
            product = self._dialect.product if self._dialect else ""
            self._planner = Planner(
                self._source, tables_of(connection), self._describer(connection), OdbcTerms(product)
            )
            if not tables_of(connection):
                self._probe(connection)
        return self._planner

    def _describer(self, connection: Any) -> Callable[[str], Found]:
        import pyodbc  # noqa: PLC0415

        escape = str(connection.getinfo(pyodbc.SQL_SEARCH_PATTERN_ESCAPE) or "")
        return lambda name: found_of(connection, name, escape)

    def _probe(self, connection: Any) -> None:
        """A file that is no database shows no tables, and says so when it is asked."""
        if self._dialect is not None and "sqlite" in self._dialect.product:
            with closing(connection.cursor()) as cursor:
                cursor.execute("SELECT count(*) FROM sqlite_master").fetchall()

    @contextmanager
    def _session(self) -> Iterator[Any]:
        import pyodbc  # noqa: PLC0415

        try:
            if self._open is None:
                self._open = self._connect()
            yield self._open
        except pyodbc.Error as error:
            self.close()
            raise explain(error, self._source, self.address) from None

    def _connect(self) -> Any:
        import pyodbc  # noqa: PLC0415

        where, address = self._where, None
        if where.server is not None:
            address = self._egress.admit(where.server, where.port or 0)
        pyodbc.pooling = False  # a connection that was closed is gone, with what was set in it
        connection = pyodbc.connect(
            where.text(address), autocommit=True, timeout=_CONNECT_SECONDS, readonly=True
        )
        driver = str(connection.getinfo(pyodbc.SQL_DRIVER_NAME)).casefold()
        if any(part in driver for part in REFUSED):
            connection.close()
            raise Stop("wrong_values", _WRONG_VALUES, source=self._source)
        with suppress(pyodbc.Error):  # not every driver can be told
            connection.timeout = SECONDS
        product = str(connection.getinfo(pyodbc.SQL_DBMS_NAME))
        quote = str(connection.getinfo(pyodbc.SQL_IDENTIFIER_QUOTE_CHAR))
        self._dialect = OdbcDialect(quote, product)
        for part, statement in _READ_ONLY:
            if part in product.casefold():
                with closing(connection.cursor()) as cursor:
                    cursor.execute(statement)
        if self._encoding != "utf-8" or "sqlite" in product.casefold():
            for kind in _NARROW:
                connection.add_output_converter(kind, self._decoded)
        return connection

    def _decoded(self, raw: bytes | None) -> str | bytes | None:
        if raw is None:
            return None
        try:
            return bytes(raw).decode(self._encoding)
        except UnicodeDecodeError:
            return bytes(raw)  # kept as bytes: the row is set aside with them, not lost

    def _encoding_of(self, settings: ConnectorSettings) -> str:
        encoding = str(settings.values.get("encoding", "utf-8")).lower()
        if encoding not in ENCODINGS or (encoding != "utf-8" and self._where.driver == "FreeTDS"):
            raise Config(
                "bad_encoding", _BAD_ENCODING, source=settings.source, encoding=encoding,
                allowed=", ".join(ENCODINGS),
            )  # fmt: skip
        return encoding

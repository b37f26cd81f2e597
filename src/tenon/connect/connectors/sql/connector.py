"""The SQL connector."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from tenon.connect.batches import batch_of
from tenon.connect.connectors.sql.binlog import Binlog
from tenon.connect.connectors.sql.engines import (
    ENCODINGS,
    address_of,
    encoding_of,
    open_engine,
    open_writing_engine,
    url_of,
)
from tenon.connect.connectors.sql.estimates import estimates
from tenon.connect.connectors.sql.faults import explain, explain_write
from tenon.connect.connectors.sql.mysql_bulk import UNREAD, BulkReader
from tenon.connect.connectors.sql.reflection import all_found, found_of, tables_of
from tenon.connect.connectors.sql.terms import ROWVERSION, terms_of
from tenon.connect.connectors.sql.writer import TableWriter
from tenon.connect.contract import (
    Capabilities,
    Column,
    ConnectorSettings,
    CursorValue,
    Found,
    Heard,
    WriteRow,
    Written,
)
from tenon.connect.selecting import (
    Plan,
    Planner,
    after,
    counted,
    first_page,
    in_words,
    without_cursor,
)
from tenon.define.models import StreamDef
from tenon.kernel import clock

# Servers and firewalls drop a connection that was idle for long without a word.
_IDLE_SECONDS: Final = 60.0

CAPABILITIES: Final = Capabilities(
    kind="sql",
    detects=frozenset({"watermark", "full", "rowversion"}),
    writes=frozenset({"insert", "update"}),
    encodings=ENCODINGS,
    page_rows=5000,
    ranges=True,
)


class SqlConnector:
    """One source database, read by pages over one connection."""

    capabilities = CAPABILITIES

    def __init__(
        self, settings: ConnectorSettings, page_rows: int = CAPABILITIES.page_rows
    ) -> None:
        self._source = settings.source
        self._egress = settings.egress
        self._url = url_of(settings)
        self._encoding = encoding_of(settings)
        self._page_rows = page_rows
        self._dialect = self._url.get_backend_name()
        self.address = address_of(self._url)
        self._open: Connection | None = None
        self._planner: Planner | None = None
        self._plans: dict[str, tuple[StreamDef, Plan]] = {}
        self._zone = ZoneInfo(settings.zone)
        self._watches = settings.values.get("binlog") is True
        self._writer: TableWriter | None = None
        self._wrote_at = 0.0

    def check(self) -> None:
        """Reach the database and read its list of tables."""
        self.close()
        with self._session() as connection:
            tables_of(sa.inspect(connection))

    def discover(self) -> list[Found]:
        """The tables and views with their columns."""
        with self._session() as connection:
            inspector = sa.inspect(connection)
            rows = estimates(connection, self._dialect, inspector.get_table_names())
            return all_found(inspector, rows)

    def read(self, stream: StreamDef, since: CursorValue | None) -> Iterator[pa.RecordBatch]:
        """The stream's pages: first the rows without a cursor value, then those in its order."""
        with self._session() as connection:
            plan, bound = self._planned(connection, stream, since)
            if plan.cursor is not None and plan.cursor_nullable:
                yield from self._pages(connection, plan, without_cursor(plan), 1)
            query = first_page(plan, bound, self._settled(connection, plan))
            yield from self._pages(connection, plan, query, 0)

    def columns(self, stream: StreamDef) -> list[Column]:
        """The stream's columns as they are now."""
        with self._session() as connection:
            return self._planner_of(connection).columns(stream)

    def statement(self, stream: StreamDef) -> str:
        """What reads a page of the stream."""
        with self._session() as connection:
            plan, _ = self._planned(connection, stream, None)
            return in_words(plan, self._page_rows, connection.dialect)

    @property
    def lasting(self) -> bool:
        """Whether the connection may be kept: of a server whose statements stand alone."""
        return self._dialect in {"mysql", "mariadb", "postgresql"}

    def alive(self) -> bool:
        """Whether the connection that was kept still answers."""
        if self._open is None:
            return False
        try:
            self._open.exec_driver_sql("SELECT 1")
        except DBAPIError:
            return False
        return True

    @property
    def watches(self) -> bool:
        """Whether an administrator asked that the binlog be listened to."""
        return self._watches

    def watch(self, streams: Sequence[StreamDef]) -> Iterator[Heard]:
        """What the binlog tells of these streams from now on."""
        binlog = Binlog(self._source, self.address, self._url, self._egress)
        with self._session() as connection:
            log = binlog.about(connection)
        self.close()  # it listens over a line of its own, for days
        yield from binlog.listen(log, streams)

    def count(self, stream: StreamDef, since: CursorValue | None) -> int:
        """How many rows `read` would give."""
        with self._session() as connection:
            plan, bound = self._planned(connection, stream, since)
            return int(connection.scalar(counted(plan, bound)) or 0)

    def write(
        self, groups: Sequence[Sequence[WriteRow]], *, dry: bool = False
    ) -> list[list[Written]]:
        """Write groups of rows in one transaction, over a connection of its own that may write."""
        if dry:
            with self._session() as connection:  # it cannot write, whatever is asked
                return self._table_writer(connection).look(groups)
        try:
            if self._writer is None or clock.monotonic() - self._wrote_at > _IDLE_SECONDS:
                self._close_writer()
                engine = open_writing_engine(self._url, self._encoding, self._egress)
                self._writer = self._table_writer(engine.connect())
            answers = self._writer.write(groups)
            self._wrote_at = clock.monotonic()
        except DBAPIError as error:
            self.close()
            raise explain_write(error, self._dialect, self._source, self.address) from None
        return answers

    def _table_writer(self, connection: Connection) -> TableWriter:
        return TableWriter(connection, self._source, self._encoding, self._zone)

    def _close_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def close(self) -> None:
        """Close the connections."""
        self._close_writer()
        opened, self._open, self._planner = self._open, None, None
        self._plans.clear()
        if opened is not None:
            with suppress(DBAPIError):  # a server that is gone cannot say goodbye
                opened.close()

    def _planned(
        self, connection: Connection, stream: StreamDef, since: CursorValue | None
    ) -> tuple[Plan, Any]:
        """The stream's statement, and `since` as a value bound in it."""
        planner = self._planner_of(connection)
        known = self._plans.get(stream.name)
        plan = known[1] if known and known[0] == stream else planner.plan(stream)
        self._plans[stream.name] = stream, plan
        return plan, None if since is None else planner.terms.since(since, plan.cursor_type)

    def _planner_of(self, connection: Connection) -> Planner:
        if self._planner is None:
            inspector = sa.inspect(connection)
            self._planner = Planner(
                self._source,
                tables_of(inspector),
                lambda name: found_of(inspector, name),
                terms_of(self._dialect, self._encoding),
            )
        return self._planner

    def _settled(self, connection: Connection, plan: Plan) -> Any:
        """Below which revision every transaction is over: an older one may still be written."""
        if self._dialect != "mssql" or plan.cursor_type != ROWVERSION:
            return None
        oldest: Any = connection.scalar(sa.select(sa.func.min_active_rowversion()))
        return sa.literal(bytes(oldest), sa.LargeBinary)

    def _pages(
        self, connection: Connection, plan: Plan, query: sa.Select[Any], skip: int
    ) -> Iterator[pa.RecordBatch]:
        """The pages of a query, ordered by (cursor, key) without the first `skip` of them."""
        order = (plan.key if plan.cursor is None else (plan.cursor, *plan.key))[skip:]
        kinds = plan.order_types[skip:]
        page, planner = query.limit(self._page_rows), self._planner
        while planner is not None:
            # No statement stays open between pages, so the source is never held locked.
            rows = plan.values(connection.execute(page).fetchall())
            if rows:
                yield batch_of(plan.names, rows)
            if len(rows) < self._page_rows:
                return
            last = plan.place(rows[-1])[skip:]
            if self._dialect == "mysql" and plan.early is None:
                stopped = yield from self._bulk_pages(plan, query, order, last)
                if stopped is None:
                    return
                last = stopped
            bound = [planner.terms.bound(v, kind) for v, kind in zip(last, kinds, strict=True)]
            page = query.where(after(order, bound)).limit(self._page_rows)

    def _bulk_pages(
        self, plan: Plan, query: sa.Select[Any], order: Sequence[Any], last: list[Any]
    ) -> Generator[pa.RecordBatch, None, list[Any] | None]:
        """The pages after `last` over the fast driver; where it stopped, None at the end.

        Whatever it cannot do is left to the plain one, which also says what went wrong.
        """
        rows = 2 * self._page_rows
        at = plan.order_at[len(plan.order_at) - len(order) :]
        try:
            with closing(BulkReader(self._url, self._egress)) as reader:
                while True:
                    page = query.where(after(order, [sa.literal(v) for v in last]))
                    batch = reader.page(plan.names, page.limit(rows))
                    if batch is None:
                        return None
                    last = [batch.column(i)[-1].as_py() for i in at]
                    yield batch
                    if batch.num_rows < rows:
                        return None
        except UNREAD:
            return last

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        try:
            if self._open is None:
                engine = open_engine(self._url, self._encoding, self._egress)
                self._open = engine.connect()
            yield self._open
        except DBAPIError as error:
            self.close()
            raise explain(error, self._dialect, self._source, self.address) from None

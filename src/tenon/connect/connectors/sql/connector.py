"""The SQL connector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from tenon.connect.batches import batch_of
from tenon.connect.connectors.sql.engines import (
    ENCODINGS,
    address_of,
    encoding_of,
    open_engine,
    open_writing_engine,
    url_of,
)
from tenon.connect.connectors.sql.faults import explain, explain_write
from tenon.connect.connectors.sql.query import (
    Plan,
    Planner,
    after,
    first_page,
    found_of,
    since_of,
    tables_of,
    without_cursor,
)
from tenon.connect.connectors.sql.writer import TableWriter
from tenon.connect.contract import (
    Capabilities,
    ConnectorSettings,
    CursorValue,
    Found,
    WriteRow,
    Written,
)
from tenon.define.models import StreamDef
from tenon.kernel import clock

# Servers and firewalls drop a connection that was idle for long without a word.
_IDLE_SECONDS: Final = 60.0

CAPABILITIES: Final = Capabilities(
    kind="sql",
    detects=frozenset({"watermark", "full"}),
    writes=frozenset({"insert", "update"}),
    encodings=ENCODINGS,
    page_rows=5000,
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
        self._zone = ZoneInfo(settings.zone)
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
            return [found_of(inspector, name) for name in sorted(tables_of(inspector).values())]

    def read(self, stream: StreamDef, since: CursorValue | None) -> Iterator[pa.RecordBatch]:
        """The stream's pages: first the rows without a cursor value, then those in its order."""
        with self._session() as connection:
            if self._planner is None:
                self._planner = Planner(connection, self._source, self._encoding)
            plan = self._planner.plan(stream)
            if plan.cursor is not None and plan.cursor_nullable:
                at = plan.order_at[1:]
                yield from self._pages(connection, plan, without_cursor(plan), plan.key, at)
            columns = plan.key if plan.cursor is None else (plan.cursor, *plan.key)
            query = first_page(plan, since_of(plan, since, self._dialect))
            yield from self._pages(connection, plan, query, columns, plan.order_at)

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
        if opened is not None:
            opened.close()

    def _pages(
        self,
        connection: Connection,
        plan: Plan,
        query: sa.Select[Any],
        order: Sequence[sa.ColumnElement[Any]],
        at: Sequence[int],
    ) -> Iterator[pa.RecordBatch]:
        page, planner = query.limit(self._page_rows), self._planner
        while planner is not None:
            # No statement stays open between pages, so the source is never held locked.
            rows = connection.execute(page).fetchall()
            if rows:
                yield batch_of(plan.names, rows)
            if len(rows) < self._page_rows:
                return
            last = [planner.bound(rows[-1][i]) for i in at]
            page = query.where(after(order, last)).limit(self._page_rows)

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

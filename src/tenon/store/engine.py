"""Opening the hub database and its transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Dialect, Engine, make_url

from tenon.kernel.decimals import from_scaled
from tenon.kernel.errors import Config
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text
from tenon.store.gate import WriteGate
from tenon.store.listen import Listener
from tenon.store.signals import CHANNEL, Signals
from tenon.store.wal import AUTO_PAGES, Checkpointer, WalFlusher

_UNKNOWN_DATABASE = Text(
    "不支持的数据库地址“{url}”；请使用 sqlite:///文件路径 或 postgresql://…。",
    "Unknown database address “{url}”; use sqlite:///path or postgresql://…",
)


# Longer than any page may take: who has waited this long is told to come again (503).
_POOL_SECONDS = 5.0


class Hub:
    """The hub database: short reads anywhere, writes one transaction at a time on SQLite."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        self.signals = Signals()
        self._mark = uuid7()  # by which this process knows its own announcements
        self._listener: Listener | None = None
        if self.dialect == "sqlite":
            self._gate: WriteGate | None = WriteGate()
            database = Path(self.url.database or "")
            self._wal: WalFlusher | None = WalFlusher(database)
            self._checkpointer: Checkpointer | None = Checkpointer(database, self._gate.turn)
            self._reader = _sqlite_engine(self.url, readonly=True)
            self._writer = _sqlite_engine(self.url, readonly=False)
        elif self.dialect == "postgresql":
            self._gate = self._wal = self._checkpointer = None
            self._writer = _postgres_engine(self.url)
            # Each statement sees its own snapshot anyway; BEGIN and ROLLBACK would be two more
            # round trips for every page.
            self._reader = self._writer.execution_options(isolation_level="AUTOCOMMIT")
        else:
            raise Config("unknown_database", _UNKNOWN_DATABASE, url=self.url.render_as_string())

    @property
    def sql(self) -> Dialect:
        """How this database wants its values."""
        return self._writer.dialect

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading: one consistent snapshot on SQLite, per statement elsewhere."""
        with self._reader.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection that sees one moment throughout, on PostgreSQL too: for a backup."""
        if self._gate is not None:
            with self.read() as connection:
                yield connection
            return
        with self._writer.connect() as connection:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """A write transaction, committed at the end of the block.

        `durable=False` is for sync batches, which can be read again after a power cut; kill -9
        loses nothing either way.
        """
        topics: set[str] = set()
        if self._gate is None:
            with self._writer.begin() as connection, _facts(connection, topics):
                if not durable:
                    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                yield connection
                if topics:
                    _notify(connection, self._mark, topics)
        else:
            if self._wal is not None:
                self._wal.refuse_broken()
            with (
                self._gate.turn(),
                self._writer.begin() as connection,
                _facts(connection, topics),
            ):
                yield connection
            if durable and self._wal is not None:
                self._wal.flush()  # outside the gate: the next one writes meanwhile
            if self._checkpointer is not None:
                self._checkpointer.consider()
        if topics:
            self.signals.tell(frozenset(topics))

    def take_stock(self, *tables: sa.Table) -> None:
        """Let the database count what is in these tables after they have grown at once.

        Until PostgreSQL does so by itself, a minute later, it reads them whole for a few rows.
        """
        if self.dialect == "postgresql":
            with self._reader.connect() as connection:
                for table in tables:
                    connection.exec_driver_sql(f'ANALYZE "{table.name}"')

    def listen(self) -> None:
        """Hear what other processes announce from now on; on SQLite there are none."""
        if self._gate is None and self._listener is None:
            self._listener = Listener(self.url, self._mark, self.signals)

    def close(self) -> None:
        """Give back every connection."""
        if self._listener is not None:
            self._listener.stop()
        if self._checkpointer is not None:
            self._checkpointer.stop()
        for engine in {self._reader, self._writer}:
            engine.dispose()


@contextmanager
def _facts(connection: Connection, topics: set[str]) -> Iterator[None]:
    """What is known of a transaction while it lasts: its announcements, what it has looked up."""
    info = connection.info
    info.update(signals=topics, seen={})
    try:
        yield
    finally:
        del info["signals"], info["seen"]


def _notify(connection: Connection, mark: str, topics: set[str]) -> None:
    # One notification a transaction: PostgreSQL takes a lock of the whole server for them.
    connection.execute(
        sa.text("SELECT pg_notify(:channel, :topics)"),
        {"channel": CHANNEL, "topics": " ".join([mark, *sorted(topics)])},
    )


def open_hub(url: str) -> Hub:
    """Open the hub at a SQLAlchemy address; makes the folder of a new SQLite file."""
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    return Hub(url)


def _sqlite_engine(url: sa.URL, *, readonly: bool) -> Engine:
    engine = sa.create_engine(
        url,
        pool_size=8 if readonly else 1,
        max_overflow=8 if readonly else 0,
        pool_timeout=_POOL_SECONDS if readonly else 30,
        connect_args={"timeout": 30},
    )

    @event.listens_for(engine, "connect")
    def _configure(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # we begin transactions ourselves, DDL included
        cursor = dbapi.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")  # who must be sure flushes: see store.wal
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.execute(f"PRAGMA wal_autocheckpoint={AUTO_PAGES}")
        if readonly:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()
        dbapi.create_function("decimal_text", 2, _decimal_text, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")

    return engine


def _decimal_text(value: int | None, scale: int) -> str | None:
    return None if value is None else f"{from_scaled(value, scale):f}"


def _postgres_engine(url: sa.URL) -> Engine:
    return sa.create_engine(
        url,
        pool_size=10,
        max_overflow=10,
        pool_timeout=_POOL_SECONDS,
        pool_pre_ping=True,
        connect_args={
            "options": "-c timezone=UTC -c idle_in_transaction_session_timeout=60000",
            "connect_timeout": 10,
        },
    )

"""Where rows are stored: an SQLite file or a server database, each with its own saved instant."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, Table, create_engine, insert, inspect, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from plant.record.book import Page

SAVED_TABLE = "plant_saved"
# MES text columns that may hold more than ASCII; the embedded MES keeps them as GBK bytes.
GBK_COLUMNS = frozenset(
    {
        "workshop_name",
        "workcenter_name",
        "machinery_name",
        "asset_no",
        "operator_no",
        "operator_name",
        "phone",
        "team",
        "product_name",
        "drawing_no",
        "client_name",
        "process_name",
        "unit",
        "vendor_name",
        "workorder_name",
        "remark",
        "order_no",
        "die_name",
        "location",
    }
)


class Store(Protocol):
    """A database of one system: made once, then written in whole steps."""

    saved: int

    def create(self, tables: Iterable[Table]) -> None:
        """Make the tables in an empty place."""

    def write(self, pages: Iterable[Page], instant: int) -> None:
        """Store the pages and the instant they reach to in one transaction."""

    def close(self) -> None:
        """Let go of the database."""


class SqliteStore:
    """An SQLite file; `gbk` columns are stored as GBK bytes with the TEXT type."""

    def __init__(self, path: Path, *, gbk: bool = False, fast: bool = False) -> None:
        self.path = path
        self._gbk = gbk
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(f"PRAGMA synchronous={'OFF' if fast else 'NORMAL'}")
        self._db.execute(
            f"CREATE TABLE IF NOT EXISTS {SAVED_TABLE} (one INTEGER PRIMARY KEY, instant INTEGER)"
        )
        row = self._db.execute(f"SELECT instant FROM {SAVED_TABLE}").fetchone()
        self.saved: int = row[0] if row else -1

    def create(self, tables: Iterable[Table]) -> None:
        """Make the tables in this file."""
        engine = create_engine(f"sqlite:///{self.path}")
        tables = list(tables)
        if tables:
            tables[0].metadata.create_all(engine, tables=tables)
        engine.dispose()

    def write(self, pages: Iterable[Page], instant: int) -> None:
        """Store the pages and the instant in one transaction."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for page in pages:
                self._write_page(page)
            self._db.execute(f"INSERT OR REPLACE INTO {SAVED_TABLE} VALUES (1, ?)", (instant,))
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        self.saved = instant

    def _write_page(self, page: Page) -> None:
        encoded = [
            place for place, name in enumerate(page.columns) if self._gbk and name in GBK_COLUMNS
        ]
        marks = ["?"] * len(page.columns)
        for place in encoded:
            marks[place] = "CAST(? AS TEXT)"
        # An outbox entry that is already there may have been sent; it is left alone.
        verb = "IGNORE" if page.table.name == "crm_outbox" else "REPLACE"
        statement = f'INSERT OR {verb} INTO "{page.table.name}" VALUES ({", ".join(marks)})'
        rows: Iterable[Any] = page.rows.values()
        if encoded:
            rows = (_encode(row, encoded) for row in page.rows.values())
        self._db.executemany(statement, rows)

    def close(self) -> None:
        """Fold the log into the file and close it."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()


def _encode(row: tuple[Any, ...], places: list[int]) -> list[Any]:
    values = list(row)
    for place in places:
        if values[place] is not None:
            values[place] = str(values[place]).encode("gb18030")
    return values


class ServerStore:
    """A database on a MariaDB, MySQL or PostgreSQL server."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = create_engine(url)
        if self._engine.dialect.name not in ("mysql", "mariadb", "postgresql"):
            raise ValueError(
                f"The plant cannot live in a {self._engine.dialect.name!r} database; allowed are "
                "mysql+pymysql://…, postgresql+psycopg://… or none (an SQLite file)."
            )
        with self._engine.begin() as connection:
            connection.execute(
                text(
                    f"CREATE TABLE IF NOT EXISTS {SAVED_TABLE} "
                    "(one INTEGER PRIMARY KEY, instant BIGINT)"
                )
            )
            row = connection.execute(text(f"SELECT instant FROM {SAVED_TABLE}")).first()
        self.saved: int = row[0] if row else -1

    def create(self, tables: Iterable[Table]) -> None:
        """Make the tables; a database that already holds them is refused."""
        tables = list(tables)
        held = set(inspect(self._engine).get_table_names()) & {table.name for table in tables}
        if held:
            raise ValueError(
                f"The database {self._engine.url.render_as_string()} already holds "
                f"{', '.join(sorted(held)[:3])}…; give the plant an empty database."
            )
        if tables:
            tables[0].metadata.create_all(self._engine, tables=tables)

    def write(self, pages: Iterable[Page], instant: int) -> None:
        """Store the pages and the instant in one transaction."""
        with closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            for page in pages:
                if page.rows:
                    self._write_page(cursor, page)
            cursor.execute(f"DELETE FROM {SAVED_TABLE}")
            cursor.execute(f"INSERT INTO {SAVED_TABLE} VALUES (1, {int(instant)})")
            connection.commit()
        self.saved = instant

    def _write_page(self, cursor: Any, page: Page) -> None:
        if self._engine.dialect.name == "postgresql":
            self._copy_page(cursor, page)
            return
        statement = str(insert(page.table).compile(dialect=self._engine.dialect))
        head = statement[: statement.index(" VALUES ")].replace("INSERT", "REPLACE", 1)
        marks = ", ".join(["%s"] * len(page.columns))
        cursor.executemany(f"{head} VALUES ({marks})", list(page.rows.values()))

    def _copy_page(self, cursor: Any, page: Page) -> None:
        quote = self._engine.dialect.identifier_preparer.quote
        name, passing = quote(page.table.name), quote(f"passing_{page.table.name}")
        cursor.execute(f"CREATE TEMP TABLE {passing} (LIKE {name}) ON COMMIT DROP")
        with cursor.copy(f"COPY {passing} FROM STDIN") as copy:
            for row in page.rows.values():
                copy.write_row(row)
        keys = [column.name for column in page.table.primary_key]
        others = [name for name in page.columns if name not in keys]
        statement = postgresql_insert(page.table).from_select(
            list(page.columns), text(f"SELECT * FROM {passing}").columns(*page.table.columns)
        )
        if others:
            statement = statement.on_conflict_do_update(
                index_elements=keys, set_={name: statement.excluded[name] for name in others}
            )
        else:
            statement = statement.on_conflict_do_nothing(index_elements=keys)
        cursor.execute(str(statement.compile(dialect=self._engine.dialect)))

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def open_store(path: Path, url: str | None, *, gbk: bool = False, fast: bool = False) -> Store:
    """Return the store of one system: the server database when a URL is given, else a file."""
    return ServerStore(url) if url else SqliteStore(path, gbk=gbk, fast=fast)

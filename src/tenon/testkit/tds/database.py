"""The SQLite file behind the server: values, column types, and the catalogue views."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from tenon.testkit.tds import catalogue
from tenon.testkit.tds.columns import Kind, declared, guessed
from tenon.testkit.tds.tokens import SqlError, Table
from tenon.testkit.tds.tsql import Statement

_EXACT_DIGITS: Final = 15
_ERRORS: Final = (
    ("no such table", 208, "Invalid object name"), ("no such column", 207, "Invalid column name"),
    ("syntax error", 102, "Incorrect syntax"), ("no such function", 195, "is not a recognized"),
    ("unique constraint", 2627, "Violation of PRIMARY KEY constraint"),
    ("not null constraint", 515, "Cannot insert the value NULL"),
    ("constraint failed", 547, "The statement conflicted with a constraint"),
    ("locked", 1222, "Lock request time out period exceeded."),
)  # fmt: skip
_TYPES: dict[tuple[str, str], tuple[str, ...]] = {}


@dataclass(slots=True)
class Database:
    """One session's connection to the file."""

    path: str
    page: str
    product: str
    year: int
    revisions: Callable[[], int]
    spid: int = 51
    tried: int = 0
    _db: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        self._db.text_factory = _text
        for name in ("sys", "information_schema"):
            self._db.execute(f"ATTACH ':memory:' AS {name}")
        for name, count, answer in self._functions():
            self._db.create_function(name, count, answer)
        catalogue.create(self._db)
        self._count_revisions()

    def close(self) -> None:
        """Close it."""
        self._db.close()

    def run(self, statement: Statement, values: Mapping[str, Any]) -> Table | int:
        """A select's rows, or how many rows a change touched; SqlError as the server tells it."""
        if statement.catalogue:
            catalogue.fill(self._db, self.page)
        given = {name: _kept(value) for name, value in values.items()}
        try:
            cursor = self._db.execute(statement.text, given)
            if statement.kind == "schema":
                _TYPES.clear()
                self._count_revisions()
            if cursor.description is None:
                return max(cursor.rowcount, 0)
            rows = cursor.fetchall()
            return self._table(statement, [c[0] for c in cursor.description], rows)
        except sqlite3.Error as error:
            raise _told(error) from None

    def transaction(self, kind: str) -> None:
        """Begin, commit or roll back."""
        open_now = self._db.in_transaction
        if kind != "begin" and open_now:
            self._db.execute(kind.upper())
        if kind == "begin" and not open_now:
            self._db.execute("BEGIN")

    def catalogue_rows(self, name: str, asked: Mapping[str, Any]) -> Table:
        """What a catalogue procedure (sp_tables, sp_columns, sp_pkeys) answers."""
        return catalogue.procedure(self._db, self.page, name, asked)

    def _table(self, said: Statement, names: Sequence[str], rows: list[tuple[Any, ...]]) -> Table:
        kinds = self._types(said.typing, len(names))
        whole = len(said.names) == len(names) and None not in said.names
        casts = said.casts if whole else (None,) * len(names)
        columns = list(zip(*rows, strict=True)) or [()] * len(names)
        found = [
            cast or declared(kind, self.page) or guessed(list(values), self.page)
            for cast, kind, values in zip(casts, kinds, columns, strict=True)
        ]
        shown = [n or "" for n in said.names] if whole else names
        return Table(shown, found, rows)

    def _types(self, select: str, count: int) -> tuple[str, ...]:
        """The declared types of a select's columns, by a view of it."""
        key = (self.path, select)
        if key not in _TYPES:
            try:
                self._db.execute("DROP VIEW IF EXISTS temp.typed_select")
                self._db.execute(f"CREATE TEMP VIEW typed_select AS {select}")
                told = self._db.execute("PRAGMA temp.table_info(typed_select)").fetchall()
                _TYPES[key] = tuple(str(row[2]) for row in told)
            except sqlite3.Error:
                _TYPES[key] = ()
        return _TYPES[key] if len(_TYPES[key]) == count else ("",) * count

    def _count_revisions(self) -> None:
        """Let tables with a rowversion count: each row inserted or changed gets the next one."""
        for (table,) in self._db.execute(
            "SELECT name FROM main.sqlite_schema WHERE type = 'table'"
        ).fetchall():
            for _, column, kind, *_rest in self._db.execute(f'PRAGMA table_info("{table}")'):
                if kind.lower() in {"rowversion", "timestamp"}:
                    self._count(table, column)

    def _count(self, table: str, column: str) -> None:
        for event in ("INSERT", "UPDATE"):
            self._db.execute(
                f'CREATE TRIGGER IF NOT EXISTS "{table}_{event}_rv" AFTER {event} ON "{table}" '
                f'BEGIN UPDATE "{table}" SET "{column}" = next_revision() '
                f"WHERE rowid = NEW.rowid; END"
            )
        self._db.execute(
            f'UPDATE "{table}" SET "{column}" = next_revision() WHERE "{column}" IS NULL'
        )

    def _functions(self) -> list[tuple[str, int, Callable[..., Any]]]:
        told = {
            "productversion": self.product, "edition": "Tenon TDS test server",
            "collation": "Chinese_PRC_CI_AS" if self.page == "cp936" else "Latin1_General_CI_AS",
            "engineedition": 3, "isintegratedsecurityonly": 0,
        }  # fmt: skip
        version = f"Microsoft SQL Server {self.year} (a test server of Tenon) - {self.product}"
        return [
            ("serverproperty", 1, lambda name: told.get(str(name).lower())),
            ("schema_name", 0, lambda: "dbo"), ("schema_id", 0, lambda: 1),
            ("db_name", 0, lambda: "main"), ("db_id", 0, lambda: 5),
            ("suser_sname", 0, lambda: "tenon"), ("original_login", 0, lambda: "tenon"),
            ("at_version", 0, lambda: version), ("at_spid", 0, lambda: self.spid),
            ("at_trancount", 0, lambda: int(self._db.in_transaction)),
            ("next_revision", 0, lambda: self.revisions().to_bytes(8, "big")),
            ("min_active_rowversion", 0, self._next_revision),
            ("page_bytes", 1, lambda value: _bytes(value, self.page)),
            ("moment", 1, lambda value: value),
            ("object_id", -1, lambda name, *_: catalogue.object_id(str(name))),
            ("isnull", 2, lambda value, other: other if value is None else value),
        ]  # fmt: skip

    def _next_revision(self) -> bytes:
        newest = self.revisions()
        return (newest + 1).to_bytes(8, "big")


def counter(path: str) -> Callable[[], int]:
    """The next revision of a database, going on where its rows are."""
    newest = 2000
    with sqlite3.connect(path) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'"):
            for _, column, kind, *_rest in db.execute(f'PRAGMA table_info("{table}")').fetchall():
                if kind.lower() in {"rowversion", "timestamp"}:
                    (value,) = db.execute(f'SELECT max("{column}") FROM "{table}"').fetchone()
                    newest = max(newest, int.from_bytes(value or b"", "big"))
    db.close()
    count = itertools.count(newest + 1)
    return lambda: next(count)


def _text(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _bytes(value: Any, page: str) -> Any:
    """A text as the bytes the column has for it."""
    if not isinstance(value, bytes):
        return value
    text = _text(value)
    return text.encode(page, "replace") if isinstance(text, str) else text


def _kept(value: Any) -> Any:
    """A parameter as SQLite keeps such values."""
    if isinstance(value, datetime):
        # As short as it is written, for SQLite compares texts.
        short = "auto" if value.microsecond % 1000 else "milliseconds"
        return value.isoformat(sep=" ", timespec=short if value.microsecond else "seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        if len(value.as_tuple().digits) > _EXACT_DIGITS:
            return str(value).encode("ascii")  # more digits than SQLite's numbers have
        return int(value) if value == int(value) else float(value)
    return value


def _told(error: sqlite3.Error) -> SqlError:
    text = str(error)
    for part, number, message in _ERRORS:
        if part in text.lower():
            name = text.rsplit(":", 1)[-1].strip()
            return SqlError(number, f"{message} '{name}'.", 16 if number != 102 else 15)
    return SqlError(50000, text)


def kind_of(text: str, page: str) -> Kind:
    """A column's type by its declaration; text when it is none of ours."""
    return declared(text, page) or Kind("nvarchar", 4000, 0, page)

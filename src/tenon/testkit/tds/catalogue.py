"""The catalogue as SQL Server has it (`sys`, `INFORMATION_SCHEMA`, sp_…), filled from SQLite's."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tenon.testkit.tds.columns import Kind, declared
from tenon.testkit.tds.tokens import SqlError, Table

# The type ids SQL Server has, with the ODBC types that sp_columns tells.
TYPES: Final[Mapping[str, tuple[int, int]]] = {
    "tinyint": (48, -6), "smallint": (52, 5), "int": (56, 4), "bigint": (127, -5),
    "bit": (104, -7), "float": (62, 6), "money": (60, 3), "decimal": (106, 3),
    "datetime": (61, 93), "date": (40, 91), "datetime2": (42, 93), "time": (41, 92),
    "varchar": (167, 12), "char": (175, 1), "nvarchar": (231, -9), "nchar": (239, -8),
    "varbinary": (165, -3), "binary": (173, -2), "timestamp": (189, -2), "ntext": (99, -10),
    "image": (34, -4),
}  # fmt: skip
_FIXED_SIZES: Final = {
    "tinyint": (1, 3), "smallint": (2, 5), "int": (4, 10), "bigint": (8, 19), "bit": (1, 1),
    "float": (8, 53), "money": (8, 19), "datetime": (8, 23), "date": (3, 10),
    "datetime2": (8, 27), "timestamp": (8, 0), "ntext": (16, 0), "image": (16, 0),
}  # fmt: skip
_SYS: Final = {
    "schemas": "schema_id INT, name NVARCHAR(128), principal_id INT",
    "objects": "object_id INT, name NVARCHAR(128) COLLATE NOCASE, schema_id INT, "
               "parent_object_id INT, type CHAR(2), type_desc NVARCHAR(60)",
    "tables": "object_id INT, name NVARCHAR(128), schema_id INT, type CHAR(2)",
    "views": "object_id INT, name NVARCHAR(128), schema_id INT, type CHAR(2)",
    "columns": "object_id INT, name NVARCHAR(128), column_id INT, default_object_id INT, "
               "system_type_id INT, user_type_id INT, is_nullable BIT, max_length INT, "
               "precision INT, scale INT, collation_name NVARCHAR(128)",
    "types": "name NVARCHAR(128), system_type_id INT, user_type_id INT, schema_id INT",
    "default_constraints": "object_id INT, name NVARCHAR(128), parent_column_id INT, "
                           "definition NVARCHAR(4000)",
    "computed_columns": "object_id INT, name NVARCHAR(128), column_id INT, is_persisted BIT, "
                        "definition NVARCHAR(4000)",
    "identity_columns": "object_id INT, name NVARCHAR(128), column_id INT, is_identity BIT, "
                        "seed_value INT, increment_value INT",
    "extended_properties": "class INT, major_id INT, minor_id INT, name NVARCHAR(128), "
                           "value NVARCHAR(4000)",
    "key_constraints": "object_id INT, name NVARCHAR(128), schema_id INT, parent_object_id INT, "
                       "type CHAR(2), unique_index_id INT",
    "indexes": "object_id INT, index_id INT, name NVARCHAR(128), type INT, is_unique BIT, "
               "is_primary_key BIT",
    "index_columns": "object_id INT, index_id INT, index_column_id INT, column_id INT, "
                     "key_ordinal INT, is_descending_key BIT, is_included_column BIT",
    "databases": "database_id INT, name NVARCHAR(128), snapshot_isolation_state INT, "
                 "is_read_committed_snapshot_on BIT",
    "system_views": "name NVARCHAR(128)",
    "dm_exec_sessions": "session_id INT, transaction_isolation_level INT",
}  # fmt: skip
_SCHEMA: Final = {
    "TABLES": "TABLE_CATALOG NVARCHAR(128), TABLE_SCHEMA NVARCHAR(128), TABLE_NAME NVARCHAR(128) "
              "COLLATE NOCASE, TABLE_TYPE VARCHAR(10)",
    "COLUMNS": "TABLE_SCHEMA NVARCHAR(128), TABLE_NAME NVARCHAR(128) COLLATE NOCASE, "
               "COLUMN_NAME NVARCHAR(128), ORDINAL_POSITION INT, IS_NULLABLE VARCHAR(3), "
               "DATA_TYPE NVARCHAR(128), CHARACTER_MAXIMUM_LENGTH INT",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """A column of a table as the catalogue tells it."""

    table: str
    name: str
    number: int
    type: str
    kind: Kind
    nullable: bool
    key: int

    @property
    def bytes(self) -> int:
        """Its length in bytes; -1 for max."""
        if self.type in _FIXED_SIZES:
            return _FIXED_SIZES[self.type][0]
        if self.type == "decimal":
            return 17
        size = self.kind.size
        return -1 if size == 0xFFFF else size * (2 if self.type.startswith("n") else 1)

    @property
    def precision(self) -> int:
        """Its digits, or its length in characters."""
        if self.type == "decimal":
            return self.kind.size
        return _FIXED_SIZES.get(self.type, (0, self.kind.size))[1]


def object_id(name: str) -> int:
    """A table's number, the same each time."""
    plain = name.rsplit(".", 1)[-1].strip("[]\"'").casefold()
    return zlib.crc32(plain.encode()) & 0x3FFFFFFF | 0x1000000


def create(db: sqlite3.Connection) -> None:
    """Make the catalogue's tables, empty."""
    for name, columns in _SYS.items():
        db.execute(f"CREATE TABLE sys.{name} ({columns})")
    for name, columns in _SCHEMA.items():
        db.execute(f"CREATE TABLE information_schema.{name} ({columns})")


def fill(db: sqlite3.Connection, page: str) -> None:
    """Say in the catalogue what is in the file."""
    for name in _SYS:
        db.execute(f"DELETE FROM sys.{name}")
    for name in _SCHEMA:
        db.execute(f"DELETE FROM information_schema.{name}")
    _insert(db, "sys.schemas", (1, "dbo", 1))
    _insert(db, "sys.databases", (5, "main", 0, 0))
    _insert(db, "sys.system_views", ("dm_exec_sessions",))
    _insert(db, "sys.dm_exec_sessions", (51, 2))
    for name, (number, _) in TYPES.items():
        _insert(db, "sys.types", (name, number, number, 4))
    for table, kind in objects(db):
        _fill_table(db, table, kind, columns(db, table, page), page)


def _fill_table(
    db: sqlite3.Connection, table: str, kind: str, found: list[Told], page: str
) -> None:
    number, letter = object_id(table), "U" if kind == "table" else "V"
    words = "USER_TABLE" if kind == "table" else "VIEW"
    _insert(db, "sys.objects", (number, table, 1, 0, letter, words))
    _insert(db, f"sys.{kind}s", (number, table, 1, letter))
    shown = "BASE TABLE" if kind == "table" else "VIEW"
    _insert(db, "information_schema.TABLES", ("main", "dbo", table, shown))
    collation = "Chinese_PRC_CI_AS" if page == "cp936" else "SQL_Latin1_General_CP1_CI_AS"
    keys = sorted((c for c in found if c.key), key=lambda c: c.key)
    for one in found:
        code = TYPES[one.type][0]
        own = collation if "char" in one.type or one.type == "ntext" else None
        _insert(
            db, "sys.columns",
            (number, one.name, one.number, 0, code, code, one.nullable, one.bytes,
             one.precision, one.kind.scale, own),
        )  # fmt: skip
        _insert(
            db, "information_schema.COLUMNS",
            ("dbo", table, one.name, one.number, "YES" if one.nullable else "NO", one.type,
             one.bytes),
        )  # fmt: skip
    if keys:
        _insert(db, "sys.key_constraints", (number + 1, f"PK_{table}", 1, number, "PK", 1))
        _insert(db, "sys.indexes", (number, 1, f"PK_{table}", 1, 1, 1))
    for at, one in enumerate(keys, 1):
        _insert(db, "sys.index_columns", (number, 1, at, one.number, at, 0, 0))


def _insert(db: sqlite3.Connection, table: str, values: tuple[Any, ...]) -> None:
    db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)


def objects(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Tables and views with what they are."""
    found = db.execute(
        "SELECT name, type FROM main.sqlite_schema WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    )
    return [(str(name), str(kind)) for name, kind in found.fetchall()]


def columns(db: sqlite3.Connection, table: str, page: str) -> list[Told]:
    """A table's columns."""
    found = []
    quoted = table.replace('"', '""')
    for at, name, text, required, _, key in db.execute(f'PRAGMA main.table_info("{quoted}")'):
        kind = declared(text, page) or Kind("nvarchar", 4000, 0, page)
        type_name = "timestamp" if kind.name == "rowversion" else kind.name
        nullable = not (required or key or type_name == "timestamp")
        found.append(Told(table, name, at + 1, type_name, kind, nullable, key))
    return found


# --- the procedures behind SQLTables, SQLColumns and SQLPrimaryKeys ------------------------------

_NAME: Final = Kind("nvarchar", 128)
_WORD: Final = Kind("varchar", 254)
_INT: Final = Kind("int")
_SHORT: Final = Kind("smallint")
_OWNER: Final = [("TABLE_QUALIFIER", _NAME), ("TABLE_OWNER", _NAME), ("TABLE_NAME", _NAME)]
_SHAPES: Final = {
    "sp_tables": [*_OWNER, ("TABLE_TYPE", _WORD), ("REMARKS", _WORD)],
    "sp_columns": [
        *_OWNER, ("COLUMN_NAME", _NAME), ("DATA_TYPE", _SHORT), ("TYPE_NAME", _NAME),
        ("PRECISION", _INT), ("LENGTH", _INT), ("SCALE", _SHORT), ("RADIX", _SHORT),
        ("NULLABLE", _SHORT), ("REMARKS", _WORD), ("COLUMN_DEF", _NAME),
        ("SQL_DATA_TYPE", _SHORT), ("SQL_DATETIME_SUB", _SHORT), ("CHAR_OCTET_LENGTH", _INT),
        ("ORDINAL_POSITION", _INT), ("IS_NULLABLE", _WORD), ("SS_DATA_TYPE", Kind("tinyint")),
    ],
    "sp_datatype_info": [
        ("TYPE_NAME", _NAME), ("DATA_TYPE", _SHORT), ("PRECISION", _INT),
        ("LITERAL_PREFIX", _WORD), ("LITERAL_SUFFIX", _WORD), ("CREATE_PARAMS", _WORD),
        ("NULLABLE", _SHORT), ("CASE_SENSITIVE", _SHORT), ("SEARCHABLE", _SHORT),
    ],
    "sp_pkeys": [*_OWNER, ("COLUMN_NAME", _NAME), ("KEY_SEQ", _SHORT), ("PK_NAME", _NAME)],
}  # fmt: skip


def procedure(db: sqlite3.Connection, page: str, name: str, asked: Mapping[str, Any]) -> Table:
    """The answer of a catalogue procedure; SqlError 2812 for another."""
    shape = _SHAPES.get(name.removesuffix("_100"))
    if shape is None:
        raise SqlError(2812, f"Could not find stored procedure '{name}'.")
    name = name.removesuffix("_100")
    if name == "sp_datatype_info":
        return Table([n for n, _ in shape], [k for _, k in shape], list(_type_rows(asked)))
    pattern = _plain(asked.get("table_name"))
    rows: list[tuple[Any, ...]] = []
    for table, kind in objects(db):
        if pattern is not None and not _like(db, table, pattern):
            continue
        if name == "sp_tables":
            rows.append(("main", "dbo", table, "TABLE" if kind == "table" else "VIEW", None))
        else:
            tell = _column_rows if name == "sp_columns" else _key_rows
            rows += tell(columns(db, table, page))
    return Table([n for n, _ in shape], [k for _, k in shape], rows)


def _type_rows(asked: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    wanted = str(asked.get("table_name") or asked.get("data_type") or 0)
    for name, (_, code) in TYPES.items():
        if wanted in {"0", str(code)}:
            size = _FIXED_SIZES.get(
                name, (0, 38 if name == "decimal" else 4000 if name[0] == "n" else 8000)
            )
            yield (name, code, size[1], None, None, None, 1, 0, 3)


def _plain(pattern: Any) -> str | None:
    return None if pattern in {None, "", "%"} else str(pattern)


def _like(db: sqlite3.Connection, table: str, pattern: str) -> bool:
    escaped = pattern.replace("[_]", "\\_").replace("[%]", "\\%")
    (found,) = db.execute("SELECT ? LIKE ? ESCAPE '\\'", (table, escaped)).fetchone()
    return bool(found)


def _column_rows(found: list[Told]) -> Iterator[tuple[Any, ...]]:
    for one in found:
        code = TYPES[one.type][1]
        yield (
            "main", "dbo", one.table, one.name, code, one.type, one.precision, one.bytes,
            one.kind.scale, 10, int(one.nullable), None, None, code, None, one.bytes, one.number,
            "YES" if one.nullable else "NO", 0,
        )  # fmt: skip


def _key_rows(found: list[Told]) -> Iterator[tuple[Any, ...]]:
    for one in sorted((c for c in found if c.key), key=lambda c: c.key):
        yield ("main", "dbo", one.table, one.name, one.key, f"PK_{one.table}")

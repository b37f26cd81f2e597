"""What a driver says of its tables: SQLTables, SQLColumns, SQLPrimaryKeys."""

from __future__ import annotations

from contextlib import closing
from typing import Any, Final

from tenon.connect.contract import Column, Found

_KINDS: Final = frozenset({"TABLE", "VIEW"})
_EXACT: Final = frozenset({2, 3})  # SQL_NUMERIC, SQL_DECIMAL
_MOST_TABLES: Final = 20_000
_ESCAPED: Final = str.maketrans({"_": r"\_", "%": r"\%", "\\": r"\\"})


def tables_of(connection: Any) -> dict[str, str]:
    """Tables and views by their name without case."""
    with closing(connection.cursor()) as cursor:
        rows = cursor.tables().fetchmany(_MOST_TABLES)
    names = [str(row[2]) for row in rows if str(row[3]).strip().upper() in _KINDS]
    return {name.casefold(): name for name in names}


def found_of(connection: Any, name: str, escape: str) -> Found:
    """A table as discovery shows it."""
    pattern = name.translate(_ESCAPED) if escape == "\\" else name
    with closing(connection.cursor()) as cursor:
        rows = [row for row in cursor.columns(table=pattern).fetchall() if row[2] == name]
        if not rows and pattern != name:  # a driver that says it has an escape and has none
            rows = [row for row in cursor.columns(table=name).fetchall() if row[2] == name]
    columns = tuple(Column(str(r[3]), _type(r), r[10] != 0) for r in rows)
    return Found(name, columns, _key(connection, name))


def _type(row: Any) -> str:
    name = str(row[5] or "").upper().replace(" IDENTITY", "")
    if row[4] in _EXACT and "(" not in name and row[8] is not None:
        return f"{name}({row[6]},{row[8]})"
    return name


def _key(connection: Any, name: str) -> tuple[str, ...]:
    try:
        with closing(connection.cursor()) as cursor:
            rows = cursor.primaryKeys(name).fetchall()
    except Exception as error:  # views, and drivers that do not know keys
        if type(error).__module__.partition(".")[0] != "pyodbc":
            raise
        return ()
    return tuple(str(row[3]) for row in sorted(rows, key=lambda row: row[4] or 0))

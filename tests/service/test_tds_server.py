"""The TDS test server against a real driver: what goes in comes out, in each version."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyodbc
import pytest
import sqlalchemy as sa

from tenon.testkit.tds import TdsServer, serve
from tests import odbc_drivers

NOW = datetime.fromisoformat("2026-02-03 04:05:06.787")  # DATETIME counts 1/300 s
COLUMNS = (
    ("id", "INT PRIMARY KEY", 1),
    ("big", "BIGINT", 2**40),
    ("small", "SMALLINT", -7),
    ("yes", "BIT", True),
    ("qty", "DECIMAL(28,10)", Decimal("123456789012345678.0123456789")),
    ("price", "MONEY", Decimal("-12.3400")),
    ("ratio", "FLOAT", 0.1),
    ("name", "VARCHAR(40)", "零件㎡ φ5"),
    ("wide", "NVARCHAR(40)", "𠮷-0′"),
    ("long text", "NVARCHAR(65535)", "长" * 5000),
    ("at", "DATETIME", NOW),
    ("day", "DATE", date(2026, 2, 3)),
    ("exact", "DATETIME2(7)", datetime.fromisoformat("0001-01-01 00:00:00.000001")),
    ("raw", "VARBINARY(20)", b"\x00\xff"),
)


@pytest.fixture
def path(tmp_path: Path) -> str:
    odbc_drivers.need("FreeTDS")
    found = str(tmp_path / "server.db")
    with sqlite3.connect(found) as db:
        columns = ", ".join(f'"{name}" {kind}' for name, kind, _ in COLUMNS)
        db.execute(f'CREATE TABLE "All Kinds" ({columns}, rv ROWVERSION)')
        values = [_kept(value) for *_, value in COLUMNS]
        db.execute(f'INSERT INTO "All Kinds" VALUES ({", ".join("?" * len(values))}, NULL)', values)
        db.execute('INSERT INTO "All Kinds" (id) VALUES (2)')
        db.execute('CREATE VIEW kinds_view AS SELECT id, name FROM "All Kinds"')
    db.close()
    return found


def _kept(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value).encode()  # exact: SQLite's numbers have fifteen digits
    return str(value) if isinstance(value, date) else value


@contextmanager
def connected(server: TdsServer, version: str = "7.4", more: str = "") -> Iterator[Any]:
    with serve(server):
        connection = pyodbc.connect(
            f"Driver={{FreeTDS}};Server=127.0.0.1;Port={server.port};UID=tenon;PWD=right;"
            f"TDS_Version={version};ClientCharset=UTF-8;{more}",
            autocommit=True,
            timeout=5,
        )
        try:
            yield connection.cursor()
        finally:
            connection.close()


@pytest.mark.parametrize("version", ["7.1", "7.2", "7.3", "7.4"])
def test_every_type_arrives_as_it_is(path: str, version: str) -> None:
    with connected(TdsServer(path), version) as cursor:
        one, two = cursor.execute("SELECT * FROM dbo.[All Kinds] ORDER BY id").fetchall()
    found = dict(zip([name for name, *_ in COLUMNS], one, strict=False))
    for name, kind, value in COLUMNS:
        if version in {"7.1", "7.2"} and kind.split("(")[0] in {"DATE", "DATETIME2"}:
            assert str(found[name]).startswith(str(value)[:10])  # old clients get texts
        else:
            assert found[name] == value, name
    assert list(two[1:-1]) == [None] * (len(COLUMNS) - 1)
    assert (len(one[-1]), one[-1] < two[-1]) == (8, True)


@pytest.mark.parametrize("version", ["7.1", "7.4"])
def test_parameters_are_bound(path: str, version: str) -> None:
    asked = "SELECT id FROM [All Kinds] WHERE name = ? AND at >= ? AND big = ? AND ratio < ?"
    more = (datetime.fromisoformat("2026-01-01"), 2**40, 0.2)
    with connected(TdsServer(path), version) as cursor:
        right = cursor.execute(asked, "零件㎡ φ5", *more).fetchall()
        wrong = cursor.execute(asked, "' OR 1=1 --", *more).fetchall()
    assert (len(right), len(wrong)) == (1, 0)


def test_a_rowversion_grows_with_each_change(path: str) -> None:
    with connected(TdsServer(path)) as cursor:
        newest = cursor.execute("SELECT MAX(rv) FROM [All Kinds]").fetchone()[0]
        cursor.execute("UPDATE [All Kinds] SET big = ? WHERE id = ?", 5, 1)
        assert cursor.rowcount == 1
        changed = cursor.execute("SELECT id FROM [All Kinds] WHERE rv > ?", newest).fetchall()
        bound = cursor.execute("SELECT MIN_ACTIVE_ROWVERSION()").fetchone()[0]
    assert [row[0] for row in changed] == [1]
    assert bound > newest


def test_the_catalogue_is_told(path: str) -> None:
    with connected(TdsServer(path)) as cursor:
        assert [row[2] for row in cursor.tables()] == ["All Kinds", "kinds_view"]
        assert [row[3] for row in cursor.columns("All Kinds")][:3] == ["id", "big", "small"]
        assert [row[3] for row in cursor.primaryKeys("All Kinds")] == ["id"]


def test_sqlalchemy_reflects_it(path: str) -> None:
    server = TdsServer(path, product=(9, 0, 5000))
    with connected(server):
        text = f"Driver={{FreeTDS}};Server=127.0.0.1;Port={server.port};UID=tenon;PWD=right"
        engine = sa.create_engine(
            "mssql+pyodbc://", creator=lambda: pyodbc.connect(text), poolclass=sa.pool.NullPool
        )
        inspector = sa.inspect(engine)
        assert inspector.get_table_names() == ["All Kinds"]
        kinds = {c["name"]: str(c["type"]) for c in inspector.get_columns("All Kinds")}
        assert inspector.get_pk_constraint("All Kinds")["constrained_columns"] == ["id"]
    assert kinds["qty"] == "DECIMAL(28, 10)"
    assert kinds["name"] == 'VARCHAR(40) COLLATE "Chinese_PRC_CI_AS"'
    assert kinds["rv"] == "TIMESTAMP"


@pytest.mark.parametrize("only_tls1", [False, True])
@pytest.mark.parametrize("encryption", ["login", "required"])
def test_it_speaks_tls(path: str, encryption: Any, only_tls1: bool) -> None:
    server = TdsServer(path, encryption=encryption, only_tls1=only_tls1)
    with connected(server, "7.1") as cursor:
        assert cursor.execute("SELECT @@VERSION").fetchone()[0].startswith("Microsoft SQL Server")
    assert [login.password for login in server.logins] == ["right"]


@pytest.mark.parametrize(("more", "number"), [("PWD=wrong;", 18456), ("Database=other;", 4060)])
def test_logins_are_refused(path: str, more: str, number: int) -> None:
    with (
        pytest.raises(pyodbc.Error, match=rf"\({number}\)"),
        connected(TdsServer(path, encryption="login"), more=more),
    ):
        pass


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ("SELECT * FROM nothing", 208), ("SELECT nothing FROM [All Kinds]", 207),
        ("SELECT FROM FROM", 102), ("EXEC sp_who", 2812), ("SELECT @@nothing", 137),
        ("INSERT INTO [All Kinds] (id) VALUES (1)", 2627),
    ],
)  # fmt: skip
def test_errors_have_the_servers_numbers(path: str, asked: str, number: int) -> None:
    with (
        connected(TdsServer(path)) as cursor,
        pytest.raises(pyodbc.Error, match=rf"\({number}\)"),
    ):
        cursor.execute(asked)


def test_a_locked_table_is_waited_for_as_long_as_was_said(path: str) -> None:
    server = TdsServer(path, locked={"all kinds"})
    with connected(server) as cursor:
        cursor.execute("SET LOCK_TIMEOUT 50")
        with pytest.raises(pyodbc.Error, match=r"\(1222\)"):
            cursor.execute("SELECT id FROM [All Kinds]")
        cursor.execute("SET TRANSACTION ISOLATION LEVEL SNAPSHOT")
        assert len(cursor.execute("SELECT id FROM [All Kinds]").fetchall()) == 2


def test_a_query_can_be_cancelled(path: str) -> None:
    """FreeTDS asks to stop when its time is over, and the connection can be used again."""
    server = TdsServer(path, locked={"all kinds"})
    with connected(server) as cursor:
        cursor.connection.timeout = 1
        limited = cursor.connection.cursor()
        with pytest.raises(pyodbc.Error, match="HYT00"):
            limited.execute("SELECT id FROM [All Kinds]")
        server.locked.clear()
        assert limited.execute("SELECT COUNT(*) FROM [All Kinds]").fetchone()[0] == 2


GARBAGE = (
    b"",
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x12\x01\x00\x03\x00\x00\x01\x00",
    b"\x10\x01\x00\x0c\x00\x00\x01\x00junk",
)


@pytest.mark.parametrize("data", GARBAGE)
def test_garbage_ends_the_connection_alone(path: str, data: bytes) -> None:
    with serve(TdsServer(path)) as server:
        with socket.create_connection(("127.0.0.1", server.port), 5) as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            assert client.recv(10) == b""
        text = f"Driver={{FreeTDS}};Server=127.0.0.1;Port={server.port};UID=tenon;PWD=right"
        pyodbc.connect(text).close()

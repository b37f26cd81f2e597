"""SQL Server through FreeTDS over a real wire: conformance, hostile rows, old servers, errors."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tenon.connect.batches import rows_of
from tenon.connect.connectors.sql import SqlConnector, prelogin
from tenon.connect.contract import Connector, ConnectorSettings, WriteRow, rewind
from tenon.connect.egress import guard
from tenon.define.models import CursorDef, StreamDef
from tenon.kernel.errors import Config, NeedsUser, Retry, Stop, TenonError
from tenon.testkit import connector as suite
from tenon.testkit.tds import TdsServer, serve, wire
from tests import odbc_drivers

STREAM = StreamDef(
    name="parts", table="Part List", columns=("code", "part name", "qty", "changed"),
    key=("code",), cursor=CursorDef(column="changed"),
)  # fmt: skip
ABSENT = StreamDef(name="nothing", table="no_such", key=("code",))
REVISIONS = StreamDef(
    name="revisions", table="Part List", columns=("code",), key=("code",),
    cursor=CursorDef(column="rv", type="rowversion"),
)  # fmt: skip
CANARY = "s3cret-canary"
YEARS = {2005: (9, 0, 5000), 2008: (10, 50, 6000), 2022: (16, 0, 4000)}


@pytest.fixture
def path(tmp_path: Path) -> str:
    odbc_drivers.need("FreeTDS")
    return fill(str(tmp_path / "plant.db"))


def fill(path: str, encoding: str = "utf-8", kind: str = "VARCHAR(50)") -> str:
    with sqlite3.connect(path) as db:
        db.execute(
            'CREATE TABLE "Part List" (code CHAR(10) COLLATE NOCASE PRIMARY KEY, '
            f'"part name" {kind}, qty DECIMAL(18,4), changed DATETIME, rv ROWVERSION)'
        )
        db.executemany(
            'INSERT INTO "Part List" VALUES (?, CAST(? AS TEXT), ?, ?, NULL)',
            [(c, n.encode(encoding), float(q), t.isoformat(sep=" ")) for c, n, q, t in suite.ROWS],
        )
    db.close()
    return path


def sql(server: TdsServer, listed: bool = True, page_rows: int = 33, **values: Any) -> SqlConnector:
    url = f"mssql://tenon@127.0.0.1:{server.port}/main"
    places = [("127.0.0.1", server.port)] if listed else []
    given = {"url": url, "password": "right", **values}
    return SqlConnector(ConnectorSettings("mes", given, guard("mes", places)), page_rows=page_rows)


def rows(connector: Connector, stream: StreamDef = STREAM, since: Any = None) -> list[Any]:
    found: list[dict[str, Any]] = []
    try:
        for batch in connector.read(stream, since):
            names, values = rows_of(batch)
            found += [dict(zip(names, row, strict=True)) for row in values]
    finally:
        connector.close()
    return found


def refusal(connector: Connector, stream: StreamDef = STREAM) -> TenonError:
    with pytest.raises(TenonError) as caught:
        rows(connector, stream)
    assert CANARY not in f"{caught.value!r} {caught.value.text} {caught.value.params}"
    return caught.value


def change(path: str, statement: str, *values: Any) -> None:
    with sqlite3.connect(path) as db:
        db.execute(statement, values)
    db.close()


@pytest.fixture(params=["2005", "2008-tls1", "2022"])
def subject(request: pytest.FixtureRequest, path: str) -> Iterator[suite.Subject]:
    year = int(request.param[:4])
    server = TdsServer(path, product=YEARS[year])
    if year == 2005:
        server.newest = wire.V72
    elif year == 2008:
        server.encryption, server.only_tls1 = "login", True
    with serve(server):
        yield suite.Subject(lambda: sql(server), STREAM, ABSENT)


@pytest.mark.parametrize("check", suite.CHECKS, ids=lambda c: c.__name__)
def test_conformance(subject: suite.Subject, check: Callable[[suite.Subject], None]) -> None:
    check(subject)


def test_tables_views_and_keys_are_discovered(path: str) -> None:
    change(path, 'CREATE VIEW parts_v AS SELECT code, qty FROM "Part List"')
    with serve(TdsServer(path)) as server:
        connector = sql(server)
        found = {one.name: one for one in connector.discover()}
        connector.close()
    assert found["Part List"].key == ("code",)
    assert [c.name for c in found["parts_v"].columns] == ["code", "qty"]
    assert found["Part List"].columns[4].type == "TIMESTAMP"


def test_only_reads_are_sent_and_said_so(path: str) -> None:
    """Read-only intent, lock time-out, low priority in a deadlock; every statement a SELECT."""
    with serve(TdsServer(path)) as server:
        assert len(rows(sql(server))) == 100
        assert server.logins[0].read_only
        assert server.logins[0].application == "Tenon"
    said = [one.strip().upper() for one in server.asked if not one.startswith("sp_")]
    assert all(one.startswith(("SELECT", "SET ")) for one in said), said
    assert {"SET LOCK_TIMEOUT 5000", "SET DEADLOCK_PRIORITY LOW"} <= set(said)
    connector = sql(server)
    with serve(server):
        connector = sql(server)
        with connector._session() as db, pytest.raises(RuntimeError, match="reading"):
            db.exec_driver_sql('DELETE FROM "Part List"')
        connector.close()


# --- texts ---------------------------------------------------------------------------------------


def test_gbk_under_a_latin1_collation_is_read_right_when_said(tmp_path: Path) -> None:
    """Every byte comes through, those code page 1252 does not have as well."""
    odbc_drivers.need("FreeTDS")
    other = fill(str(tmp_path / "gbk.db"), "gb18030", "VARCHAR_CP1252(50)")
    hard = "垒丞亐件"  # lead and trail bytes that code page 1252 does not have
    change(other, 'UPDATE "Part List" SET "part name" = CAST(? AS TEXT) WHERE code = ?',
                 hard.encode("gb18030"), "K007")  # fmt: skip
    with serve(TdsServer(other, page="cp1252")) as server:
        plain = rows(sql(server))
        found = rows(sql(server, encoding="gb18030"))
        named = STREAM.model_copy(update={"where": {"part name": ("零件 9", "' OR 1=1 --")}})
        one = rows(sql(server, encoding="gb18030"), named)
    assert plain[0]["part name"] != "零件 1"
    assert found[0]["part name"] == "零件 1"
    assert found[6]["part name"] == hard
    assert [r["code"].strip() for r in one] == ["K009"]


def test_bytes_that_are_no_text_come_as_bytes(tmp_path: Path) -> None:
    odbc_drivers.need("FreeTDS")
    other = fill(str(tmp_path / "gbk.db"), "gb18030", "VARCHAR_CP1252(50)")
    change(other, 'UPDATE "Part List" SET "part name" = CAST(? AS TEXT) WHERE code = ?',
                 b"\xb4\xff", "K007")  # fmt: skip
    with serve(TdsServer(other, page="cp1252")) as server:
        found = rows(sql(server, encoding="gb18030"))
    assert found[6]["part name"] == b"\xb4\xff"
    assert found[7]["part name"] == "零件 8"


def test_hostile_values_arrive_as_they_are(path: str) -> None:
    """NUL, the first and last days, more digits than a float has, an empty text, a long one."""
    with sqlite3.connect(path) as db:
        db.execute(
            "CREATE TABLE odd (id INT PRIMARY KEY, at DATETIME, big DECIMAL(38,10), "
            '"a ]b" NVARCHAR(50), much NVARCHAR(65535), raw VARBINARY(9))'
        )
        db.executemany(
            "INSERT INTO odd VALUES (?, ?, ?, ?, ?, ?)",
            [
                (1, "1753-01-01 00:00:00", b"9999999999999999999999999999.9999999999", "a\0b", "长"
                 * 9000, b"\0\xff"),
                (2, "9999-12-31 23:59:59.997", b"-0.0000000001", "", None, None),
                (3, None, None, "'; DROP TABLE odd --", "", b""),
            ],
        )  # fmt: skip
    db.close()
    stream = StreamDef(name="odd", key=("id",))
    with serve(TdsServer(path)) as server:
        found = rows(sql(server), stream)
        one = rows(
            sql(server), stream.model_copy(update={"where": {"A ]B": ("'; DROP TABLE odd --",)}})
        )
    assert Decimal(str(found[0]["big"])) == Decimal("9999999999999999999999999999.9999999999")
    assert Decimal(str(found[1]["big"])) == Decimal("-0.0000000001")
    assert found[0]["at"] == datetime.fromisoformat("1753-01-01")
    assert found[1]["at"] == datetime.fromisoformat("9999-12-31 23:59:59.997")
    assert found[0]["a ]b"] == "a\0b"
    assert len(found[0]["much"]) == 9000
    assert found[0]["raw"] == b"\0\xff"
    assert [r["id"] for r in one] == [3]


# --- change detection ----------------------------------------------------------------------------


def test_many_rows_of_one_moment_are_paged_through_once(path: str) -> None:
    """A DATETIME counts thirds of a hundredth: compared as another type it would never pass on."""
    change(path, 'UPDATE "Part List" SET changed = ?', "2026-01-01 08:00:00.003")
    with serve(TdsServer(path)) as server:
        found = rows(sql(server))
        assert len(found) == 100
        assert len(rows(sql(server), STREAM, found[-1]["changed"])) == 100
        said = [one for one in server.asked if "changed" in one and "TOP" in one]
    assert said[-1].count("AS DATETIME") >= 1


def test_a_rowversion_is_a_cursor(path: str) -> None:
    with serve(TdsServer(path)) as server:
        first = rows(sql(server), REVISIONS)
        newest = first[-1]["rv"]
        assert len(first) == 100
        assert newest == max(r["rv"] for r in first)
        assert rewind(newest, 120) == newest
        assert len(newest) == len("0x00000000000007D1")
        with serve(TdsServer(path)) as again, sqlite3.connect(path) as db:
            assert again.port != server.port
            db.create_function("next_revision", 0, lambda: (10**6).to_bytes(8, "big"))
            db.execute("UPDATE \"Part List\" SET qty = 1 WHERE code = 'K050'")
        db.close()
    with serve(TdsServer(path)) as server:
        later = rows(sql(server), REVISIONS, newest)
    assert [r["code"].strip() for r in later] == ["K100", "K050"]


def test_what_a_transaction_still_writes_is_left_for_the_next_time(path: str) -> None:
    """F14: a revision below one of ours may appear later; so we stop below the oldest open one."""
    with serve(TdsServer(path)) as server:
        rows(sql(server), REVISIONS)
        asked = [one for one in server.asked if "[rv] <" in one or ".rv <" in one]
    assert asked, "the pages end below MIN_ACTIVE_ROWVERSION()"


# --- what goes wrong -----------------------------------------------------------------------------


def test_a_locked_table_is_not_waited_for(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenon.connect.connectors.sql.engines.BUSY_SECONDS", 0.05)
    with serve(TdsServer(path, locked={"part list"})) as server:
        error = refusal(sql(server))
    assert isinstance(error, Retry)
    assert error.code == "source_locked"


def test_a_slow_query_is_cancelled(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenon.connect.connectors.sql.engines.STATEMENT_SECONDS", 1)
    with serve(TdsServer(path, locked={"part list"})) as server:
        error = refusal(sql(server))
    assert isinstance(error, Retry)
    assert error.code == "source_slow"


def test_a_refused_login_stops_at_once_and_shows_no_secret(path: str) -> None:
    """F9, S31."""
    with serve(TdsServer(path, encryption="login")) as server:
        error = refusal(sql(server, password=CANARY))
        assert isinstance(error, NeedsUser)
        assert error.code == "source_login"
        assert server.logins == []


def test_another_database_is_named(path: str) -> None:
    with serve(TdsServer(path, database="AIS2026")) as server:
        assert refusal(sql(server)).code == "no_database"


def test_a_server_that_is_away_is_retried(path: str) -> None:
    with serve(TdsServer(path)) as server:
        pass
    error = refusal(sql(server))
    assert isinstance(error, Retry)
    assert error.code == "source_unreachable"


def test_an_address_that_is_not_listed_is_refused_before_connecting(path: str) -> None:
    """S10."""
    with serve(TdsServer(path)) as server:
        assert refusal(sql(server, listed=False)).code == "egress_refused"
        assert server.logins == []


@pytest.mark.parametrize("password", ["a}b", "x};Server=10.9.9.9", "a\nb", "a\0b"])
def test_a_value_cannot_become_further_keys(path: str, password: str) -> None:
    """S31: a driver without an escape for braces would read what follows one as settings."""
    with serve(TdsServer(path)) as server:
        error = refusal(sql(server, password=password))
    assert isinstance(error, Config)
    assert error.code == "bad_odbc_value"
    assert password not in f"{error.text.zh} {error.text.en} {error.params}"


@pytest.mark.parametrize("password", ["a;b={c", "PWD=x;UID=sa", " 空格 ", "'\"--"])
def test_odd_passwords_are_sent_whole(path: str, password: str) -> None:
    with serve(TdsServer(path, users={"tenon": password})) as server:
        assert len(rows(sql(server, password=password))) == 100


@pytest.mark.parametrize(
    ("key", "value"),
    [("encryption", "maybe"), ("tds_version", "4.2"), ("driver", "/tmp/evil.so")],
)
def test_options_are_chosen_from_a_list(path: str, key: str, value: str) -> None:
    values: dict[str, Any] = {key: value}
    with pytest.raises(Config) as caught:
        sql(TdsServer(path, port=1433), **values)
    assert caught.value.code == "bad_option"


@pytest.mark.parametrize(("server_says", "we_say"), [("required", "off"), ("none", "require")])
def test_encryption_that_cannot_be_agreed_is_explained(
    path: str, server_says: Any, we_say: str
) -> None:
    with serve(TdsServer(path, encryption=server_says)) as server:
        error = refusal(sql(server, encryption=we_say))
    assert isinstance(error, NeedsUser)
    assert error.code == "source_encryption"
    assert "10.50.6000" in f"{error.params}"


_FORBIDDEN = """
import sys
from tests.service.test_sqlserver import TdsServer, refusal, serve, sql
with serve(TdsServer(sys.argv[1], encryption="required", only_tls1=True)) as server:
    error = refusal(sql(server))
    print(error.code, error.recovery, "TLS 1.0" in error.text.zh, "TLS 1.0" in error.text.en)
"""


def test_old_tls_that_this_machine_forbids_is_explained(path: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy"
    policy.write_text("[overrides]\ndisabled-version = tls1.0\ndisabled-version = tls1.1\n")
    done = subprocess.run(
        [sys.executable, "-c", _FORBIDDEN, path],
        env={**os.environ, "GNUTLS_SYSTEM_PRIORITY_FILE": str(policy),
             "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["source_encryption", "needs_user", "True", "True"], done.stderr


def test_nothing_is_written(path: str) -> None:
    with serve(TdsServer(path)) as server:
        connector = sql(server)
        row = WriteRow("Part List", ("code",), {"code": "K001", "qty": 1})
        with pytest.raises(Config) as caught:
            connector.write([[row]])
        connector.close()
    assert caught.value.code == "not_writable"
    assert not isinstance(caught.value, Stop)


GOOD = bytes.fromhex("0401002b00000100 00001a0006 0100200001 0200210001 0300220000 0400220001 ff")
GOOD += bytes.fromhex("0a3217700000 00 00 00")


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        (GOOD, "10.50.6000"), (b"", None), (b"HTTP/1.1 400 Bad Request\r\n\r\n", None),
        (b"\x04\x01\xff\xff\0\0\1\0", None), (b"\x04\x01\0\x08\0\0\1\0", None),
        (b"\x04\x01\0\x0d\0\0\1\0\0\xff\xff\xff\xff", None), (b"\x04" * 100_000, None),
    ],
    ids=["right", "nothing", "http", "half", "empty", "places outside", "endless"],
)  # fmt: skip
def test_whatever_answers_before_the_login_is_read_with_care(
    answer: bytes, version: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prelogin, "_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answers, args=(listener, answer), daemon=True).start()
        told = prelogin.ask("127.0.0.1", listener.getsockname()[1])
    assert (told and told.version) == version


def _answers(listener: socket.socket, answer: bytes) -> None:
    client, _ = listener.accept()
    with client, suppress(OSError):
        client.recv(4096)
        client.sendall(answer)
        client.shutdown(socket.SHUT_WR)
        client.recv(1)


def test_one_who_listens_and_says_nothing_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prelogin, "_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert prelogin.ask("127.0.0.1", listener.getsockname()[1]) is None

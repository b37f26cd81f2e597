"""The ODBC connector through real drivers: SQLite's, FreeTDS and MariaDB's."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyodbc
import pytest
import sqlalchemy as sa

from tenon.connect.batches import rows_of
from tenon.connect.connectors.odbc import OdbcConnector
from tenon.connect.connectors.odbc.machine import Registered, registered
from tenon.connect.contract import Connector, ConnectorSettings
from tenon.connect.egress import guard
from tenon.connect.settings import Connections
from tenon.define.models import CursorDef, Join, SourceDef, StreamDef
from tenon.kernel.errors import Config, NeedsUser, Retry, Stop, TenonError
from tenon.testkit import connector as suite
from tenon.testkit.tds import TdsServer, serve
from tests import odbc_drivers

STREAM = StreamDef(
    name="parts", table="Part List", columns=("code", "part name", "qty", "changed"),
    key=("code",), cursor=CursorDef(column="changed"),
)  # fmt: skip
ABSENT = StreamDef(name="nothing", table="no_such", key=("code",))
CANARY = "s3cret-canary"


def odbc(listed: bool = True, **values: Any) -> OdbcConnector:
    place = [(values["server"], values["port"])] if listed and "port" in values else []
    return OdbcConnector(ConnectorSettings("old", values, guard("old", place)), page_rows=33)


def lite(path: Path, **values: Any) -> OdbcConnector:
    return odbc(driver="SQLite3", file=str(path), **values)


def rows(connector: Connector, stream: StreamDef = STREAM, since: Any = None) -> list[Any]:
    found: list[dict[str, Any]] = []
    try:
        for batch in connector.read(stream, since):
            names, values = rows_of(batch)
            found += [dict(zip(names, row, strict=True)) for row in values]
    finally:
        connector.close()
    return found


def refusal(make: Callable[[], Connector], stream: StreamDef = STREAM) -> TenonError:
    with pytest.raises(TenonError) as caught:
        rows(make(), stream)
    error = caught.value
    assert CANARY not in f"{error!r} {error.text.zh} {error.text.en} {error.params}"
    return error


def fill(path: Path, encoding: str = "utf-8") -> Path:
    with sqlite3.connect(path) as db:
        db.execute(
            'CREATE TABLE "Part List" (code CHAR(10) COLLATE NOCASE PRIMARY KEY, '
            '"part name" VARCHAR(50), qty DECIMAL(18,4), changed DATETIME)'
        )
        db.executemany(
            'INSERT INTO "Part List" VALUES (?, CAST(? AS TEXT), ?, ?)',
            [(c, n.encode(encoding), float(q), t.isoformat(sep=" ")) for c, n, q, t in suite.ROWS],
        )
    db.close()
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    odbc_drivers.need("SQLite3")
    return fill(tmp_path / "old plant.db")


@pytest.fixture(params=["sqlite", "sqlite-gbk", "freetds", "mariadb"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[suite.Subject]:
    with ExitStack() as stack:
        make: Callable[[], Connector]
        if request.param.startswith("sqlite"):
            odbc_drivers.need("SQLite3")
            encoding = "gb18030" if request.param.endswith("gbk") else "utf-8"
            file = fill(tmp_path / "a.db", encoding)
            make = lambda: lite(file, encoding=encoding)  # noqa: E731
        elif request.param == "freetds":
            odbc_drivers.need("FreeTDS")
            server = stack.enter_context(serve(TdsServer(str(fill(tmp_path / "a.db")))))
            make = lambda: tds(server)  # noqa: E731
        else:
            odbc_drivers.need("MariaDB Unicode")
            url = sa.make_url(request.getfixturevalue("mariadb_url"))
            fill_mariadb(url)
            make = lambda: mariadb(url)  # noqa: E731
        yield suite.Subject(make, STREAM, ABSENT)


def tds(server: TdsServer, **values: Any) -> OdbcConnector:
    given = {"driver": "FreeTDS", "server": "127.0.0.1", "port": server.port, "database": "main",
             "user": "tenon", "password": "right", **values}  # fmt: skip
    return odbc(**given)


def mariadb(url: sa.URL, **values: Any) -> OdbcConnector:
    given = {"driver": "MariaDB Unicode", "server": url.host, "port": url.port or 3306,
             "database": url.database, "user": url.username, "password": url.password,
             **values}  # fmt: skip
    return odbc(**{k: v for k, v in given.items() if v is not None})


def fill_mariadb(url: sa.URL) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as db:
        db.exec_driver_sql(
            "CREATE TABLE `Part List` (code CHAR(10) PRIMARY KEY, `part name` VARCHAR(50), "
            "qty DECIMAL(18,4), changed DATETIME)"
        )
        db.exec_driver_sql("INSERT INTO `Part List` VALUES (%s, %s, %s, %s)", list(suite.ROWS))
        db.exec_driver_sql("CREATE TABLE odd (id INT PRIMARY KEY, at DATETIME, big DECIMAL(38,10))")
        db.exec_driver_sql("SET SESSION sql_mode = ''")
        db.exec_driver_sql(f"INSERT INTO odd VALUES (1, '0000-00-00', {'9' * 28}.5), (2, NULL, -1)")
    engine.dispose()


@pytest.mark.parametrize("check", suite.CHECKS, ids=lambda c: c.__name__)
def test_conformance(subject: suite.Subject, check: Callable[[suite.Subject], None]) -> None:
    check(subject)


def test_tables_views_and_keys_are_discovered(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute('CREATE VIEW parts_v AS SELECT code, qty FROM "Part List"')
        db.execute("CREATE TABLE PartXList (other INT)")  # an underscore must be no wildcard
        db.execute("CREATE TABLE Part_List (mine INT)")
    db.close()
    connector = lite(path)
    found = {one.name: one for one in connector.discover()}
    connector.close()
    assert found["Part List"].key == ("code",)
    assert [c.type for c in found["Part List"].columns][2] == "DECIMAL(18,4)"
    assert [c.name for c in found["parts_v"].columns] == ["code", "qty"]
    assert [c.name for c in found["Part_List"].columns] == ["mine"]


def test_lines_are_read_with_their_headers(tmp_path: Path) -> None:
    odbc_drivers.need("SQLite3")
    with sqlite3.connect(tmp_path / "k.db") as db:
        db.executescript("""
            CREATE TABLE Entry (FInterID INT, FEntryID INT, FQty, PRIMARY KEY (FInterID, FEntryID));
            CREATE TABLE Head (FInterID INT PRIMARY KEY, FBillNo TEXT, FModifyTime DATETIME);
            INSERT INTO Entry VALUES (1, 1, 5), (1, 2, 6), (2, 1, 7);
            INSERT INTO Head VALUES (1, 'B1', '2026-01-01 00:00:00');
        """)
    db.close()
    stream = StreamDef(
        name="entry", table="ENTRY", key=("finterid", "FEntryID"),
        join=(Join(table="head", match={"FInterID": "FInterID"}, columns=("FBillNo",)),),
        cursor=CursorDef(column="FModifyTime"),
    )  # fmt: skip
    found = rows(lite(tmp_path / "k.db"), stream)
    assert [(r["FInterID"], r["FBillNo"]) for r in found] == [(2, None), (1, "B1"), (1, "B1")]


def test_nothing_can_be_written(path: Path) -> None:
    """The session refuses it, whatever would be sent."""
    connector = lite(path)
    with connector._session() as db, pytest.raises(pyodbc.Error, match=r"readonly|read-only"):
        db.cursor().execute('DELETE FROM "Part List"')
    connector.close()
    assert len(rows(lite(path))) == 100


def test_bytes_that_are_no_text_come_as_bytes(tmp_path: Path) -> None:
    odbc_drivers.need("SQLite3")
    path = fill(tmp_path / "a.db", "gb18030")
    with sqlite3.connect(path) as db:
        db.execute("""UPDATE "Part List" SET "part name" = CAST(x'B4FF' AS TEXT)
                      WHERE code = 'K007'""")
    db.close()
    found = rows(lite(path, encoding="gb18030"))
    assert found[6]["part name"] == b"\xb4\xff"
    assert found[7]["part name"] == "零件 8"


def test_values_of_where_are_bound(path: Path) -> None:
    """S3."""
    stream = STREAM.model_copy(update={"where": {"PART NAME": ("零件 9", "' OR 1=1 --")}})
    assert [r["code"].strip() for r in rows(lite(path), stream)] == ["K009"]


def test_exact_numbers_and_dates_that_are_none(mariadb_url: str) -> None:
    odbc_drivers.need("MariaDB Unicode")
    url = sa.make_url(mariadb_url)
    fill_mariadb(url)
    found = rows(mariadb(url), StreamDef(name="odd", key=("id",)))
    assert Decimal(str(found[0]["big"])) == Decimal("9" * 28 + ".5")
    assert found[0]["at"] is None or not isinstance(found[0]["at"], datetime)
    assert found[1]["at"] is None


# --- what may be said of a connection (S31 and the list of ODBC's dangerous keys) ----------------


def test_what_is_registered_is_listed_for_choosing() -> None:
    odbc_drivers.need("SQLite3")
    assert "SQLite3" in registered().drivers
    assert not any("mdb" in name.casefold() for name in registered().drivers)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, "no_odbc_source"),
        ({"dsn": "no_such"}, "not_registered"),
        ({"driver": "/tmp/evil.so"}, "not_registered"),
        ({"driver": "SQLite3};LoadExt=/tmp/evil.so"}, "not_registered"),
        ({"driver": "SQLite3", "options": {"LoadExt": "/tmp/evil.so"}}, "bad_odbc_option"),
        ({"driver": "SQLite3", "options": {"TraceFile": "/etc/x"}}, "bad_odbc_option"),
        ({"driver": "SQLite3", "options": {"Driver": "x"}}, "bad_odbc_option"),
        ({"driver": "MariaDB Unicode", "options": {"PLUGIN_DIR": "/tmp"}}, "bad_odbc_option"),
        ({"driver": "FreeTDS", "options": {"FILEDSN": "x"}}, "bad_odbc_option"),
        ({"driver": "FreeTDS", "options": {"TDS_Version": "7.4;Server=x"}}, "bad_odbc_value"),
        ({"driver": "SQLite3", "file": "/tmp/a};LoadExt=/tmp/x"}, "bad_odbc_value"),
        ({"driver": "SQLite3", "file": "/tmp/a;LoadExt=/tmp/x"}, "bad_odbc_value"),
        ({"driver": "SQLite3", "file": "/tmp/a", "password": "a\0b"}, "bad_odbc_value"),
        ({"driver": "FreeTDS", "server": "10.0.0.1"}, "no_port"),
        ({"driver": "FreeTDS", "encoding": "gb18030"}, "bad_encoding"),
    ],
)
def test_only_listed_keys_and_registered_names(values: dict[str, Any], code: str) -> None:
    for driver in ("SQLite3", "FreeTDS", "MariaDB Unicode"):
        odbc_drivers.need(driver)
    with pytest.raises(Config) as caught:
        odbc(**values)
    assert caught.value.code == code


@pytest.fixture
def dsn(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "odbc.ini").write_text(
        f"[OLD_PLANT]\nDriver = SQLite3\nDatabase = {path}\n"
        "[KIS_FILE]\nDriver = MDBTools\nDatabase = x.mdb\n"
    )
    monkeypatch.setenv("ODBCINI", str(tmp_path / "odbc.ini"))
    return "OLD_PLANT"


def test_a_registered_source_is_read_by_its_name(dsn: str) -> None:
    assert "KIS_FILE" not in registered().dsns
    connector = odbc(dsn=dsn)
    assert connector.address == "DSN OLD_PLANT"
    assert len(rows(connector)) == 100
    with pytest.raises(Config, match="not_registered"):
        odbc(dsn="KIS_FILE")


def test_a_registered_source_takes_no_other_place(dsn: str) -> None:
    """What a data source is registered with cannot be turned elsewhere by the settings."""
    connector = odbc(dsn=dsn, server="10.9.9.9", port=1433, file="/etc/passwd", driver="/tmp/x.so")
    assert len(rows(connector)) == 100


def test_a_secret_belongs_to_the_source_it_was_used_with(dsn: str, tmp_path: Path) -> None:
    """S11: a password entered for one data source is not sent to another."""
    connections = Connections(tmp_path)
    connections.secrets.set("old", CANARY)
    said = SourceDef.model_validate(
        {"kind": "source", "code": "old", "label": {"zh": "旧", "en": "Old"},
         "system": {"zh": "旧", "en": "Old"}, "connector": "odbc"}
    )  # fmt: skip
    connections.save({"old": {"dsn": dsn, "password": "secret:old"}})
    assert len(rows(connections.open(said))) == 100
    connections.save({"old": {"driver": "FreeTDS", "server": "10.0.0.1", "port": 1433,
                              "password": "secret:old"}})  # fmt: skip
    with pytest.raises(NeedsUser, match="secret_elsewhere"):
        connections.open(said)


def test_a_driver_with_wrong_values_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """MDBTools gives 65535 for -1."""
    monkeypatch.setattr(pyodbc, "drivers", lambda: ["MDBTools", "SQLite3"])
    monkeypatch.setattr(pyodbc, "dataSources", lambda: {"KIS": "MDBTools"})
    assert registered() == Registered({}, ("SQLite3",))


@pytest.mark.parametrize("odd", ["a;b={c", "PWD=x;UID=sa", " 空格 "])
def test_odd_values_stay_values(tmp_path: Path, odd: str) -> None:
    odbc_drivers.need("FreeTDS")
    server = TdsServer(str(fill(tmp_path / "a.db")), users={"tenon": odd})
    with serve(server):
        assert len(rows(tds(server, password=odd))) == 100


# --- what goes wrong -----------------------------------------------------------------------------


def test_a_vanished_file_is_retried_and_not_made(tmp_path: Path) -> None:
    odbc_drivers.need("SQLite3")
    error = refusal(lambda: lite(tmp_path / "gone.db"))
    assert isinstance(error, Retry)
    assert error.code == "source_unreachable"
    assert not (tmp_path / "gone.db").exists()


def test_a_file_that_is_no_database_stops(tmp_path: Path) -> None:
    odbc_drivers.need("SQLite3")
    (tmp_path / "a.db").write_bytes(b"this is no database at all" * 100)
    error = refusal(lambda: lite(tmp_path / "a.db"))
    assert isinstance(error, Stop)
    assert error.code == "source_damaged"


def test_a_database_that_shows_nothing_is_told(tmp_path: Path) -> None:
    odbc_drivers.need("SQLite3")
    sqlite3.connect(tmp_path / "a.db").close()
    connector = lite(tmp_path / "a.db")
    with pytest.raises(NeedsUser) as caught:
        connector.check()
    connector.close()
    assert caught.value.code == "source_empty"


def test_a_refused_login_stops_and_shows_no_secret(tmp_path: Path, mariadb_url: str) -> None:
    """F9, S31, over two drivers."""
    for driver in ("FreeTDS", "MariaDB Unicode"):
        odbc_drivers.need(driver)
    url = sa.make_url(mariadb_url)
    with serve(TdsServer(str(fill(tmp_path / "a.db")))) as server:
        errors = [
            refusal(lambda: tds(server, password=CANARY)),
            refusal(lambda: mariadb(url, user="nobody_here", password=CANARY)),
        ]
    assert [(e.code, e.recovery) for e in errors] == [("source_login", "needs_user")] * 2


def test_an_address_that_is_not_listed_is_refused_before_connecting(tmp_path: Path) -> None:
    """S10."""
    odbc_drivers.need("FreeTDS")
    with serve(TdsServer(str(fill(tmp_path / "a.db")))) as server:
        error = refusal(lambda: tds(server, listed=False))
        assert error.code == "egress_refused"
        assert server.logins == []


def test_a_locked_table_is_not_waited_for(tmp_path: Path) -> None:
    odbc_drivers.need("FreeTDS")
    server = TdsServer(str(fill(tmp_path / "a.db")), locked={"part list"})
    with serve(server), pytest.MonkeyPatch.context() as patch:
        module = "tenon.connect.connectors.odbc.connector"
        patch.setattr(f"{module}._READ_ONLY", (("sql server", "SET LOCK_TIMEOUT 50"),))
        error = refusal(lambda: tds(server))
    assert isinstance(error, Retry)
    assert error.code == "source_locked"

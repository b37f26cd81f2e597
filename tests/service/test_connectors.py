"""Both connectors against real systems: the conformance suite, hostile rows, clear errors."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import sqlalchemy as sa

from tenon.connect.batches import rows_of
from tenon.connect.connectors.http import HttpConnector
from tenon.connect.connectors.http import wire as http_wire
from tenon.connect.connectors.sql import SqlConnector
from tenon.connect.contract import Connector, ConnectorSettings
from tenon.connect.egress import guard
from tenon.define.models import CursorDef, Join, StreamDef
from tenon.kernel.errors import NeedsUser, Retry, Stop, TenonError
from tenon.testkit import connector as suite

STREAM = StreamDef(
    name="parts", table="Part List", columns=("code", "part name", "qty", "changed"),
    key=("code",), cursor=CursorDef(column="changed"),
)  # fmt: skip


def sql(url: str, **values: Any) -> SqlConnector:
    parsed = sa.make_url(url)
    listed = [(parsed.host, parsed.port)] if parsed.host and parsed.port else []
    settings = ConnectorSettings("legacy", {"url": url, **values}, guard("legacy", listed))
    return SqlConnector(settings, page_rows=33)


def rows(connector: Connector, stream: StreamDef, since: Any = None) -> list[dict[str, Any]]:
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
    return caught.value


def fill_sqlite(path: Path, encoding: str = "utf-8") -> str:
    with sqlite3.connect(path) as db:
        db.execute(
            'CREATE TABLE "Part List" (code CHAR(10) PRIMARY KEY, "part name" TEXT, '
            "qty DECIMAL(18,4), changed DATETIME)"
        )
        db.executemany(
            'INSERT INTO "Part List" VALUES (?, CAST(? AS TEXT), ?, ?)',
            [(c, n.encode(encoding), float(q), t.isoformat(sep=" ")) for c, n, q, t in suite.ROWS],
        )
    db.close()
    return f"sqlite:///{path}"


def fill_server(url: str) -> str:
    engine = sa.create_engine(url)
    quote = '"' if engine.dialect.name == "postgresql" else "`"
    moment = "TIMESTAMP" if engine.dialect.name == "postgresql" else "DATETIME"
    with engine.begin() as db:
        table, name = f"{quote}Part List{quote}", f"{quote}part name{quote}"
        db.exec_driver_sql(
            f"CREATE TABLE {table} (code CHAR(10) PRIMARY KEY, {name} VARCHAR(50), "
            f"qty DECIMAL(18,4), changed {moment})"
        )
        db.exec_driver_sql(f"INSERT INTO {table} VALUES (%s, %s, %s, %s)", list(suite.ROWS))
    engine.dispose()
    return url


class Api(BaseHTTPRequestHandler):
    """A REST system that pages as the contract says and misbehaves when told to."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server: Any = self.server
        server.asked.append(self.path)
        parts = urlsplit(self.path)
        if server.misbehave and (answer := server.misbehave(self)):
            self.answer(*answer)
        elif self.headers.get("Authorization") != "Bearer right":
            self.answer(401, b"{}")
        elif parts.path not in {"/api/parts", "/api/customers"}:
            self.answer(404, b"{}")
        else:
            self.page(dict(parse_qsl(parts.query)))

    def page(self, query: dict[str, str]) -> None:
        items: list[dict[str, Any]] = [
            {"code": c, "part name": n, "qty": f"{q}", "changed": f"{t.isoformat()}+08:00",
             "lines": [{"line": 1, "qty": 1.5}, {"line": 2, "qty": 2}]}
            for c, n, q, t in suite.ROWS
        ]  # fmt: skip
        items = [i for i in items if i["changed"] >= query.get("updated_since", "")]
        at = int(query.get("after", "0"))
        limit = int(query["limit"])
        more = str(at + limit) if at + limit < len(items) else None
        self.answer(200, json.dumps({"items": items[at : at + limit], "next": more}).encode())

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True
    asked: list[str]
    misbehave: Callable[[Api], tuple[Any, ...] | None] | None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def api(misbehave: Callable[[Api], tuple[Any, ...] | None] | None = None) -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Api)
    server.asked, server.misbehave = [], misbehave
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def http(server: Server, token: str = "right", listed: bool = True) -> HttpConnector:
    values = {"url": server.url, "token": token, "page_rows": 33}
    places = [("127.0.0.1", server.server_address[1])] if listed else []
    return HttpConnector(ConnectorSettings("crm", values, guard("crm", places)))


API_STREAM = STREAM.model_copy(update={"path": "/api/parts"})
ABSENT = StreamDef(name="nothing", table="no_such", path="/api/nothing", key=("code",))


@pytest.fixture(params=["sqlite", "sqlite-gbk", "mariadb", "postgresql", "http"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[suite.Subject]:
    kind = request.param
    if kind == "http":
        with api() as server:
            yield suite.Subject(lambda: http(server), API_STREAM, ABSENT)
        return
    extra: dict[str, Any] = {}
    if kind == "sqlite-gbk":
        extra["encoding"] = "gb18030"
        url = fill_sqlite(tmp_path / "gbk.db", "gb18030")
    elif kind == "sqlite":
        url = fill_sqlite(tmp_path / "legacy.db")
    else:
        name = "mariadb_url" if kind == "mariadb" else "pg_url"
        url = fill_server(request.getfixturevalue(name))
    yield suite.Subject(lambda: sql(url, **extra), STREAM, ABSENT)


@pytest.mark.parametrize("check", suite.CHECKS, ids=lambda c: c.__name__)
def test_conformance(subject: suite.Subject, check: Callable[[suite.Subject], None]) -> None:
    check(subject)


def test_sqlite_cannot_be_written(tmp_path: Path) -> None:
    connector = sql(fill_sqlite(tmp_path / "a.db"))
    with (
        connector._session() as db,
        pytest.raises(sa.exc.OperationalError, match=r"readonly|query"),
    ):
        db.exec_driver_sql('DELETE FROM "Part List"')
    connector.close()


@pytest.mark.parametrize("fixture", ["mariadb_url", "pg_url"])
def test_a_server_cannot_be_written(fixture: str, request: pytest.FixtureRequest) -> None:
    connector = sql(fill_server(request.getfixturevalue(fixture)))
    with connector._session() as db, pytest.raises(sa.exc.DBAPIError, match=r"(?i)read.only"):
        db.exec_driver_sql("CREATE TABLE mine (a INT)")
    connector.close()


def test_bytes_that_are_no_text_come_as_bytes(tmp_path: Path) -> None:
    url = fill_sqlite(tmp_path / "a.db", "gb18030")
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute("""UPDATE "Part List" SET "part name" = CAST(x'B4FF' AS TEXT)
                      WHERE code = 'K007'""")
    db.close()
    found = rows(sql(url, encoding="gb18030"), STREAM)
    assert found[6]["part name"] == b"\xb4\xff"
    assert found[7]["part name"] == "零件 8"


def test_values_of_where_are_bound_in_the_source_encoding(tmp_path: Path) -> None:
    url = fill_sqlite(tmp_path / "a.db", "gb18030")
    stream = STREAM.model_copy(update={"where": {"PART NAME": ("零件 9", "' OR 1=1 --")}})
    assert [r["code"] for r in rows(sql(url, encoding="gb18030"), stream)] == ["K009"]


def test_rows_without_a_cursor_are_always_read(tmp_path: Path) -> None:
    url = fill_sqlite(tmp_path / "a.db")
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute("""INSERT INTO "Part List" VALUES ('X1', 'x', 1, NULL)""")
    db.close()
    found = rows(sql(url), STREAM, "2026-01-01 08:01:39")
    assert [r["code"] for r in found] == ["X1", "K099", "K100"]


def test_zero_dates_and_overflow_travel_as_text(mariadb_url: str) -> None:
    engine = sa.create_engine(mariadb_url)
    with engine.begin() as db:
        db.exec_driver_sql("SET SESSION sql_mode = ''")
        db.exec_driver_sql("CREATE TABLE t (id INT PRIMARY KEY, at DATETIME, big DECIMAL(65,10))")
        db.exec_driver_sql(f"INSERT INTO t VALUES (1, '0000-00-00', {'9' * 50}), (2, NULL, 1.5)")
        db.exec_driver_sql("INSERT INTO t VALUES (3, '2026-01-31 10:00:00', -1)")
    engine.dispose()
    found = rows(sql(mariadb_url), StreamDef(name="t", key=("id",)))
    assert str(found[0]["at"]).startswith("0000-00-00")
    assert Decimal(str(found[0]["big"])) == Decimal("9" * 50)
    assert found[1]["at"] is None


def test_a_join_reads_lines_whose_header_is_missing(tmp_path: Path) -> None:
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
    found = rows(sql(f"sqlite:///{tmp_path / 'k.db'}"), stream)
    assert [(r["FInterID"], r["FBillNo"]) for r in found] == [(2, None), (1, "B1"), (1, "B1")]


def test_a_joined_table_leads_to_a_further_one(tmp_path: Path) -> None:
    """A component's row → its bill of materials → the item that is made."""
    with sqlite3.connect(tmp_path / "k.db") as db:
        db.executescript("""
            CREATE TABLE Child (FInterID INT, FEntryID INT, FItemID INT);
            CREATE TABLE Bom (FInterID INT PRIMARY KEY, FItemID INT, FUse INT);
            CREATE TABLE Item (FItemID INT PRIMARY KEY, FNumber TEXT);
            INSERT INTO Child VALUES (1, 1, 8), (1, 2, 9), (2, 1, 8);
            INSERT INTO Bom VALUES (1, 7, 1072), (2, 7, 1073);
            INSERT INTO Item VALUES (7, '3.02.1'), (8, '1.01.1'), (9, '1.01.2');
        """)
    db.close()
    item = {"table": "item", "columns": ("FNumber",)}
    stream = StreamDef(
        name="child", table="child", key=("FInterID", "FEntryID"),
        join=(
            Join(table="bom", match={"FInterID": "FInterID"}, columns=("FItemID", "FUse"),
                 prefix="bom_"),
            Join(match={"bom_fitemid": "FItemID"}, prefix="parent_", **item),
            Join(match={"FItemID": "FItemID"}, **item),
        ),
        where={"bom_FUse": (1072,)},
    )  # fmt: skip
    found = rows(sql(f"sqlite:///{tmp_path / 'k.db'}"), stream)
    assert [(r["parent_FNumber"], r["FNumber"]) for r in found] == [
        ("3.02.1", "1.01.1"), ("3.02.1", "1.01.2"),
    ]  # fmt: skip


# --- what goes wrong ---------------------------------------------------------------------------


def test_a_vanished_file_is_retried(tmp_path: Path) -> None:
    error = refusal(sql(f"sqlite:///{tmp_path / 'gone.db'}"))
    assert isinstance(error, Retry)
    assert error.code == "source_unreachable"
    assert not (tmp_path / "gone.db").exists()


def test_a_locked_file_is_retried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenon.connect.connectors.sql.engines.BUSY_SECONDS", 0.1)
    url = fill_sqlite(tmp_path / "a.db")
    blocker = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    try:
        error = refusal(sql(url))
    finally:
        blocker.close()
    assert isinstance(error, Retry)
    assert error.code == "source_locked"


def test_a_file_that_is_no_database_stops(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"this is no database at all" * 100)
    assert isinstance(refusal(sql(f"sqlite:///{tmp_path / 'a.db'}")), Stop)


@pytest.mark.parametrize("fixture", ["mariadb_url", "pg_url"])
def test_a_refused_login_needs_a_person_and_shows_no_secret(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    url = sa.make_url(request.getfixturevalue(fixture)).set(username="nobody_here")
    connector = sql(url.render_as_string(hide_password=False), password="s3cret-canary")
    error = refusal(connector)
    assert isinstance(error, NeedsUser), error
    assert error.code in {"source_login", "source_denied"}
    assert "s3cret-canary" not in f"{error!r} {error.text} {error.params} {error.__cause__}"


def test_a_port_where_nobody_listens_is_retried() -> None:
    with api() as server:
        port = server.server_address[1]
    for url in (f"mysql://a@127.0.0.1:{port}/x", f"postgresql://a@127.0.0.1:{port}/x"):
        error = refusal(sql(url))
        assert (error.recovery, error.code) == ("retry", "source_unreachable")


def test_a_wrong_token_stops_at_once() -> None:
    with api() as server:
        error = refusal(http(server, token="wrong"), API_STREAM)
        assert isinstance(error, NeedsUser)
        assert error.code == "source_login"
        assert len(server.asked) == 1, "a refused login is not tried again"


def test_too_many_requests_are_waited_out() -> None:
    left = [1, 1]

    def busy(_api: Api) -> tuple[Any, ...] | None:
        return (429, b"{}", {"Retry-After": "0.05"}) if left and left.pop() else None

    with api(busy) as server:
        assert len(rows(http(server), API_STREAM)) == 100


def test_a_redirect_is_not_followed() -> None:
    elsewhere: list[str] = []

    def note(asked: Api) -> tuple[Any, ...]:
        elsewhere.append(asked.path)
        return 200, b"{}"

    with api(note) as other:
        target = {"Location": f"{other.url}/api/parts"}
        with api(lambda _a: (302, b"", target)) as server:
            error = refusal(http(server), API_STREAM)
    assert isinstance(error, NeedsUser)
    assert error.code == "source_redirects"
    assert elsewhere == []


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"<html>", "source_garbage"), (b"[]", "source_garbage"), (b'{"items": 3}', "source_garbage")],
)
def test_garbage_is_retried_and_nothing_read(body: bytes, code: str) -> None:
    with api(lambda _a: (200, body)) as server:
        error = refusal(http(server), API_STREAM)
    assert (error.recovery, error.code) == ("retry", code)


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_wire, "MAX_BYTES", 1000)
    with api() as server:
        assert refusal(http(server), API_STREAM).code == "answer_too_large"


def test_a_page_that_repeats_itself_is_noticed() -> None:
    page = json.dumps({"items": [{"code": "a", "changed": "2026-01-01"}], "next": "x"}).encode()
    stream = StreamDef(name="s", path="/api/parts", key=("code",))
    with api(lambda _a: (200, page)) as server:
        assert refusal(http(server), stream).code == "source_repeats"
        assert len(server.asked) == 2


def test_an_address_that_is_not_listed_is_refused_before_connecting() -> None:
    with api() as server:
        error = refusal(http(server, listed=False), API_STREAM)
        assert isinstance(error, NeedsUser)
        assert error.code == "egress_refused"
        assert server.asked == []


def test_a_nested_list_becomes_rows() -> None:
    stream = StreamDef(
        name="lines", path="/api/parts", explode="lines", key=("code", "lines_line"),
        columns=("code", "lines_line", "lines_qty"),
    )  # fmt: skip
    with api() as server:
        found = rows(http(server), stream)
    assert len(found) == 200
    assert found[0] == {"code": "K001", "lines_line": 1, "lines_qty": Decimal("1.5")}
    assert found[1]["lines_qty"] == Decimal(2)

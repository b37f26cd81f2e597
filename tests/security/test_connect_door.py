"""The connect wizard's doors: where it may dial (S10), whose secret goes where (S11, S29–S31)."""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy.engine import make_url

from tenon.connect import egress
from tenon.connect.trying import words_of
from tenon.kernel.errors import Retry
from tenon.kernel.text import Text
from tests.service.test_connectors import api
from tests.serving import Serving

CANARY = "Kanarie-密码 'x'/9"


@pytest.fixture
def admin(served: Serving) -> httpx.Client:
    return served.signed_in("admin")


def steps(admin: httpx.Client, connector: str, settings: dict[str, Any], **more: Any) -> list[Any]:
    body = {"connector": connector, "settings": settings, **more}
    answer = admin.post("/api/connections/try", json=body)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["steps"]
    assert [s["step"] for s in found] == ["address", "network", "login", "tables"]
    return found


def mysql(host: str, port: int = 3306, **more: Any) -> dict[str, Any]:
    plain = {"dialect": "mysql", "host": host, "port": port, "database": "x", "user": "u"}
    return plain | {"password": CANARY} | more


@contextmanager
def listener() -> Iterator[tuple[int, list[Any]]]:
    """A port that notes who knocks."""
    import socket  # noqa: PLC0415

    knocks: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        ended = threading.Event()

        def run() -> None:
            while not ended.is_set():
                try:
                    connection, address = server.accept()
                except OSError:
                    continue
                knocks.append(address)
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield server.getsockname()[1], knocks
        finally:
            ended.set()
            thread.join(5)


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "100.100.100.200", "168.63.129.16", "0.0.0.0", "224.0.0.1",
     "::ffff:169.254.169.254", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
     "fe80::1", "fd00:ec2::254"],
)  # fmt: skip
def test_no_connection_goes_to_what_only_a_machine_asks(admin: httpx.Client, host: str) -> None:
    found = steps(admin, "sql", mysql(host))
    assert [s["ok"] for s in found] == [False, None, None, None]
    assert "不允许连接" in found[0]["message"]["zh"] or "无法解析" in found[0]["message"]["zh"]
    refused = steps(admin, "http", {"url": f"http://[{host}]" if ":" in host else f"http://{host}",
                                    "paths": "/latest/meta-data"})  # fmt: skip
    assert refused[1]["ok"] is None


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1"])
def test_this_machine_in_disguise_is_refused(admin: httpx.Client, host: str) -> None:
    with listener() as (port, knocks):
        found = steps(admin, "sql", mysql(host, port))
    assert found[0]["ok"] is False
    assert knocks == []


def test_tenons_own_port_is_refused_before_anything_is_sent(
    admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress, "_own_ports", set())
    with listener() as (port, knocks):
        reached = steps(admin, "http", {"url": f"http://127.0.0.1:{port}", "paths": "/x"})
        assert reached[1]["ok"] is True
        before = len(knocks)
        egress.keep_off(port)
        for host in ("127.0.0.1", "localhost"):
            found = steps(admin, "http", {"url": f"http://{host}:{port}", "paths": "/x"})
            assert found[0]["ok"] is False
        assert len(knocks) == before


@pytest.mark.parametrize(
    "settings",
    [{"dialect": "sqlite", "file": "{home}/hub.db"}, {"dialect": "sqlite", "file": "{home}/../home/"
      "secret.key"}],
)  # fmt: skip
def test_tenons_own_files_are_no_source(
    served: Serving, admin: httpx.Client, settings: dict[str, str]
) -> None:
    home = served.tenon.home
    filled = {k: v.replace("{home}/../home", f"{home}/../{home.name}").replace("{home}", str(home))
              for k, v in settings.items()}  # fmt: skip
    answer = admin.post("/api/connections/try", json={"connector": "sql", "settings": filled})
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "own_file"


def test_a_setting_cannot_refer_to_another_sources_secret(
    served: Serving, admin: httpx.Client
) -> None:
    served.tenon.connect.connections.secrets.set("other", CANARY)
    with api() as server:
        typed = {"url": server.url, "token": "secret:other", "paths": "/api/customers"}
        found = steps(admin, "http", typed)
        assert found[2]["ok"] is False
        assert CANARY not in json.dumps(server.asked, default=str)
    answer = admin.post("/api/connections/try", json={
        "connector": "sql", "settings": mysql("10.0.0.9", user="secret:other")})  # fmt: skip
    assert answer.status_code == 422
    assert answer.json()["error"]["params"]["setting"] == "user"


def add(admin: httpx.Client, code: str, url: str, token: str) -> None:
    answer = admin.post("/api/sources", json={
        "label": {"zh": "客户系统"}, "code": code, "connector": "http",
        "settings": {"url": url, "token": token, "paths": "/api/customers"},
    })  # fmt: skip
    assert answer.status_code == 201, answer.text


def test_a_kept_secret_goes_to_its_own_address_and_to_no_other(admin: httpx.Client) -> None:
    with api() as one, api() as other:
        add(admin, "bound", one.url, "right")
        kept = {"url": one.url, "paths": "/api/customers"}
        assert [s["ok"] for s in steps(admin, "http", kept, source="bound")][:3] == [True] * 3
        moved = kept | {"url": other.url}
        for method, path, body in (
            ("POST", "/api/connections/try", {"connector": "http", "source": "bound"}),
            ("PUT", "/api/sources/bound/connection", {}),
        ):
            answer = admin.request(method, path, json={**body, "settings": moved})
            assert answer.status_code == 422
            assert answer.json()["error"]["code"] == "secret_again"
            assert answer.json()["error"]["params"]["setting"] == "token"
        assert other.asked == []
        anew = moved | {"token": "right"}  # somebody who knows it enters it again
        assert admin.put("/api/sources/bound/connection",
                         json={"settings": anew}).status_code == 200  # fmt: skip
        assert [s["ok"] for s in steps(admin, "http", moved, source="bound")][:3] == [True] * 3
        assert other.asked


def test_a_secret_is_bound_before_it_was_ever_used(admin: httpx.Client) -> None:
    with api() as other:
        add(admin, "unused", "http://10.255.255.1:9", "right")
        moved = {"url": other.url, "paths": "/api/customers"}
        body = {"connector": "http", "source": "unused", "settings": moved}
        assert admin.post("/api/connections/try", json=body).status_code == 422
        assert other.asked == []


def test_a_secret_never_comes_back(
    served: Serving, admin: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Every answer of the wizard, every file of the home, every log line (S29, S30)."""
    said: list[str] = []

    def note(answer: httpx.Response) -> httpx.Response:
        said.append(answer.text)
        return answer

    with caplog.at_level(logging.DEBUG, logger="tenon"):
        with api() as server:
            settings = {"url": server.url, "token": CANARY, "paths": "/api/customers"}
            note(admin.post("/api/connections/try",
                            json={"connector": "http", "settings": settings}))  # fmt: skip
            add(admin, "canary", server.url, CANARY)
            note(admin.get("/api/sources"))
            shown = note(admin.get("/api/sources/canary/connection")).json()
            assert shown["settings"] == {
                "url": server.url, "paths": "/api/customers", "token": {"set": True},
            }  # fmt: skip
            back = admin.put("/api/sources/canary/connection", json={"settings": shown["settings"]})
            assert note(back).status_code == 200
            note(admin.post("/api/sources/canary/check"))
            note(admin.get("/api/sources/canary/tables"))
            note(admin.get("/api/sources/canary/tables//api/customers/rows"))
        note(admin.get("/api/sources/canary/tables?q=x"))
        note(admin.post("/api/connections/try",
                        json={"connector": "sql", "settings": mysql("127.0.0.1", 1)}))  # fmt: skip
    home = served.tenon.home
    files = b"".join(p.read_bytes() for p in home.rglob("*") if p.is_file())
    everything = "\n".join([*said, caplog.text]).encode() + files
    for form in _forms(CANARY):
        assert form not in everything, form


def _forms(secret: str) -> list[bytes]:
    raw = secret.encode()
    return [raw, base64.b64encode(raw), quote(secret, safe="").encode(), raw.hex().encode(),
            json.dumps(secret)[1:-1].encode()]  # fmt: skip


def test_a_drivers_words_are_told_without_the_secret_in_them() -> None:
    """Whatever a driver quotes: the password alone, encoded, in a URL or in a pair (S31)."""
    driver = OSError(
        f"could not open mysql://u:{quote(CANARY)}@10.0.0.8/x PWD={CANARY};Server=10.0.0.8 "
        f"token: {CANARY} and postgresql://a:other-one@db/x password=unknown-to-us"
    )
    error = Retry("source_error", Text("错误", "error"))
    error.__context__ = driver
    told = words_of(error, [CANARY]) or ""
    assert "10.0.0.8" in told
    for form in (CANARY, quote(CANARY), "other-one", "unknown-to-us"):
        assert form not in told


@pytest.mark.mariadb
def test_each_step_of_a_real_server_says_what_is_wrong(
    admin: httpx.Client, mariadb_url: str
) -> None:
    url = make_url(mariadb_url)
    right = {"dialect": "mysql", "host": url.host, "port": url.port or 3306,
             "database": url.database, "user": url.username or "root",
             "password": url.password or ""}  # fmt: skip
    found = steps(admin, "sql", right)
    assert [s["ok"] for s in found] == [True, True, True, False]  # it has no tables yet
    assert "看不到任何表" in found[3]["message"]["zh"]
    wrong = steps(admin, "sql", {**right, "user": "nobody_here", "password": "wrong-one-9"})
    assert [s["ok"] for s in wrong] == [True, True, False, None]
    assert "1045" in wrong[2]["detail"] or "1698" in wrong[2]["detail"]
    assert "wrong-one-9" not in json.dumps(wrong)
    absent = steps(admin, "sql", {**right, "database": "no_such_database"})
    assert "no_such_database" in absent[2]["detail"]
    assert "没有这个数据库" in absent[2]["message"]["zh"]
    silent = steps(admin, "sql", {**right, "port": 1})
    assert [s["ok"] for s in silent] == [True, False, None, None]
    assert "ConnectionRefusedError" in silent[1]["detail"]


@pytest.mark.parametrize(
    ("connector", "settings", "setting"),
    [
        ("sql", {"dialect": "mysql", "host": "db"}, "database"),
        ("sql", {"dialect": "db2", "host": "db", "database": "x"}, "dialect"),
        ("sql", {"dialect": "sqlite"}, "file"),
        ("sql", {**mysql("db"), "port": 70000}, "port"),
        ("sql", {**mysql("db"), "port": "3306; DROP"}, "port"),
        ("sql", {**mysql("a" * 600)}, "host"),
        ("sql", {**mysql("db\nx")}, "host"),
        ("http", {"url": "http://crm", "paths": "api"}, "paths"),
        ("http", {"url": "http://crm"}, "paths"),
        ("files", {"place": "ftp", "folder": "/x"}, "host"),
        ("odbc", {}, "dsn"),
    ],
)
def test_a_wrong_setting_is_named(
    admin: httpx.Client, connector: str, settings: dict[str, Any], setting: str
) -> None:
    for path, more in (("/api/connections/try", {}), ("/api/sources", {"label": {"zh": "坏"}})):
        answer = admin.post(path, json={"connector": connector, "settings": settings, **more})
        assert answer.status_code == 422, answer.text
        assert answer.json()["error"]["params"]["setting"] == setting
    assert not [s for s in admin.get("/api/sources").json() if s["label"]["zh"] == "坏"]


def test_what_goes_back_and_forth_stays_the_same(tmp_path: Path, admin: httpx.Client) -> None:
    """A connection is shown as it was entered, whatever kind it is."""
    entered: dict[str, dict[str, Any]] = {
        "sql": {"dialect": "mssql", "host": "10.0.0.7", "port": 1433, "database": "AIS2026",
                "user": "只读@dom/ain", "encoding": "gb18030", "encryption": "off"},
        "files": {"place": "ftp", "host": "10.0.0.8", "port": 2121, "folder": "/导出/日报",
                  "user": "ftp", "done": ".ok"},
        "http": {"url": "http://10.0.0.9:8601", "paths": "/api/a, /api/b"},
    }  # fmt: skip
    for kind, settings in entered.items():
        made = admin.post("/api/sources", json={
            "label": {"zh": f"来回 {kind}"}, "connector": kind, "settings": settings})  # fmt: skip
        assert made.status_code == 201, made.text
        code = made.json()["code"]
        shown = admin.get(f"/api/sources/{code}/connection").json()["settings"]
        assert shown == settings
        assert (made.json()["package"], made.json()["connected"]) == ("own", True)
    local = {"place": "folder", "folder": str(tmp_path)}
    assert all(s["ok"] is not False for s in steps(admin, "files", local)[:3])

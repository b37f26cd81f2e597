"""Odd requests get their plain answer: paths, headers, bodies, sizes (S3, S17, S24, S32)."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tenon.records.ports import Actor
from tenon.server.app import routes
from tests.serving import Serving, serving, sign_in

INDEX = '<!doctype html><style nonce="__CSP_NONCE__"></style><div id="root"></div>'
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("static")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text(INDEX, "utf-8")
    (folder / "assets" / "app-1.js").write_text("1", "utf-8")
    (folder / ".digest").write_text("private", "utf-8")
    (folder.parent / "outside.txt").write_text("private", "utf-8")
    (folder / "link.txt").symlink_to(folder.parent / "outside.txt")
    with serving(tmp_path_factory.mktemp("home"), static=folder) as found:
        yield found


def raw(served: Serving, method: str, target: str) -> tuple[int, str]:
    """Send a path exactly as written, as no browser would."""
    place = urlsplit(served.url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
    try:
        connection.request(method, target)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "target",
    [
        "//api/users", "/api//users", "/api/%2e%2e/api/users", "/api/./users", "/API/users",
        "/api;x/users", "/api/users;x", "/api/users/", "/api/users/configs", "/%61pi/nothing",
        "/x/../api/users", "/api/users%00", "/api%2fusers", "/api\\users",
    ],
)  # fmt: skip
def test_no_spelling_of_a_path_opens_it(built: Serving, target: str) -> None:
    status, body = raw(built, "GET", target)
    assert status in {401, 404, 405}, body
    assert "username" not in body
    assert '"error"' in body


def test_a_method_override_header_changes_nothing(built: Serving) -> None:
    for header in ("X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL"):
        answer = built.client().get("/api/settings", headers={header: "DELETE"})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "/../outside.txt", "/assets/../../outside.txt", "/%2e%2e/outside.txt",
        "/..%2foutside.txt", "/assets/%2e%2e/%2e%2e/outside.txt", "/link.txt", "/.digest",
        "//outside.txt", "/assets/..\\..\\outside.txt", "/%00.txt", "/etc/passwd.txt",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_pages(built: Serving, target: str) -> None:
    status, body = raw(built, "GET", target)
    assert "private" not in body
    assert status == 404


def test_every_other_address_is_the_app(built: Serving) -> None:
    for path in ("/", "/orders", "/orders/0190-abc", "/sources/wms/runs"):
        answer = built.client().get(path)
        assert answer.status_code == 200
        assert "root" in answer.text
        assert answer.headers["cache-control"] == "no-store"
    asset = built.client().get("/assets/app-1.js")
    assert "immutable" in asset.headers["cache-control"]


def test_each_page_has_its_own_nonce_and_no_inline_permission(built: Serving) -> None:
    first, second = (built.client().get("/") for _ in range(2))
    policies = [a.headers["content-security-policy"] for a in (first, second)]
    assert policies[0] != policies[1]
    for answer, policy in zip((first, second), policies, strict=True):
        assert "unsafe-inline" not in policy
        assert "unsafe-eval" not in policy
        nonce = answer.text.split('nonce="')[1].split('"')[0]
        assert f"'nonce-{nonce}'" in policy


def test_pages_that_are_not_built_say_so(tmp_path: Path) -> None:
    with serving(tmp_path / "home", static=tmp_path / "nothing") as found:
        answer = found.client().get("/orders")
    assert answer.status_code == 503
    assert "start.py" in answer.text
    assert "尚未构建" in answer.text


def test_every_answer_carries_the_security_headers(built: Serving) -> None:
    client = built.client()
    answers = [client.get(r.path.replace("{", "").replace("}", "")) for r in routes()]
    answers += [
        client.get("/"), client.get("/assets/app-1.js"), client.get("/nothing.js"),
        client.get("/api/nothing"), client.put("/api/users"),
        client.post("/api/session", content=b"x" * 1_100_000),
    ]  # fmt: skip
    for answer in answers:
        assert SECURITY_HEADERS.items() <= dict(answer.headers).items()
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-request-id"]
        assert "server" not in answer.headers
        if answer.url.path.startswith("/api"):
            assert answer.headers["cache-control"] == "no-store"


NEW_USER = {"username": "mallory", "display_name": "M", "role": "worker"}


@pytest.mark.parametrize(
    "field", ["id", "password_hash", "active", "must_change_password", "created_at", "password"]
)
def test_no_field_can_be_set_that_is_not_offered(built: Serving, field: str) -> None:
    admin = built.signed_in("admin")
    answer = admin.post("/api/users", json=NEW_USER | {field: "x"})
    assert answer.status_code == 422
    assert field in answer.json()["error"]["message"]["en"]
    assert all(u["username"] != "mallory" for u in admin.get("/api/users").json())


def test_unknown_filters_are_refused_not_ignored(built: Serving) -> None:
    answer = built.signed_in("sales").get("/api/orders", params={"stagee": "shipped"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/session", None, 401),
        ("GET", "/api/nothing", None, 404),
        ("PUT", "/api/session", None, 405),
        ("POST", "/api/session", b"{", 422),
        ("POST", "/api/session", b"[]", 422),
        ("POST", "/api/session", b'{"username": 1, "password": null}', 422),
        ("POST", "/api/session", b"\xff\xfe", 422),
        ("POST", "/api/session", b'{"username": "' + b"x" * 1_000_001 + b'"}', 413),
        ("POST", "/api/session", b'{"username": "x", "password": "secret-guess"}', 401),
        ("POST", "/api/session", b'{"username": "\\u0000\\ud800", "password": "x"}', 422),
    ],
)
def test_every_error_has_the_one_shape(
    built: Serving, method: str, path: str, body: bytes | None, status: int
) -> None:
    headers = {"content-type": "application/json"} if body else {}
    answer = built.client().request(method, path, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "params", "request_id"}
    assert error["message"]["zh"]
    assert error["message"]["en"]
    assert error["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    assert "secret-guess" not in answer.text


def test_a_body_that_does_not_say_its_length_is_limited_too(built: Serving) -> None:
    chunks = (b"x" * 100_000 for _ in range(20))
    answer = built.client().post(
        "/api/session", content=chunks, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413


def test_what_nobody_foresaw_is_a_number_not_a_trace(
    built: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr("tenon.factory.lookup.search", broken)
    answer = built.signed_in("sales").get("/api/orders/search", params={"q": "x"})
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert answer.headers["x-request-id"] in answer.json()["error"]["message"]["zh"]
    assert "secret inside" not in answer.text


HOSTILE = [
    "' OR 1=1 --", '"; DROP TABLE e_sales_order; --', "%", "_", "\\", "%%%%", "a'||'b", "\x00",
    "1) UNION SELECT password_hash FROM user_account --", "{{7*7}}", "${x}", "<script>", "\ud7ff",
    "👩‍🏭", "ＳＯ－２５１１", "x" * 200, "𠮷" * 100, "*" * 50, "{field}", "\r\nX-Injected: 1",
]  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_anything_may_be_typed_into_the_search_box(fresh: Serving, query: str) -> None:
    sales = fresh.signed_in("sales")
    for path in ("/api/orders/search?q=", "/api/orders?customer=", "/api/orders/by-number/"):
        answer = sales.get(path + quote(query, safe=""))
        assert answer.status_code in {200, 404, 422}, answer.text
        assert "x-injected" not in answer.headers
    assert sign_in(fresh.client(), query[:100], query).status_code in {401, 422}
    assert sales.get("/api/orders").status_code == 200


def test_the_contract_names_nothing_of_this_installation(built: Serving) -> None:
    text = json.dumps(built.client().get("/api/openapi.json").json(), ensure_ascii=False)
    for name in ("sales_order", "work_centre_code", "操作工", built.tenon.settings.plant.zh):
        assert name not in text


def test_a_worker_sees_neither_customers_nor_prices(built: Serving) -> None:
    policy, actor = built.tenon.policy, _actor("worker")
    assert {"customer", "customer_po"} <= policy.check_read(actor, "sales_order")
    assert "price" in policy.check_read(actor, "order_line")
    customer = {f.code for f in built.tenon.catalogue.entity("customer").fields}
    assert policy.check_read(actor, "customer") == customer


def _actor(role: str) -> Actor:
    return Actor("x", "x", role)


def test_answers_are_compressed_for_who_asks(built: Serving) -> None:
    answer = built.client().get("/api/openapi.json", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert isinstance(answer, httpx.Response)
    assert answer.json()["info"]["title"] == "Tenon"

"""Ways of signing in: each as its system wants it, none of them shown to anybody."""

from __future__ import annotations

import base64
import json
import logging
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from tenon.connect.connectors.http import auth as http_auth
from tenon.connect.settings import Connections
from tenon.define.models import HttpDef, Label, SourceDef, StreamDef
from tenon.kernel.errors import Config, NeedsUser, Retry, TenonError
from tests.service.http_server import Asked, OddServer, Plan, Reply, read, serving

ONE = StreamDef(name="parts", path="/parts", key=("code",), http=HttpDef(pages="none"))
LABEL = Label(zh="客户", en="CRM")
CRM = SourceDef(code="crm", label=LABEL, system=LABEL, connector="http")
GOOD = Reply({"items": [{"code": "a"}]})
CANARY = "canary-7f3a"


def signed(**values: Any) -> Asked:
    """What a system is asked by a connection with these settings."""
    with serving(lambda _asked: GOOD) as server:
        assert server.rows(ONE, **values) == [{"code": "a"}]
        (asked,) = server.asked
    return asked


def test_a_token() -> None:
    assert signed(token=CANARY).headers["Authorization"] == f"Bearer {CANARY}"


def test_a_name_and_password() -> None:
    basic = base64.b64encode("张三:pa:ss".encode()).decode()
    assert signed(user="张三", password="pa:ss").headers["Authorization"] == f"Basic {basic}"
    alone = base64.b64encode(b"key:").decode()
    assert signed(user="key").headers["Authorization"] == f"Basic {alone}"


def test_a_key_in_a_header() -> None:
    assert signed(api_key=CANARY).headers["X-API-Key"] == CANARY
    asked = signed(api_key=CANARY, api_key_header="App_Key")
    assert asked.headers["App_Key"] == CANARY
    assert "Authorization" not in asked.headers


def test_a_key_in_a_parameter_that_the_next_page_cannot_change() -> None:
    def plan(asked: Asked) -> Reply:
        more = None if "page" in asked.query else "/parts?page=2&key=other"
        return Reply({"items": [{"code": asked.query.get("page", "1")}], "next": more})

    paged = ONE.model_copy(update={"http": HttpDef(pages="url")})
    with serving(plan) as server:
        server.rows(paged, api_key="a&b=c", api_key_param="key")
        assert [asked.query["key"] for asked in server.asked] == ["a&b=c", "a&b=c"]


WRONG: list[dict[str, Any]] = [
    {"token": "a", "api_key": "b"},
    {"token": "a\r\nX-Evil: 1"},
    {"token": "密钥"},
    {"token": ""},
    {"token": ["a"]},
    {"user": "a\x00", "password": "b"},
    {"api_key": "a", "api_key_header": "X Key"},
    {"api_key": "a", "api_key_header": "X-Key\r\nX-Evil"},
    {"client_id": "a", "client_secret": "b", "token_url": "http://127.0.0.1/t", "token_auth": "no"},
    {"client_id": "a", "client_secret": "", "token_url": "http://127.0.0.1/t"},
    {"per_second": 0},
    {"per_second": "fast"},
    {"answer_seconds": float("nan")},
    {"page_rows": -1},
    {"encoding": "ebcdic-none"},
    {"ca_file": "/no/such/file.pem"},
]


@pytest.mark.parametrize("values", WRONG, ids=" ".join)
def test_settings_that_cannot_be_are_named_and_not_shown(values: dict[str, Any]) -> None:
    with serving(lambda _asked: GOOD) as server:
        error = server.refusal(ONE, **values)
        assert isinstance(error, Config)
        assert server.asked == []
    shown = error.text.zh + error.text.en + repr(error)
    assert "Evil" not in shown
    assert any(name in shown for name in values)


# --- OAuth 2 -------------------------------------------------------------------------------------


class Tokens:
    """A token service; `ours` are the tokens that the system accepts."""

    def __init__(self, **more: Any) -> None:
        self.given = 0
        self.more = {"token_type": "Bearer", "expires_in": 3600} | more
        self.good = True

    def __call__(self, _asked: Asked) -> Reply:
        self.given += 1
        return Reply({"access_token": f"{CANARY}-{self.given}"} | self.more)

    def system(self, asked: Asked) -> Reply:
        fresh = asked.headers.get("Authorization") == f"Bearer {CANARY}-{self.given}"
        return GOOD if fresh and self.good else Reply({}, status=401)


def client(tokens: OddServer, **more: Any) -> dict[str, Any]:
    return {
        "client_id": "tenon", "client_secret": CANARY, "token_url": f"{tokens.url}/token",
        "listed": [tokens.port],
    } | more  # fmt: skip


def test_a_token_is_fetched_once_and_kept_over_connections() -> None:
    tokens = Tokens()
    with serving(tokens) as service, serving(tokens.system) as server:
        for _ in range(3):
            assert server.rows(ONE, **client(service, scope="read all")) == [{"code": "a"}]
        assert len(server.asked) == 3
        (asked,) = service.asked
    assert (asked.method, asked.path) == ("POST", "/token")
    assert parse_qs(asked.body) == {"grant_type": ["client_credentials"], "scope": ["read all"]}
    basic = base64.b64encode(f"tenon:{CANARY}".encode()).decode()
    assert asked.headers["Authorization"] == f"Basic {basic}"


def test_the_client_may_say_its_secret_in_the_form() -> None:
    tokens = Tokens()
    with serving(tokens) as service, serving(tokens.system) as server:
        server.rows(ONE, **client(service, token_auth="body"))
        (asked,) = service.asked
    assert parse_qs(asked.body)["client_secret"] == [CANARY]
    assert "Authorization" not in asked.headers


@pytest.mark.parametrize(
    ("seconds", "given"), [(3600, 1), (30, 2), (0, 3), (-5, 3), ("NaN", 3), (1e400, 1), (None, 1)]
)
def test_a_token_is_renewed_before_it_ends(
    seconds: Any, given: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("tenon.connect.connectors.http.auth.clock.monotonic", lambda: now[0])
    tokens = Tokens(expires_in=seconds)
    with serving(tokens) as service, serving(tokens.system) as server:
        for later in (0, 20, 8):  # 28 seconds after the first: a tenth of 30 is left over
            now[0] += later
            server.rows(ONE, **client(service, answer_seconds=3600))
    assert tokens.given == given
    assert [a.headers["Authorization"][-1] for a in server.asked][-1] == str(given)


def test_a_token_that_is_refused_is_renewed_once() -> None:
    tokens = Tokens()
    with serving(tokens) as service, serving(tokens.system) as server:
        server.rows(ONE, **client(service))
        tokens.given += 1  # the system has forgotten the first
        assert server.rows(ONE, **client(service)) == [{"code": "a"}]
        assert tokens.given == 3
        tokens.good = False
        before = len(server.asked)
        error = server.refusal(ONE, **client(service))
        assert (error.code, type(error)) == ("source_login", NeedsUser)
        assert len(server.asked) - before == 2, "once more, and no more"


def test_the_token_service_must_be_listed_too() -> None:
    tokens = Tokens()
    with serving(tokens) as service, serving(tokens.system) as server:
        error = server.refusal(ONE, **client(service, listed=[]))
        assert error.code == "egress_refused"
        assert service.asked == server.asked == []


BAD: dict[str, tuple[Plan, type[TenonError], str]] = {
    "refused": (lambda _a: Reply({"error": "x"}, status=401), NeedsUser, "source_login"),
    "bad request": (lambda _a: Reply({"error": CANARY}, status=400), NeedsUser, "source_login"),
    "redirected": (
        lambda _a: Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}),
        NeedsUser, "source_login",
    ),
    "broken": (lambda _a: Reply(status=500), Retry, "token_service"),
    "html": (lambda _a: Reply(b"<html>"), Retry, "token_service"),
    "a list": (lambda _a: Reply([]), Retry, "token_service"),
    "no token": (lambda _a: Reply({"token_type": "bearer"}), Retry, "token_service"),
    "a number": (lambda _a: Reply({"access_token": 5}), Retry, "token_service"),
    "two lines": (lambda _a: Reply({"access_token": "a\r\nX: y"}), Retry, "token_service"),
    "another kind": (
        lambda _a: Reply({"access_token": "a", "token_type": "mac"}), Retry, "token_service"),
    "huge": (lambda _a: Reply({"access_token": "a" * 20_000}), Retry, "token_service"),
    "deep": (lambda _a: Reply(b"[" * 60_000), Retry, "token_service"),
    "cut": (lambda _a: Reply(raw=[b"HTTP/1.1 200 OK\r\n"]), Retry, "token_service"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_token_service_that_misbehaves(what: str) -> None:
    plan, kind, code = BAD[what]
    with serving(plan) as service, serving(lambda _asked: GOOD) as server:
        error = server.refusal(ONE, **client(service))
        assert (type(error), error.code) == (kind, code)
        assert server.asked == [], "nothing is asked without a token"
        assert str(service.port) in error.text.zh
    assert CANARY not in f"{error!r}{error.text}{error.params}{error.__cause__}"


# --- nothing is shown ----------------------------------------------------------------------------

STYLES: list[dict[str, Any]] = [
    {"token": CANARY},
    {"api_key": CANARY},
    {"api_key": CANARY, "api_key_param": "key"},
    {"user": "u", "password": CANARY},
]


@pytest.mark.parametrize("values", STYLES, ids=" ".join)
@pytest.mark.parametrize(
    "reply",
    [
        Reply({}, status=401), Reply(status=302, headers={"Location": "/x"}), Reply(status=500),
        Reply(status=404), Reply(b"<html>"), Reply(raw=[b"HTTP/1.1 200"]), GOOD,
    ],
    ids=["401", "302", "500", "404", "html", "cut", "good"],
)  # fmt: skip
def test_no_error_and_no_log_shows_what_lets_us_in(
    reply: Reply, values: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = ""
    with serving(lambda _asked: reply) as server:
        connector = server.connector(**values)
        shown += f"{connector.address}{vars(connector)}{vars(connector._client)}"
        try:
            read(connector, ONE)
        except TenonError as error:
            shown += f"{error!r}{error.text}{error.params}{error.__cause__}{error.__context__!r}"
        connector.close()
    secrets = {CANARY, base64.b64encode(f"u:{CANARY}".encode()).decode()}
    for secret in secrets:
        assert secret not in shown
        assert secret not in caplog.text


def test_the_clients_secret_belongs_to_the_token_service(tmp_path: Path) -> None:
    """S11: it is bound to the service's host, and not sent to another one."""
    http_auth._tokens.cache_clear()
    connections = Connections(tmp_path)
    connections.secrets.set("crm-client", CANARY)
    tokens = Tokens()
    with serving(tokens) as service, serving(tokens.system) as server, serving(tokens) as other:
        values = {"url": server.url, "client_id": "t", "client_secret": "secret:crm-client"}
        connections.save({"crm": values | {"token_url": service.url}})
        connector = connections.open(CRM)
        connector.check()
        connector.close()
        places = json.loads((tmp_path / "secret-places.json").read_text("utf-8"))
        assert places["crm-client"]["place"] == f"127.0.0.1:{service.port}"
        connections.save({"crm": values | {"token_url": other.url}})
        with pytest.raises(NeedsUser, match="secret_elsewhere"):
            connections.open(CRM)
        assert other.asked == []

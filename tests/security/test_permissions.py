"""Every route × every role, against the table that people review (S14)."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import yaml
from fastapi.routing import APIRoute

from tenon.access import sessions
from tenon.kernel.errors import Bug
from tenon.server.app import routes
from tenon.server.guard import GuardedRoute, guard_of, public, requires, router
from tests.serving import ROLES, Serving

ANONYMOUS = "anonymous"
TABLE: dict[str, list[str]] = yaml.safe_load(
    Path(__file__).with_name("permissions.yaml").read_text("utf-8")
)
NO_SUCH_ID = "00000000-0000-7000-8000-000000000000"


def name(route: APIRoute) -> str:
    assert route.methods is not None
    (method,) = route.methods
    return f"{method} {route.path}"


def test_the_table_names_every_route_and_no_other() -> None:
    assert sorted(TABLE) == sorted(name(r) for r in routes())


def test_the_table_names_only_known_roles() -> None:
    assert {who for allowed in TABLE.values() for who in allowed} <= {ANONYMOUS, *ROLES}


@pytest.mark.parametrize("route", routes(), ids=name)
def test_route_lets_in_whom_the_table_names(served: Serving, route: APIRoute) -> None:
    method, _, path = name(route).partition(" ")
    for parameter in route.param_convertors:
        path = path.replace("{" + parameter + "}", NO_SUCH_ID)
        path = path.replace("{" + parameter + ":path}", NO_SUCH_ID)
    let_in = []
    for who in (ANONYMOUS, *ROLES):
        with served.client() as client:
            if who != ANONYMOUS:
                begin(served, client, who)
            body: dict[str, str] | None = {} if method in {"POST", "PUT", "PATCH"} else None
            with client.stream(method, path, json=body) as answer:
                if "event-stream" not in answer.headers["content-type"]:  # it would not end
                    answer.read()
        assert answer.status_code < 500, f"{who}: {answer.status_code}"
        if answer.status_code not in {401, 403}:
            let_in.append(who)
        else:
            assert answer.status_code == (401 if who == ANONYMOUS else 403)
            assert set(answer.json()["error"]) == {"code", "message", "params", "request_id"}
    assert sorted(let_in) == sorted(TABLE[name(route)])


def begin(served: Serving, client: httpx.Client, role: str) -> None:
    """Start a session without the sign-in, which would be throttled."""
    tenon = served.tenon
    with tenon.hub.write() as tx:
        user_id = tx.exec_driver_sql(
            "SELECT id FROM user_account WHERE username = ?", (role,)
        ).scalar_one()
        token = sessions.start(tx, user_id)
    client.cookies.set("tenon_session", token)
    client.headers["x-csrf-token"] = sessions.csrf_token(token)


def test_a_route_without_a_guard_cannot_be_made() -> None:
    forgetful = router("test")
    with pytest.raises(Bug, match="must declare exactly one guard"):
        forgetful.get("/forgotten")(lambda: None)


def test_a_route_with_two_guards_cannot_be_made() -> None:
    muddled = router("test")
    with pytest.raises(Bug, match="it has 2"):
        muddled.get("/muddled", dependencies=[public, requires("users.manage")])(lambda: None)


def test_a_capability_must_be_known() -> None:
    with pytest.raises(ValueError, match="unknown capability"):
        requires("users.manege")


def test_every_route_is_guarded() -> None:
    assert all(isinstance(r, GuardedRoute) and guard_of(r).name for r in routes())

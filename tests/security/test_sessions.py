"""Sessions end when they must, at once (S19)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from tenon.access import accounts, passwords, sessions
from tenon.access.tables import session, user_account
from tenon.kernel import clock
from tests.serving import Serving, serving, sign_in

NEW = "a far better password"


def alive(client: httpx.Client) -> bool:
    return client.get("/api/session").status_code == 200


def user_id(fresh: Serving, username: str) -> str:
    with fresh.tenon.hub.read() as connection:
        found: str = accounts.by_name(connection, username).id
    return found


def test_signing_in_gives_a_new_session_and_ends_the_old_one(fresh: Serving) -> None:
    client = fresh.signed_in("worker")
    before = client.cookies["tenon_session"]
    assert sign_in(client, "worker", fresh.passwords["worker"]).status_code == 200
    assert client.cookies["tenon_session"] != before
    old = fresh.client()
    old.cookies.set("tenon_session", before)
    assert not alive(old)


def test_a_session_the_client_chose_is_never_taken_up(fresh: Serving) -> None:
    client = fresh.client()
    client.cookies.set("tenon_session", "chosen-by-an-attacker")
    answer = sign_in(client, "worker", fresh.passwords["worker"])
    assert "chosen-by-an-attacker" not in answer.headers["set-cookie"]


def test_signing_out_ends_the_session_on_the_server(fresh: Serving) -> None:
    client, other = fresh.signed_in("worker"), fresh.signed_in("worker")
    token = client.cookies["tenon_session"]
    assert client.delete("/api/session").status_code == 204
    client.cookies.set("tenon_session", token)
    assert not alive(client)
    assert alive(other)


def test_a_new_password_ends_every_other_session(fresh: Serving) -> None:
    client, other = fresh.signed_in("worker"), fresh.signed_in("worker")
    body = {"old": fresh.passwords["worker"], "new": NEW}
    assert client.post("/api/session/password", json=body).status_code == 200
    assert alive(client)
    assert not alive(other)
    assert sign_in(fresh.client(), "worker", fresh.passwords["worker"]).status_code == 401
    assert sign_in(fresh.client(), "worker", NEW).status_code == 200


@pytest.mark.parametrize(
    "change", [{"active": False}, {"role": "sales"}, {"reset_password": True}], ids=str
)
def test_an_administrators_change_ends_the_sessions(
    fresh: Serving, change: dict[str, object]
) -> None:
    worker, admin = fresh.signed_in("worker"), fresh.signed_in("admin")
    answer = admin.patch(f"/api/users/{user_id(fresh, 'worker')}", json=change)
    assert answer.status_code == 200, answer.text
    assert not alive(worker)
    assert alive(admin)


def test_a_new_name_to_show_ends_no_session(fresh: Serving) -> None:
    worker, admin = fresh.signed_in("worker"), fresh.signed_in("admin")
    path = f"/api/users/{user_id(fresh, 'worker')}"
    assert admin.patch(path, json={"display_name": "王工"}).json()["user"]["display_name"] == "王工"
    assert alive(worker)


def test_a_suspended_account_cannot_sign_in(fresh: Serving) -> None:
    admin = fresh.signed_in("admin")
    admin.patch(f"/api/users/{user_id(fresh, 'worker')}", json={"active": False})
    suspended = sign_in(fresh.client(), "worker", fresh.passwords["worker"])
    wrong = sign_in(fresh.client(), "nobody", fresh.passwords["worker"])
    assert suspended.status_code == wrong.status_code == 401
    assert suspended.json()["error"]["message"] == wrong.json()["error"]["message"]


@pytest.mark.parametrize("change", [{"active": False}, {"role": "sales"}], ids=str)
def test_the_last_administrator_stays(fresh: Serving, change: dict[str, object]) -> None:
    admin = fresh.signed_in("admin")
    answer = admin.patch(f"/api/users/{user_id(fresh, 'admin')}", json=change)
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "last_admin"
    assert alive(admin)


def test_a_first_password_must_be_changed_before_anything_else(fresh: Serving) -> None:
    admin = fresh.signed_in("admin")
    made = admin.post(
        "/api/users", json={"username": "li", "display_name": "李工", "role": "planner"}
    ).json()
    client = fresh.signed_in("li", made["password"])
    assert client.get("/api/session").json()["must_change_password"]
    refused = client.get("/api/orders")
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "must_change_password"
    body = {"old": made["password"], "new": NEW}
    answer = client.post("/api/session/password", json=body).json()
    assert not answer["must_change_password"]
    assert client.get("/api/orders").status_code == 200


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("9 letter!", "password_too_short"),
        ("password123", "password_too_common"),
        ("aaaaaaaaaaaa", "password_too_common"),
        ("Worker-2026-x", "password_is_name"),
    ],
)
def test_weak_passwords_are_refused(fresh: Serving, new: str, code: str) -> None:
    client = fresh.signed_in("worker")
    body = {"old": fresh.passwords["worker"], "new": new}
    answer = client.post("/api/session/password", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == code
    assert new not in answer.text


def test_the_old_password_is_asked_for(fresh: Serving) -> None:
    client = fresh.signed_in("worker")
    answer = client.post("/api/session/password", json={"old": "not it", "new": NEW})
    assert answer.json()["error"]["code"] == "old_password_wrong"


@pytest.mark.parametrize(
    ("column", "age"),
    [("seen_at", sessions.IDLE), ("created_at", sessions.ABSOLUTE)],
    ids=["idle", "absolute"],
)
def test_sessions_expire(fresh: Serving, column: str, age: timedelta) -> None:
    client = fresh.signed_in("worker")
    assert alive(client)
    with fresh.tenon.hub.write() as tx:
        tx.execute(session.update().values({column: clock.wall() - age}))
    assert not alive(client)


def test_the_database_holds_no_token_and_no_password(fresh: Serving) -> None:
    client = fresh.signed_in("worker")
    with fresh.tenon.hub.read() as connection:
        rows = [
            *connection.execute(sa.select(session)),
            *connection.execute(sa.select(user_account)),
        ]
    stored = repr(rows)
    assert client.cookies["tenon_session"] not in stored
    assert fresh.passwords["worker"] not in stored


def test_being_seen_is_written_once_a_minute(fresh: Serving) -> None:
    client = fresh.signed_in("worker")
    long_ago = clock.wall() - timedelta(minutes=5)
    with fresh.tenon.hub.write() as tx:
        tx.execute(session.update().values(seen_at=long_ago))
        tx.execute(user_account.update().values(last_seen_at=long_ago))
    assert alive(client)
    with fresh.tenon.hub.read() as connection:
        assert accounts.by_name(connection, "worker").last_seen_at > long_ago


def test_an_older_hash_is_made_anew_at_the_next_sign_in(fresh: Serving) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=32, parallelism=1)
    with fresh.tenon.hub.write() as tx:
        tx.execute(user_account.update().values(password_hash=weak.hash(NEW)))
    fresh.signed_in("worker", NEW)
    with fresh.tenon.hub.read() as connection:
        assert not passwords.needs_rehash(accounts.by_name(connection, "worker").password_hash)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(served: Serving) -> None:
    answer = sign_in(served.client(), "worker", served.passwords["worker"])
    flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= flags
    assert not any(flag.startswith("domain") for flag in flags)


def test_on_https_the_cookie_is_secure_and_bound_to_its_host(tmp_path: Path) -> None:
    with serving(tmp_path, public_url="https://tenon.example") as found:
        answer = sign_in(found.client(), "worker", found.passwords["worker"])
        assert answer.headers["set-cookie"].startswith("__Host-tenon_session=")
        assert "secure" in answer.headers["set-cookie"].lower()
        assert "max-age" in answer.headers["strict-transport-security"]

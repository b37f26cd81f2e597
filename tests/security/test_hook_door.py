"""The webhook door (S12, S13, S23): who cannot sign gets nothing in, and learns nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tenon.connect import hook_limit
from tenon.connect.tables import hook_event, hook_refusal
from tenon.jobs.queue import job
from tenon.kernel import clock
from tests.faults.small_plant import HOOK_SECRET
from tests.serving import Serving, serving

DOOR = "/api/hooks/crm_orders"
BODY = {"id": "evt-1", "type": "order.created", "order_id": "SO-2611-0001", "revision": 0}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serving]:
    hook_limit.REFUSED.forget()
    with serving(tmp_path / "home") as found:
        connect(found, HOOK_SECRET)
        yield found


def connect(served: Serving, secret: str | None) -> None:
    connections = served.tenon.connect.connections
    connections.secrets.set("hook", secret or "")
    crm: dict[str, Any] = {"url": "http://127.0.0.1:1"}
    connections.save({"crm": crm | ({"hook_secret": "secret:hook"} if secret else {})})


def signature(raw: bytes, stamp: str, secret: str = HOOK_SECRET) -> str:
    proof = hmac.new(secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256)
    return f"sha256={proof.hexdigest()}"


def headers(raw: bytes, *, at: float | None = None, secret: str = HOOK_SECRET) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    return {
        "Content-Type": "application/json",
        "X-CRM-Timestamp": stamp,
        "X-CRM-Signature": signature(raw, stamp, secret),
    }


def knock(served: Serving, raw: bytes, *more: Any) -> httpx.Response:
    return served.client().post(DOOR, content=raw, headers=more[0] if more else headers(raw))


def kept(served: Serving) -> tuple[int, int]:
    """How many events and how many jobs there are."""
    with served.tenon.hub.read() as connection:
        jobs = sa.select(sa.func.count()).select_from(job).where(job.c.kind == "hook")
        events = sa.select(sa.func.count()).select_from(hook_event)
        return connection.scalar(events) or 0, connection.scalar(jobs) or 0


def raw_of(body: Any) -> bytes:
    return json.dumps(body).encode()


def test_a_right_one_is_kept_once(served: Serving) -> None:
    raw = raw_of(BODY)
    assert knock(served, raw).status_code == 202
    assert knock(served, raw).status_code == 200
    assert kept(served) == (1, 1)


WRONG: dict[str, Any] = {
    "no signature": lambda raw: {"Content-Type": "application/json"},
    "no timestamp": lambda raw: {k: v for k, v in headers(raw).items() if k != "X-CRM-Timestamp"},
    "another secret": lambda raw: headers(raw, secret="x" * 40),
    "of another body": lambda raw: headers(raw + b" "),
    "old": lambda raw: headers(raw, at=time.time() - 400),
    "from the future": lambda raw: headers(raw, at=time.time() + 400),
    "timestamp moved": lambda raw: headers(raw) | {"X-CRM-Timestamp": str(int(time.time()) - 1)},
    "no number": lambda raw: headers(raw) | {"X-CRM-Timestamp": "yesterday"},
    "without prefix": lambda raw: (
        headers(raw) | {"X-CRM-Signature": headers(raw)["X-CRM-Signature"].removeprefix("sha256=")}
    ),
    "empty": lambda raw: headers(raw) | {"X-CRM-Signature": ""},
    "signed twice": lambda raw: [*headers(raw).items(), ("X-CRM-Signature", "sha256=00")],
    "dated twice": lambda raw: [*headers(raw).items(), ("X-CRM-Timestamp", "1")],
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_not_rightly_signed_is_refused(served: Serving, kind: str) -> None:
    raw = raw_of(BODY)
    answer = knock(served, raw, WRONG[kind](raw))
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "bad_signature"
    assert kept(served) == (0, 0)


def test_every_wrong_signature_gets_the_same_answer(served: Serving) -> None:
    raw = raw_of(BODY)
    answers = [knock(served, raw, make(raw)).json()["error"] for make in WRONG.values()]
    assert len({json.dumps(a["message"]) + a["code"] for a in answers}) == 1


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"not json", 422),
        (b"[]", 422),
        (b"\xff\xfe", 422),
        (b'{"id": "a", "id": "b", "order_id": "x"}', 422),
        (b'{"id": "a", "order_id": "x", "lines": {"q": 1, "q": 2}}', 422),
        (b'{"order_id": "x"}', 422),
        (b'{"id": "a"}', 422),
        (b'{"id": {"$ne": 1}, "order_id": "x"}', 422),
        (b'{"id": "a\\u0000b", "order_id": "x"}', 422),
        (b'{"id": "' + b"a" * 101 + b'", "order_id": "x"}', 422),
        (b'{"id": true, "order_id": "x"}', 422),
        (b"[" * 100_000, 422),
        (b'{"id": "a", "order_id": "x", "qty": NaN}', 422),
        (b'{"id": "a", "order_id": "x", "qty": 1e999999999}', 422),
        (b'{"id": "a", "order_id": "x", "qty": 1e99999999999999999999}', 422),
        (raw_of(BODY).decode().encode("utf-16"), 422),
        (raw_of(BODY).decode().encode("utf-16-le"), 422),
        (raw_of(BODY).decode().encode("utf-32"), 422),
        (b"\xef\xbb\xbf" + raw_of(BODY), 422),
        (raw_of(BODY | {"more": "a" * 262_144}), 413),
        (b" " * 1_000_001, 413),
    ],
)  # fmt: skip
def test_a_signed_body_that_is_no_event_is_refused(
    served: Serving, raw: bytes, status: int
) -> None:
    assert knock(served, raw).status_code == status
    assert kept(served) == (0, 0)


def test_json_that_says_it_is_text_is_refused(served: Serving) -> None:
    raw = raw_of(BODY)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert knock(served, raw, headers(raw) | {"Content-Type": kind}).status_code == 415
    assert kept(served) == (0, 0)


def test_paths_in_a_body_are_data_and_nothing_else(served: Serving) -> None:
    """S13: nothing reads a file because a body names one."""
    raw = raw_of(BODY | {"files": {"filepath": "/etc/passwd"}, "order": "/etc/passwd"})
    assert knock(served, raw).status_code == 202
    with served.tenon.hub.read() as connection:
        assert "root:" not in (connection.scalar(sa.select(hook_event.c.body)) or "")


@pytest.mark.parametrize("secret", [None, "short"])
def test_a_hook_without_a_proper_secret_is_not_there(served: Serving, secret: str | None) -> None:
    connect(served, secret)
    raw = raw_of(BODY)
    one = served.client().post(DOOR, content=raw, headers=headers(raw, secret=secret or ""))
    other = served.client().post("/api/hooks/nothing", content=raw, headers=headers(raw))
    assert (one.status_code, other.status_code) == (404, 404)
    assert one.json()["error"]["message"] == other.json()["error"]["message"]


def test_a_secret_that_is_too_short_is_told_to_the_administrator(served: Serving) -> None:
    connect(served, "short")
    rows = served.signed_in("admin").get("/api/sources").json()
    (crm,) = (row for row in rows if row["code"] == "crm")
    assert "hook_secret" in crm["message"]["en"]
    assert "short" not in crm["message"]["en"].split()


def test_the_secret_of_another_source_that_is_missing_closes_no_other_door(
    served: Serving,
) -> None:
    broken = {"url": "sqlite:////nowhere.db", "hook_secret": "secret:lost"}
    crm = {"url": "http://127.0.0.1:1", "hook_secret": "secret:hook"}
    served.tenon.connect.connections.save({"crm": crm, "mes": broken})
    assert knock(served, raw_of(BODY)).status_code == 202


def test_a_chunked_body_is_measured_as_it_comes(served: Serving) -> None:
    raw = raw_of(BODY | {"more": "a" * 262_144})
    parts = (raw[at : at + 10_000] for at in range(0, len(raw), 10_000))
    answer = served.client().post(DOOR, content=parts, headers=headers(raw))
    assert answer.status_code == 413
    assert kept(served) == (0, 0)


def test_old_refusals_make_room_for_new_ones(served: Serving) -> None:
    raw = raw_of(BODY)
    assert knock(served, raw, headers(raw, secret="x" * 40)).status_code == 401
    for shift, left in ((-1, 1), (1, 0)):
        with served.tenon.hub.write() as tx:
            hook_limit.purge(tx, clock.wall() + timedelta(hours=shift))
            assert tx.scalar(sa.select(sa.func.count()).select_from(hook_refusal)) == left


def test_guessing_is_stopped_and_noted(served: Serving) -> None:
    """S23: after twenty refusals in a minute even a right one waits; the administrator sees it."""
    raw = raw_of(BODY)
    wrong = headers(raw, secret="x" * 40)
    answers = [knock(served, raw, wrong).status_code for _ in range(25)]
    assert answers == [401] * 20 + [429] * 5
    answer = knock(served, raw)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 61
    (refusal,) = served.signed_in("admin").get("/api/hook-events").json()["refusals"]
    assert (refusal["hook"], refusal["reason"], refusal["times"]) == ("crm_orders", "signature", 20)
    assert kept(served) == (0, 0)


def test_a_browser_of_another_site_cannot_knock(served: Serving) -> None:
    raw = raw_of(BODY)
    answer = knock(served, raw, headers(raw) | {"Origin": "https://evil.example"})
    assert answer.status_code == 403

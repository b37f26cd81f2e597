"""The CRM over HTTP: token, paging, changes since, request limit, signed webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from plant.service.crm_data import CrmData
from plant.service.crm_http import CrmServer, RequestLimit
from plant.service.webhooks import WebhookSender

TOKEN = "a-token"


@pytest.fixture
def client(week: Path) -> Iterator[httpx.Client]:
    """Serve the week's CRM with room for many requests and give a client with the token."""
    server = CrmServer(0, CrmData(week / "crm" / "crm.db"), TOKEN)
    server.limit = RequestLimit(10_000)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}/api"
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client
    server.shutdown()
    server.server_close()
    thread.join()


def _all(client: httpx.Client, kind: str, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        page = client.get(f"/{kind}", params={**query, **after}).json()
        items += page["items"]
        if page["next"] is None:
            return items
        after = {"after": page["next"]}


def test_without_the_token_nothing_is_told(client: httpx.Client) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer wrong"}):
        answer = client.get("/orders", headers=headers)
        assert answer.status_code == 401
        assert "items" not in answer.json()
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("kind", ["customers", "contacts", "orders", "order_changes"])
def test_pages_give_every_row_once_in_order(client: httpx.Client, week: Path, kind: str) -> None:
    items = _all(client, kind, limit=37)
    keys = [(item["updated_at"], item["id"]) for item in items]
    with closing(sqlite3.connect(week / "crm" / "crm.db")) as db:
        table = {"order_changes": "crm_order_change"}.get(kind, f"crm_{kind[:-1]}")
        count = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    assert keys == sorted(set(keys))
    assert len(items) == count > 0


def test_only_what_changed_since_is_given(client: httpx.Client) -> None:
    items = _all(client, "orders", limit=500)
    middle = items[len(items) // 2]["updated_at"]
    expected = [item["id"] for item in items if item["updated_at"] >= middle]
    for since in (middle, middle.replace("+08:00", ""), middle.replace("+", " ")):
        assert [item["id"] for item in _all(client, "orders", updated_since=since)] == expected
    after_row = client.get("/orders", params={"after": items[4]["id"], "limit": 1}).json()
    assert after_row["items"][0]["id"] == items[5]["id"]


def test_an_order_has_its_lines_and_exact_quantities(client: httpx.Client) -> None:
    ident = client.get("/orders", params={"limit": 1}).json()["items"][0]["id"]
    order = client.get(f"/orders/{ident}").json()
    assert order["id"] == ident
    assert isinstance(order["rush"], bool)
    line = order["lines"][0]
    assert line["line"] == 1
    assert line["qty"].endswith(".0000")
    assert len(line["price"].split(".")[1]) == 6
    assert isinstance(line["standard"], bool)
    assert client.get("/orders/SO-0000-0000").status_code == 404


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": "501"}, "500"),
        ({"updated_since": "yesterday"}, "updated_since"),
        ({"after": "nothing-there"}, "after"),
    ],
)
def test_a_bad_question_is_answered_with_what_is_wrong(
    client: httpx.Client, query: dict[str, str], word: str
) -> None:
    answer = client.get("/orders", params=query)
    assert answer.status_code == 400
    assert word in answer.json()["error"]


def test_an_unknown_path_names_those_there_are(client: httpx.Client) -> None:
    answer = client.get("/invoices")
    assert answer.status_code == 404
    assert "/api/orders" in answer.json()["error"]


def test_past_fifty_requests_a_second_the_crm_asks_to_wait(week: Path) -> None:
    server = CrmServer(0, CrmData(week / "crm" / "crm.db"), TOKEN)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.limit = RequestLimit(5)
    address = f"http://127.0.0.1:{server.server_address[1]}/api/customers?limit=1"
    with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        answers = [client.get(address) for _ in range(12)]
    server.shutdown()
    server.server_close()
    codes = [answer.status_code for answer in answers]
    assert codes[:5] == [200] * 5
    assert 429 in codes
    assert answers[codes.index(429)].headers["Retry-After"] == "1"


class _Listener(BaseHTTPRequestHandler):
    """Keeps what the CRM posts; refuses the first."""

    taken: list[tuple[Message, bytes]]
    refused = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if type(self).refused == 0:
            type(self).refused = 1
            self.send_response(503)
        else:
            self.taken.append((self.headers, body))
            self.send_response(204)
        self.end_headers()
        if len(self.taken) == 2:
            threading.Thread(target=self.server.shutdown, daemon=True).start()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def test_webhooks_are_signed_and_sent_until_taken(week: Path, tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    shutil.copy(week / "crm" / "crm.db", path)
    with closing(sqlite3.connect(path)) as db:
        for number in (1, 2):
            db.execute(
                "INSERT INTO crm_outbox VALUES (?, 'order.changed', 'SO-2608-0001', ?, ?, 0, NULL)",
                (f"evt-{number}", number, f"2026-08-11T10:3{number}:00+08:00"),
            )
        db.commit()
    _Listener.taken, _Listener.refused = [], 0
    server = HTTPServer(("127.0.0.1", 0), _Listener)
    secret = b"shared"
    url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    WebhookSender(CrmData(path), url, secret).start()
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    assert _Listener.refused == 1
    for number, (headers, body) in enumerate(_Listener.taken, start=1):
        event = json.loads(body)
        assert event["id"] == f"evt-{number}"
        assert set(event) == {"id", "type", "order_id", "revision", "at"}
        signed = headers["X-CRM-Timestamp"].encode() + b"." + body
        expected = hmac.new(secret, signed, hashlib.sha256).hexdigest()
        assert headers["X-CRM-Signature"] == f"sha256={expected}"

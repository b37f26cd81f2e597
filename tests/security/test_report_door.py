"""The worker's door (S20, S23, S25): a code lets in to one job, and cannot be guessed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tenon.access.errors import TooMany
from tenon.factory.reporting import codes
from tenon.factory.reporting.tables import report_code
from tenon.kernel import clock
from tenon.kernel.errors import NotFound
from tests.service.report_world import PHONE, ReportWorld, body, report_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ReportWorld]:
    codes.WRONG.forget()
    with report_world(tmp_path) as found:
        yield found
    codes.WRONG.forget()


def test_a_code_is_132_bits_and_only_its_hash_is_kept(world: ReportWorld) -> None:
    assert {len(t) for t in world.tokens} == {22}
    assert len(set(world.tokens)) == 2
    with world.served.tenon.hub.read() as connection:
        kept = str(connection.execute(sa.select(report_code)).all())
    assert not [t for t in world.tokens if t in kept]


def test_guessing_finds_nothing_and_is_locked(world: ReportWorld) -> None:
    answers = [
        world.post("/open", {"token": secrets.token_urlsafe(17)[:22], "device": PHONE}).status_code
        for _ in range(30)
    ]
    assert answers == [404] * 20 + [429] * 10
    right = world.post("/open", {"token": world.tokens[0], "device": PHONE})
    assert right.status_code == 429
    assert 0 < int(right.headers["retry-after"]) <= 61


def test_a_million_guesses_hit_nothing(world: ReportWorld) -> None:
    """S25: twenty a minute are looked at, the others turned away before the database hears."""
    looked_at = turned_away = 0
    began = clock.monotonic()
    with world.served.tenon.hub.read() as connection:
        for _ in range(1_000_000):
            guess = secrets.token_urlsafe(17)[:22]
            try:
                codes.operation_of(connection, guess, "192.0.2.7")
            except NotFound:
                looked_at += 1
            except TooMany:
                turned_away += 1
    minutes = int((clock.monotonic() - began) // 60) + 1
    assert looked_at + turned_away == 1_000_000, "none was a code"
    assert 20 <= looked_at <= 20 * minutes
    # Others are not locked out with the guesser.
    assert world.post("/open", {"token": world.tokens[0], "device": PHONE}).status_code == 200


def test_guesses_at_undo_are_counted_and_make_no_writer_wait(world: ReportWorld) -> None:
    """A guess is looked up before any writing begins: the write gate is held meanwhile."""
    asked = {"device": PHONE, "report_id": "00000000-0000-7000-8000-000000000000"}
    with world.served.tenon.hub.write():
        answers = [
            world.post("/undo", asked | {"token": secrets.token_urlsafe(17)[:22]}).status_code
            for _ in range(22)
        ]
    assert answers == [404] * 20 + [429] * 2


def test_worker_numbers_are_not_guessed_through(world: ReportWorld) -> None:
    asked = {"token": world.tokens[0], "device": PHONE}
    answers = [
        world.post("/person", asked | {"employee_no": f"X{n}"}).status_code for n in range(25)
    ]
    assert answers == [200] * 20 + [429] * 5


def test_a_code_gives_one_job_and_no_list(world: ReportWorld) -> None:
    one = world.post("/open", {"token": world.tokens[0], "device": PHONE}).json()
    assert one["seq"] == 10
    assert "customer" not in str(one)
    client = world.served.client()
    for path in ("/api/orders", "/api/report-reviews", "/api/notices"):
        assert client.get(path, headers={"Authorization": world.tokens[0]}).status_code == 401


def test_another_site_cannot_report(world: ReportWorld) -> None:
    for origin in ("https://evil.example", "null", "http://sub.127.0.0.1"):
        answer = world.post("", body(world), origin=origin)
        assert answer.status_code == 403
    plain = world.served.client().post(
        "/api/report", content=str(body(world)), headers={"content-type": "text/plain"}
    )
    assert plain.status_code == 422
    assert world.rows("op_event") == []


def test_the_sales_role_prints_no_traveler(world: ReportWorld) -> None:
    for role in ("sales", "worker"):
        client = world.served.signed_in(role)
        answer = client.post(f"/api/work-orders/{world.order}/traveler", json={})
        assert answer.status_code == 403

"""Guessing passwords is slowed down, and tells nothing (S23)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tenon.access import accounts, passwords
from tenon.access.tables import sign_in_try
from tenon.access.throttle import TRIES, WINDOW
from tenon.kernel import clock
from tests.serving import Serving, sign_in


def test_ten_wrong_tries_then_429_with_a_time_to_wait(fresh: Serving) -> None:
    client = fresh.client()
    answers = [sign_in(client, "worker", f"guess {n}") for n in range(TRIES + 5)]
    assert [a.status_code for a in answers] == [401] * TRIES + [429] * 5
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 61


def test_the_right_password_does_not_help_a_throttled_account(fresh: Serving) -> None:
    client = fresh.client()
    for n in range(TRIES):
        sign_in(client, "worker", f"guess {n}")
    assert sign_in(client, "worker", fresh.passwords["worker"]).status_code == 429


def test_an_address_is_throttled_over_many_accounts(fresh: Serving) -> None:
    client = fresh.client()
    statuses = [sign_in(client, f"user{n}", "guess").status_code for n in range(TRIES + 1)]
    assert statuses == [401] * TRIES + [429]


def test_tries_at_once_do_not_slip_through(fresh: Serving) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = list(
            pool.map(
                lambda n: sign_in(fresh.client(), "worker", f"guess {n}").status_code, range(24)
            )
        )
    assert statuses.count(401) == TRIES
    assert statuses.count(429) == 24 - TRIES


def test_a_shift_signs_in_at_once_from_one_address(fresh: Serving) -> None:
    with ThreadPoolExecutor(16) as pool:
        statuses = list(
            pool.map(
                lambda n: sign_in(
                    fresh.client(), name := ("worker", "sales", "planner")[n % 3],
                    fresh.passwords[name],
                ).status_code,
                range(24),
            )
        )  # fmt: skip
    assert statuses == [200] * 24


def test_the_minute_passes(fresh: Serving) -> None:
    client = fresh.client()
    for n in range(TRIES):
        sign_in(client, "worker", f"guess {n}")
    with fresh.tenon.hub.write() as tx:
        tx.execute(sign_in_try.update().values(at=clock.wall() - WINDOW - timedelta(seconds=1)))
    assert sign_in(client, "worker", fresh.passwords["worker"]).status_code == 200


def test_right_tries_are_not_counted(fresh: Serving) -> None:
    for _ in range(TRIES + 3):
        assert sign_in(fresh.client(), "worker", fresh.passwords["worker"]).status_code == 200


def test_guessing_the_old_password_is_throttled_too(fresh: Serving) -> None:
    client = fresh.signed_in("worker")
    body = {"old": "guess", "new": "a far better password"}
    statuses = [
        client.post("/api/session/password", json=body).status_code for _ in range(TRIES + 1)
    ]
    assert statuses == [422] * TRIES + [429]


def test_an_unknown_name_is_answered_like_a_wrong_password(fresh: Serving) -> None:
    known = sign_in(fresh.client(), "worker", "guess").json()["error"]
    unknown = sign_in(fresh.client(), "nobody", "guess").json()["error"]
    del known["request_id"], unknown["request_id"]
    assert known == unknown


def test_an_unknown_name_costs_the_same_work(
    fresh: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Counted, not timed: a clock on a busy machine says little.
    checked: list[str] = []
    verify = passwords.verify

    def spy(hash_: str, password: str) -> bool:
        checked.append(hash_.rsplit("$", 2)[0])
        return verify(hash_, password)

    monkeypatch.setattr(passwords, "verify", spy)
    accounts._nobody_hash.cache_clear()
    for name in ("worker", "nobody"):
        assert sign_in(fresh.client(), name, "guess").status_code == 401
    known, unknown = checked
    assert known == unknown, "the same algorithm with the same parameters"

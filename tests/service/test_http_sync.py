"""HTTP sources through whole syncs: what did not change, poison, the pace a server asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from tenon.connect import browse
from tenon.connect.connectors.http import pace as http_pace
from tenon.connect.tables import source_row, source_version, sync_run
from tenon.define.catalogue import parse
from tenon.kernel import clock
from tenon.kernel.errors import Retry
from tenon.kernel.text import Text
from tests.service.http_server import Asked, Reply
from tests.service.http_world import DEFINITIONS, NOON, Paid, one_parcel, shop
from tests.service.test_sync_cycle import publish_more


@pytest.fixture
def paid(tmp_path: Path) -> Iterator[Paid]:
    with shop(tmp_path, one_parcel) as one:
        yield one


# --- versions ------------------------------------------------------------------------------------


@dataclass
class Versioned:
    """A list with a version."""

    items: list[dict[str, Any]]
    version: str = '"v1"'
    honest: bool = True
    again: int = 0

    def __call__(self, asked: Asked) -> Reply:
        if self.honest and asked.headers.get("If-None-Match") == self.version:
            self.again += 1
            return Reply(status=304)
        return Reply({"items": self.items}, headers={"ETag": self.version})


def test_a_list_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    plan = Versioned([{"code": "a", "qty": 1}, {"code": "b", "qty": 2}])
    with shop(tmp_path, plan) as paid:
        cycle = paid.setting(calls_per_day=100)
        assert paid.one(cycle).counts.applied == 2
        outcome = paid.one(cycle)
        assert (outcome.state, outcome.counts.read, plan.again) == ("succeeded", 0, 1)
        assert {r.state for r in paid.world.rows("parcels").values()} == {"applied"}
        assert "304" in [r.message["zh"] for r in runs(paid)][-1]
        state = paid.state().calls
        assert state is not None
        assert state.today == 2, "a 304 is a call as well, and nothing more is asked"
        plan.items, plan.version = [{"code": "a", "qty": 5}], '"v2"'
        assert paid.one(cycle).counts.applied == 1
        assert {k: r.state for k, r in paid.world.rows("parcels").items()} == {
            "a": "applied", "b": "gone",
        }  # fmt: skip


def test_a_person_who_looks_sees_the_rows_though_nothing_changed(tmp_path: Path) -> None:
    plan = Versioned([{"code": "a", "qty": 1}])
    with shop(tmp_path, plan) as paid:
        paid.one(paid.setting())
        sync = paid.world.catalogue.sync("paid_parcel")
        with browse.opened(paid.world.deps, "paid") as connector:
            assert len(browse.sample(connector, sync.stream, 10).rows) == 1
        assert plan.again == 0


def runs(paid: Paid) -> list[Any]:
    """The runs of the source that said something, in their order."""
    found = [r for r in paid.world.all(sync_run) if r.sync == "paid_parcel" and r.message]
    return sorted(found, key=lambda r: str(r.id))


def test_a_version_counts_only_once_its_rows_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a run that dies in between would never see those rows again."""
    plan = Versioned([{"code": "a", "qty": 1}])
    with shop(tmp_path, plan) as paid:
        cycle = paid.setting()
        with monkeypatch.context() as patched:
            patched.setattr("tenon.connect.runner.Run.commit", _dies)
            assert paid.one(cycle).state == "failed"
        assert paid.world.all(source_version) == []
        assert paid.one(cycle).counts.applied == 1
        assert paid.world.all(source_version) != []


def _dies(*_args: Any) -> None:
    raise Retry("broken", Text("坏了", "broken"))


def test_another_definition_is_not_answered_from_memory(tmp_path: Path) -> None:
    plan = Versioned([{"code": "a", "qty": 1}, {"code": "b", "qty": 2}])
    with shop(tmp_path, plan) as paid:
        cycle = paid.setting()
        assert paid.one(cycle).counts.applied == 2
        narrower = DEFINITIONS.replace("key: [code]", "key: [code], where: {qty: [2]}")
        paid.world.catalogue = publish_more(
            paid.world, tuple(parse(d, "test") for d in yaml.safe_load_all(narrower))
        )
        assert paid.one(cycle).counts.read == 1
        assert plan.again == 0


def test_a_version_of_one_page_among_several_says_nothing(paid: Paid) -> None:
    def plan(asked: Asked) -> Reply:
        more = None if "after" in asked.query else "x"
        code = asked.query.get("after", "first")
        return Reply(
            {"items": [{"code": code, "qty": 1}], "next": more}, headers={"ETag": '"same"'}
        )

    paid.server.plan = plan
    several = DEFINITIONS.replace(", http: {pages: none}", "")
    paid.world.catalogue = publish_more(
        paid.world, tuple(parse(d, "test") for d in yaml.safe_load_all(several))
    )
    cycle = paid.setting()
    assert paid.one(cycle).counts.read == 2
    assert paid.one(cycle).counts.read == 2
    assert paid.world.all(source_version) == []
    assert all("If-None-Match" not in asked.headers for asked in paid.server.asked)


def test_when_much_is_gone_the_list_is_looked_at_each_time(tmp_path: Path) -> None:
    plan = Versioned([{"code": f"K{n}", "qty": n} for n in range(100)])
    with shop(tmp_path, plan) as paid:
        cycle = paid.setting()
        paid.one(cycle)
        plan.items, plan.version = plan.items[:10], '"v2"'
        for _ in range(2):
            assert paid.one(cycle).counts.read == 10
            assert "90" in runs(paid)[-1].message["zh"], "it is said each time"
        assert plan.again == 0


@pytest.mark.parametrize(
    ("changed", "asked"),
    [("Tue, 10 Mar 2026 03:00:00 GMT", True), ("Tue, 10 Mar 2026 03:59:30 GMT", False),
     ("yesterday", False), ("", False)],
)  # fmt: skip
def test_a_time_counts_only_when_nothing_can_have_changed_since(
    changed: str,
    asked: bool,
    paid: Paid,
) -> None:
    headers = {"Last-Modified": changed, "Date": "Tue, 10 Mar 2026 04:00:00 GMT"}

    def plan(one: Asked) -> Reply:
        if one.headers.get("If-Modified-Since") == changed:
            return Reply(status=304)
        body = b'{"items": [{"code": "a", "qty": 1}]}'
        head = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        return Reply(
            raw=[f"HTTP/1.1 200 OK\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode(), body]
        )

    paid.server.plan = plan
    cycle = paid.setting()
    assert [paid.one(cycle).counts.read for _ in range(2)] == [1, 0 if asked else 1]


# --- poison, through a whole sync ----------------------------------------------------------------


def test_poison_rows_are_set_aside_and_the_others_are_applied(paid: Paid) -> None:
    body = b"""{"items": [{"code": "a", "qty": NaN}, {"code": "b", "qty": 1e999999999},
        {"code": "c", "qty": 2, "qty": 3}, {"code": "d", "qty": 1.5},
        {"code": "e", "qty": 123456789012345678901234567890}]}"""
    paid.server.plan = lambda _asked: Reply(body)
    outcome = paid.one(paid.setting())
    assert (outcome.counts.read, outcome.counts.applied) == (5, 1)
    with paid.world.hub.read() as connection:
        reasons = connection.execute(
            sa.select(source_row.c.key, source_row.c.reason_code).where(
                source_row.c.stream == "parcels", source_row.c.state == "set_aside"
            )
        )
        assert dict(map(tuple, reasons)) == {
            "a": "not_a_number", "b": "does_not_fit", "c": "doubled_name", "e": "does_not_fit",
        }  # fmt: skip


# --- pace ----------------------------------------------------------------------------------------


def test_calls_keep_their_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = [100.0], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(f"{http_pace.__name__}.clock.monotonic", lambda: now[0])
    monkeypatch.setattr(f"{http_pace.__name__}.time.sleep", sleep)
    one = http_pace.Pace(4)
    assert [one.turn() for _ in range(5)] == [0] * 5
    assert slept == [0.25] * 4
    one.hold(10)
    assert one.turn() == 0
    assert slept[-1] == 10
    one.hold(1e300)
    assert one.turn() == 3600, "nobody waits so long, and no longer than an hour is believed"
    assert http_pace.pace_of("a", "h:1", 4) is http_pace.pace_of("a", "h:1", 4)


@pytest.mark.parametrize(
    ("said", "least"),
    [("7", 7), ("0", 0.05), ("-3", 0.05), ("nan", 2), ("inf", 2), ("soon", 2), ("", 2),
     ("Tue, 10 Mar 2026 04:00:20 GMT", 20), ("Tue, 10 Mar 2020 04:00:20 GMT", 0.05),
     ("9" * 400, 2)],
)  # fmt: skip
def test_a_server_says_how_long_to_wait(said: str, least: float) -> None:
    with clock.fixed(NOON):
        waits = {http_pace.asked_to_wait({"Retry-After": said}, 2) for _ in range(20)}
    assert all(least <= wait <= least * 1.25 for wait in waits)
    assert len(waits) > 1, "not all at the same moment"


def test_a_server_that_says_wait_long_is_left_alone(paid: Paid) -> None:
    paid.server.plan = lambda _asked: Reply(status=503, headers={"Retry-After": "900"})
    cycle = paid.setting()
    for _ in range(3):
        error = paid.one(cycle).error
        assert error is not None
        assert (error.code, error.recovery) == ("source_busy", "retry")
    assert len(paid.server.asked) == 1

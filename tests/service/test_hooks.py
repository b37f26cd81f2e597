"""Webhooks worked in: as the polls would have read them, once, in order, beside the polls."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tenon.assembly import Tenon, open_tenon
from tenon.assembly.home import HomeSettings, write_settings
from tenon.connect import hooks, told
from tenon.connect.ingest import _BEFORE_REFUSING
from tenon.connect.runner import Runner
from tenon.connect.tables import source_row, sync_run, sync_state
from tenon.kernel import faults
from tests.faults.small_plant import signed
from tests.service.hook_world import HookWorld, hook_world


@pytest.fixture
def world(tmp_path: Path, hub_url: str) -> Iterator[HookWorld]:
    with hook_world(tmp_path, hub_url) as found:
        yield found


def later(order: dict[str, Any], revision: int, qty: str, at: str) -> dict[str, Any]:
    """The order as a later revision of it."""
    line = order["lines"][0] | {"qty": qty}
    return order | {"revision": revision, "updated_at": at, "lines": [line]}


@contextmanager
def another_server(home: Path, world: HookWorld) -> Iterator[Tenon]:
    """A second server of the hub; on SQLite, which one process owns, the same one again."""
    hub = world.tenon.settings.hub
    if hub is None:
        yield world.tenon
        return
    write_settings(home, HomeSettings(hub=hub))
    world.plant.connect(home)
    with open_tenon(home) as second:
        yield second


@pytest.mark.parametrize("fat", [True, False], ids=["with the order", "asked for"])
def test_a_webhook_becomes_an_order(world: HookWorld, *, fat: bool) -> None:
    order = world.plant.order(1, lines=2)
    answer = world.send(world.plant.told(order, fat=fat))
    assert (answer.status_code, answer.json()["state"]) == (202, "received")
    assert world.rows("sales_order") == []  # first written down, then worked in
    world.work()
    (found,) = world.rows("sales_order", order_no=order["id"])
    lines = world.rows("order_line", sales_order=found.id)
    assert [line.line_key for line in lines] == [f"{order['id']}|1", f"{order['id']}|2"]
    assert all(line.item for line in lines)
    assert set(world.events().values()) == {"done"}


def test_the_next_poll_finds_it_unchanged(world: HookWorld) -> None:
    world.send(world.plant.told(world.plant.order(1), fat=True))
    world.work()
    world.sync("crm_item", "crm_order", "crm_order_line")
    with world.tenon.hub.read() as connection:
        runs = connection.execute(
            sa.select(sync_run).where(sync_run.c.source == "crm").order_by(sync_run.c.id)
        ).all()
        streams = connection.execute(
            sa.select(sync_state.c.stream, sync_state.c.rows).where(sync_state.c.source == "crm")
        ).all()
        kept: dict[str, int] = dict(
            connection.execute(
                sa.select(source_row.c.stream, sa.func.count()).group_by(source_row.c.stream)
            ).all()
        )
    assert [(r.kind, r.applied) for r in runs if r.kind == "hook"] == [("hook", 1)] * 3
    polls = [r for r in runs[-3:] if r.kind != "hook"]
    assert [(r.read, r.applied, r.unchanged) for r in polls] == [(1, 0, 1)] * 3
    assert all(r.read == r.applied + r.unchanged + r.set_aside for r in runs)
    assert {s.stream: s.rows for s in streams if s.rows} == {
        s: n for s, n in kept.items() if s in {x.stream for x in streams}
    }


def test_the_same_event_again_has_no_effect(world: HookWorld) -> None:
    body = world.plant.told(world.plant.order(1), fat=True)
    answers = [world.send(body) for _ in range(5)]
    assert [a.status_code for a in answers] == [202, 200, 200, 200, 200]
    world.work()
    assert world.send(body).json()["state"] == "duplicate"
    assert len(world.rows("sales_order")) == 1
    assert world.send(body | {"revision": 7}).status_code == 409


def test_what_is_older_than_what_is_there_changes_nothing(world: HookWorld) -> None:
    order = world.plant.order(1)
    newer = later(order, 2, "900.0000", "2036-01-02T08:00:00+08:00")
    world.send(world.plant.told(newer, fat=True))
    world.work()
    world.send(world.plant.told(later(order, 1, "800.0000", "2036-01-01T08:00:00+08:00"), fat=True))
    world.work()
    (found,) = world.rows("sales_order")
    (line,) = world.rows("order_line")
    assert (found.revision, line.qty) == (2, Decimal("900.0000"))
    assert sorted(world.events().values()) == ["done", "stale"]


def test_of_two_in_the_same_second_the_revision_decides(world: HookWorld) -> None:
    """F21: the CRM's times are whole seconds, so they alone do not say what came first."""
    order, at = world.plant.order(1), "2036-01-01T08:00:00+08:00"
    for revision, qty in ((2, "900.0000"), (1, "800.0000"), (3, "700.0000")):
        world.send(world.plant.told(later(order, revision, qty, at), fat=True))
        world.work()
    (found,) = world.rows("sales_order")
    (line,) = world.rows("order_line")
    assert (found.revision, line.qty) == (3, Decimal("700.0000"))
    assert sorted(world.events().values()) == ["done", "done", "stale"]


def test_what_is_known_already_is_done_and_not_stale(world: HookWorld) -> None:
    order = world.plant.order(1)
    world.sync("crm_item", "crm_order", "crm_order_line")
    world.send(world.plant.told(order, fat=True))
    world.work()
    assert set(world.events().values()) == {"done"}


def test_a_poll_that_looked_before_looks_again(world: HookWorld) -> None:
    """A webhook between a run's look and its write is not overwritten by what was read before."""
    order = world.plant.order(1)
    newer = later(order, 3, "777.0000", "2036-01-02T08:00:00+08:00")
    done: list[int] = []

    def between(name: str) -> None:
        if name == "sync.stage.after" and not done:
            done.append(world.send(world.plant.told(newer, fat=True)).status_code)
            world.work()

    passing, faults.point = faults.point, between
    try:
        world.sync("crm_order")
    finally:
        faults.point = passing
    assert done == [202]
    (found,) = world.rows("sales_order")
    assert found.revision == 3


def test_a_burst_from_many_senders_in_any_order(world: HookWorld) -> None:
    """F21: duplicated, reordered, ten times as many as usual: each order once, at its newest."""
    bodies: list[dict[str, Any]] = []
    for number in range(1, 13):
        order = world.plant.order(number)
        for revision in range(1, 6):
            at = f"2036-01-0{revision}T08:00:00+08:00"
            told = world.plant.told(later(order, revision, f"{revision}00.0000", at), fat=True)
            bodies += [told, told]
    bodies = bodies[::2][::-1] + bodies[1::2]
    wrong: list[str] = []

    def send(part: list[dict[str, Any]]) -> None:
        for body in part:
            answer = world.send(body)
            if answer.status_code not in {200, 202}:
                wrong.append(answer.text)

    working = threading.Event()
    threads = [threading.Thread(target=send, args=(bodies[at::8],)) for at in range(8)]
    with world.tenon.at_work(sync=False, threads=2):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        while set(world.events().values()) & {"received"}:
            working.wait(0.02)
    assert wrong == []
    assert len(world.events()) == 60
    assert set(world.events().values()) <= {"done", "stale"}
    assert {o.revision for o in world.rows("sales_order")} == {5}
    assert len(world.rows("sales_order")) == 12
    assert {line.qty for line in world.rows("order_line")} == {Decimal("500.0000")}


def test_an_event_that_cannot_be_worked_in_is_shown_and_tried_again(world: HookWorld) -> None:
    order = world.plant.order(1)
    body = world.plant.told(order, fat=False) | {"order_id": "SO-none"}
    assert world.send(body).status_code == 202
    world.work()
    admin = world.served.signed_in("admin")
    (event,) = admin.get("/api/hook-events?state=failed").json()["rows"]
    assert event["failure"]["code"] == "stream_absent"
    page = admin.get(f"/api/hook-events/{event['id']}").json()
    assert page["event"] == event
    assert json.loads(page["body"]) == body
    gone = admin.get("/api/hook-events/00000000-0000-7000-8000-000000000000")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "event_gone")
    assert world.rows("sales_order") == []
    answer = admin.post(f"/api/hook-events/{event['id']}/retry")
    assert (answer.status_code, answer.json()["state"]) == (200, "received")
    assert admin.post(f"/api/hook-events/{event['id']}/retry").status_code == 409
    world.work()
    assert set(world.events().values()) == {"failed"}


def test_doors_side_by_side_take_an_event_once(tmp_path: Path, world: HookWorld) -> None:
    """S12: the same event at the same moment, at two servers of one hub on PostgreSQL."""
    bodies = [world.plant.told(world.plant.order(n), fat=True) for n in range(1, 21)]
    states: list[str] = []
    gate = threading.Barrier(4)

    def send(tenon: Tenon) -> None:
        for body in bodies:
            raw, headers = signed(body)
            given = {name.lower(): [value] for name, value in headers.items()}
            gate.wait(20)
            message = hooks.Message(raw, given, "127.0.0.1")
            states.append(hooks.receive(tenon.connect, "crm_orders", message)[1])

    with another_server(tmp_path / "second", world) as second:
        doors = [world.tenon, second] * 2
        threads = [threading.Thread(target=send, args=(door,)) for door in doors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (states.count("received"), states.count("duplicate")) == (20, 60)
    world.work()
    assert len(world.rows("sales_order")) == 20
    assert set(world.events().values()) == {"done"}


def test_a_bad_event_harms_no_other(world: HookWorld) -> None:
    """Claimed as one set: the bad one fails alone, the others are in."""
    for number in range(1, 6):
        world.send(world.plant.told(world.plant.order(number), fat=True))
    partial = {"order": {"id": "SO-X", "updated_at": "2036-01-01T08:00:00+08:00"}}
    world.send({"id": "evt-bad", "order_id": "SO-X"} | partial)
    world.work()
    assert len(world.rows("sales_order")) == 5
    states = world.events()
    assert states.pop("evt-bad") == "failed"
    assert set(states.values()) == {"done"}


def test_a_row_that_the_database_refuses_is_set_aside(world: HookWorld) -> None:
    """As a poll would: its order's number belongs to another, the rest of the set goes in."""
    order = world.plant.order(1)
    world.send(world.plant.told(order, fat=True))
    world.work()
    twin = order | {"id": order["id"].lower(), "updated_at": "2036-01-01T08:00:00+08:00"}
    world.send({"id": "evt-twin", "order_id": twin["id"], "order": twin})
    world.send(world.plant.told(world.plant.order(2), fat=True))
    for _ in range(_BEFORE_REFUSING):
        world.work()
        world.hurry()
    assert set(world.events().values()) == {"done"}
    assert [o.order_no for o in world.rows("sales_order")] == ["SO-2611-0001", "SO-2611-0002"]
    with world.tenon.hub.read() as connection:
        aside = connection.execute(sa.select(source_row).filter_by(state="set_aside")).all()
        runs = connection.execute(sa.select(sync_run).filter_by(kind="hook")).all()
    assert {(row.stream, row.key, row.reason_code) for row in aside} >= {
        ("orders", twin["id"], "refused")
    }
    assert all(r.read == r.applied + r.unchanged + r.set_aside for r in runs)


@pytest.mark.parametrize(
    ("one", "there", "older"),
    [
        (("2036-01-01T08:00:00+08:00", None), ("2036-01-01T00:00:01+00:00", None), True),
        (("2036-01-01T08:00:00+08:00", None), ("2036-01-01T00:00:00+00:00", None), False),
        (("2036-01-01T08:00:00+08:00", "9"), ("2036-01-01T00:00:00+00:00", "10"), True),
        (("2036-01-01T08:00:00+08:00", "10"), ("2036-01-01T00:00:00+00:00", "9"), False),
        (("9", None), ("10", None), True),
        ((None, "1"), ("10", "2"), False),
        (("2036-01-01", None), ("garbage", None), True),
        (("8" * 5000, None), ("9" * 5000, None), True),
    ],
)
def test_which_of_two_is_older(
    one: tuple[str | None, str | None], there: tuple[str | None, str | None], *, older: bool
) -> None:
    assert told._before(one, there) is older


def test_polls_and_webhooks_side_by_side_do_not_trip(world: HookWorld) -> None:
    """Revisions told while the same streams are polled again and again."""
    orders = [world.plant.order(number) for number in range(1, 7)]
    ended = threading.Event()
    wrong: list[str] = []

    def poll() -> None:
        while not ended.is_set():
            for code in ("crm_item", "crm_order", "crm_order_line"):
                outcome = Runner(world.tenon.connect).sync(code)
                if outcome.error is not None:
                    wrong.append(str(outcome.error))

    poller = threading.Thread(target=poll)
    with world.tenon.at_work(sync=False, threads=2):
        poller.start()
        for revision in range(1, 9):
            for order in orders:
                at = f"2036-01-0{revision}T08:00:00+08:00"
                newer = later(order, revision, f"{revision}00.0000", at)
                assert world.send(world.plant.told(newer, fat=True)).status_code == 202
        while set(world.events().values()) & {"received"}:
            ended.wait(0.02)
        ended.set()
        poller.join()
    assert wrong == []
    assert set(world.events().values()) <= {"done", "stale"}
    with world.tenon.hub.read() as connection:
        runs = connection.execute(sa.select(sync_run)).all()
        aside = connection.execute(sa.select(source_row).filter_by(state="set_aside")).all()
    assert all(r.read == r.applied + r.unchanged + r.set_aside for r in runs)
    assert aside == []
    assert len(world.rows("sales_order")) == len(orders)

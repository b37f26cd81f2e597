"""Webhooks worked in: as the polls would have read them, once, in order, beside the polls."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tenon.connect.tables import source_row, sync_run, sync_state
from tenon.kernel import faults
from tests.service.hook_world import HookWorld, hook_world


@pytest.fixture
def world(tmp_path: Path, hub_url: str) -> Iterator[HookWorld]:
    with hook_world(tmp_path, hub_url) as found:
        yield found


def later(order: dict[str, Any], revision: int, qty: str, at: str) -> dict[str, Any]:
    """The order as a later revision of it."""
    line = order["lines"][0] | {"qty": qty}
    return order | {"revision": revision, "updated_at": at, "lines": [line]}


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
    assert world.rows("sales_order") == []
    answer = admin.post(f"/api/hook-events/{event['id']}/retry")
    assert (answer.status_code, answer.json()["state"]) == (200, "received")
    assert admin.post(f"/api/hook-events/{event['id']}/retry").status_code == 409
    world.work()
    assert set(world.events().values()) == {"failed"}

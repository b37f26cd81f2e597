"""The planner's routes: what they answer, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tenon.automate import switch
from tenon.define.models import Flow
from tenon.factory.planning import plan_lines
from tests.service.planning_world import NOW, SPECIAL, Shop, desk, furnish
from tests.serving import serving

NOBODY = "00000000-0000-7000-8000-000000000000"


@contextmanager
def served(home: Path, hub_url: str) -> Iterator[tuple[Shop, dict[str, httpx.Client]]]:
    with serving(home, hub_url) as server:
        with server.tenon.hub.write() as tx:
            for flow in server.tenon.catalogue.of(Flow):
                switch.set_enabled(tx, flow.code, True, "test")
        shop = Shop(server.tenon)
        furnish(shop)
        yield shop, {role: server.signed_in(role) for role in ("planner", "worker", "admin")}


@pytest.fixture
def both(hub_url: str, tmp_path: Path) -> Iterator[tuple[Shop, dict[str, httpx.Client]]]:
    with served(tmp_path / "home", hub_url) as found:
        yield found


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_routing_is_taken_over_http(both: tuple[Shop, dict[str, httpx.Client]]) -> None:
    shop, client = both
    planner = client["planner"]
    _, (line,) = shop.order(SPECIAL)
    plan(shop, line)
    listed = planner.get("/api/engineering").json()
    assert (listed["total"], listed["page_size"]) == (1, 20)
    (row,) = listed["rows"]
    best = row["candidates"][0]
    assert (best["item_code"], best["operations"][0]["work_centre"]) == ("F1", "P160")
    assert client["worker"].get("/api/engineering").status_code == 403

    body = {
        "item_id": best["item_id"], "version": best["version"],
        "work_order_version": row["work_order_version"],
    }  # fmt: skip
    address = f"/api/work-orders/{row['work_order_id']}/routing"
    assert client["worker"].post(address, json=body).status_code == 403
    stale = body | {"work_order_version": 9}
    assert code(planner.post(address, json=stale)) == (409, "stale_version")
    assert code(planner.post(address, json=body | {"version": 7})) == (404, "no_routing")
    nowhere = f"/api/work-orders/{NOBODY}/routing"
    assert code(planner.post(nowhere, json=body)) == (404, "no_work_order")
    for wrong in ({}, body | {"version": -1}, body | {"item_id": "F1"}, body | {"more": 1}):
        assert planner.post(address, json=wrong).status_code == 422
    answer = planner.post(address, json=body)
    assert (answer.status_code, answer.json()["status"]) == (200, "released")
    assert code(planner.post(address, json=body)) == (409, "routing_taken")
    assert planner.get("/api/engineering").json()["rows"] == []
    page = planner.get(f"/api/orders/{line}").json()
    assert page["work_orders"][0]["planned_by"] == "tenon"
    assert page["work_orders"][0]["est_hours"] == answer.json()["est_hours"]


def test_changes_are_decided_over_http(both: tuple[Shop, dict[str, httpx.Client]]) -> None:
    shop, client = both
    planner = client["planner"]
    order, (line,) = shop.order({"item": shop.ids["F1"]})
    plan(shop, line)
    first = pending(shop, order, "SO-1-V1")
    second = pending(shop, order, "SO-1-V2")
    listed = planner.get("/api/order-changes", params={"decision": "pending"}).json()
    assert [row["change_no"] for row in listed["rows"]] == ["SO-1-V2", "SO-1-V1"]
    assert listed["rows"][0]["work_orders"][0]["work_order_no"].startswith("TW-")
    seen = client["worker"].get("/api/order-changes").json()["rows"][0]
    assert (seen["customer"], seen["new"]) == ("", "150"), "a worker sees no customers"

    address = f"/api/order-changes/{first}/decision"
    assert client["worker"].post(address, json={"accept": True}).status_code == 403
    for wrong in ({}, {"accept": "perhaps"}, {"accept": True, "note": "x" * 501}):
        assert planner.post(address, json=wrong).status_code == 422
    nowhere = f"/api/order-changes/{NOBODY}/decision"
    assert code(planner.post(nowhere, json={"accept": True})) == (404, "no_change")
    answer = planner.post(address, json={"accept": True, "note": "可以"})
    assert (answer.status_code, answer.json()["decision"]) == (200, "accepted")
    assert answer.json()["note"] == "可以"
    assert code(planner.post(address, json={"accept": False})) == (409, "change_decided")
    refused = client["admin"].post(f"/api/order-changes/{second}/decision", json={"accept": False})
    assert refused.json()["decision"] == "rejected"
    assert planner.get("/api/order-changes", params={"decision": "pending"}).json()["total"] == 0
    assert planner.get("/api/order-changes", params={"decision": "so"}).status_code == 422
    changes = planner.get(f"/api/orders/{line}").json()["changes"]
    assert [c["decision"] for c in changes] == ["accepted", "rejected"]


def plan(shop: Shop, line: str) -> None:
    """Plan a line without its flow, which would go on to write into the MES."""
    with shop.tenon.hub.write() as tx:
        assert line in plan_lines(desk(shop, tx), [line])


def pending(shop: Shop, order: str, number: str, **what: Any) -> str:
    (id_,) = shop.put("order_change", [{
        "sales_order": order, "line_no": 1, "revision": 1, "change": "qty", "old_value": "100",
        "new_value": "150", "changed_at": NOW, "change_no": number, "decision": "pending", **what,
    }])  # fmt: skip
    return id_

"""Workers' reports: once, in the server's time, undone by new rows, reviewed when in doubt."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tenon.access.attempts import Attempts
from tenon.factory.reported import load_reported
from tenon.factory.reporting import reports
from tenon.kernel import clock
from tenon.kernel.ids import uuid7
from tenon.records.ports import SYSTEM
from tests.service.report_world import PHONE, ReportWorld, body, report_world

AT = "2026-11-24T08:00:00Z"


@pytest.fixture
def world(tmp_path: Path, hub_url: str) -> Iterator[ReportWorld]:
    with report_world(tmp_path, hub_url) as found:
        yield found


def test_a_code_opens_its_job(world: ReportWorld) -> None:
    answer = world.post("/open", {"token": world.tokens[0], "device": "phone-0001"})
    assert answer.status_code == 200
    job = answer.json()
    assert (job["work_order_no"], job["seq"], job["name"]) == ("TW-2611-00001", 10, "冲压")
    assert (job["qty_plan"], job["closed"]) == ("100.0000", None)
    assert [m["code"] for m in job["machines"]] == ["P160-1"]
    named = {"token": world.tokens[0], "device": "phone-0001", "employee_no": " e0001 "}
    assert world.post("/person", named).json() == {"name": "操作工甲"}
    assert world.post("/person", named | {"employee_no": "Ｅ０００１"}).json()["name"]
    assert world.post("/person", named | {"employee_no": "E9"}).json() == {"name": None}


def test_a_report_is_time_and_quantity_rows(world: ReportWorld) -> None:
    sent = body(world, "12.5")
    answer = world.send(sent)
    assert (answer.status_code, answer.json()["state"]) == (200, "recorded")
    (event,) = world.rows("op_event")
    (quantity,) = world.rows("op_quantity")
    assert event.report_id == quantity.report_id == sent["report_id"]
    assert (event.event, quantity.quantity, quantity.qty) == ("finish", "good", Decimal("12.5"))
    assert event.employee == quantity.employee is not None
    assert abs(event.server_at - clock.now()) < timedelta(seconds=30)
    job = world.post("/open", {"token": world.tokens[0], "device": "phone-0001"}).json()
    assert Decimal(job["qty_good"]) == Decimal("12.5")


def test_the_same_report_five_times_is_one(world: ReportWorld) -> None:
    """S26: sent again, later, with another time of sending."""
    sent = body(world)
    answers = []
    for minutes in range(5):
        again = sent | {"sent_at": (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()}
        answers.append(world.send(again).json())
    assert len({str(a) for a in answers}) == 1
    assert world.total() == 10
    assert world.send(sent | {"employee_no": "E0002"}).status_code == 409
    assert world.total() == 10


def test_two_phones_at_once(world: ReportWorld) -> None:
    """Each its own report: both count; the same report from two at once: one."""
    same = body(world, "5")
    bodies = [same, same, body(world, "7", device="phone-0002")]
    threads = [threading.Thread(target=world.send, args=(one,)) for one in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.total() == 12


@pytest.mark.parametrize("off", [timedelta(days=1), timedelta(days=-1)])
def test_a_wrong_clock_is_corrected_and_kept_beside(world: ReportWorld, off: timedelta) -> None:
    done = datetime.now(UTC) + off - timedelta(hours=2)
    sent = body(world, at=done) | {"sent_at": (datetime.now(UTC) + off).isoformat()}
    assert world.send(sent).status_code == 200
    (event,) = world.rows("op_event")
    assert event.device_at == done.replace(microsecond=event.device_at.microsecond)
    assert abs(event.at - (clock.now() - timedelta(hours=2))) < timedelta(minutes=1)


def test_a_time_in_the_future_becomes_now(world: ReportWorld) -> None:
    assert world.send(body(world, at=datetime.now(UTC) + timedelta(hours=3))).status_code == 200
    (event,) = world.rows("op_event")
    assert event.at <= clock.now()


def test_a_clock_that_stood_in_1970_and_was_set_before_sending(world: ReportWorld) -> None:
    """Nobody reports a job long before there is one: the time it came is what is known."""
    assert world.send(body(world, at=datetime(1970, 1, 1, 0, 9, tzinfo=UTC))).status_code == 200
    (event,) = world.rows("op_event")
    assert event.at == event.server_at
    assert event.device_at.year == 1970


def test_a_reviewed_report_keeps_the_clocks_correction(world: ReportWorld) -> None:
    off = timedelta(days=-1)
    done = datetime.now(UTC) + off
    sent = body(world, at=done, employee_no="E77", sent_at=done.isoformat())
    assert world.send(sent).json()["state"] == "review"
    planner = world.served.signed_in("planner")
    (waiting,) = planner.get("/api/report-reviews").json()["rows"]
    assert (waiting["employee_no"], waiting["employee_name"]) == ("E77", None)
    assert abs(datetime.fromisoformat(waiting["reported_at"]) - clock.now()) < timedelta(minutes=1)
    path = f"/api/report-reviews/{sent['report_id']}/decision"
    wrong = planner.post(path, json={"accept": True, "employee_no": "E78"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (422, "unknown_employee")
    right = {"accept": True, "employee_no": "E0001"}
    assert planner.post(path, json=right).json()["state"] == "recorded"
    (event,) = world.rows("op_event")
    assert abs(event.at - clock.now()) < timedelta(minutes=1)
    assert event.employee is not None


def test_a_report_with_the_ids_of_another_is_refused(world: ReportWorld) -> None:
    first = body(world)
    world.send(first)
    answer = world.send(body(world) | {"events": first["events"]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "report_differs")
    assert world.total() == 10


def test_what_is_left_to_report_counts_the_mes_too(world: ReportWorld) -> None:
    world.write("operation", id=world.operations[0], qty_good="30")
    opened = {"token": world.tokens[0], "device": "phone-0001"}
    assert Decimal(world.post("/open", opened).json()["qty_good"]) == 30
    world.send(body(world, "40"))
    assert Decimal(world.post("/open", opened).json()["qty_good"]) == 40  # the larger, not 70


def test_undo_is_new_rows_and_once(world: ReportWorld) -> None:
    sent = body(world)
    world.send(sent)
    asked = {"token": sent["token"], "device": sent["device"], "report_id": sent["report_id"]}
    assert world.post("/undo", asked | {"device": "another-phone"}).status_code == 404
    assert [world.post("/undo", asked).json()["state"] for _ in range(2)] == ["undone"] * 2
    assert world.total() == 0
    quantities = world.rows("op_quantity")
    assert sorted(q.qty for q in quantities) == [Decimal(-10), Decimal(10)]
    assert {e.event for e in world.rows("op_event")} == {"finish", "undo"}
    assert world.send(sent).json()["state"] == "undone"  # sent again, it stays undone


def test_ten_minutes_are_the_persons_also_where_the_plants_time_hurries(
    world: ReportWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a demo at sixty times speed ten minutes of the plant are ten seconds of the thumb."""
    sent = body(world)
    assert 590 <= world.send(sent).json()["undo_seconds"] <= 600
    later = clock.now() + timedelta(hours=5)
    asked = {"token": sent["token"], "device": sent["device"], "report_id": sent["report_id"]}
    monkeypatch.setattr(clock, "now", lambda: later)
    monkeypatch.setattr(clock, "demo_pace", lambda: 60.0)
    assert 290 <= world.send(sent).json()["undo_seconds"] <= 300
    assert world.post("/undo", asked).json() | {"undo_until": ""} == {
        "report_id": sent["report_id"], "state": "undone", "reason": None, "undo_until": "",
        "undo_seconds": 0,
    }  # fmt: skip


def test_undo_ends_after_ten_minutes(world: ReportWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = body(world)
    world.send(sent)
    monkeypatch.setattr(reports, "UNDO", timedelta(seconds=-1))
    asked = {"token": sent["token"], "device": sent["device"], "report_id": sent["report_id"]}
    answer = world.post("/undo", asked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "undo_too_late")
    assert world.total() == 10


def test_work_before_the_job_was_over_waits_for_a_person(world: ReportWorld) -> None:
    """A phone that was without network: nothing is lost, a planner decides, once."""
    late = body(world, at=datetime.now(UTC) - timedelta(hours=1))
    world.write("work_order", id=world.order, status="closed")
    answer = world.send(late).json()
    assert (answer["state"], answer["reason"]) == ("review", "order_closed")
    assert world.total() == 0
    planner = world.served.signed_in("planner")
    (waiting,) = planner.get("/api/report-reviews").json()["rows"]
    assert (waiting["report_id"], waiting["quantities"][0]["qty"]) == (late["report_id"], "10")
    path = f"/api/report-reviews/{late['report_id']}/decision"
    assert planner.post(path, json={"accept": True}).json()["state"] == "recorded"
    assert planner.post(path, json={"accept": False}).status_code == 409
    assert world.total() == 10
    assert planner.get("/api/report-reviews").json()["rows"] == []
    assert planner.get("/api/notices").json()["unread"] == 1


def test_what_was_decided_stays_to_be_seen(world: ReportWorld) -> None:
    """With who decided and when; a report undone meanwhile is no longer to be decided."""
    machine = world.rows("machine")[0].id
    first, second, third = (
        body(world, qty, employee_no="E77", machine_id=machine) for qty in ("7", "8", "9")
    )
    for sent in (first, second, third):
        assert world.send(sent).json()["state"] == "review"
    planner = world.served.signed_in("planner")
    path = "/api/report-reviews"
    listed = planner.get(f"{path}?page_size=2").json()
    assert (listed["total"], [row["state"] for row in listed["rows"]]) == (3, ["review"] * 2)
    row = listed["rows"][0]
    assert [Decimal(row[name]) for name in ("qty_plan", "qty_good")] == [100, 0]
    assert row["machine"] == "P160-1 冲床 1"
    assert [event["kind"] for event in row["events"]] == ["finish"]
    assert (row["decided_by"], row["decided_at"]) == (None, None)
    planner.post(f"{path}/{first['report_id']}/decision", json={"accept": True})
    planner.post(f"{path}/{second['report_id']}/decision", json={"accept": False})
    undoing = {key: third[key] for key in ("token", "device", "report_id")}
    assert world.post("/undo", undoing).json()["state"] == "undone"
    assert planner.get(path).json()["rows"] == []
    for state, sent in (("recorded", first), ("rejected", second), ("undone", third)):
        (row,) = planner.get(f"{path}?state={state}").json()["rows"]
        assert (row["report_id"], row["state"]) == (sent["report_id"], state)
        assert (row["decided_by"] is None) == (state == "undone")
    assert planner.get(f"{path}?state=lost").status_code == 422


def test_an_old_traveler_of_a_closed_job_writes_nothing(world: ReportWorld) -> None:
    """S25: a printed copy used after the end gets a clear message."""
    world.write("work_order", id=world.order, status="closed")
    opened = world.post("/open", {"token": world.tokens[0], "device": "phone-0001"}).json()
    assert opened["closed"] == "order_closed"
    answer = world.send(body(world, at=datetime.now(UTC) + timedelta(seconds=30)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "job_closed")
    assert world.rows("op_event") == world.rows("op_quantity") == []


def test_what_waited_on_a_phone_is_never_refused(world: ReportWorld) -> None:
    """Made after the job was over, by somebody whose phone could not hear of it."""
    world.write("work_order", id=world.order, status="cancelled")
    sent_at = datetime.now(UTC) + timedelta(hours=8)
    made = datetime.now(UTC) + timedelta(seconds=30)
    later = body(world, at=made) | {"sent_at": sent_at.isoformat()}
    with clock.fixed(sent_at):
        answer = world.send(later).json()
        again = world.send(body(world, at=made) | {"sent_at": sent_at.isoformat()}).json()
    assert (answer["state"], answer["reason"]) == ("review", "order_cancelled")
    assert again["state"] == "review"
    assert world.rows("op_event") == world.rows("op_quantity") == []
    planner = world.served.signed_in("planner")
    assert len(planner.get("/api/report-reviews").json()["rows"]) == 2
    assert planner.get("/api/notices").json()["unread"] == 1  # one for the job


def test_an_unknown_machine_is_reviewed_not_lost(world: ReportWorld) -> None:
    sent = body(world, machine_id="00000000-0000-7000-8000-000000000000")
    answer = world.send(sent).json()
    assert (answer["state"], answer["reason"]) == ("review", "unknown_machine")
    planner = world.served.signed_in("planner")
    path = f"/api/report-reviews/{sent['report_id']}/decision"
    assert planner.post(path, json={"accept": True}).json()["state"] == "recorded"
    (event,) = world.rows("op_event")
    assert event.machine is None
    assert world.total() == 10


def test_an_unknown_worker_is_reviewed_not_lost(world: ReportWorld) -> None:
    answer = world.send(body(world, employee_no="E7777")).json()
    assert (answer["state"], answer["reason"]) == ("review", "unknown_employee")
    assert world.total() == 0


def test_a_reprint_shows_the_same_codes_a_renewal_voids_them(world: ReportWorld) -> None:
    def tokens(answer: dict[str, Any]) -> list[str]:
        return [op["url"].split("#")[1].split("&")[0] for op in answer["operations"]]

    assert tokens(world.traveler()) == world.tokens
    fresh = tokens(world.traveler(renew=True))
    assert set(fresh).isdisjoint(world.tokens)
    answer = world.send(body(world))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "code_void")
    assert world.send(body(world, token=fresh[0])).status_code == 200
    assert world.total() == 10


def test_nothing_to_print_before_a_routing(world: ReportWorld) -> None:
    world.write("work_order", id=world.order, status="engineering")
    client = world.served.signed_in("planner")
    answer = client.post(f"/api/work-orders/{world.order}/traveler", json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "nothing_to_report")


@pytest.mark.parametrize(
    "wrong",
    [
        {"events": [], "quantities": []},
        {"quantities": [{"id": uuid7(), "kind": "good", "qty": "-1", "at": AT}]},
        {"quantities": [{"id": uuid7(), "kind": "good", "qty": "1e12", "at": AT}]},
        {"quantities": [{"id": uuid7(), "kind": "gold", "qty": "1", "at": AT}]},
        {"events": [{"id": uuid7(), "kind": "finish", "at": AT[:-1]}]},
        {"report_id": "7"},
        {"employee_no": ""},
        {"device": "x"},
        {"sent_at": "0001-01-01T00:00:00+14:00"},
        {"sent_at": "9999-12-31T23:59:59-14:00"},
        {"events": [{"id": uuid7(), "kind": "finish", "at": "0001-01-01T00:00:00+14:00"}]},
        {"role": "admin"},
    ],
)  # fmt: skip
def test_a_wrong_report_is_refused_whole(world: ReportWorld, wrong: dict[str, Any]) -> None:
    assert world.send(body(world) | wrong).status_code == 422
    assert world.rows("op_event") == world.rows("op_quantity") == []


def test_a_phone_that_floods_is_slowed_down(
    world: ReportWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "OF_DEVICE", Attempts(3))
    answers = [world.send(body(world)).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    assert world.send(body(world, device="phone-0002")).status_code == 200


def test_reports_are_evidence_of_where_an_order_is(world: ReportWorld) -> None:
    order = world.write("sales_order", order_no="SO-1", status="open")
    line = world.write(
        "order_line", sales_order=order, line_no=1, line_key="SO-1|1", qty="100", status="open",
        item=world.rows("item")[0].id,
    )  # fmt: skip
    world.write("allocation", work_order=world.order, order_line=line, qty="100")
    planner = world.served.signed_in("planner")

    def stations() -> list[dict[str, Any]]:
        page = planner.get("/api/orders/by-number/SO-1").json()
        found: list[dict[str, Any]] = page["work_orders"][0]["stations"]
        return found

    assert [s["qty_good"] for s in stations()] == [None, None]
    world.send(body(world, "40"))
    first = stations()[0]
    assert (Decimal(first["qty_good"]), first["operators"]) == (Decimal(40), ["操作工甲"])
    assert first["state"] != "done"
    world.send(body(world, "60"))
    assert (stations()[0]["state"], Decimal(stations()[0]["qty_good"])) == ("done", Decimal(100))


def test_quantities_without_a_time_event_count_and_undone_ones_do_not(world: ReportWorld) -> None:
    sent = body(world, "7", events=[])
    assert world.send(sent).status_code == 200
    assert _reported(world) == Decimal(7)
    opened = world.post("/open", {"token": world.tokens[0], "device": PHONE}).json()
    assert Decimal(opened["qty_good"]) == 7
    undo = {"token": world.tokens[0], "device": PHONE, "report_id": sent["report_id"]}
    assert world.post("/undo", undo).status_code == 200
    assert _reported(world) is None


def _reported(world: ReportWorld) -> Decimal | None:
    tenon, operation = world.served.tenon, world.operations[0]
    with tenon.hub.read() as connection:
        found = load_reported(connection, tenon.reader(SYSTEM), [operation]).get(operation)
    return found.good if found else None

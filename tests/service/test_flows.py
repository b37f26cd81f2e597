"""Flows: started by changes, moved on as sets, waiting as rows, failing for a person to see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tenon.automate import notices, runs, switch
from tenon.automate.tables import flow_run, notice
from tenon.jobs.queue import job
from tenon.kernel import clock
from tenon.kernel.errors import Config, Conflict, NotFound
from tenon.records.ports import SYSTEM, Actor
from tenon.records.write import RowKey
from tests.service.flow_world import World, world

COPY = """
kind: flow
code: copy
label: {zh: 抄, en: Copy}
trigger: {record: thing, event: created, when: {field: qty, op: gt, value: 5}}
steps:
  - {id: big, step: condition, with: {if: {field: trigger.qty, op: ge, value: 100}, else: small}}
  - {id: tell, step: notify,
     with: {role: planner, link: "/things/{trigger.id}",
     title: {zh: "大 {trigger.name}", en: "Big {trigger.name}"}}}
  - id: small
    step: create
    with:
      entity: thing
      values: {name: "copy of {trigger.name}", qty: 1, due_at: {from: trigger.due_at}}
  - {id: mark, step: update, with: {entity: thing, values: {note: "copied as {steps.small.id}"}}}
"""
WAIT = """
kind: flow
code: patient
label: {zh: 等, en: Patient}
trigger: {record: thing, event: created, when: {field: note, op: empty, value: true}}
steps:
  - id: answer
    step: wait
    with:
      minutes: 30
      record:
        {entity: thing, id: {from: trigger.id}, when: {field: note, op: empty, value: false}}
  - id: came
    step: condition
    with: {if: {field: steps.answer.met, op: eq, value: true}, else: late}
  - {id: good, step: update, with: {entity: thing, values: {qty: 1}}}
  - {id: late, step: update, with: {entity: thing, values: {due_at: {from: trigger.created_at}}}}
"""
LOOP = """
kind: flow
code: loop
label: {zh: 圈, en: Loop}
trigger: {record: thing, event: created}
steps:
  - {id: more, step: create, with: {entity: thing, values: {name: "{trigger.name}x"}}}
"""

Make = Callable[[str], World]


@pytest.fixture
def make(hub_url: str, tmp_path: Path) -> Iterator[Make]:
    with ExitStack() as stack:
        yield lambda flows: stack.enter_context(world(tmp_path / "home", hub_url, flows))


def test_a_change_starts_a_flow_and_its_steps_are_done_once(make: Make) -> None:
    shop = make(COPY)
    due = datetime(2026, 5, 1, 4, 30, tzinfo=UTC)
    big = shop.put("A", qty=100, due_at=due)
    shop.put("B", qty=6)
    shop.put("C", qty=5)  # below the filter
    shop.put("D", qty=None)
    shop.work()
    assert [(r.subject, r.state) for r in shop.runs()] == [("A", "done"), ("B", "done")]
    things = shop.things()
    assert set(things) == {"A", "B", "C", "D", "copy of A", "copy of B"}
    assert things["copy of A"]["due_at"] == due
    assert things["A"]["note"] == f"copied as {things['copy of A']['id']}"
    (told,) = shop.rows(notice)
    assert (told.title, told.link) == ({"zh": "大 A", "en": "Big A"}, f"/things/{big}")
    shop.work()
    assert len(shop.things()) == 6


BARE = """
kind: entity
code: part_of
label: {zh: 部分, en: Part}
fields:
  - {code: size, label: {zh: 尺寸, en: Size}, type: integer}
  - {code: other, label: {zh: 另一物, en: Other thing}, type: ref, target: thing}
  - {code: whole, label: {zh: 整体, en: Whole}, type: ref, target: thing, required: true}
---
kind: entity
code: loose
label: {zh: 散件, en: Loose end}
fields:
  - {code: size, label: {zh: 尺寸, en: Size}, type: integer}
---
kind: flow
code: of_part
label: {zh: 部分, en: Part}
trigger: {record: part_of, event: created}
steps:
  - {id: more, step: condition, with: {if: {field: trigger.size, op: eq, value: 1}}}
---
kind: flow
code: of_loose
label: {zh: 散件, en: Loose}
trigger: {record: loose, event: created}
steps:
  - {id: more, step: condition, with: {if: {field: trigger.size, op: eq, value: 1}}}
"""


def test_a_run_is_named_by_a_number_and_never_by_an_id(make: Make) -> None:
    """Without a title: the key in its source, what it belongs to, else its kind."""
    shop = make(BARE)
    whole = shop.put("W" * 150)
    other = shop.put("other")
    named = {"size": 1, "other": other, "whole": whole}
    with shop.tenon.hub.write() as tx:
        for entity, key, values in (
            ("part_of", RowKey(source="mes", source_key="P-1"), named),
            ("part_of", RowKey(), named),
            ("loose", RowKey(), {"size": 1}),
        ):  # fmt: skip
            shop.tenon.writer.write(tx, SYSTEM, entity, [(key, values)])
    assert [run.subject for run in shop.runs()] == ["P-1", "W" * 150, ""]
    with shop.tenon.hub.read() as connection:
        rows = runs.page(connection, shop.tenon.catalogue)["rows"]
    assert rows[0]["entity_label"] == {"zh": "散件", "en": "Loose end"}
    with shop.tenon.hub.write() as tx:
        tx.execute(flow_run.update().values(subject=flow_run.c.record_id))  # as it was once
    with shop.tenon.hub.read() as connection:
        assert {r["subject"] for r in runs.page(connection, shop.tenon.catalogue)["rows"]} == {""}


def test_only_live_changes_start_a_flow(make: Make) -> None:
    """DESIGN 5: a first load of old orders sends nothing outward, nor does our own echo."""
    shop = make(COPY)
    for origin in ("initial", "backfill", "replay", "echo:mes"):
        shop.put(origin, qty=50, origin=origin)
    assert shop.runs() == []


def test_a_flow_that_is_switched_off_starts_nothing(make: Make) -> None:
    shop = make(COPY)
    with shop.tenon.hub.write() as tx:
        switch.set_enabled(tx, "copy", False, "admin")
    shop.put("A", qty=50)
    with shop.tenon.hub.write() as tx:
        switch.set_enabled(tx, "copy", True, "admin")
    shop.put("B", qty=50)
    assert [r.subject for r in shop.runs()] == ["B"]


def test_a_rolled_back_change_starts_nothing(make: Make) -> None:
    shop = make(COPY)

    def fails() -> None:
        with shop.tenon.hub.write() as tx:
            shop.tenon.writer.write(tx, SYSTEM, "thing", [(RowKey(), {"name": "A", "qty": 9})])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert shop.runs() == []
    assert shop.rows(job) == []


def test_runs_that_stand_together_are_moved_on_as_a_set(make: Make) -> None:
    shop = make(COPY)
    for n in range(40):
        shop.put(f"T{n}", qty=50)
    turns = 0
    while shop.worker.run_once("flow"):
        turns += 1
    assert turns == 3  # of sixteen each
    assert {r.state for r in shop.runs()} == {"done"}
    assert len(shop.things()) == 80


def test_a_wait_ends_when_the_record_is_as_it_should_be(make: Make) -> None:
    shop = make(WAIT)
    id_ = shop.put("A")
    shop.work()
    (run,) = shop.runs()
    assert (run.state, run.step, run.owner) == ("waiting", "answer", None)
    shop.change(id_, qty=3)  # something else
    shop.work()
    assert shop.runs()[0].state == "waiting"
    shop.change(id_, note="here")
    shop.work()
    assert shop.runs()[0].state == "done"
    assert shop.things()["A"]["qty"] == 1


def test_a_wait_ends_when_its_time_is_over(make: Make) -> None:
    """F16: by the plant's clock, once."""
    shop = make(WAIT)
    start = datetime(2026, 5, 1, 4, 30, tzinfo=UTC)
    with clock.fixed(start):
        shop.put("A")
        shop.work()
    with clock.fixed(start + timedelta(minutes=29)):
        _look_again(shop)
        assert shop.runs()[0].state == "waiting"
    with clock.fixed(start + timedelta(minutes=30)):
        _look_again(shop)
    (run,) = shop.runs()
    assert run.state == "done"
    assert shop.things()["A"]["due_at"] is not None
    assert shop.things()["A"]["qty"] is None


def _look_again(shop: World) -> None:
    """Let the timers of waiting runs come round now."""
    with shop.tenon.hub.write() as tx:
        tx.execute(job.update().where(job.c.state == "ready").values(run_at=0))
    shop.work()


def test_a_running_instance_keeps_its_version(make: Make) -> None:
    shop = make(WAIT)
    id_ = shop.put("A")
    shop.work()
    shop.publish(WAIT.replace("qty: 1", "qty: 2"))
    shop.put("B")
    shop.work()
    for thing in (id_, shop.things()["B"]["id"]):
        shop.change(thing, note="here")
    shop.work()
    assert {n: t["qty"] for n, t in shop.things().items()} == {"A": 1, "B": 2}


def test_flows_that_start_each_other_for_ever_are_stopped(make: Make) -> None:
    shop = make(LOOP)
    shop.put("A")
    shop.work()
    last = shop.runs()[-1]
    assert last.state == "failed"
    assert last.failure["code"] == "flow_loop"
    assert len(shop.things()) == 9


def test_a_step_that_fails_is_shown_tried_again_or_cancelled(make: Make) -> None:
    shop = make(COPY.replace('{trigger.name}", qty: 1', '{trigger.name}", qty: 1.234'))
    first, second = shop.put("A", qty=50), shop.put("B", qty=50)
    shop.work()
    assert {r.state for r in shop.runs()} == {"failed"}
    a, b = shop.runs()
    assert {first, second} == {a.record_id, b.record_id}
    with shop.tenon.hub.read() as connection:
        page = runs.run_page(connection, shop.tenon.catalogue, a.id)
    # What came before in the same transaction was undone with it.
    assert [s["state"] for s in page["steps"]] == ["pending", "pending", "failed", "pending"]
    assert page["run"]["step"] == "small"
    assert page["run"]["failure"]["code"] == "does_not_fit"
    assert page["can_retry"]
    assert page["can_cancel"]
    with shop.tenon.hub.write() as tx:
        runs.retry(tx, a.id)
        runs.cancel(tx, b.id)
    with pytest.raises(Conflict), shop.tenon.hub.write() as tx:
        runs.retry(tx, b.id)
    with pytest.raises(NotFound), shop.tenon.hub.write() as tx:
        runs.retry(tx, first)
    shop.work()
    assert [r.state for r in shop.runs()] == ["failed", "cancelled"]
    assert shop.things().keys() == {"A", "B"}


def test_a_cancelled_run_goes_no_further(make: Make) -> None:
    shop = make(WAIT)
    id_ = shop.put("A")
    shop.work()
    with shop.tenon.hub.write() as tx:
        runs.cancel(tx, shop.runs()[0].id)
    shop.change(id_, note="here")
    shop.work()
    assert shop.runs()[0].state == "cancelled"
    assert shop.things()["A"]["qty"] is None


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (COPY.replace("step: condition", "step: eval"), "unknown_step"),
        (COPY.replace("else: small", "else: nowhere"), "no_step"),
        (COPY.replace("role: planner", "rolle: planner"), "bad_step"),
        (COPY.replace("id: mark", "id: small"), "invalid_definition"),
        (COPY.replace("record: thing", "record: nothing"), "invalid_definition"),
    ],
)
def test_a_wrong_flow_is_refused_when_it_is_published(make: Make, wrong: str, code: str) -> None:
    with pytest.raises(Config) as refused:
        make(wrong)
    assert refused.value.code == code


def test_nothing_in_a_setting_is_evaluated(make: Make) -> None:
    """S5: a template is filled in by name, and nothing else."""
    text = "{{7*7}} {trigger.__class__} {trigger.name.upper} ${x} <%= 1 %>"
    shop = make(COPY.replace("copy of {trigger.name}", text))
    shop.put("A", qty=50)
    shop.work()
    assert text in shop.things()


def test_notices_are_of_a_role_and_read_by_each_person(make: Make) -> None:
    shop = make(COPY)
    shop.put("A", qty=100)
    shop.put("B", qty=100)
    shop.work()
    one, other = (
        Actor(shop.things()["A"]["id"], "甲", "planner"),
        Actor(shop.things()["B"]["id"], "乙", "planner"),
    )
    sales = Actor(one.id, "丙", "sales")
    with shop.tenon.hub.write() as tx:
        first = notices.page(tx, one, unread=False, page_number=1, page_size=10)
        assert (first["unread"], first["total"]) == (2, 2)
        assert notices.read(tx, one, [first["rows"][0]["id"]]) == 1
        assert notices.read(tx, sales, None) == 0
        assert notices.read(tx, one, None) == 0
        assert notices.page(tx, other, unread=True, page_number=1, page_size=10)["unread"] == 2
        assert notices.page(tx, sales, unread=False, page_number=1, page_size=10)["total"] == 0


def test_old_runs_are_forgotten_but_not_failed_ones(make: Make) -> None:
    shop = make(COPY)
    shop.put("A", qty=50)
    shop.work()
    with shop.tenon.hub.write() as tx:
        assert runs.purge(tx, clock.now() - timedelta(days=1)) == 0
        assert runs.purge(tx, clock.now() + timedelta(days=1)) == 1
    assert shop.rows(flow_run) == []
    assert shop.steps() == {}

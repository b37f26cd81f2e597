"""The rules of docs/reference/stage-rules.md, derived from a truth file of a few rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from plant.derivation import Derivation, Stage
from plant.facts import Facts
from plant.record import truth
from plant.record.book import Book
from plant.record.storing import SqliteStore

NOW = 100_000
MINUTE = 60
ORDER, WORK = "SO-2608-0001", "WO-2608-00001"


class SmallTruth:
    """Builds the truth of one order line with one work order; times are minutes before now."""

    def __init__(self, path: Path, *, standard: int = 1, released: bool = True) -> None:
        self._path, self._book = path, Book({"truth": truth.METADATA}, {})
        self._numbers = iter(range(1, 1000))
        put = self._book.put
        put(truth.ABOUT, name="origin", value="2026-08-03T00:00:00")
        put(truth.ORDER_LINE, order_no=ORDER, line=1, created_at=0, standard=standard)
        self.event("qty", 100, qty=100)
        put(truth.WORK_ORDER, wo=WORK, created_at=10, released_at=20 if released else None)

    def event(self, kind: str, ago: float, qty: int = 0) -> None:
        self._book.put(
            truth.LINE_EVENT,
            id=next(self._numbers),
            order_no=ORDER,
            line=1,
            at=_at(ago),
            kind=kind,
            qty=qty,
        )

    def allocate(self, order_no: str = ORDER) -> None:
        self._book.put(
            truth.ALLOCATED,
            id=next(self._numbers),
            workorder_code=WORK,
            order_no=order_no,
            order_line=1,
            keyed_at=10,
        )

    def operation(self, seq: int, kind: str, planned: float = 60) -> None:
        self._book.put(
            truth.OPERATION,
            job_no=f"J{seq}",
            wo=WORK,
            op_seq=seq,
            kind=kind,
            created_at=10,
            planned_min=planned,
        )

    def report(self, seq: int, kind: str, ago: float, keyed: float | None = None) -> None:
        self._book.put(
            truth.REPORT,
            true_job_no=f"T{next(self._numbers)}",
            job_no=f"J{seq}",
            kind=kind,
            evidence_at=_at(ago),
            keyed_at=_at(ago if keyed is None else keyed),
            fault="none",
        )

    def run(self, seq: int, start: float, end: float | None) -> None:
        self._book.put(
            truth.RUN,
            id=next(self._numbers),
            job_no=f"J{seq}",
            true_job_no=f"J{seq}",
            start_at=_at(start),
            end_at=None if end is None else _at(end),
        )

    def move(
        self, kind: str, ago: float, direction: int = 1, qty: float = 100, **more: object
    ) -> None:
        values = {"workorder_no": WORK, **more}
        self._book.put(
            truth.MOVE,
            move_no=f"M{next(self._numbers)}",
            move_type=kind,
            item_code="X",
            qty=qty,
            direction=direction,
            moved_at=_at(ago),
            keyed_at=_at(ago),
            **values,
        )

    def stage(self) -> Stage:
        store = SqliteStore(self._path)
        store.create(truth.METADATA.sorted_tables)
        store.write(self._book.pages["truth"].values(), NOW)
        store.close()
        return Derivation(Facts(self._path), NOW, "recorded").lines()[ORDER, 1]


def _at(ago: float) -> int:
    return int(NOW - ago * MINUTE)


@pytest.fixture
def small(tmp_path: Path) -> SmallTruth:
    """A released work order of two press operations, an outside one, inspection and packing."""
    small = SmallTruth(tmp_path / "truth.db")
    small.allocate()
    for seq, kind in ((10, "press"), (20, "press"), (30, "outside"), (40, "manual")):
        small.operation(seq, kind)
    small.operation(50, "manual", planned=30)
    return small


def shown(stage: Stage) -> tuple[str, int | None, str | None]:
    return stage.stage, stage.op_seq, stage.rule


def test_without_a_work_order_a_line_waits_for_engineering_or_is_accepted(tmp_path: Path) -> None:
    assert SmallTruth(tmp_path / "a.db", standard=0).stage().stage == "engineering"
    assert SmallTruth(tmp_path / "b.db", standard=1).stage().stage == "accepted"


def test_a_work_order_not_released_is_planned(tmp_path: Path) -> None:
    small = SmallTruth(tmp_path / "t.db", released=False)
    small.allocate()
    small.operation(10, "press")
    assert shown(small.stage()) == ("planned", None, None)


def test_material_alone_leaves_it_released(small: SmallTruth) -> None:
    small.move("ISSUE", 10, direction=-1)
    assert shown(small.stage()) == ("released", None, None)


def test_the_allocation_is_found_however_it_was_typed(tmp_path: Path) -> None:
    small = SmallTruth(tmp_path / "t.db")
    small.allocate("so-２６０８-0001 ")
    small.operation(10, "press")
    assert small.stage().stage == "released"


def test_a_running_press_is_in_process(small: SmallTruth) -> None:
    small.run(10, 300, None)
    assert shown(small.stage()) == ("in_process", 10, None)


def test_a_report_moves_it_to_the_next_operation(small: SmallTruth) -> None:
    small.run(10, 300, 200)
    small.report(10, "FINISH", 199)
    assert shown(small.stage()) == ("in_process", 20, None)


def test_a_report_keyed_later_is_not_known_yet(small: SmallTruth) -> None:
    small.run(10, 300, 0.5)
    small.report(10, "FINISH", 0.5, keyed=-5)
    assert shown(small.stage()) == ("in_process", 10, None)


def test_u1_a_press_that_stopped_without_a_report(small: SmallTruth) -> None:
    small.run(10, 300, 20)
    assert shown(small.stage()) == ("in_process", 10, "U1")


def test_u1_allows_the_moment_in_which_a_worker_reports(small: SmallTruth) -> None:
    small.run(10, 300, 0.9)
    assert shown(small.stage()) == ("in_process", 10, None)


def test_u2_a_report_of_a_press_that_no_machine_carries(small: SmallTruth) -> None:
    small.report(10, "FINISH", 30)
    assert shown(small.stage()) == ("in_process", 20, "U2")


def test_u2_a_report_of_a_press_that_still_runs(small: SmallTruth) -> None:
    small.run(10, 300, None)
    small.report(10, "FINISH", 30)
    assert shown(small.stage()) == ("in_process", 20, "U2")


def test_u2_a_press_that_ran_on_after_its_report(small: SmallTruth) -> None:
    small.run(10, 300, 60)
    small.report(10, "FINISH", 90)
    assert shown(small.stage()) == ("in_process", 20, "U2")
    small.report(10, "FINISH", 59)
    assert shown(small.stage()) == ("in_process", 20, None)


def test_u3_a_press_passed_over(small: SmallTruth) -> None:
    small.run(20, 300, None)
    assert shown(small.stage()) == ("in_process", 20, "U3")


def _through_the_presses(small: SmallTruth, ago: float) -> None:
    for seq in (10, 20):
        small.run(seq, ago + 60, ago)
        small.report(seq, "FINISH", ago)


def test_the_outside_operation_before_and_after_sending(small: SmallTruth) -> None:
    _through_the_presses(small, 900)
    small.move("OUT_SEND", 800, direction=-1)
    assert shown(small.stage()) == ("outside", 30, None)


def test_back_from_outside_the_next_operation_is_current(small: SmallTruth) -> None:
    _through_the_presses(small, 900)
    small.move("OUT_SEND", 800, direction=-1)
    small.move("OUT_BACK", 40)
    assert shown(small.stage()) == ("in_process", 40, None)


def test_u4_a_manual_operation_quiet_for_longer_than_planned(small: SmallTruth) -> None:
    _through_the_presses(small, 900)
    small.move("OUT_SEND", 800, direction=-1)
    small.move("OUT_BACK", 61)
    assert shown(small.stage()) == ("in_process", 40, "U4")


def test_u4_an_issue_is_not_evidence_of_an_operation(small: SmallTruth) -> None:
    _through_the_presses(small, 900)
    small.move("OUT_SEND", 800, direction=-1)
    small.move("OUT_BACK", 61)
    small.move("ISSUE", 5, direction=-1)
    assert small.stage().rule == "U4"


def test_the_last_report_finishes_and_the_receipt_stocks(small: SmallTruth) -> None:
    _through_the_presses(small, 900)
    small.report(50, "FINISH", 600)
    assert shown(small.stage()) == ("finished", None, None)
    small.move("RECEIPT", 500)
    assert shown(small.stage()) == ("stocked", None, None)


def test_a_void_receipt_does_not_count(small: SmallTruth) -> None:
    _through_the_presses(small, 900)
    small.report(50, "FINISH", 600)
    small.move("RECEIPT", 500, void_at=_at(400))
    assert small.stage().stage == "finished"


def test_a_line_is_shipped_when_as_much_as_ordered_went_out(small: SmallTruth) -> None:
    small.move("RECEIPT", 500)
    shipment = {"workorder_no": None, "order_no": " so-2608-0001", "order_line": 1}
    small.move("SHIP", 400, direction=-1, qty=60, **shipment)
    assert small.stage().stage == "stocked"
    small.move("SHIP", 300, direction=-1, qty=40, **shipment)
    assert small.stage().stage == "shipped"


def test_what_the_customer_cancels_is_cancelled(small: SmallTruth) -> None:
    small.run(10, 300, None)
    small.event("cancelled", 10)
    assert shown(small.stage()) == ("cancelled", None, None)

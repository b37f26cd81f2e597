"""The comparison finds what is wrong with answers, and names the fault behind a difference."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from plant.check import compare, compare_layers
from plant.check_view import show
from plant.derivation import NOT_OPEN, Derivation
from plant.facts import Facts

END = datetime.fromisoformat("2026-09-05T09:30")


@pytest.fixture(scope="module")
def facts(month: Path) -> Facts:
    return Facts(month / "truth.db")


def _right_answers(facts: Facts) -> list[dict[str, Any]]:
    stages = Derivation(facts, facts.seconds(END), "recorded").lines()
    return [
        {
            "order_no": order_no,
            "line_no": line,
            "stage": stage.stage,
            "op_seq": stage.op_seq,
            "confirmed": stage.confirmed,
        }
        for (order_no, line), stage in stages.items()
    ]


def _right_issues(facts: Facts) -> dict[str, dict[str, float]]:
    return Derivation(facts, facts.seconds(END), "recorded").issued()


def test_right_answers_agree_in_everything(month: Path, facts: Facts) -> None:
    report = compare(month / "truth.db", END, _right_answers(facts), _right_issues(facts))
    assert report.ok, report.as_json()
    assert report.lines_once == report.lines_total == report.stages_equal > 1000
    assert not report.from_recorded
    assert not report.issues_from_recorded
    assert report.issues_equal > 1000
    assert report.from_happened
    assert not report.unexplained


def test_wrong_answers_are_found(month: Path, facts: Facts) -> None:
    answers = _right_answers(facts)
    where = {answer["order_no"]: place for place, answer in enumerate(answers)}
    place = next(p for p in where.values() if answers[p]["stage"] in ("stocked", "released"))
    answers[place] = answers[place] | {"stage": "finished", "op_seq": None}
    lost, doubled = answers.pop(0), answers[3]
    answers += [doubled, lost | {"order_no": "SO-9999-0001"}]
    issued = _right_issues(facts)
    work_order = next(iter(issued))
    issued[work_order] = {item: qty + 1 for item, qty in issued[work_order].items()}
    report = compare(month / "truth.db", END, answers, issued)
    assert not report.ok
    assert report.missing == [f"{lost['order_no']}/{lost['line_no']}"]
    assert report.twice == [f"{doubled['order_no']}/{doubled['line_no']}"]
    assert report.extra == [f"SO-9999-0001/{lost['line_no']}"]
    assert [d.shown for d in report.from_recorded] == ["finished"]
    assert report.issues_from_recorded
    out = StringIO()
    show(report, Console(file=out, width=140))
    assert "finished" in out.getvalue()
    assert "unexplained" in out.getvalue()


def test_an_instant_ahead_of_the_truth_is_refused(month: Path) -> None:
    with pytest.raises(ValueError, match="already saved"):
        compare(month / "truth.db", END + timedelta(days=1), [])


def test_twenty_instants_are_rarely_wrong_and_always_explained(facts: Facts) -> None:
    open_lines = wrong = unconfirmed = 0
    for number in range(20):
        at = END - timedelta(hours=19 * number)
        report = compare_layers(facts, at)
        assert not report.unexplained, (at, report.unexplained)
        open_lines += report.open_lines
        wrong += len(report.confidently_wrong)
        unconfirmed += report.unconfirmed
    assert open_lines > 3000
    assert wrong / open_lines < 0.007
    assert 0.03 < unconfirmed / open_lines < 0.2


def test_the_happened_layer_knows_no_doubt(facts: Facts) -> None:
    stages = Derivation(facts, facts.seconds(END), "happened").lines()
    assert all(stage.confirmed for stage in stages.values())
    assert any(stage.stage not in NOT_OPEN for stage in stages.values())

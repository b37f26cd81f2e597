"""The plant's faults appear at the rates that were promised, and in the rows themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from plant.settings import Rates
from tests.plant.conftest import one, reading

RATES = Rates()


@pytest.mark.parametrize(
    ("fault", "rate"),
    [
        ("missing", RATES.report_missing),
        ("late", RATES.report_late),
        ("batched", RATES.report_batched),
        ("wrong_order", RATES.report_wrong_order),
        ("padded", RATES.report_padded),
    ],
)
def test_reports_fail_at_their_rates(month: Path, fault: str, rate: float) -> None:
    with reading(month / "truth.db") as db:
        total = one(db, "SELECT count(*) FROM recorded_report")
        hit = one(db, f"SELECT count(*) FROM recorded_report WHERE fault = '{fault}'")
    assert total > 8000
    assert hit / total == pytest.approx(rate, rel=0.2)


def test_late_reports_are_more_than_two_hours_late(month: Path) -> None:
    with reading(month / "truth.db") as db:
        least = one(
            db, "SELECT min(keyed_at - evidence_at) FROM recorded_report WHERE fault = 'late'"
        )
        punctual = one(
            db, "SELECT max(keyed_at - evidence_at) FROM recorded_report WHERE fault = 'none'"
        )
    assert least > 2 * 3600
    assert punctual < 5 * 60


@pytest.mark.parametrize(
    ("kind", "rate", "of"),
    [
        ("issue_without_order", RATES.issue_without_order, "happened_issue WHERE qty > 0"),
        ("issue_wrong_order", RATES.issue_wrong_order, "happened_issue WHERE qty > 0"),
        ("issue_red", RATES.issue_red, "happened_issue WHERE qty > 0"),
        (
            "issue_substitute",
            RATES.issue_substitute,
            "happened_work_order WHERE released_at IS NOT NULL",
        ),
    ],
)
def test_issues_fail_at_their_rates(month: Path, kind: str, rate: float, of: str) -> None:
    with reading(month / "truth.db") as db:
        total = one(db, f"SELECT count(*) FROM {of}")
        hit = one(db, f"SELECT count(*) FROM recorded_fault WHERE kind = '{kind}'")
    assert total > 1000
    assert hit / total == pytest.approx(rate, rel=0.35)


def test_finance_fails_at_its_rates(month: Path) -> None:
    with reading(month / "kis.db") as db:
        bills = one(db, "SELECT count(*) FROM ICStockBill")
        db.execute(f"ATTACH '{month / 'wms.db'}' AS wm")
        issues = one(
            db,
            "SELECT count(*) FROM ICStockBill b JOIN wm.wm_move m "
            "ON m.move_no = b.FExplanation WHERE m.move_type = 'ISSUE'",
        )
        zero = one(db, "SELECT count(*) FROM ICStockBillEntry WHERE FPrice = 0")
        purchases = one(db, "SELECT count(*) FROM POOrder")
    with reading(month / "truth.db") as db:
        unaudited = one(db, "SELECT count(*) FROM recorded_fault WHERE kind = 'bill_unaudited'")
        late = one(db, "SELECT count(*) FROM recorded_fault WHERE kind = 'supplier_late'")
    assert zero / issues == pytest.approx(RATES.bill_zero_price, rel=0.3)
    assert unaudited / bills == pytest.approx(RATES.bill_unaudited, rel=0.4)
    assert late / purchases == pytest.approx(RATES.supplier_late, rel=0.5)


def test_customers_change_and_rush_at_their_rates(month: Path) -> None:
    with reading(month / "crm" / "crm.db") as db:
        orders = one(db, "SELECT count(*) FROM crm_order")
        changed = one(db, "SELECT count(DISTINCT order_id) FROM crm_order_change")
        rush = one(db, "SELECT count(*) FROM crm_order WHERE rush = 1")
        special = one(db, "SELECT avg(standard = 0) FROM crm_order_line")
    assert changed / orders == pytest.approx(RATES.customer_change, rel=0.35)
    assert rush / orders == pytest.approx(RATES.rush, rel=0.4)
    assert special > 0.40


def test_scrap_is_three_percent_and_more_after_a_die_change(month: Path) -> None:
    with reading(month / "truth.db") as db:
        press = "FROM happened_operation WHERE kind = 'press' AND ended_at IS NOT NULL"
        share = one(db, f"SELECT sum(qty_scrap) * 1.0 / sum(qty_in) {press}")
        short = one(db, f"SELECT sum(qty_scrap) * 1.0 / sum(qty_in) {press} AND planned_min < 80")
    assert 0.03 < share < 0.045
    assert short > share


def test_weighing_is_off_by_half_a_percent_at_most(month: Path) -> None:
    with reading(month / "truth.db") as db:
        offs = [
            abs(row["keyed"] / row["real"] - 1)
            for row in db.execute(
                "SELECT m.qty AS keyed, i.qty AS real FROM recorded_move m JOIN happened_issue i "
                "ON i.wo = m.true_wo AND i.item_code = m.item_code AND i.at = m.moved_at "
                "WHERE m.move_type = 'ISSUE' AND i.qty > 5 AND m.move_no NOT IN "
                "(SELECT row_key FROM recorded_fault) AND (SELECT count(*) FROM happened_issue o "
                "WHERE o.wo = i.wo AND o.item_code = i.item_code AND o.at = i.at) = 1"
            )
        ]
    assert len(offs) > 500
    assert max(offs) < 0.006
    assert sum(offs) / len(offs) > 0.001


def test_mistyped_keys_are_few_and_one_is_used_by_issues(month: Path) -> None:
    with reading(month / "truth.db") as db:
        keys = [
            (row["table_name"], row["row_key"])
            for row in db.execute("SELECT * FROM recorded_fault WHERE kind = 'key_mistyped'")
        ]
        used = one(
            db,
            "SELECT count(*) FROM recorded_move WHERE move_type = 'ISSUE' AND item_code IN "
            "(SELECT row_key FROM recorded_fault WHERE kind = 'key_mistyped')",
        )
    assert 6 <= len(keys) <= 12
    assert sum(key.startswith("CP") for _, key in keys) == 1
    assert used > 0

"""Each system's rows refer to rows that are there, and are written as such systems write."""

from __future__ import annotations

from pathlib import Path

import pytest

from plant.facts import normalised
from tests.plant.conftest import one, reading

ORPHANS = {
    "mes": [
        ("mes_job", "workorder_code", "pro_workorder", "workorder_code"),
        ("pro_feedback", "job_no", "mes_job", "job_no"),
        ("pro_feedback", "workorder_code", "pro_workorder", "workorder_code"),
        ("pro_workorder", "product_code", "md_product", "product_code"),
        ("pro_workorder_source", "workorder_code", "pro_workorder", "workorder_code"),
        ("dv_state_log", "machinery_code", "dv_machinery", "machinery_code"),
        ("dv_state_log", "job_no", "mes_job", "job_no"),
        ("dv_count_log", "job_no", "mes_job", "job_no"),
        ("pro_route", "product_code", "md_product", "product_code"),
        ("dv_die", "product_code", "md_product", "product_code"),
        ("pro_feedback", "operator_no", "md_operator", "operator_no"),
    ],
    "wms": [
        ("wm_move", "item_code", "wm_item", "item_code"),
        ("wm_move", "vendor_code", "wm_vendor", "vendor_code"),
        ("wm_move", "red_of", "wm_move", "move_no"),
        ("wm_lot", "item_code", "wm_item", "item_code"),
        ("wm_balance", "item_code", "wm_item", "item_code"),
        ("wm_move", "location_code", "wm_location", "location_code"),
    ],
    "kis": [
        ("ICStockBillEntry", "FInterID", "ICStockBill", "FInterID"),
        ("ICStockBillEntry", "FItemID", "t_ICItem", "FItemID"),
        ("SEOrderEntry", "FInterID", "SEOrder", "FInterID"),
        ("SEOrder", "FCustID", "t_Organization", "FItemID"),
        ("ICMO", "FItemID", "t_ICItem", "FItemID"),
        ("ICMO", "FOrderInterID", "SEOrder", "FInterID"),
        ("PPBOM", "FICMOInterID", "ICMO", "FInterID"),
        ("ICBOMChild", "FItemID", "t_ICItem", "FItemID"),
        ("t_VoucherEntry", "FVoucherID", "t_Voucher", "FVoucherID"),
        ("t_VoucherEntry", "FAccountID", "t_Account", "FAccountID"),
        ("t_ICItem", "FItemID", "t_Item", "FItemID"),
    ],
    "crm": [
        ("crm_order_line", "order_id", "crm_order", "id"),
        ("crm_order", "customer_id", "crm_customer", "id"),
        ("crm_contact", "customer_id", "crm_customer", "id"),
        ("crm_order_change", "order_id", "crm_order", "id"),
    ],
}


@pytest.mark.parametrize(
    ("system", "table", "column", "other", "key"),
    [(system, *reference) for system, references in ORPHANS.items() for reference in references],
)
def test_references_meet(
    month: Path, system: str, table: str, column: str, other: str, key: str
) -> None:
    path = month / "crm" / "crm.db" if system == "crm" else month / f"{system}.db"
    with reading(path) as db:
        db.text_factory = bytes
        used = one(db, f'SELECT count("{column}") FROM "{table}"')
        orphans = one(
            db,
            f'SELECT count(*) FROM "{table}" WHERE "{column}" IS NOT NULL AND "{column}" '
            f'NOT IN (SELECT "{key}" FROM "{other}")',
        )
    assert used > 0
    assert orphans == 0


def test_the_embedded_mes_keeps_gbk_bytes_as_text(month: Path) -> None:
    with reading(month / "mes.db") as db:
        db.text_factory = bytes
        name, kind = db.execute(
            "SELECT machinery_name, typeof(machinery_name) FROM dv_machinery "
            "WHERE machinery_code = 'CY060-01'"
        ).fetchone()
    assert kind == b"text"
    assert name.decode("gb18030") == "60T冲压机1号"
    with pytest.raises(UnicodeDecodeError):
        name.decode("utf-8")


def test_order_numbers_in_the_mes_are_repaired_by_normalising(month: Path) -> None:
    with reading(month / "mes.db") as db:
        db.text_factory = lambda raw: raw.decode("gb18030")
        typed = [row[0] for row in db.execute("SELECT order_no FROM pro_workorder_source")]
    with reading(month / "crm" / "crm.db") as db:
        known = {row[0] for row in db.execute("SELECT id FROM crm_order")}
    assert {normalised(number) for number in typed} <= known
    assert 0.1 < sum(number not in known for number in typed) / len(typed) < 0.3


def test_work_order_numbers_in_the_wms_are_repaired_by_normalising(month: Path) -> None:
    with reading(month / "wms.db") as db:
        typed = [
            row[0]
            for row in db.execute("SELECT workorder_no FROM wm_move WHERE workorder_no NOT NULL")
        ]
    with reading(month / "mes.db") as db:
        known = {row[0] for row in db.execute("SELECT workorder_code FROM pro_workorder")}
    assert {normalised(number) for number in typed} <= known


def test_balances_are_the_sum_of_the_moves(month: Path) -> None:
    with reading(month / "wms.db") as db:
        moved = dict(
            db.execute(
                "SELECT item_code || '/' || ifnull(lot_no, '-') || '/' || location_code, "
                "round(sum(direction * qty), 3) FROM wm_move WHERE status = 'DONE' AND "
                "move_type NOT LIKE 'OUT%' GROUP BY 1"
            ).fetchall()
        )
        kept = dict(
            db.execute(
                "SELECT item_code || '/' || lot_no || '/' || location_code, round(qty, 3) "
                "FROM wm_balance"
            ).fetchall()
        )
    assert set(kept) == set(moved)
    assert all(abs(kept[key] - moved[key]) < 0.01 for key in kept)


def test_vouchers_balance_and_add_up_to_the_balances(month: Path) -> None:
    with reading(month / "kis.db") as db:
        vouchers = one(db, "SELECT count(*) FROM t_Voucher")
        uneven = one(
            db,
            "SELECT count(*) FROM (SELECT FVoucherID FROM t_VoucherEntry GROUP BY FVoucherID "
            "HAVING abs(sum(CASE FDC WHEN 1 THEN FAmount ELSE -FAmount END)) > 0.005)",
        )
        posted = one(db, "SELECT round(sum(FAmount), 2) FROM t_VoucherEntry WHERE FDC = 1")
        debit, end = db.execute(
            "SELECT round(sum(FDebit), 2), round(sum(FEndBalance), 2) FROM t_Balance"
        ).fetchone()
        unposted = one(
            db,
            "SELECT count(*) FROM ICStockBill WHERE FDate < '2026-08-25' AND FVchInterID = 0 "
            "AND FTranType = 21",
        )
    assert vouchers > 40
    assert uneven == 0
    assert posted == pytest.approx(debit, abs=0.01)
    assert end == pytest.approx(0, abs=0.01)
    assert unposted >= 0


def test_period_balances_of_stock_roll_forward(month: Path) -> None:
    with reading(month / "kis.db") as db:
        rows = db.execute("SELECT * FROM ICBal").fetchall()
    assert rows
    for row in rows:
        expected = row["FBegQty"] + row["FReceive"] - row["FSend"]
        assert row["FEndQty"] == pytest.approx(expected, abs=0.001)


def test_the_shop_looks_like_a_shop(month: Path) -> None:
    with reading(month / "truth.db") as db:
        work_orders = one(db, "SELECT count(*) FROM happened_work_order")
        overlapping = one(
            db,
            "SELECT count(*) FROM happened_operation a JOIN happened_operation b ON a.wo = b.wo "
            "AND a.op_seq < b.op_seq WHERE b.started_at < a.ended_at OR "
            "(b.started_at IS NOT NULL AND a.ended_at IS NULL)",
        )
        breakdowns = one(db, "SELECT count(*) FROM happened_stop WHERE kind = 'breakdown'")
        kinds = {row[0] for row in db.execute("SELECT DISTINCT kind FROM happened_stop")}
        steps = db.execute(
            "SELECT min(n), max(n) FROM (SELECT count(*) AS n FROM happened_operation GROUP BY wo)"
        ).fetchone()
    assert 1200 < work_orders < 1700
    assert overlapping == 0
    assert breakdowns > 10
    assert {"breakdown", "power_cut", "absence"} <= kinds
    assert steps[0] >= 2
    assert steps[1] <= 10


def test_the_current_rises_before_a_breakdown(week: Path) -> None:
    with reading(week / "truth.db") as db:
        stops = db.execute("SELECT * FROM happened_stop WHERE kind = 'breakdown'").fetchall()
    assert stops
    with reading(week / "mes.db") as db:
        rises = []
        for stop in stops:
            clock = "strftime('%s', ts) - strftime('%s', '2026-08-03')"
            running = (
                f"SELECT avg(value) FROM dv_param_sample WHERE machinery_code = '{stop['machine']}'"
                f" AND value > (SELECT max(value) * 0.5 FROM dv_param_sample WHERE machinery_code ="
                f" '{stop['machine']}') AND {clock} BETWEEN "
            )
            start = stop["start_at"]
            before = one(db, f"{running} {start - 3 * 3600} AND {start}")
            usual = one(db, f"{running} 0 AND {max(1, start - 60 * 3600)}")
            if before and usual:
                rises.append(before / usual)
    assert rises
    assert max(rises) > 1.08

"""Fill a hub with a large plant's orders, in SQL: what years of running would leave.

The rows are those the syncs would have written (same tables, indexes and ids), without their
events; the benchmark reads, so how they came is not measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from tenon.store import Hub

OPERATIONS = 6  # a work order
REPORTS = 10  # a work order
MOVES = 4  # a work order: issue, issue, receipt, shipment
OPEN_SHARE = 350  # work orders in progress, whatever the history behind them


@dataclass(frozen=True)
class Dialect:
    """The few words in which SQLite and PostgreSQL differ here."""

    sqlite: bool

    def series(self, count: int) -> str:
        """A table `g(n)` of 1..count."""
        if self.sqlite:
            return (
                f"(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM s WHERE n<{count}) "
                "SELECT n FROM s) g"
            )
        return f"generate_series(1,{count}) AS g(n)"

    def uid(self, kind: int, number: str) -> str:
        """A UUIDv7-like id: later numbers sort later, as real ids do."""
        if self.sqlite:
            return f"printf('019a0000-%04x-7000-8000-%012x', {kind}, {number})"
        return f"('019a0000-{kind:04x}-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"

    def at(self, minutes_ago: str) -> str:
        """A moment so many minutes ago."""
        if self.sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || ({minutes_ago}) || ' minutes') || '000'"
        return f"(now() - ({minutes_ago}) * interval '1 minute')"

    def dec(self, number: str, scale: int = 4) -> str:
        """A decimal."""
        return f"(({number}) * {10**scale})" if self.sqlite else f"({number})"

    def no(self, prefix: str, number: str) -> str:
        """A document number."""
        if self.sqlite:
            return f"printf('{prefix}%07d', {number})"
        return f"('{prefix}' || lpad(({number})::text, 7, '0'))"


def fill(hub: Hub, work_orders: int) -> None:
    """Fill an empty hub (its tables there) with that many work orders and all that hangs on them."""
    words = Dialect(hub.dialect == "sqlite")
    with hub.write(durable=False) as tx:
        for statement in _statements(words, work_orders):
            # psycopg takes a bare % for the start of a parameter.
            tx.exec_driver_sql(statement if words.sqlite else statement.replace("%", "%%"))
    with hub.write() as tx:
        tx.exec_driver_sql("ANALYZE")


def _system(words: Dialect, kind: int, number: str, stream: str, source: str = "mes") -> str:
    at = words.at("10")
    return (
        f"{words.uid(kind, number)}, 1, {at}, 'sync', {at}, 'sync', '{source}', "
        f"'{stream}:' || ({number})"
    )


_SYSTEM = "id, version, created_at, created_by, updated_at, updated_by, source, source_key"


def _insert(entity: str, columns: str, system: str, values: str, source: str) -> str:
    return f"INSERT INTO e_{entity} ({_SYSTEM}, {columns}) SELECT {system}, {values} FROM {source}"


def _statements(w: Dialect, n: int) -> list[str]:
    old = f"(n <= {max(n - OPEN_SHARE, 0)})"
    one = w.series
    true, false = ("1", "0") if w.sqlite else ("true", "false")
    age = f"({n} - n) * 30 + 60"  # minutes ago, so that orders come at 48 a day
    return [
        _insert("customer", "code, name, short_name", _system(w, 1, "n", "customers", "crm"),
                f"{w.no('ACC-', 'n')}, '客户' || n || '汽车零部件有限公司', '客户' || n", one(500)),
        _insert("item", "code, name, drawing_no, unit, standard", _system(w, 2, "n", "md_product"),
                f"{w.no('P', 'n')}, '支架' || n, {w.no('DWG', 'n')}, '件', {true}", one(5000)),
        _insert("machine", "code, name, work_centre, has_plc", _system(w, 3, "n", "dv_machinery"),
                f"{w.no('YJ', 'n')}, '压机' || n, 'WC' || (n % 8), {true}", one(40)),
        _insert("employee", "code, name", _system(w, 4, "n", "md_operator"),
                f"{w.no('E', 'n')}, '操作工' || n", one(200)),
        _insert("work_centre", "code, name", _system(w, 5, "n", "md_workcenter"),
                "'WC' || (n - 1), '冲压中心' || n", one(8)),
        _insert("sales_order",
                "order_no, customer, customer_po, ordered_at, due_at, promised_at, status, rush, revision",
                _system(w, 6, "n", "orders", "crm"),
                f"{w.no('SO-', 'n')}, {w.uid(1, '1 + n % 500')}, {w.no('PO', 'n')}, {w.at(age)}, "
                f"{w.at(age + ' - 10080')}, {w.at(age + ' - 10080')}, "
                f"CASE WHEN {old} THEN 'closed' ELSE 'open' END, {false}, 0", one(n)),
        _insert("order_line",
                "sales_order, line_no, line_key, item, item_no, item_name, drawing_no, standard, "
                "qty, unit, status",
                _system(w, 7, "n", "order_lines", "crm"),
                f"{w.uid(6, 'n')}, 1, {w.no('SO-', 'n')} || '|1', {w.uid(2, '1 + n % 5000')}, "
                f"{w.no('C', '1 + n % 5000')}, '支架' || (1 + n % 5000), {w.no('DWG', '1 + n % 5000')}, "
                f"{true}, {w.dec('100 + n % 900')}, '件', 'open'", one(n)),
        _insert("work_order", "work_order_no, item, qty, due_at, plan_start, plan_end, priority, status",
                _system(w, 8, "n", "pro_workorder"),
                f"{w.no('WO-', 'n')}, {w.uid(2, '1 + n % 5000')}, {w.dec('100 + n % 900')}, "
                f"{w.at(age + ' - 10080')}, {w.at(age)}, {w.at(age + ' - 8000')}, 3, "
                f"CASE WHEN {old} THEN 'closed' ELSE 'started' END", one(n)),
        _insert("allocation", "work_order, order_line, qty", _system(w, 9, "n", "pro_workorder_source"),
                f"{w.uid(8, 'n')}, {w.uid(7, 'n')}, {w.dec('100 + n % 900')}", one(n)),
        *_shopfloor(w, n, old),
        *_warehouse(w, n, old, false),
    ]  # fmt: skip


def _shopfloor(w: Dialect, n: int, old: str) -> list[str]:
    order = f"(1 + (n - 1) / {OPERATIONS})"
    seq = f"(1 + (n - 1) % {OPERATIONS})"
    age = f"(({n} - {order}) * 30 + 60 + ({OPERATIONS} - {seq}) * 200)"
    done = f"({order} <= {max(n - OPEN_SHARE, 0)} OR {seq} <= {order} % {OPERATIONS})"
    of_report = f"(1 + (n - 1) / {REPORTS})"
    # REPORTS spread over the OPERATIONS of the same work order
    operation = f"(({of_report} - 1) * {OPERATIONS} + 1 + (n - 1) % {OPERATIONS})"
    report_age = f"(({n} - {of_report}) * 30 + 60)"
    return [
        _insert("operation",
                "job_no, work_order, seq, name, work_centre, machine, employee, outside, setup_min, "
                "run_min, qty_plan, qty_good, qty_scrap, state, started_at, ended_at",
                _system(w, 10, "n", "mes_job"),
                f"{w.no('J', 'n')}, {w.uid(8, order)}, {seq} * 10, '冲压' || {seq}, "
                f"'WC' || (n % 8), {w.uid(3, '1 + n % 40')}, {w.uid(4, '1 + n % 200')}, "
                f"{'0' if w.sqlite else 'false'}, {w.dec('30')}, {w.dec('60')}, {w.dec('100')}, "
                f"{w.dec('98')}, {w.dec('2')}, CASE WHEN {done} THEN 'done' ELSE 'wait' END, "
                f"CASE WHEN {done} THEN {w.at(age + ' + 90')} END, "
                f"CASE WHEN {done} THEN {w.at(age)} END",
                w.series(n * OPERATIONS)),
        _insert("job_report",
                "report_no, operation, employee, machine, report, qty_good, qty_scrap_work, "
                "started_at, finished_at, reported_at",
                _system(w, 11, "n", "pro_feedback"),
                f"{w.no('F', 'n')}, {w.uid(10, operation)}, {w.uid(4, '1 + n % 200')}, "
                f"{w.uid(3, '1 + n % 40')}, 'finish', {w.dec('50')}, {w.dec('1')}, "
                f"{w.at(report_age + ' + 60')}, {w.at(report_age)}, {w.at(report_age)}",
                w.series(n * REPORTS)),
        _insert("machine_state", "machine, operation, state, started_at, ended_at",
                _system(w, 12, "n", "dv_state_log"),
                f"{w.uid(3, '1 + n % 40')}, {w.uid(10, 'n')}, 'run', {w.at(age + ' + 90')}, {w.at(age)}",
                w.series(n * OPERATIONS)),
    ]  # fmt: skip


def _warehouse(w: Dialect, n: int, old: str, false: str) -> list[str]:
    order = f"(1 + (n - 1) / {MOVES})"
    nth = f"((n - 1) % {MOVES})"
    shipped = f"{order} <= {max(n - OPEN_SHARE, 0)}"
    return [
        _insert("stock_move",
                "move_no, move, item, lot_no, qty, unit, work_order, order_line, moved_at, void",
                _system(w, 13, "n", "wm_move", "wms"),
                f"{w.no('MV', 'n')}, CASE {nth} WHEN 2 THEN 'receipt' WHEN 3 THEN 'ship' "
                f"ELSE 'issue' END, {w.uid(2, '1 + n % 5000')}, {w.no('L', 'n % 9000')}, "
                f"CASE WHEN {nth} = 2 THEN {w.dec('100')} ELSE {w.dec('-100')} END, '件', "
                f"CASE WHEN {nth} < 3 THEN {w.uid(8, order)} END, "
                f"CASE WHEN {nth} = 3 THEN {w.uid(7, order)} END, "
                f"{w.at(f'({n} - {order}) * 30 + 60')}, {false}",
                f"(SELECT n FROM {w.series(n * MOVES)} WHERE {nth} < 2 OR {shipped}) h"),
    ]  # fmt: skip


def counts(tx: Connection) -> dict[str, int]:
    """The rows that matter for the promise."""
    return {
        entity: tx.exec_driver_sql(f"SELECT count(*) FROM e_{entity}").scalar_one()
        for entity in ("work_order", "operation", "job_report", "machine_state", "stock_move")
    }

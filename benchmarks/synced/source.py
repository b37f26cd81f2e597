"""The source: 5,000 items and any number of stock moves in a MariaDB database of its own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pymysql
from sqlalchemy.engine import URL

from tests import servers

ITEMS: Final = 5000
_TABLES: Final = (
    (
        "CREATE TABLE items (item_code VARCHAR(20) PRIMARY KEY, item_name VARCHAR(60) NOT NULL, "
        "updated_at DATETIME(3) NOT NULL, KEY (updated_at))"
    ),
    (
        "CREATE TABLE stock_moves (id BIGINT PRIMARY KEY, doc_no VARCHAR(20) NOT NULL, "
        "item_code VARCHAR(20) NOT NULL, work_order_no VARCHAR(20), "
        "warehouse VARCHAR(10) NOT NULL, "
        "move_type VARCHAR(10) NOT NULL, qty DECIMAL(18,4) NOT NULL, "
        "unit_cost DECIMAL(18,6) NOT NULL, moved_at DATETIME(3) NOT NULL, "
        "updated_at DATETIME(3) NOT NULL, KEY (updated_at, id))"
    ),
    (
        f"INSERT INTO items SELECT CONCAT('RM-', LPAD(seq, 5, '0')), CONCAT('钢板 ', seq), "
        f"'2026-01-01' FROM seq_0_to_{ITEMS - 1}"
    ),
)
_MOVES: Final = (
    "INSERT INTO stock_moves SELECT seq, CONCAT('CK', LPAD(seq DIV 3, 9, '0')), "
    f"CONCAT('RM-', LPAD(seq * 7919 MOD {ITEMS}, 5, '0')), "
    "CONCAT('WO', LPAD(seq DIV 20, 8, '0')), CONCAT('仓', seq MOD 7), "
    "ELT(1 + seq MOD 4, 'ISSUE', 'RETURN', 'RECEIPT', 'SHIP'), (seq * 37 MOD 1000000) / 10, "
    "(seq * 13 MOD 900000) / 1000, TIMESTAMP('2026-01-01') + INTERVAL seq SECOND, "
    "TIMESTAMP('2026-01-02') + INTERVAL seq SECOND FROM seq_1_to_{rows}"
)


@contextmanager
def mariadb(rows: int) -> Iterator[URL]:
    """A database with so many moves, dropped afterwards."""
    admin = servers.admin_url(servers.MARIADB_VARIABLE)
    name = f"tenon_bench_{secrets.token_hex(4)}"
    _run(admin, None, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        _run(admin, name, *_TABLES, _MOVES.format(rows=rows))
        yield admin.set(drivername="mysql", database=name, query={})
    finally:
        _run(admin, None, f"DROP DATABASE {name}")


def change(url: URL, rows: int, every: int) -> int:
    """Change one row in `every`; how many were."""
    until = "(SELECT MAX(updated_at) FROM (SELECT updated_at FROM stock_moves) AS m)"
    return _run(
        url, url.database,
        f"SET @last = {until}",
        f"UPDATE stock_moves SET qty = qty + 1, updated_at = @last + INTERVAL 1 + id DIV {every} "
        f"SECOND WHERE id MOD {every} = 0 AND id <= {rows}",
    )  # fmt: skip


def facts(url: URL) -> tuple[int, Any]:
    """Count and sum of what is there: what every side must have."""
    with _open(url, url.database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*), SUM(qty) FROM stock_moves")
        found: tuple[int, Any] = cursor.fetchone()
    return found


def _run(url: URL, database: str | None, *statements: str) -> int:
    with _open(url, database) as connection, connection.cursor() as cursor:
        changed: int = [cursor.execute(statement) for statement in statements][-1]
    return changed


def _open(url: URL, database: str | None) -> Any:
    return pymysql.connect(
        host=url.host or "127.0.0.1", port=url.port or 3306, user=url.username,
        password=url.password or "", database=database, autocommit=True,
    )  # fmt: skip

"""How long a single write waits while a million rows are synced into a hub on SQLite.

One process, as `tenon serve` is one: the sync runs on its thread, and beside it a person's write
(one record, durable) is made fifty times a second. What is measured is the whole write, from
asking to being on the disk. The floor beside it is the same write with nothing else going on.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from plant.legacy import mes
from tenon import __version__
from tenon.assembly import Tenon, open_tenon
from tenon.assembly.home import HomeSettings, write_settings
from tenon.connect.runner import Runner
from tenon.connect.settings import Connections
from tenon.records.ports import SYSTEM
from tenon.records.write import RowKey

EVERY = 0.02


def main() -> int:
    """Sync and write; print the waits beside those of an idle hub."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    rows = 60_000 if parser.parse_args().quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="tenon-bench-") as name:
        folder = Path(name)
        _fill(folder / "mes.db", rows)
        home = folder / "home"
        write_settings(home, HomeSettings())
        Connections(home).save({"mes": {"url": f"sqlite:///{folder / 'mes.db'}"}})
        with open_tenon(home) as tenon:
            idle = _writes(tenon, threading.Event(), most=250)
            over = threading.Event()
            took: list[float] = []

            def sync() -> None:
                began = time.perf_counter()
                outcome = Runner(tenon.connect).sync("mes_work_order")
                took.append(time.perf_counter() - began)
                assert outcome.error is None, outcome.error
                over.set()

            thread = threading.Thread(target=sync)
            thread.start()
            busy = _writes(tenon, over)
            thread.join()
    print(f"{rows:,} rows synced in {took[0]:.0f} s ({rows / took[0]:,.0f} rows/s); "
          f"{len(busy)} writes meanwhile, {len(idle)} without")  # fmt: skip
    print(f"{'':<8}{'p50':>8}{'p99':>8}{'max':>8}  ms")
    for label, times in (("busy", busy), ("idle", idle)):
        print(f"{label:<8}{_at(times, 0.5):>8.1f}{_at(times, 0.99):>8.1f}{max(times):>8.1f}")
    figures = [
        {
            "name": f"durable single write while {rows:,} rows are synced, p{share * 100:.0f}",
            "value": round(_at(busy, share), 2), "unit": "ms", "against": "an idle hub",
            "against_value": round(_at(idle, share), 2),
            "ratio": round(_at(idle, share) / _at(busy, share), 3),
        }
        for share in (0.5, 0.99)
    ]  # fmt: skip
    versions = {"tenon": __version__, "python": sys.version.split()[0],
                "sqlite": sqlite3.sqlite_version}  # fmt: skip
    print(json.dumps({"name": "write_wait", "versions": versions, "figures": figures}))
    return 0


def _fill(path: Path, rows: int) -> None:
    engine = sa.create_engine(f"sqlite:///{path}")
    mes.METADATA.create_all(engine)
    engine.dispose()
    with sqlite3.connect(path) as db:
        db.execute(
            "INSERT INTO pro_workorder (workorder_code, quantity, status, update_time) "
            f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows}) "
            "SELECT printf('WO-%08d', n), n % 900 + 1, 'CONFIRMED', "
            "datetime('2026-01-01', '+' || n || ' seconds') FROM s"
        )


def _writes(tenon: Tenon, over: threading.Event, most: int | None = None) -> list[float]:
    """Milliseconds of each write, until it is over."""
    times: list[float] = []
    number = 0
    while not over.is_set() and (most is None or number < most):
        row: dict[str, Any] = {"code": f"K{time.time_ns()}", "name": "part"}
        began = time.perf_counter()
        with tenon.hub.write() as tx:
            tenon.writer.write(tx, SYSTEM, "item", [(RowKey(), row)])
        times.append((time.perf_counter() - began) * 1000)
        number += 1
        over.wait(EVERY)
    return times


def _at(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


if __name__ == "__main__":
    sys.exit(main())

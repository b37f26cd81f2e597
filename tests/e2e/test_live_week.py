"""A simulated week with Tenon joined: orders by webhook, work orders into the MES, the truth."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from startup.paths import ROOT

pytestmark = [pytest.mark.deep, pytest.mark.timeout(1500)]

PACE: Final = 2000.0
WEEK: Final = timedelta(days=7)


def test_a_week_of_orders_flows_into_the_mes(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    with _demo(home):
        began = _plant_time(home)
        _until(lambda: _plant_time(home) >= began + WEEK, 600)
        # Slower at the end: of two thousand times as fast a second is half an hour, in which
        # orders are released that the plant, standing still, never takes over.
        _pace(home, 100)
        slower = _plant_time(home)
        _until(lambda: _plant_time(home) >= slower + timedelta(hours=1), 120)
        _pace(home, 0)
        _until(lambda: _clock(home)["pace"] == 0, 60)
        _until(lambda: not _waiting(home), 120)
        report = _check(home)
        for _ in range(20):  # until every source was read once more
            if report["ok"]:
                break
            time.sleep(5)
            report = _check(home)
        assert report["ok"], json.dumps(report, ensure_ascii=False)[:4000]
    waits = sorted(_waits(home))
    adopted = (home / "plant" / "adopted.jsonl").read_text("utf-8").splitlines()
    p95 = waits[int(len(waits) * 0.95)]
    print(
        f"\n{len(waits)} order lines by webhook reached the MES, {len(adopted) - 1} taken over; "
        f"seconds from webhook to the MES: p50 {waits[len(waits) // 2]:.2f}, p95 {p95:.2f}"
    )
    assert len(waits) > 50
    assert len(adopted) > 50


@contextmanager
def _demo(home: Path) -> Iterator[None]:
    command = [sys.executable, "start.py", "demo", "--home", str(home), "--pace", str(PACE)]
    log = (home.parent / "demo.log").open("w+", encoding="utf-8")
    with log, subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONUTF8": "1"}, stdout=log,
        stderr=subprocess.STDOUT, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            _until(lambda: "Open http" in (home.parent / "demo.log").read_text("utf-8"), 600)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _clock(home: Path) -> dict[str, Any]:
    while True:
        try:
            found: dict[str, Any] = json.loads((home / "plant" / "clock.json").read_text("utf-8"))
            return found
        except ValueError:
            time.sleep(0.05)  # it is just being written


def _plant_time(home: Path) -> datetime:
    said = _clock(home)
    passed = 0.0
    if said["pace"]:
        passed = time.time() - datetime.fromisoformat(said["wall"]).timestamp()
    return datetime.fromisoformat(said["sim"]) + timedelta(seconds=passed * said["pace"])


def _pace(home: Path, pace: float) -> None:
    command = [sys.executable, "-m", "plant", "pace", "--home", str(home / "plant"), str(pace)]
    subprocess.run(command, cwd=ROOT, check=True)


def _hub(home: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{home / 'tenon' / 'hub.db'}?mode=ro", uri=True)) as db:
        return db.execute(query).fetchall()


def _waiting(home: Path) -> bool:
    """Whether a webhook or a flow is still under way, or the MES has not answered."""
    with closing(
        sqlite3.connect(f"file:{home / 'plant' / 'crm' / 'crm.db'}?mode=ro", uri=True)
    ) as db:
        unsent = db.execute("SELECT count(*) FROM crm_outbox WHERE sent_at IS NULL").fetchone()[0]
    (jobs,) = _hub(
        home, "SELECT count(*) FROM job WHERE state IN ('ready', 'running') AND kind = 'hook'"
    )[0]
    (runs,) = _hub(home, "SELECT count(*) FROM flow_run WHERE state = 'running'")[0]
    return bool(unsent or jobs or runs)


def _check(home: Path) -> dict[str, Any]:
    accounts = json.loads((home / "accounts.json").read_text("utf-8"))
    url = (home.parent / "demo.log").read_text("utf-8").split("Open ")[1].split()[0]
    command = [
        sys.executable, "-m", "plant", "check", "--home", str(home / "plant"), "--json",
        "--tenon-url", url, "--accounts", str(home / "accounts.json"),
    ]  # fmt: skip
    assert accounts
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    report: dict[str, Any] = json.loads(done.stdout)
    report["ok"] = done.returncode == 0
    return report


def _waits(home: Path) -> list[float]:
    """Seconds on the wall from each order's webhook to its work order's row in the MES."""
    rows = _hub(
        home,
        """SELECT (julianday(p.sent_at) - julianday(min(h.received_at))) * 86400.0
        FROM push_row p JOIN e_allocation a ON a.work_order = p.record_id
        JOIN e_order_line l ON l.id = a.order_line JOIN e_sales_order o ON o.id = l.sales_order
        JOIN hook_event h ON h.lane = o.order_no
        WHERE p.push = 'mes_work_order' AND p.sent_at IS NOT NULL GROUP BY p.key""",
    )
    return [seconds / PACE for (seconds,) in rows if seconds is not None]


def _until(condition: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.2)

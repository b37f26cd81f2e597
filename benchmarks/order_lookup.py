"""Where is my order, at 100,000 work orders and 1,000,000 reports, while a sync runs.

The order page's API is asked over HTTP for random orders, on SQLite and on PostgreSQL, at growing
sizes. The floor beside it reads the same rows with the bare driver: no server, no rules, no JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import sqlalchemy

from benchmarks.fill import counts, fill
from plant.legacy import mes
from tenon import __version__
from tenon.assembly import open_tenon

SIZES, QUICK_SIZES = (1_000, 10_000, 100_000), (1_000, 10_000)
ASKED, WARM_UP = 400, 40
ROWS_A_SECOND = 200  # changed in the MES while the pages are asked for
POSTGRES = os.environ.get("TENON_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


def main() -> int:
    """Run every size on every hub that is there and print the table."""
    options = argparse.ArgumentParser()
    options.add_argument("--quick", action="store_true")
    sizes = QUICK_SIZES if options.parse_args().quick else SIZES
    figures: list[dict[str, Any]] = []
    print(f"{'hub':<11}{'work orders':>12}{'reports':>11}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}"
          f"{'floor p95':>11}{'rows synced':>13}")  # fmt: skip
    for name in ("sqlite", "postgresql"):
        for size in sizes:
            figures += measure(name, size)
    print(json.dumps({"name": "order_lookup", "versions": versions(), "figures": figures}))
    return 0


def measure(name: str, size: int) -> list[dict[str, Any]]:
    """Fill, serve, ask; a row of the table and its figures."""
    folder = Path(tempfile.mkdtemp(prefix="tenon-bench-"))
    try:
        with hub_of(name, folder) as url:
            home = folder / "home"
            accounts = prepare(home, url, folder / "mes.db", size)
            floor = percentile(ask_floor(name, url, home, size), 95)
            with served(home) as port, busy(folder / "mes.db", size):
                taken = ask_pages(port, accounts, size)
                synced = rows_synced(port, accounts)
        p50, p95, p99 = (percentile(taken, p) for p in (50, 95, 99))
        print(f"{name:<11}{size:>12,}{size * 10:>11,}{p50:>9.1f}{p95:>9.1f}{p99:>9.1f}"
              f"{floor:>11.2f}{synced:>13,}", flush=True)  # fmt: skip
        if synced == 0:
            raise SystemExit("no sync ran beside the measurement: the figures mean nothing")
        return [figure(f"{name} {size} {label}", value, floor)
                for label, value in (("p50", p50), ("p95", p95), ("p99", p99))]  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def figure(name: str, value: float, floor: float) -> dict[str, Any]:
    """A figure beside the floor; a ratio below 1 says how far above the floor we are."""
    return {"name": name, "value": round(value, 2), "unit": "ms", "against": "driver p95",
            "against_value": round(floor, 3), "ratio": round(floor / value, 4)}  # fmt: skip


@contextmanager
def hub_of(name: str, folder: Path) -> Iterator[str | None]:
    """The address of an empty hub; None is the SQLite file of the home."""
    if name == "sqlite":
        yield None
        return
    database = f"tenon_bench_{secrets.token_hex(4)}"
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {database}")
        try:
            yield POSTGRES.rsplit("/", 1)[0] + f"/{database}"
        finally:
            server.execute(f"DROP DATABASE {database} WITH (FORCE)")


def prepare(home: Path, url: str | None, source: Path, size: int) -> dict[str, str]:
    """Make a home with accounts, an MES to sync and a full hub; names to passwords."""
    command = [tenon(), "init", "--home", str(home)] + (["--hub", url] if url else [])
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    listed = next(json.loads(line) for line in made.splitlines() if line.startswith("{"))
    engine = sqlalchemy.create_engine(f"sqlite:///{source}")
    mes.METADATA.create_all(engine)
    engine.dispose()
    (home / "connections.yaml").write_text(f"mes: {{url: 'sqlite:///{source}'}}\n", "utf-8")
    with open_tenon(home) as opened:
        fill(opened.hub, size)
        with opened.hub.read() as connection:
            found = counts(connection)
    assert found["work_order"] == size, found
    assert found["job_report"] == size * 10, found
    return {a["username"]: a["password"] for a in listed["accounts"]}


def tenon() -> str:
    """The command of this environment."""
    return str(Path(sys.executable).with_name("tenon"))


@contextmanager
def served(home: Path) -> Iterator[int]:
    """A running server with its sync cycle, in a process of its own."""
    port = 8600 + secrets.randbelow(300)
    command = [tenon(), "serve", "--home", str(home), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            wait_for(
                lambda: call(HTTPConnection("127.0.0.1", port), "GET", "/api/health")[0] == 200
            )
            yield port
        finally:
            child.terminate()


def wait_for(ready: Callable[[], bool]) -> None:
    """Wait up to half a minute."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if ready():
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not answer within 30 s")


@contextmanager
def busy(source: Path, size: int) -> Iterator[None]:
    """Keep changing rows of the MES: a report keyed every few milliseconds."""
    stop = threading.Event()

    def change() -> None:
        rng = random.Random(7)
        database = sqlite3.connect(source, timeout=30)
        number = 0
        while not stop.wait(0.25):
            at = datetime.now(ZoneInfo("Asia/Shanghai"))
            rows = []
            for _ in range(ROWS_A_SECOND // 4):
                number += 1
                job = f"J{rng.randint(1, size * 6):07d}"
                rows.append((f"B{number:08d}", job, "FINISH", 10, f"{at:%Y-%m-%d %H:%M:%S}"))
            database.executemany(
                "INSERT INTO pro_feedback (feedback_no, job_no, kind, qty_ok, update_time) "
                "VALUES (?, ?, ?, ?, ?)", rows,
            )  # fmt: skip
            database.commit()
        database.close()

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def call(
    to: HTTPConnection, method: str, path: str, body: Any = None, cookie: str = ""
) -> tuple[int, bytes, str]:
    """One request on a kept connection: status, body, cookie."""
    headers = {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{to.port}"}
    if cookie:
        headers["Cookie"] = cookie
    to.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = to.getresponse()
    found = answer.read()
    return answer.status, found, (answer.getheader("Set-Cookie") or "").split(";")[0]


def sign_in(to: HTTPConnection, accounts: dict[str, str]) -> str:
    """A session cookie of the administrator, whose first password is changed."""
    credentials = {"username": "admin", "password": accounts["admin"]}
    status, body, cookie = call(to, "POST", "/api/session", credentials)
    assert status == 200, body
    session = json.loads(body)
    if session["must_change_password"]:
        fresh = secrets.token_urlsafe(16)
        change = {"old": accounts["admin"], "new": fresh}
        headers = {"Content-Type": "application/json", "Cookie": cookie,
                   "X-CSRF-Token": session["csrf_token"],
                   "Origin": f"http://127.0.0.1:{to.port}"}  # fmt: skip
        to.request("POST", "/api/session/password", json.dumps(change), headers)
        answer = to.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        accounts["admin"] = fresh
        cookie = (answer.getheader("Set-Cookie") or cookie).split(";")[0]
    return cookie


def ask_pages(port: int, accounts: dict[str, str], size: int) -> list[float]:
    """Milliseconds of each order page, old and open orders alike."""
    to = HTTPConnection("127.0.0.1", port)
    cookie = sign_in(to, accounts)
    rng = random.Random(1)
    to.close()  # the server drops a silent connection; the next request opens another
    time.sleep(6)  # let the first sync round begin
    taken = []
    for number in range(ASKED + WARM_UP):
        begun = time.perf_counter()
        status, body, _ = call(to, "GET", f"/api/orders/{line_id(rng, size)}", cookie=cookie)
        if number >= WARM_UP:
            taken.append((time.perf_counter() - begun) * 1000)
        assert status == 200, body[:300]
        assert len(json.loads(body)["work_orders"][0]["stations"]) == 6
        time.sleep(0.01)  # a reader, not a load test: the sync must get its share too
    return taken


def line_id(rng: random.Random, size: int) -> str:
    """The id `benchmarks.fill` gives to a random order line."""
    return f"019a0000-0007-7000-8000-{rng.randint(1, size):012x}"


def rows_synced(port: int, accounts: dict[str, str]) -> int:
    """Rows that syncs applied meanwhile, from the runs page."""
    to = HTTPConnection("127.0.0.1", port)
    status, body, _ = call(to, "GET", "/api/runs?changed=true", cookie=sign_in(to, accounts))
    assert status == 200, body[:300]
    return sum(run["applied"] for run in json.loads(body)["rows"])


_FLOOR = (
    "SELECT * FROM e_order_line WHERE id = {}",
    "SELECT * FROM e_allocation WHERE order_line = {}",
    (
        "SELECT o.* FROM e_operation o JOIN e_allocation a ON a.work_order = o.work_order "
        "WHERE a.order_line = {}"
    ),
    (
        "SELECT r.* FROM e_job_report r JOIN e_operation o ON o.id = r.operation "
        "JOIN e_allocation a ON a.work_order = o.work_order WHERE a.order_line = {}"
    ),
    (
        "SELECT m.* FROM e_stock_move m JOIN e_allocation a ON a.work_order = m.work_order "
        "WHERE a.order_line = {}"
    ),
)


def ask_floor(name: str, url: str | None, home: Path, size: int) -> list[float]:
    """Milliseconds to read the rows of an order with the bare driver."""
    database: Any = psycopg.connect(url) if url else sqlite3.connect(home / "hub.db")
    mark = "%s" if url else "?"
    rng = random.Random(1)
    taken = []
    for number in range(ASKED + WARM_UP):
        wanted = line_id(rng, size)
        begun = time.perf_counter()
        for query in _FLOOR:
            database.execute(query.format(mark), (wanted,)).fetchall()
        if number >= WARM_UP:
            taken.append((time.perf_counter() - begun) * 1000)
    database.close()
    return taken


def percentile(values: list[float], of: int) -> float:
    """The percentile `of` of the values."""
    return statistics.quantiles(values, n=100)[of - 1]


def versions() -> dict[str, str]:
    """What was measured."""
    with psycopg.connect(POSTGRES) as server:
        postgres = server.execute("SHOW server_version").fetchone()
    return {
        "tenon": __version__,
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "postgresql": postgres[0] if postgres else "-",
    }


if __name__ == "__main__":
    sys.exit(main())

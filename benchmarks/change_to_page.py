"""From a change in a table of the MES until the order page's API shows it: polled, and by binlog.

A MariaDB of the benchmark's own holds a small MES; a real `tenon serve` reads it. A job's good
quantity or a work order's priority is changed at a random moment, and the order page is asked
until it shows the new value. Polled, the MES is asked every second; with the binlog every five,
as its definition says, and whenever the log tells of a change. Beside it: what a poll that finds
nothing costs, stream by stream, in the source and in Tenon.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
import yaml
from sqlalchemy.pool import NullPool

from benchmarks.joint.home import free_port, hub_of, hubs_here, serving, tenon_serve, wait_for
from plant.legacy import mes
from tenon import __version__
from tenon.access import accounts
from tenon.assembly import open_tenon
from tenon.assembly.home import HomeSettings, write_settings
from tenon.connect.contract import Connector
from tenon.connect.runner import Runner
from tenon.connect.settings import Connections
from tenon.define.models import Sync
from tenon.records.ports import SYSTEM
from tests.faults.small_plant import ROUTE, ZONE, SmallPlant
from tests.own_mariadb import own_mariadb

ORDERS: Final = 200
WATCHED: Final = "SO-2611-0001"
WAYS: Final[dict[str, tuple[dict[str, Any], int]]] = {
    "polled every 1 s": ({"every_seconds": 1}, 2000),
    "binlog": ({"binlog": True}, 500),
}
_LOOK: Final = 0.01  # between two looks at the page
_POLL_GOAL: Final = 5.0


@dataclass(frozen=True)
class Mes:
    """The MES, as its own programs change it."""

    engine: sa.Engine

    def fill(self) -> None:
        """Open work orders with their jobs; the first serves the order that is watched."""
        first = datetime.now(ZONE).replace(tzinfo=None, microsecond=0) - timedelta(hours=5)
        with self.engine.begin() as tx:
            for n in range(1, ORDERS + 1):
                number, at = f"WO-2611-{n:05}", first - timedelta(minutes=10 * n)
                tx.execute(mes.WORKORDER.insert().values(
                    workorder_code=number, product_code="P002", quantity=1000, status="CONFIRMED",
                    priority=1, route_version=1, create_time=at, update_time=at,
                ))  # fmt: skip
                for seq, code, name, centre, setup, run in ROUTE:
                    tx.execute(mes.JOB.insert().values(
                        job_no=f"{number}-{seq}", workorder_code=number, op_seq=seq,
                        process_code=code, process_name=name, workcenter_code=centre, is_outside=0,
                        setup_min=setup, run_min=run, qty_plan=1000, qty_ok=0, qty_ng=0,
                        state="DONE" if seq == 10 else "WAIT", start_at=at, end_at=at,
                        update_time=at,
                    ))  # fmt: skip
            tx.execute(mes.WORKORDER_SOURCE.insert().values(
                id=1, workorder_code="WO-2611-00001", order_no=WATCHED, order_line=1,
                quantity=100, update_time=first,
            ))  # fmt: skip

    def change(self, number: int) -> tuple[str, int]:
        """Commit a change; which field of the page will show it, and its value."""
        now = datetime.now(ZONE).replace(tzinfo=None, microsecond=0)
        job, order = mes.JOB, mes.WORKORDER
        with self.engine.begin() as tx:
            if number % 2:
                tx.execute(
                    order.update()
                    .where(order.c.workorder_code == "WO-2611-00001")
                    .values(priority=number, update_time=now)
                )
                return "priority", number
            tx.execute(
                job.update()
                .where(job.c.job_no == "WO-2611-00001-10")
                .values(qty_ok=number, update_time=now)
            )
            return "qty_good", number


@dataclass(frozen=True)
class Page:
    """The order page as a browser asks for it."""

    to: HTTPConnection
    path: str
    cookie: str

    def shows(self, field: str) -> float | None:
        """What the page shows of the work order; None before it is there."""
        self.to.request("GET", self.path, headers={"Cookie": self.cookie})
        answer = self.to.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200 or not body["work_orders"]:
            return None
        work = body["work_orders"][0]
        value = work["priority"] if field == "priority" else work["stations"][0]["qty_good"]
        return None if value is None else float(value)


def main() -> int:
    """Measure each way on each hub, then the idle polls; print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    changes = 12 if quick else 100
    figures: list[dict[str, Any]] = []
    print(
        f"{'hub':<12}{'way':<20}{'changes':>8}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}  ms   goal"
    )
    with own_mariadb() as server:
        for hub in hubs_here()[: 1 if quick else None]:
            for way, (settings, goal) in WAYS.items():
                with plant(server.url(server.fresh()), hub, settings) as (mes_, home):
                    times = measured(mes_, home, changes)
                shown = "".join(f"{_at(times, s):>8.0f}" for s in (0.5, 0.95, 0.99, 1.0))
                print(f"{hub:<12}{way:<20}{changes:>8}{shown}       p95 < {goal}", flush=True)
                figures += [
                    _figure(f"change to page p{s * 100:.0f}, {way}, {hub}", _at(times, s), goal)
                    for s in (0.5, 0.95, 0.99)
                ]
        for hub in hubs_here()[: 1 if quick else None]:
            with plant(server.url(server.fresh()), hub, {}) as (_, home):
                figures += idle_polls(home, hub, 20 if quick else 200)
    versions = {"tenon": __version__, "python": sys.version.split()[0]}
    print(json.dumps({"name": "change_to_page", "versions": versions, "figures": figures}))
    return 0


@contextmanager
def plant(url: str, hub: str, settings: dict[str, Any]) -> Iterator[tuple[Mes, Path]]:
    """A home joined to a MES at this address; everything read once."""
    with tempfile.TemporaryDirectory(prefix="tenon-bench-") as name, hub_of(hub, Path(name)) as at:
        folder, home = Path(name), Path(name) / "home"
        small = SmallPlant(folder / "plant", url, answers=False)
        small.make()
        small.order(1)
        engine = sa.create_engine(url, poolclass=NullPool)
        one = Mes(engine)
        one.fill()
        write_settings(home, HomeSettings(hub=None if hub == "sqlite" else at))
        with small.living():
            small.connect(home)
            path = home / "connections.yaml"
            joined = yaml.safe_load(path.read_text("utf-8"))
            joined["mes"] |= settings
            Connections(home).save(joined)
            yield one, home


def measured(mes_: Mes, home: Path, changes: int) -> list[float]:
    """Milliseconds from the commit of each change until the page shows it."""
    rng, times = random.Random(1), []
    with open_tenon(home) as tenon:
        for sync in sorted(tenon.catalogue.of(Sync), key=lambda s: s.order):
            if sync.source in {"mes", "crm"}:
                outcome = Runner(tenon.connect).sync(sync.code)
                assert outcome.error is None, (sync.code, outcome.error)
        _, password = accounts.create(
            tenon.hub, tenon.catalogue, "bench", "Bench", "admin", must_change=False
        )
        with tenon.hub.read() as connection:
            (line,) = tenon.reader(SYSTEM).select(connection, "order_line")
    port = free_port()
    with serving(tenon_serve(home, port), port, home / "serve.log"):
        to = HTTPConnection("127.0.0.1", port, timeout=30)
        page = Page(to, f"/api/orders/{line['id']}", _signed_in(to, password))
        wait_for(lambda: page.shows("priority") is not None, 60, "the order page")
        for number in range(10, 12 + changes):
            time.sleep(rng.uniform(0.2, 1.2))
            field, value = mes_.change(number)
            began = time.perf_counter()
            until = began + 60
            while page.shows(field) != value:
                if time.perf_counter() > until:
                    raise SystemExit(f"the page never showed {field} = {value}")
                time.sleep(_LOOK)
            times.append((time.perf_counter() - began) * 1000)
        to.close()
    return times[2:]  # the first two warm up


class Timed:
    """A connector whose reading is timed."""

    def __init__(self, inner: Connector) -> None:
        self.inner, self.spent = inner, 0.0

    def read(self, *asked: Any) -> Iterator[Any]:
        """The batches; the time waiting for them is counted."""
        batches = iter(self.inner.read(*asked))
        while True:
            began = time.perf_counter()
            batch = next(batches, None)
            self.spent += time.perf_counter() - began
            if batch is None:
                return
            yield batch


def idle_polls(home: Path, hub: str, polls: int) -> list[dict[str, Any]]:
    """What a poll that finds nothing costs, stream by stream."""
    title = "an idle poll, hub on " + hub
    print(f"\n{title:<34}{'read':>6}{'p50':>8}{'p95':>8}{'source':>8}{'our CPU':>9}  ms")
    figures = []
    with open_tenon(home) as tenon:
        runner = Runner(tenon.connect)
        for source in ("mes", "crm"):
            timed = Timed(tenon.connect.connections.open(tenon.catalogue.source(source)))
            round_, cpu_of_round = 0.0, 0.0
            for sync in tenon.catalogue.syncs_of(source):
                found = [_poll(runner, sync, timed) for _ in range(polls + 3)][3:]
                wall, waited, cpu, read = zip(*found, strict=True)
                round_, cpu_of_round = round_ + _at(wall, 0.5), cpu_of_round + _at(cpu, 0.5)
                print(f"{sync.code:<34}{read[-1]:>6}{_at(wall, 0.5):>8.2f}{_at(wall, 0.95):>8.2f}"
                      f"{_at(waited, 0.5):>8.2f}{_at(cpu, 0.5):>9.2f}", flush=True)  # fmt: skip
                figures += [
                    _figure(f"{what} of an idle poll p50, {sync.code}, {hub}", value, _POLL_GOAL)
                    for what, value in (("wall", _at(wall, 0.5)), ("CPU", _at(cpu, 0.5)))
                ]
            print(f"{source + ', all of them':<40}{round_:>8.2f}{'':>16}{cpu_of_round:>9.2f}")
            timed.inner.close()
    return figures


def _poll(runner: Runner, sync: Sync, timed: Timed) -> tuple[float, float, float, int]:
    """One poll: milliseconds in all, of them in the source; of our CPU; the rows read."""
    connector: Any = timed
    timed.spent, began, cpu = 0.0, time.perf_counter(), time.process_time()
    outcome = runner.sync(sync.code, connector)
    assert outcome.error is None, (sync.code, outcome.error)
    wall = (time.perf_counter() - began) * 1000
    cpu_spent = (time.process_time() - cpu) * 1000
    return wall, timed.spent * 1000, cpu_spent, outcome.counts.read


def _signed_in(to: HTTPConnection, password: str) -> str:
    headers = {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{to.port}"}
    body = json.dumps({"username": "bench", "password": password})
    to.request("POST", "/api/session", body, headers)
    answer = to.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()
    return (answer.getheader("Set-Cookie") or "").split(";")[0]


def _figure(name: str, value: float, goal: float) -> dict[str, Any]:
    return {"name": name, "value": round(value, 2), "unit": "ms", "against": "goal (of p95)"
            if "page" in name else "goal", "against_value": goal,
            "ratio": round(goal / value, 2) if value else 0}  # fmt: skip


def _at(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


if __name__ == "__main__":
    sys.exit(main())

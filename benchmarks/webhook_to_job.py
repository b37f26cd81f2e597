"""From the CRM's webhook to the job in the MES: how many orders a second, how long each takes.

A real `tenon serve` joined to a small MES and CRM takes signed webhooks, one at a time and
sixteen at once, on SQLite and on PostgreSQL. Three times are taken for each order: until the
durable answer, until its work order is there, until its rows are in the MES. Beside it, in the
same run, the floor writes the same rows with the bare drivers (`benchmarks/floor_hook.py`).
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from tenon import __version__
from tenon.assembly import open_tenon
from tenon.assembly.home import HomeSettings, write_settings
from tenon.automate import switch
from tenon.connect.runner import Runner
from tenon.connect.tables import push_row
from tenon.define.models import Flow, Sync
from tenon.records.ports import SYSTEM
from tests.faults.small_plant import SmallPlant, signed

POSTGRES = os.environ.get("TENON_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
DOOR = "/api/hooks/crm_orders"


@dataclass
class Measured:
    """Milliseconds from sending to each mark, and orders a second to the last."""

    answer: list[float] = field(default_factory=list)
    order: list[float] = field(default_factory=list)
    mes: list[float] = field(default_factory=list)
    rate: float = 0.0
    answers: float = 0.0


def main() -> int:
    """Run every hub at every concurrency and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    counts = {1: 30, 16: 160} if quick else {1: 200, 16: 1600}
    figures: list[dict[str, Any]] = []
    print(f"{'hub':<11} {'at once':>7}  {'':<6} {'orders/s':>8}  {'answer p50/p99':>15}  "
          f"{'work order p50/p99':>18}  {'MES row p50/p99':>16}  ms")  # fmt: skip
    for name, hub in _hubs():
        for at_once, count in counts.items():
            with tempfile.TemporaryDirectory(prefix="tenon-bench-") as folder, hub() as url:
                ours = _tenon(Path(folder), url, at_once, count)
            with tempfile.TemporaryDirectory(prefix="tenon-bench-") as folder, hub() as url:
                floor = _floor(Path(folder), url, at_once, count)
            _print(name, at_once, "tenon", ours)
            _print(name, at_once, "floor", floor)
            figures += _figures(name, at_once, ours, floor)
    versions = {
        "tenon": __version__,
        "python": sys.version.split()[0],
        "sqlalchemy": sa.__version__,
    }
    print(json.dumps({"name": "webhook_to_job", "versions": versions, "figures": figures}))
    return 0


def _hubs() -> Iterator[tuple[str, Any]]:
    @contextmanager
    def sqlite() -> Iterator[str | None]:
        yield None

    yield "SQLite", sqlite
    try:
        psycopg.connect(_plain(POSTGRES), connect_timeout=3).close()
    except psycopg.OperationalError:
        print("PostgreSQL does not answer: left out")
        return
    yield "PostgreSQL", _postgres


@contextmanager
def _postgres() -> Iterator[str]:
    name = f"tenon_bench_{secrets.token_hex(4)}"
    admin = psycopg.connect(_plain(POSTGRES), autocommit=True)
    admin.execute(f"CREATE DATABASE {name}")
    try:
        yield str(sa.make_url(_plain(POSTGRES)).set(database=name).render_as_string(False))
    finally:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        admin.close()


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def _tenon(folder: Path, hub: str | None, at_once: int, count: int) -> Measured:
    home = folder / "home"
    plant = SmallPlant(folder / "plant", f"sqlite:///{folder / 'plant' / 'mes.db'}")
    plant.make()
    write_settings(home, HomeSettings(hub=hub))
    with plant.living():
        plant.connect(home)
        with open_tenon(home) as tenon:
            for sync in sorted(tenon.catalogue.of(Sync), key=lambda s: s.order):
                if sync.source in {"mes", "crm"}:
                    Runner(tenon.connect).sync(sync.code)
            with tenon.hub.write() as tx:
                for flow in tenon.catalogue.of(Flow):
                    switch.set_enabled(tx, flow.code, True, "bench")
        bodies = [plant.told(plant.order(n), fat=True) for n in range(1, count + 1)]
        port = _free_port()
        command = [sys.executable, "-c", "from tenon.cli.main import app; app()", "serve"]
        command += ["--home", str(home), "--port", str(port), "--no-sync"]
        with _process(command, port):
            _send(port, bodies[: count // 10], at_once)  # warm
            measured, sent = _send(port, bodies[count // 10 :], at_once)
            _wait(lambda: len(_pushed(home)) >= count, 120)
            created, pushed = _created(home), _pushed(home)
    for no, began in sent.items():
        measured.order.append((created[no] - began) * 1000)
        measured.mes.append((pushed[no] - began) * 1000)
    measured.rate = len(sent) / (max(pushed[no] for no in sent) - min(sent.values()))
    return measured


def _floor(folder: Path, hub: str | None, at_once: int, count: int) -> Measured:
    plant = SmallPlant(folder / "plant", f"sqlite:///{folder / 'plant' / 'mes.db'}")
    plant.make()
    bodies = [plant.told(plant.order(n), fat=True) for n in range(1, count + 1)]
    port = _free_port()
    more = {
        "FLOOR_HUB": hub or str(folder / "floor.db"),
        "FLOOR_MES": str(folder / "plant" / "mes.db"),
    }
    with _process([sys.executable, "-m", "benchmarks.floor_hook", str(port)], port, more):
        _send(port, bodies[: count // 10], at_once)
        measured, sent = _send(port, bodies[count // 10 :], at_once)
    measured.order = measured.mes = measured.answer
    measured.rate = measured.answers
    assert len(sent) == count - count // 10
    return measured


def _send(
    port: int, bodies: list[dict[str, Any]], at_once: int
) -> tuple[Measured, dict[str, float]]:
    """Send every body; the times until the answers, and when each order was sent."""
    waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    for body in bodies:
        waiting.put(body)
    measured, sent = Measured(), {}

    def work() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            try:
                body = waiting.get_nowait()
            except queue.Empty:
                connection.close()
                return
            raw, headers = signed(body)
            sent[body["order_id"]] = time.time()
            began = time.perf_counter()
            connection.request("POST", DOOR, raw, headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status in {200, 202}, answer.status
            measured.answer.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    measured.answers = len(bodies) / (time.perf_counter() - began)
    return measured, sent


def _created(home: Path) -> dict[str, float]:
    """When the work order of each order was there."""
    with open_tenon(home, write=False) as tenon, tenon.hub.read() as connection:
        reader = tenon.reader(SYSTEM)
        order, line, allocation, work = (
            reader.table(n) for n in ("sales_order", "order_line", "allocation", "work_order")
        )
        rows = connection.execute(
            sa.select(order.c.order_no, work.c.created_at)
            .join_from(order, line, line.c.sales_order == order.c.id)
            .join(allocation, allocation.c.order_line == line.c.id)
            .join(work, work.c.id == allocation.c.work_order)
        ).all()
        return {no: at.timestamp() for no, at in rows}


def _pushed(home: Path) -> dict[str, float]:
    """When the work order of each order was in the MES."""
    with open_tenon(home, write=False) as tenon, tenon.hub.read() as connection:
        reader = tenon.reader(SYSTEM)
        order, line, allocation = (
            reader.table(n) for n in ("sales_order", "order_line", "allocation")
        )
        rows: list[tuple[str, datetime]] = list(
            connection.execute(
                sa.select(order.c.order_no, push_row.c.sent_at)
                .join_from(order, line, line.c.sales_order == order.c.id)
                .join(allocation, allocation.c.order_line == line.c.id)
                .join(push_row, push_row.c.record_id == allocation.c.id)
                .where(push_row.c.push == "mes_allocation", push_row.c.sent_at.is_not(None))
            ).all()
        )  # fmt: skip
        return {no: at.timestamp() for no, at in rows}


@contextmanager
def _process(command: list[str], port: int, more: dict[str, str] | None = None) -> Iterator[None]:
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(command, env={**os.environ, **(more or {})}, stderr=subprocess.DEVNULL)
        )
        stack.callback(process.terminate)
        _wait(lambda: _answers(port), 60)
        yield


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(condition: Any, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _at(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def _pair(times: list[float]) -> str:
    return f"{_at(times, 0.5):.1f}/{_at(times, 0.99):.1f}"


def _print(hub: str, at_once: int, who: str, found: Measured) -> None:
    print(f"{hub:<11} {at_once:>7}  {who:<6} {found.rate:>8.0f}  {_pair(found.answer):>15}  "
          f"{_pair(found.order):>18}  {_pair(found.mes):>16}", flush=True)  # fmt: skip


def _figures(hub: str, at_once: int, ours: Measured, floor: Measured) -> list[dict[str, Any]]:
    place = f"{hub}, {at_once} at once"
    figures = [
        {
            "name": f"orders a second, {place}", "value": round(ours.rate, 1), "unit": "1/s",
            "against": "floor", "against_value": round(floor.rate, 1),
            "ratio": round(ours.rate / floor.rate, 3),
        }
    ]  # fmt: skip
    for mark in ("answer", "order", "mes"):
        for share in (0.5, 0.99):
            mine, theirs = _at(getattr(ours, mark), share), _at(floor.mes, share)
            figures.append({
                "name": f"webhook to {mark} p{share * 100:.0f}, {place}", "value": round(mine, 2),
                "unit": "ms", "against": "floor, all in one", "against_value": round(theirs, 2),
                "ratio": round(theirs / mine, 3),
            })  # fmt: skip
    return figures


if __name__ == "__main__":
    sys.exit(main())

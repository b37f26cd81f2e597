"""A hundred phones report two thousand times within a minute, as at the end of a shift.

A real `tenon serve` on SQLite (and on PostgreSQL where one answers); each phone has its own code
and reports every three seconds. Measured is the time until the durable answer; at the end every
report is counted in the hub. The floor beside it is the health page asked in the same way.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.joint.home import hub_of, hubs_here
from tenon import __version__
from tenon.assembly import Tenon, open_tenon
from tenon.assembly.home import HomeSettings, write_settings
from tenon.factory.reporting import codes
from tenon.kernel import clock
from tenon.kernel.ids import uuid7
from tenon.records.ports import SYSTEM
from tenon.records.write import RowKey

PHONES, EACH, SECONDS = 100, 20, 60.0


def main() -> int:
    """Report on every hub and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    each = 4 if parser.parse_args().quick else EACH
    seconds = SECONDS * each / EACH
    figures: list[dict[str, Any]] = []
    heads = ("reports", "in s", "p50", "p99", "max", "floor p99", "lost")
    print(f"{'hub':<11}" + "".join(f"{head:>10}" for head in heads))
    for name in hubs_here():
        with (
            tempfile.TemporaryDirectory(prefix="tenon-bench-") as folder,
            hub_of(name, Path(folder)) as url,
        ):
            home = Path(folder) / "home"
            write_settings(home, HomeSettings(hub=None if url.startswith("sqlite") else url))
            with open_tenon(home) as tenon:
                tokens = _travelers(tenon)
            with _serving(home) as port:
                floor = _crowd(port, [("GET", "/api/health", [None] * 4)] * PHONES, seconds / 5)
                bodies = [
                    ("POST", "/api/report", _bodies(t, n, each)) for n, t in enumerate(tokens)
                ]
                began = time.perf_counter()
                times = _crowd(port, bodies, seconds)
                took = time.perf_counter() - began
            with open_tenon(home, write=False) as tenon, tenon.hub.read() as connection:
                table = tenon.reader(SYSTEM).table("op_event")
                kept = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        lost = PHONES * each - kept
        shown = (_at(times, 0.5), _at(times, 0.99), max(times), _at(floor, 0.99))
        shown = (_at(times, 0.5), _at(times, 0.99), max(times), _at(floor, 0.99))
        middle = "".join(f"{one:>10.1f}" for one in shown)
        print(f"{name:<11}{len(times):>10}{took:>10.0f}{middle}{lost:>10}", flush=True)
        figures += [
            {
                "name": f"report to durable answer p{share * 100:.0f}, {name}",
                "value": round(_at(times, share), 2), "unit": "ms", "against": "health page",
                "against_value": round(_at(floor, share), 2),
                "ratio": round(_at(floor, share) / _at(times, share), 3),
            }
            for share in (0.5, 0.99)
        ]  # fmt: skip
        figures.append({"name": f"reports lost, {name}", "value": lost, "unit": "",
                        "against": "sent", "against_value": PHONES * each, "ratio": 1})  # fmt: skip
    versions = {"tenon": __version__, "python": sys.version.split()[0]}
    print(json.dumps({"name": "reports", "versions": versions, "figures": figures}))
    return 0


def _travelers(tenon: Tenon) -> list[str]:
    """A work order of a hundred operations; the code of each."""
    tenon.connect.connections.secrets.init()
    with tenon.hub.write() as tx:

        def add(entity: str, rows: list[dict[str, Any]]) -> list[str]:
            made = tenon.writer.write(tx, SYSTEM, entity, [(RowKey(), row) for row in rows])
            return [one.id for one in made]

        add("employee", [{"code": "E0001", "name": "操作工甲"}])
        (item,) = add("item", [{"code": "P001", "name": "支架"}])
        (order,) = add("work_order", [{
            "work_order_no": "TW-1", "item": item, "qty": "10000", "status": "released",
            "released_at": clock.now(),
        }])  # fmt: skip
        operations = add("operation", [
            {"job_no": f"TW-1-{seq}", "work_order": order, "seq": seq, "name": "冲压",
             "qty_plan": "10000", "state": "wait"}
            for seq in range(1, PHONES + 1)
        ])  # fmt: skip
        issued = codes.issue(tx, tenon.connect.connections.secrets, operations, renew=False)
    return [issued[id_] for id_ in operations]


def _bodies(token: str, phone: int, each: int) -> list[bytes]:
    at = datetime.now(UTC).isoformat()
    return [
        json.dumps({
            "token": token, "device": f"phone-{phone:04}", "sent_at": at, "report_id": uuid7(),
            "employee_no": "E0001", "machine_id": None,
            "events": [{"id": uuid7(), "kind": "finish", "at": at}],
            "quantities": [{"id": uuid7(), "kind": "good", "qty": "10", "at": at}],
        }).encode()
        for _ in range(each)
    ]  # fmt: skip


def _crowd(port: int, asked: list[tuple[str, str, list[Any]]], seconds: float) -> list[float]:
    """Everyone asks at their own pace over so many seconds; milliseconds of each answer."""
    times: list[float] = []
    chance = random.Random(7)

    def work(method: str, path: str, bodies: list[Any], offset: float) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        began = time.perf_counter()
        for number, body in enumerate(bodies):
            due = began + offset + number * seconds / len(bodies)
            time.sleep(max(0.0, due - time.perf_counter()))
            start = time.perf_counter()
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            times.append((time.perf_counter() - start) * 1000)
            assert answer.status == 200, answer.status
        connection.close()

    threads = [
        threading.Thread(target=work, args=(*one, chance.random() * seconds / len(one[2])))
        for one in asked
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


@contextmanager
def _serving(home: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("tenon")), "serve", "--home", str(home)]
    with subprocess.Popen(
        [*command, "--port", str(port), "--no-sync"], env=dict(os.environ),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()


def _at(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


if __name__ == "__main__":
    sys.exit(main())

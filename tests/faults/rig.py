"""A Tenon that is killed again and again while orders and reports flow, and what must hold then."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import sqlalchemy as sa

from plant.legacy import mes
from tenon.access import accounts
from tenon.assembly import Tenon, open_tenon
from tenon.assembly.home import HomeSettings, write_settings
from tenon.automate import switch
from tenon.automate.tables import flow_run
from tenon.connect.runner import Runner
from tenon.connect.tables import sync_run
from tenon.define.models import Flow, Sync
from tenon.jobs.queue import job
from tenon.kernel.ids import uuid7
from tenon.records.ports import SYSTEM
from tests.faults.small_plant import ROUTE, SmallPlant, signed
from tests.servers import free_port

ROOT: Final = Path(__file__).parents[2]
PHONE: Final = "phone-of-the-rig"


class Zygote:
    """The process that forks servers and workers."""

    def __init__(self, home: Path, port: int) -> None:
        self._home, self._port = home, port
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip

    def ask(self, **what: Any) -> dict[str, Any]:
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        assert line, "the zygote ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def start(self, role: str, fault: str | None = None, **more: Any) -> int:
        """A new server or worker."""
        pid: int = self.ask(
            do=role, home=str(self._home), port=self._port, fault=fault,
            log=str(self._home / f"{role}.log"), **more,
        )["pid"]  # fmt: skip
        return pid

    def died(self, pid: int, seconds: float) -> int | None:
        """How it ended, None when it lives after so many seconds."""
        until = time.monotonic() + seconds
        while True:  # in short looks: others ask meanwhile
            status: int | None = self.ask(do="wait", pid=pid, seconds=0.02)["status"]
            if status is not None or time.monotonic() > until:
                return status

    def signal(self, pid: int, number: int) -> None:
        self.ask(do="kill", pid=pid, signal=number)

    def kill(self, pid: int) -> None:
        """Kill -9, and see it dead."""
        self.signal(pid, signal.SIGKILL)
        assert self.died(pid, 10) == -signal.SIGKILL

    def close(self) -> None:
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.close()
        self._process.wait(20)
        assert self._process.stdout is not None
        self._process.stdout.close()


@dataclass
class Rig:
    """The home, the plant, and everything that was acknowledged."""

    home: Path
    hub_url: str
    plant: SmallPlant
    port: int
    password: str
    zygote: Zygote
    acknowledged: set[str] = field(default_factory=set)  # order numbers
    reported: dict[str, str] = field(default_factory=dict)  # report id → operation id
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, bodies: list[dict[str, Any]], pause: float) -> None:
        """Tell of orders, each until it is acknowledged, as a sender does."""
        with httpx.Client(trust_env=False, timeout=5) as client:
            for body in bodies:
                while not self._delivered(client, body):
                    if self.stopping.is_set():
                        return
                    time.sleep(0.05)
                self.acknowledged.add(body["order_id"])
                time.sleep(pause)

    def _delivered(self, client: httpx.Client, body: dict[str, Any]) -> bool:
        raw, headers = signed(body)
        try:
            answer = client.post(f"{self.url}/api/hooks/crm_orders", content=raw, headers=headers)
        except httpx.TransportError:
            return False
        assert answer.status_code in {200, 202, 409, 503}, answer.text
        return answer.status_code in {200, 202}

    def report(self) -> None:
        """Report operations as workers do: each report again until it is acknowledged."""
        done: set[str] = set()
        with httpx.Client(base_url=self.url, trust_env=False, timeout=5) as client:
            while not self.stopping.is_set():
                for no in [n for n in sorted(self.acknowledged) if n not in done]:
                    if self.stopping.is_set() or not self._sign_in(client):
                        break
                    try:
                        if self._report_order(client, no):
                            done.add(no)
                    except (httpx.TransportError, KeyError):
                        break
                time.sleep(0.05)

    def _sign_in(self, client: httpx.Client) -> bool:
        if "x-csrf-token" in client.headers:
            return True
        try:
            body = {"username": "planner", "password": self.password}
            answer = client.post("/api/session", json=body)
        except httpx.TransportError:
            return False
        if answer.status_code != 200:
            return False
        client.headers["x-csrf-token"] = answer.json()["csrf_token"]
        return True

    def _report_order(self, client: httpx.Client, order_no: str) -> bool:
        page = client.get(f"/api/orders/by-number/{order_no}")
        if page.status_code != 200 or not page.json()["work_orders"]:
            return False
        for work_order in page.json()["work_orders"]:
            answer = client.post(f"/api/work-orders/{work_order['id']}/traveler", json={})
            if answer.status_code != 200:
                return False
            for operation in answer.json()["operations"][:1]:
                self._report_operation(client, operation)
        return True

    def _report_operation(self, client: httpx.Client, operation: dict[str, Any]) -> None:
        token = urlsplit(operation["url"]).fragment.split("&")[0]
        report_id, at = uuid7(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = {
            "token": token, "device": PHONE, "sent_at": at, "report_id": report_id,
            "employee_no": "E0001", "machine_id": None,
            "events": [{"id": uuid7(), "kind": "finish", "at": at}],
            "quantities": [{"id": uuid7(), "kind": "good", "qty": "10", "at": at}],
        }  # fmt: skip
        while not self.stopping.is_set():
            try:
                answer = client.post("/api/report", json=body)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if answer.status_code == 200:
                self.reported[report_id] = operation["id"]
                return
            assert answer.status_code in {429, 503}, answer.text
            time.sleep(0.05)

    def settle(self, seconds: float = 120) -> None:
        """Wait until nothing moves any more: a clean server is running."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._quiet():
                return
            time.sleep(0.3)
        raise AssertionError(f"still at work: {self._at_work()}")

    def _quiet(self) -> bool:
        return not self._at_work() and self._jobs_in_mes() >= len(self.acknowledged) * len(ROUTE)

    def _at_work(self) -> list[str]:
        """What still moves, read without writing: a second connection may read a live hub."""
        engine = sa.create_engine(_plain(self.hub_url))
        try:
            with engine.connect() as connection:
                jobs = connection.execute(
                    sa.select(job.c.kind, job.c.state, sa.func.count())
                    .where(job.c.state.in_(("ready", "running")), job.c.kind != "housekeeping")
                    .group_by(job.c.kind, job.c.state)
                ).all()
                runs = connection.execute(
                    sa.select(flow_run.c.flow, flow_run.c.state, sa.func.count())
                    .where(flow_run.c.state.in_(("running", "waiting", "failed")))
                    .group_by(flow_run.c.flow, flow_run.c.state)
                ).all()
                failures = connection.scalars(
                    sa.select(flow_run.c.failure).where(flow_run.c.state == "failed").limit(5)
                ).all()
        finally:
            engine.dispose()
        # Timers of waits that ended early are no work.
        jobs = [j for j in jobs if not (j[0] == "flow" and j[1] == "ready" and not runs)]
        return [*(str(tuple(row)) for row in [*jobs, *runs]), *map(str, failures)]

    def _jobs_in_mes(self) -> int:
        engine = self.plant.mes()
        with engine.connect() as connection:
            count = connection.scalar(sa.select(sa.func.count()).select_from(mes.JOB))
        engine.dispose()
        return count or 0

    def check(self) -> dict[str, int]:
        """What must hold: everything acknowledged is there once, nothing twice, nothing stuck."""
        with open_tenon(self.home) as tenon, tenon.hub.read() as connection:
            counts = self._check_orders(tenon, connection)
            self._check_reports(tenon, connection)
            states = Counter(connection.scalars(sa.select(flow_run.c.state)))
            assert set(states) <= {"done"}, states
            assert not connection.scalars(
                sa.select(job.c.kind, job.c.state, job.c.error).where(
                    # Housekeeping comes again with the next hour, whoever dies of it.
                    job.c.state.in_(("failed", "running")),
                    job.c.kind != "housekeeping",
                )
            ).all()
            unequal = sa.select(sync_run).where(
                sync_run.c.state == "succeeded",
                sync_run.c.read != sync_run.c.applied + sync_run.c.unchanged + sync_run.c.set_aside,
            )
            assert not connection.execute(unequal).all()
            if connection.dialect.name == "sqlite":
                assert connection.scalar(sa.text("PRAGMA integrity_check")) == "ok"
        return counts

    def _check_orders(self, tenon: Tenon, connection: sa.Connection) -> dict[str, int]:
        reader = tenon.reader(SYSTEM)
        tables = {
            name: reader.table(name)
            for name in ("sales_order", "order_line", "allocation", "work_order", "operation")
        }
        rows = {name: connection.execute(sa.select(t)).all() for name, t in tables.items()}
        orders = Counter(r.order_no for r in rows["sales_order"])
        assert self.acknowledged <= set(orders)
        assert set(orders.values()) == {1}
        lines = {r.id: r for r in rows["order_line"]}
        served = Counter(a.order_line for a in rows["allocation"])
        assert {lines[id_].line_key for id_, n in served.items() if n != 1} == set()
        assert set(served) == set(lines)
        ours = [w for w in rows["work_order"] if w.planned_by == "tenon"]
        assert len(ours) == len(rows["work_order"]) == len(lines)
        assert {w.mes_answer for w in ours} == {"已接收"}
        engine = self.plant.mes()
        with engine.connect() as there:
            jobs = there.execute(sa.select(mes.JOB)).all()
            codes = Counter(there.scalars(sa.select(mes.WORKORDER.c.workorder_code)))
        engine.dispose()
        assert Counter((j.workorder_code, j.op_seq) for j in jobs) == Counter(
            {(w.work_order_no, step[0]): 1 for w in ours for step in ROUTE}
        )
        assert codes == Counter({w.work_order_no: 1 for w in ours})
        assert {o.job_no for o in rows["operation"]} == {j.job_no for j in jobs}
        assert len(rows["operation"]) == len(jobs)
        return {"orders": len(orders), "jobs": len(jobs), "reports": len(self.reported)}

    def _check_reports(self, tenon: Tenon, connection: sa.Connection) -> None:
        for entity in ("op_event", "op_quantity"):
            table = tenon.reader(SYSTEM).table(entity)
            found = connection.execute(sa.select(table.c.report_id, table.c.operation)).all()
            there = Counter((str(r.report_id), r.operation) for r in found)
            assert set(there.values()) <= {1}
            assert set(self.reported.items()) <= set(there)


@contextmanager
def rig(
    folder: Path, hub_url: str, mes_url: str | None = None, *, answers: bool = True
) -> Iterator[Rig]:
    """A home joined to a small living plant, its flows switched on, its first sync done."""
    home = folder / "home"
    mes_url = mes_url or f"sqlite:///{folder / 'plant' / 'mes.db'}"
    plant = SmallPlant(folder / "plant", mes_url, answers=answers)
    plant.make()
    write_settings(home, HomeSettings(hub=None if hub_url.startswith("sqlite") else hub_url))
    with plant.living():
        plant.connect(home)
        with open_tenon(home) as tenon:
            hub_url = tenon.hub.url.render_as_string(hide_password=False)
            _, password = accounts.create(
                tenon.hub, tenon.catalogue, "planner", "计划员", "planner", must_change=False
            )
            with tenon.hub.write() as tx:
                for flow in tenon.catalogue.of(Flow):
                    switch.set_enabled(tx, flow.code, True, "test")
            for sync in sorted(tenon.catalogue.of(Sync), key=lambda s: s.order):
                if sync.source in {"mes", "crm"}:
                    outcome = Runner(tenon.connect).sync(sync.code)
                    assert outcome.error is None, (sync.code, outcome.error)
        port = free_port()
        zygote = Zygote(home, port)
        try:
            yield Rig(home, hub_url, plant, port, password, zygote)
        finally:
            zygote.close()


def flowing(one: Rig, orders: int, chance: random.Random, pause: float) -> list[threading.Thread]:
    """Threads that tell of orders and report operations, from now on."""
    bodies = [
        one.plant.told(one.plant.order(number), fat=chance.random() < 0.7)
        for number in range(1, orders + 1)
    ]
    parts = [bodies[at::4] for at in range(4)]
    threads = [threading.Thread(target=one.send, args=(p, pause), daemon=True) for p in parts]
    threads.append(threading.Thread(target=one.report, daemon=True))
    for thread in threads:
        thread.start()
    return threads


def _plain(url: str) -> str:
    return (
        f"{url}?mode=ro&uri=true".replace("sqlite:///", "sqlite:///file:")
        if (url.startswith("sqlite"))
        else url
    )

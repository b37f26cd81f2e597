"""A home joined to a small living plant, and a real `tenon serve` over it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import psycopg

from tenon.assembly import open_tenon
from tenon.assembly.home import HomeSettings, write_settings
from tenon.automate import switch
from tenon.connect.runner import Runner
from tenon.define.models import Flow, Sync
from tests.faults.small_plant import ITEMS, SmallPlant

ROOT: Final = Path(__file__).parents[2]
POSTGRES: Final = os.environ.get(
    "TENON_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres"
).replace("+psycopg", "")


@dataclass(frozen=True)
class Served:
    """A process that takes webhooks."""

    pid: int
    port: int


def hubs_here() -> tuple[str, ...]:
    """The kinds of hub that can be measured on this machine."""
    try:
        psycopg.connect(POSTGRES, connect_timeout=3).close()
    except psycopg.OperationalError:
        return ("sqlite",)
    return ("sqlite", "postgresql")


@contextmanager
def hub_of(dialect: str, folder: Path) -> Iterator[str]:
    """The address of an empty hub database."""
    if dialect == "sqlite":
        yield f"sqlite:///{folder / 'home' / 'hub.db'}"
        return
    name = f"tenon_bench_{secrets.token_hex(4)}"
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield POSTGRES.rsplit("/", 1)[0] + f"/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def plant_in(folder: Path) -> Iterator[SmallPlant]:
    """A small plant that lives for the block; its MES lets people read while others write."""
    plant = SmallPlant(folder / "plant", f"sqlite:///{folder / 'plant' / 'mes.db'}")
    plant.make()
    engine = plant.mes()
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    engine.dispose()
    with plant.living():
        yield plant


def join(home: Path, hub: str, plant: SmallPlant) -> None:
    """Make the home: connections, flows switched on, everything read once."""
    write_settings(home, HomeSettings(hub=None if hub.startswith("sqlite") else hub))
    plant.connect(home)
    with open_tenon(home) as tenon:
        with tenon.hub.write() as tx:
            for flow in tenon.catalogue.of(Flow):
                switch.set_enabled(tx, flow.code, True, "benchmark")
        for sync in sorted(tenon.catalogue.of(Sync), key=lambda s: s.order):
            if sync.source in {"mes", "crm"}:
                outcome = Runner(tenon.connect).sync(sync.code)
                assert outcome.error is None, (sync.code, outcome.error)


@contextmanager
def serving(command: list[str], port: int, log: Path) -> Iterator[Served]:
    """A process that serves at the port until the end of the block."""
    with log.open("ab") as out:
        child = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)
    try:
        wait_for(lambda: _answers(child, port), 60, f"the server on port {port}; see {log}")
        yield Served(child.pid, port)
    finally:
        child.terminate()
        child.wait(30)


def tenon_serve(home: Path, port: int, trace: Path | None = None) -> list[str]:
    """The command of a server; with `trace` its stages are timed and written there."""
    if trace is None:
        program = [str(Path(sys.executable).with_name("tenon"))]
    else:
        program = [sys.executable, "-m", "benchmarks.joint.traced", str(trace)]
    return [*program, "serve", "--home", str(home), "--port", str(port)]


def orders(folder: Path) -> list[dict[str, Any]]:
    """An order for each item, as the CRM tells of them; from a CRM that nobody reads."""
    model = SmallPlant(folder, f"sqlite:///{folder / 'mes.db'}")
    model.make()
    return [model.order(number) for number in range(1, ITEMS + 1)]


def numbered(models: list[dict[str, Any]], number: int) -> dict[str, Any]:
    """One of the orders under another number."""
    model = models[number % len(models)]
    order: dict[str, Any] = json.loads(
        json.dumps(model).replace(model["id"], f"SO-2611-{number:05}")
    )
    return order


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(ready: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until it is so."""
    until = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > until:
            raise SystemExit(f"waited {seconds} s in vain for {what}")
        time.sleep(0.05)


def cpu_seconds(pid: int) -> float:
    """CPU seconds a process has used; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _answers(child: subprocess.Popen[bytes], port: int) -> bool:
    assert child.poll() is None, "the server ended"
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()

"""`demo`: a simulated plant and a Tenon joined to it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from startup import environment, webbuild
from startup.console import Failure, Progress, box, note, step
from startup.paths import ROOT, program, python, unchanged
from startup.processes import (
    Child,
    answers,
    free_port,
    is_free,
    output_of,
    read_json,
    stopping,
    wait_until,
)

DEFAULT_PORT = 8420

_FIRST_SYNC_SECONDS = 1800.0
_OF_PLANT = ("seed", "profile", "wms", "mes", "kis")
_OWN_NAMES = ("plant", "tenon", "logs", "accounts.json", "demo.json")


@dataclass(frozen=True)
class Running:
    """A demo that answers."""

    url: str
    accounts: list[dict[str, str]]
    home: Path
    children: list[Child]


def demo(options: Namespace) -> int:
    """Start the demo; stay until Ctrl-C, or compare it with the truth and end."""
    with running(options) as started:
        if options.check:
            return _compare(started)
        _tell(started, lan=options.lan)
        while True:
            for child in started.children:
                child.check()
            time.sleep(0.5)


@contextmanager
def running(options: Namespace) -> Iterator[Running]:
    """Start the plant and Tenon, wait for the first full sync, stop both at the end."""
    environment.ensure()
    webbuild.ensure()
    home = Path(options.home).resolve()
    _refuse_taken(options.port)
    _prepare_home(home, options)
    children: list[Child] = []
    with stopping(children):
        _make_plant(home, options)
        port = options.port or free_port(DEFAULT_PORT)  # late: making the plant takes a while
        if _is_joined(home) and _crm_port(home, port) == _crm_port_before(home):
            # Both at once: Tenon takes longer to start than the CRM it will ask.
            crm = _start_plant(home, options, children, port)
            url = _start_tenon(home, options, children, port)
        else:
            crm = _start_plant(home, options, children, port)
            _wait_for_crm(crm, children)
            _join(home, options)
            url = _start_tenon(home, options, children, port)
        _wait_for_crm(crm, children)
        wait_until(lambda: answers(f"{url}/api/health"), children, "Tenon")
        _await_first_sync(home, children)
        known = read_json(home / "accounts.json") or {}
        yield Running(url, known.get("accounts", []), home, children)


def _refuse_taken(port: int | None) -> None:
    if port and not is_free(port):
        raise Failure(f"Port {port} is taken; name another with --port, or none for the next free")


def _prepare_home(home: Path, options: Namespace) -> None:
    """Make or empty the home; refuse one that was made with other options."""
    if options.fresh:
        for name in _OWN_NAMES:
            path = home / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    home.mkdir(parents=True, exist_ok=True)
    asked = {name: getattr(options, name) for name in (*_OF_PLANT, "hub")}
    mark = home / "demo.json"
    made = read_json(mark)
    if made is None:
        _write_private(mark, asked)
    elif made != asked:
        changed = ", ".join(f"--{name}" for name in asked if made.get(name) != asked[name])
        raise Failure(
            f"{home} holds a demo made with another {changed}. Give the same options again, "
            f"another --home, or --fresh to make it anew (what is in it is deleted)."
        )


def _make_plant(home: Path, options: Namespace) -> None:
    plant = home / "plant"
    if (plant / "plant.json").exists():
        return
    step("Making the simulated plant: three months of history in four legacy systems")
    shutil.rmtree(plant, ignore_errors=True)
    given = [(f"--{name}", getattr(options, name)) for name in _OF_PLANT]
    chosen = [word for option, value in given if value for word in (option, str(value))]
    command = [python(), "-m", "plant", "make", "--home", str(plant), *chosen]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise Failure("The plant could not be made (see above)")


def _start_plant(home: Path, options: Namespace, children: list[Child], port: int) -> str:
    """Let the plant live on; return an address of its CRM."""
    pace = 0 if options.check else options.pace
    step(f"Starting the plant at pace {pace:g}" + ("" if pace else " (it stands still)"))
    crm_port = _crm_port(home, port)
    command = [python(), "-m", "plant", "run", "--home", str(home / "plant")]
    command += ["--pace", str(pace), "--port", str(crm_port)]
    command += ["--webhook", f"http://127.0.0.1:{port}/api/hooks/crm_orders"]
    command += ["--webhook-secret-file", str(home / "plant" / "crm" / "hook-secret")]
    children.append(Child("The plant", command, home / "logs" / "plant.log", yields=True))
    return f"http://127.0.0.1:{crm_port}/api/customers"


def _wait_for_crm(address: str, children: list[Child]) -> None:
    wait_until(lambda: answers(address), children, "The plant's CRM")


def _crm_port(home: Path, port: int) -> int:
    """Return the port the plant's CRM had before, if it is free, else the next free one."""
    before = _crm_port_before(home)
    taken = before == port or not is_free(before)
    return free_port(port + 1) if taken else before


def _crm_port_before(home: Path) -> int:
    described = read_json(home / "plant" / "plant.json")
    return urlsplit(described["systems"]["crm"]["base_url"]).port or 0


def _description_digest(home: Path) -> str:
    return hashlib.sha256((home / "plant" / "plant.json").read_bytes()).hexdigest()


def _is_joined(home: Path) -> bool:
    """Say whether Tenon's home was made from this very plant."""
    return unchanged(home / "tenon" / "joined", _description_digest(home))


def _join(home: Path, options: Namespace) -> None:
    """Let Tenon make its home from the plant's description; keep the accounts of the first time."""
    if not _is_joined(home):
        step("Joining Tenon to the plant's systems")
        _init(home, options)
        (home / "tenon" / "joined").write_text(_description_digest(home), encoding="ascii")


def _init(home: Path, options: Namespace) -> None:
    description = home / "plant" / "plant.json"
    hub = ["--hub", options.hub] if options.hub else []
    command = [str(program("tenon")), "init", "--home", str(home / "tenon")]
    printed = output_of([*command, "--from-plant", str(description), *hub])
    for line in printed.splitlines():
        if line.startswith("{"):
            _write_private(home / "accounts.json", json.loads(line))
        elif line:
            note(line)


def _start_tenon(home: Path, options: Namespace, children: list[Child], port: int) -> str:
    step("Starting Tenon")
    host = "0.0.0.0" if options.lan else "127.0.0.1"
    command = [str(program("tenon")), "serve", "--home", str(home / "tenon")]
    clock = {"TENON_DEMO_CLOCK": str(home / "plant" / "clock.json")}
    log = home / "logs" / "tenon.log"
    # What a phone scans must lead to an address that it can reach.
    seen = next(iter(_own_addresses()), "127.0.0.1") if options.lan else "127.0.0.1"
    command += ["--host", host, "--port", str(port), "--public-url", f"http://{seen}:{port}"]
    children.append(Child("Tenon", command, log, more=clock))
    return f"http://127.0.0.1:{port}"


def _await_first_sync(home: Path, children: list[Child]) -> None:
    """Show how far the first full sync is."""
    progress = Progress("first full sync")

    def done() -> bool:
        state: Any = read_json(home / "tenon" / "first-sync.json")
        if not isinstance(state, dict):
            return False
        if state["state"] != "done" or progress.begun:
            progress.show(state["done"], state["total"])
        return bool(state["state"] == "done")

    wait_until(done, children, "The first full sync", _FIRST_SYNC_SECONDS)
    progress.end()


def _compare(started: Running) -> int:
    step("Comparing Tenon with the plant's truth")
    command = [python(), "-m", "plant", "check", "--home", str(started.home / "plant")]
    command += ["--tenon-url", started.url, "--accounts", str(started.home / "accounts.json")]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _tell(started: Running, *, lan: bool) -> None:
    lines = ["", f"Open {started.url}"]
    if lan:
        port = started.url.rsplit(":", 1)[1]
        lines += [f"     http://{address}:{port}" for address in _own_addresses()]
    lines.append("")
    lines += [
        f"{one['role']:<9} {one['username']:<12} {one['password']}" for one in started.accounts
    ]
    kept = started.home / "accounts.json"
    lines += ["", f"The accounts are kept in {_short(kept)}", "Ctrl-C stops everything", ""]
    box("Tenon 榫", lines)


def _own_addresses() -> list[str]:
    found = socket.getaddrinfo(socket.gethostname(), None, family=socket.AF_INET)
    return sorted({str(one[4][0]) for one in found} - {"127.0.0.1", "127.0.1.1"})


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _write_private(path: Path, content: object) -> None:
    """Write a file that only its owner may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, ensure_ascii=True, indent=1)

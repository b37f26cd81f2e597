"""`tenon serve` as a process of its own: up, held, stopped, killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tenon.assembly.tenon import hold
from tests.server.conftest import Commands
from tests.servers import free_port
from tests.serving import serving

POSIX_ONLY = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@contextmanager
def served(home: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    port = free_port()
    command = [sys.executable, "-c", "from tenon.cli.main import app; app()", "--lang", "en"]
    command += ["serve", "--home", str(home), "--port", str(port), *more]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            until = time.monotonic() + 60
            while not answers(url):
                assert process.poll() is None, process.stderr and process.stderr.read()
                assert time.monotonic() < until, "the server does not answer"
                time.sleep(0.05)
            yield process, url
        finally:
            process.kill()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/health", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@POSIX_ONLY
def test_it_serves_tells_of_the_first_sync_and_ends_in_order(tenon: Commands) -> None:
    tenon.init()
    with served(tenon.home) as (process, _):
        until = time.monotonic() + 20
        progress = tenon.home / "first-sync.json"
        while not progress.exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        assert json.loads(progress.read_text())["state"] == "done"
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


@POSIX_ONLY
def test_killed_it_starts_again(tenon: Commands) -> None:
    password = tenon.init()["admin"]
    with served(tenon.home) as (process, url):
        body = {"username": "admin", "password": password}
        assert httpx.post(f"{url}/api/session", json=body, trust_env=False).status_code == 200
        process.kill()
        process.wait(15)
    with served(tenon.home) as (_, url):
        assert answers(url)


def test_restored_it_serves_but_does_not_sync(tenon: Commands) -> None:
    tenon.init()
    hold(tenon.home)
    with served(tenon.home) as (_, url):
        assert answers(url)
        time.sleep(1)
        assert not (tenon.home / "first-sync.json").exists()


def test_a_held_instance_refuses_to_reach_out(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as running:
        admin = running.signed_in("admin")
        assert admin.post("/api/sources/wms/sync").json()["error"]["code"] == "sync_off"
        hold(tmp_path / "home")
        for path in ("/api/sources/wms/sync", "/api/sources/wms/check"):
            answer = admin.post(path)
            assert answer.status_code == 409
            assert answer.json()["error"]["code"] == "held"

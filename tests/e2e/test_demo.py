"""The whole slice by its one command: plant, Tenon, first sync, comparison with the truth."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from startup.paths import ROOT

pytestmark = [pytest.mark.deep, pytest.mark.timeout(1200)]


def _demo_check(home: Path, *more: str) -> None:
    command = [sys.executable, "start.py", "demo", "--check", "--home", str(home)]
    done = subprocess.run(
        [*command, *more],
        cwd=ROOT,
        env={**os.environ, "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout
    accounts = json.loads((home / "accounts.json").read_text("utf-8"))["accounts"]
    assert {one["role"] for one in accounts} == {"admin", "planner", "worker", "manager", "sales"}
    assert not any(one["password"] in done.stdout for one in accounts)


def test_the_demo_agrees_with_the_truth(tmp_path: Path) -> None:
    _demo_check(tmp_path / "demo")


def test_with_the_wms_in_mariadb_and_the_hub_in_postgresql(
    tmp_path: Path, mariadb_url: str, pg_url: str
) -> None:
    _demo_check(tmp_path / "demo", "--wms", mariadb_url, "--hub", pg_url)


def test_where_finance_keeps_a_ledger_only(tmp_path: Path) -> None:
    _demo_check(tmp_path / "demo", "--profile", "ledger", "--seed", "7")

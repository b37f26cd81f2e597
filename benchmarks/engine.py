"""Our jobs table beside DBOS Transact: runs a second, CPU a run, time until a run begins, idle CPU.

Both sides enqueue a run in the transaction of a business row, then carry it out in the same
process; each measurement is a process of its own over a fresh database. The effects are counted:
each must be there once. Ours also keeps the rows by which people see runs and steps.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.joint.home import ROOT, hub_of, hubs_here
from benchmarks.joint.server import postgres_version, sqlite_version
from tenon import __version__


@dataclass(frozen=True)
class Side:
    """One engine asked for one flow."""

    label: str
    module: str
    flow: str
    poll: float = 0.0


# The first of each group is ours; the ratios are to it.
GROUPS: Final = {
    "4 local steps": (
        Side("Tenon's jobs", "ours", "local"),
        Side("DBOS, a step each, poll 1.0 s", "dbos_side", "local", 1.0),
        Side("DBOS, a step each, poll 0.1 s", "dbos_side", "local", 0.1),
        Side("DBOS, one step for all, poll 0.1 s", "dbos_side", "segment", 0.1),
    ),
    "1 outward step": (
        Side("Tenon's jobs", "ours", "outward"),
        Side("DBOS, poll 1.0 s", "dbos_side", "outward", 1.0),
        Side("DBOS, poll 0.1 s", "dbos_side", "outward", 0.1),
    ),
}
_MEASURES: Final = (
    ("runs_a_second", "runs a second", "1/s", True),
    ("cpu_ms", "CPU a run", "ms", False),
    ("server_ms", "CPU of PostgreSQL a run", "ms", False),
    ("start_p50", "enqueued to begun, p50", "ms", False),
    ("start_p99", "enqueued to begun, p99", "ms", False),
    ("idle_percent", "idle CPU", "%", False),
    ("server_idle_percent", "idle CPU of PostgreSQL", "%", False),
)


def main() -> int:
    """Measure everything, print the table."""
    options = argparse.ArgumentParser()
    options.add_argument("--quick", action="store_true")
    quick = options.parse_args().quick
    runs, samples, idle = (40, 5, 1) if quick else (400, 50, 10)
    asked = {"runs": runs, "samples": samples, "idle": idle}
    print(f"{'hub':<11}{'flow':<16}{'engine':<36}{'runs/s':>8}{'CPU ms':>8}{'PG ms':>7}"
          f"{'start p50':>11}{'p99':>8}{'idle %':>8}{'PG idle':>8}")  # fmt: skip
    figures: list[dict[str, Any]] = []
    for dialect in hubs_here():
        for flow, sides in list(GROUPS.items())[: 1 if quick else None]:
            chosen = (sides[0], sides[-1]) if quick else sides
            figures += compare(dialect, flow, chosen, asked)
    versions = {
        "tenon": __version__, "dbos": importlib.metadata.version("dbos"),
        "python": sys.version.split()[0], "sqlite": sqlite_version(),
        "postgresql": postgres_version() if "postgresql" in hubs_here() else "-",
    }  # fmt: skip
    print(json.dumps({"name": "engine", "versions": versions, "figures": figures}))
    return 0


def compare(
    dialect: str, flow: str, sides: tuple[Side, ...], asked: dict[str, int]
) -> list[dict[str, Any]]:
    """The rows of one flow on one hub; ours beside each of the others."""
    found = [(side, measured(dialect, flow, side, asked)) for side in sides]
    ours = found[0][1]
    return [
        _figure(f"{dialect} {flow}: {name}", unit, more, side.label, ours[key], theirs[key])
        for side, theirs in found[1:]
        for key, name, unit, more in _MEASURES
        if ours[key] or theirs[key]
    ]


def measured(dialect: str, flow: str, side: Side, asked: dict[str, int]) -> dict[str, float]:
    """One side in a process of its own."""
    folder = Path(tempfile.mkdtemp(prefix="tenon-bench-"))
    (folder / "home").mkdir()
    try:
        with hub_of(dialect, folder) as hub:
            wanted = json.dumps(asked | {"poll": side.poll})
            done = subprocess.run(
                [sys.executable, "-m", f"benchmarks.engines.{side.module}", hub,
                 str(folder / "home"), side.flow, wanted],
                cwd=ROOT, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                raise SystemExit(f"{side.label}: {done.stderr[-3000:]}")
            found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if dialect == "sqlite":  # whatever PostgreSQL did meanwhile was none of ours
        found |= {"server_ms": 0.0, "server_idle_percent": 0.0}
    print(f"{dialect:<11}{flow:<16}{side.label:<36}{found['runs_a_second']:>8.1f}"
          f"{found['cpu_ms']:>8.2f}{found['server_ms']:>7.1f}{found['start_p50']:>11.1f}"
          f"{found['start_p99']:>8.1f}{found['idle_percent']:>8.2f}"
          f"{found['server_idle_percent']:>8.2f}", flush=True)  # fmt: skip
    return found


def _figure(
    name: str, unit: str, more: bool, label: str, ours: float, theirs: float
) -> dict[str, Any]:
    ratio = (ours / theirs if more else theirs / ours) if ours and theirs else 0.0
    return {"name": name, "value": round(ours, 3), "unit": unit, "against": label,
            "against_value": round(theirs, 3), "ratio": round(ratio, 2)}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

"""Stock moves from MariaDB into the hub: Tenon beside dlt at its best settings and the bare floor.

A first load, then one row in a hundred changed, then a poll that finds nothing; into SQLite and
into PostgreSQL. Each side is a process of its own; what arrived is counted and summed. Tenon also
checks every value, finds each item through the crosswalk, keeps every row as it was read, and
writes one event for a batch at first and one for each later change. dlt comes into an environment
of its own; without one it is left out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import URL

from benchmarks.joint.home import ROOT, hub_of, hubs_here
from benchmarks.synced import source
from tenon import __version__
from tenon.assembly import open_tenon, packages
from tenon.assembly.home import HomeSettings, write_settings
from tenon.connect.runner import Runner
from tenon.connect.settings import Connections
from tenon.records.tables import entity_tables

_DLT: Final = (
    "dlt[postgres,sqlalchemy]==1.31.*", "connectorx==0.4.*", "pyarrow", "pymysql",
    "psycopg2-binary", "adbc-driver-postgresql", "adbc-driver-manager", "sqlalchemy>=2",
)  # fmt: skip
_EVERY: Final = 100
_POLLS: Final = 50


def main() -> int:
    """Measure, print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--rows", type=int, help="default: 1,000,000; 50,000 with --quick")
    options.add_argument("--hub", choices=("sqlite", "postgresql"), help="only this one")
    options.add_argument("--no-dlt", action="store_true", help="only Tenon and the floor")
    given = options.parse_args()
    rows = given.rows or (50_000 if given.quick else 1_000_000)
    figures: list[dict[str, Any]] = []
    versions = {"tenon": __version__, "python": sys.version.split()[0], "dlt": "-"}
    with source.mariadb(rows) as url, tempfile.TemporaryDirectory(prefix="tenon-bench-") as name:
        peer = None if given.quick or given.no_dlt else _dlt(Path(name) / "dlt")
        print(f"{rows:,} rows x 10 columns from MariaDB")
        print(f"{'hub':<12}{'':<14}{'side':<8}{'s':>9}{'rows/s':>11}{'CPU s':>8}{'MB':>7}")
        for dialect in [given.hub] if given.hub else hubs_here():
            folder = Path(name) / dialect
            folder.mkdir()
            found, version = _compare(dialect, folder, url, rows, peer)
            figures += found
            versions["dlt"] = version or versions["dlt"]
    print(json.dumps({"name": "sync", "versions": versions, "figures": figures}))
    return 0


def _compare(
    dialect: str, folder: Path, url: URL, rows: int, dlt: Path | None
) -> tuple[list[dict[str, Any]], str]:
    figures: list[dict[str, Any]] = []
    version = ""
    with hub_of(dialect, folder) as hub, _spare(dialect, folder / "floor") as floor:
        _join(folder / "home", hub, url)
        with _spare(dialect, folder / "peer") as target:
            for step in ("first load", "1 % changed"):
                since = None
                if step != "first load":
                    since = _latest(url)
                    assert source.change(url, rows, _EVERY) == rows // _EVERY
                sides = {"floor": _run("floor", _text(url), floor, *([since] if since else []))}
                if dlt is not None:
                    sides["dlt"] = _run_dlt(dlt, url, target, folder / "pipelines")
                    version = str(sides["dlt"]["version"])
                sides["Tenon"] = _run("ours", str(folder / "home"), "bench_move")
                _refuse_wrong(folder / "home", url)
                moved = rows if since is None else rows // _EVERY
                figures += _shown(dialect, step, sides, moved)
        figures += _polls(dialect, folder / "home", url)
    return figures, version


def _shown(
    dialect: str, step: str, sides: dict[str, dict[str, Any]], rows: int
) -> list[dict[str, Any]]:
    for side, one in sides.items():
        cpu, memory = one.get("cpu"), one.get("megabytes")
        print(f"{dialect:<12}{step:<14}{side:<8}{one['seconds']:>9.2f}"
              f"{rows / one['seconds']:>11,.0f}{'' if cpu is None else f'{cpu:.1f}':>8}"
              f"{'' if memory is None else f'{memory:.0f}':>7}")  # fmt: skip
    ours = sides["Tenon"]
    figures = [
        {
            "name": f"{step} into {dialect}, {rows:,} rows", "value": round(ours["seconds"], 2),
            "unit": "s", "against": side, "against_value": round(one["seconds"], 2),
            "ratio": round(one["seconds"] / ours["seconds"], 3),
        }
        for side, one in sides.items() if side != "Tenon"
    ]  # fmt: skip
    return [*figures, {
        "name": f"peak memory, {step} into {dialect}", "value": round(ours["megabytes"]),
        "unit": "MB", "against": "allowed", "against_value": 300,
        "ratio": round(300 / ours["megabytes"], 3),
    }]  # fmt: skip


def _polls(dialect: str, home: Path, url: URL) -> list[dict[str, Any]]:
    """What a poll costs that finds nothing, beside the bare query over a connection kept open."""
    with open_tenon(home) as tenon:
        connector = tenon.connect.connections.open(tenon.catalogue.source("bench"))
        runner = Runner(tenon.connect)
        ours = _times(lambda: runner.sync("bench_move", connector))
        connector.close()
    engine = sa.create_engine(url.set(drivername="mysql+pymysql"))
    query = sa.text("SELECT * FROM stock_moves WHERE updated_at > :at ORDER BY updated_at, id")
    latest = _latest(url)
    with engine.connect() as connection:
        bare = _times(lambda: connection.execute(query, {"at": latest}).fetchall())
    engine.dispose()
    print(f"{dialect:<12}{'a poll of nothing':<22}p50 {ours * 1000:.2f} ms, bare {bare * 1000:.2f}")
    return [{
        "name": f"a poll that finds nothing, hub in {dialect}, p50", "value": round(ours * 1000, 2),
        "unit": "ms", "against": "the bare query", "against_value": round(bare * 1000, 2),
        "ratio": round(bare / ours, 3),
    }]  # fmt: skip


def _times(work: Any) -> float:
    times = []
    for _ in range(_POLLS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return sorted(times)[_POLLS // 2]


def _join(home: Path, hub: str, url: URL) -> None:
    """A Tenon with the benchmark's definitions and its items."""
    write_settings(home, HomeSettings(hub=None if hub.startswith("sqlite") else hub))
    Connections(home).save({"bench": {"url": _text(url)}})
    with open_tenon(home) as tenon, tempfile.TemporaryDirectory() as folder:
        package = Path(__file__).parent / "synced" / "package.yaml"
        shutil.copy(package, Path(folder) / "package.yaml")
        packages.publish_folder(tenon.hub, Path(folder), "benchmark")
    with open_tenon(home) as tenon:
        outcome = Runner(tenon.connect).sync("bench_item")
        assert outcome.error is None, outcome.error
        assert outcome.counts.applied == source.ITEMS


def _refuse_wrong(home: Path, url: URL) -> None:
    """Fail unless the hub holds exactly what the source does."""
    with open_tenon(home) as tenon, tenon.hub.read() as connection:
        table = entity_tables(tenon.catalogue)["bench_move"]
        moves = sa.select(sa.func.count(), sa.func.sum(table.c.qty), sa.func.count(table.c.item))
        count, total, linked = connection.execute(moves).one()
    assert (count, total) == source.facts(url), (count, total, source.facts(url))
    assert linked == count


@contextmanager
def _spare(dialect: str, folder: Path) -> Iterator[str]:
    """An empty database for another side."""
    folder.mkdir()
    with hub_of(dialect, folder) as address:
        yield str(folder / "target.db") if dialect == "sqlite" else address


def _run(side: str, *arguments: str) -> dict[str, Any]:
    return _answer([sys.executable, "-m", f"benchmarks.synced.{side}", *arguments])


def _run_dlt(python: Path, url: URL, target: str, folder: Path) -> dict[str, Any]:
    program = str(Path(__file__).parent / "synced" / "dlt_side.py")
    return _answer([str(python), program, _text(url), target, str(folder)])


def _answer(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed:\n{done.stderr[-3000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _dlt(folder: Path) -> Path | None:
    """An environment with dlt; None, and a word, where it cannot be had."""
    uv = Path(sys.executable).with_name("uv")
    for command in (
        [str(uv), "venv", "-q", "--python", sys.executable, str(folder)],
        [str(uv), "pip", "install", "-q", "--python", str(folder / "bin" / "python"), *_DLT],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"dlt is left out: {done.stderr.strip().splitlines()[-1]}")
            return None
    return folder / "bin" / "python"


def _latest(url: URL) -> str:
    engine = sa.create_engine(url.set(drivername="mysql+pymysql"))
    with engine.connect() as connection:
        latest = connection.scalar(sa.text("SELECT MAX(updated_at) FROM stock_moves"))
    engine.dispose()
    return str(latest)


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


if __name__ == "__main__":
    sys.exit(main())

"""From the CRM's webhook to the row in the MES's queue, and where the time goes.

A real `tenon serve` over a small living plant (its CRM, its MES in a SQLite file) takes signed
webhooks, each with a new order of one line; the order gets its work order with three operations
frozen, and five rows are written into the MES. Beside it, in the same run and asked in the same
way, the floor (`joint/floor.py`): the same journey with bare drivers and nothing else.

Three ways of asking: one order under way at a time; sixteen under way (a sender goes on when its
order is in the MES); and a pile: sixteen senders that go on with the answer.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.joint import home as joined
from benchmarks.joint.home import Served, cpu_seconds, hubs_here
from benchmarks.joint.knock import Taken, ping, tell
from benchmarks.joint.server import postgres_version, sqlite_version
from benchmarks.joint.watch import EVERY, Watch, watching
from tenon import __version__
from tests.faults.small_plant import SmallPlant

WARM_UP: Final = 12


@dataclass(frozen=True)
class Way:
    """A way of asking: so many senders, and whether each waits for the MES."""

    name: str
    senders: int
    wait: bool
    orders: int


WAYS: Final = (
    Way("1 under way", 1, True, 120),
    Way("16 under way", 16, True, 480),
    Way("pile of 16", 16, False, 640),
)
QUICK: Final = (
    Way("1 under way", 1, True, 25),
    Way("16 under way", 16, True, 64),
    Way("pile of 16", 16, False, 96),
)


@dataclass
class Asked:
    """A server that is asked in every way, one after the other."""

    name: str
    served: Served
    watch: Watch
    plant: SmallPlant
    models: list[dict[str, Any]]
    last: int = 0

    def in_way(self, way: Way) -> tuple[Taken, float]:
        """What it took, and the server's CPU milliseconds an order."""
        before = cpu_seconds(self.served.pid)
        taken = tell(
            self.served.port, self._bodies(way.orders), way.senders, self.watch, wait=way.wait
        )
        return taken, (cpu_seconds(self.served.pid) - before) * 1000 / way.orders

    def _bodies(self, count: int) -> list[dict[str, Any]]:
        first, self.last = self.last + 1, self.last + count
        orders = [joined.numbered(self.models, n) for n in range(first, self.last + 1)]
        return [self.plant.told(order, fat=True) for order in orders]


def main() -> int:
    """Ask the floor and Tenon on each hub; print the tables."""
    options = argparse.ArgumentParser()
    options.add_argument("--quick", action="store_true")
    ways = QUICK if options.parse_args().quick else WAYS
    figures: list[dict[str, Any]] = []
    print(_HEAD)
    for dialect in hubs_here():
        figures += measure(dialect, ways)
    print("\nMilliseconds p50 / p99 from the webhook's first byte to its answer (which follows a "
          "durable commit),\nto the commit of the work order in the hub, to the commit of its rows "
          f"in the MES; seen by a watcher that\nlooks every {_looks_every()} ms. CPU: the server's "
          "process alone, per order.")  # fmt: skip
    for dialect in hubs_here():
        explain(dialect, ways)
    print(json.dumps({"name": "webhook_to_job", "versions": versions(), "figures": figures}))
    return 0


_HEAD: Final = (
    f"{'':<24}{'way':<14}{'answers/s':>10}{'orders/s':>10}{'answer ms':>15}{'work order ms':>17}"
    f"{'MES row ms':>17}{'CPU ms':>8}"
)


def measure(dialect: str, ways: tuple[Way, ...]) -> list[dict[str, Any]]:
    """The floor, then Tenon; their rows of the table and the figures."""
    with floor(dialect) as low:
        for senders in (1, 16):
            found = ping(low.served.port, 2000, senders)
            print(f"{'floor, nothing done':<24}{f'{senders} at once':<14}"
                  f"{len(found.answer) / found.answered_in:>10,.0f}{'':>10}"
                  f"{_pair(found, 'answer'):>15}", flush=True)  # fmt: skip
        floors = asked(low, ways)
    with tenon(dialect) as ours:
        takens = asked(ours, ways)
    return [
        figure
        for way, taken, low_taken in zip(ways, takens, floors, strict=True)
        for figure in figures_of(f"{dialect} {way.name}", taken, low_taken)
    ]


def asked(one: Asked, ways: tuple[Way, ...]) -> list[Taken]:
    """Ask in each way, after some orders that count for nothing."""
    one.in_way(Way("warm-up", 4, True, WARM_UP))
    takens = []
    for way in ways:
        taken, cpu = one.in_way(way)
        takens.append(taken)
        print(f"{one.name:<24}{way.name:<14}{way.orders / taken.answered_in:>10,.0f}"
              f"{way.orders / taken.done_in:>10,.1f}{_pair(taken, 'answer'):>15}"
              f"{_pair(taken, 'work_order'):>17}{_pair(taken, 'mes'):>17}{cpu:>8.1f}",
              flush=True)  # fmt: skip
    return takens


def _pair(taken: Taken, what: str) -> str:
    return f"{taken.percentile(what, 50):,.1f} / {taken.percentile(what, 99):,.1f}"


def figures_of(name: str, taken: Taken, low: Taken) -> list[dict[str, Any]]:
    """The figures of one way beside the floor's; a ratio above 1 would be better than the floor."""
    count = len(taken.answer)
    found = [
        _figure(f"{name}: orders to the MES", count / taken.done_in, "1/s", count / low.done_in),
        _figure(f"{name}: answers", count / taken.answered_in, "1/s", count / low.answered_in),
    ]
    for what in ("answer", "work_order", "mes"):
        for of in (50, 99):
            value, beside = taken.percentile(what, of), low.percentile(what, of)
            found.append(_figure(f"{name}: {what} p{of}", value, "ms", beside))
    return found


def _figure(name: str, value: float, unit: str, floor_value: float) -> dict[str, Any]:
    ratio = value / floor_value if unit == "1/s" else floor_value / value
    return {"name": name, "value": round(value, 2), "unit": unit, "against": "floor",
            "against_value": round(floor_value, 2), "ratio": round(ratio, 4)}  # fmt: skip


@contextmanager
def room(dialect: str) -> Iterator[tuple[Path, str, SmallPlant, list[dict[str, Any]]]]:
    """A folder, an empty hub, a living plant, and orders to tell of."""
    folder = Path(tempfile.mkdtemp(prefix="tenon-bench-"))
    try:
        models = joined.orders(folder / "elsewhere")
        with joined.hub_of(dialect, folder) as hub, joined.plant_in(folder) as plant:
            yield folder, hub, plant, models
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def floor(dialect: str) -> Iterator[Asked]:
    """The floor, serving."""
    with room(dialect) as (folder, hub, plant, models):
        port = joined.free_port()
        mes = folder / "plant" / "mes.db"
        (folder / "home").mkdir()
        command = [sys.executable, "-m", "benchmarks.joint.floor", hub, str(mes), str(port)]
        with (
            joined.serving(command, port, folder / "floor.log") as served,
            watching(hub, mes) as watch,
        ):
            yield Asked(f"floor, {dialect}", served, watch, plant, models)


@contextmanager
def tenon(dialect: str, trace: Path | None = None) -> Iterator[Asked]:
    """Tenon, serving."""
    with room(dialect) as (folder, hub, plant, models):
        joined.join(folder / "home", hub, plant)
        port = joined.free_port()
        command = joined.tenon_serve(folder / "home", port, trace)
        with (
            joined.serving(command, port, folder / "serve.log") as served,
            watching(hub, folder / "plant" / "mes.db") as watch,
        ):
            yield Asked(f"Tenon, {dialect}", served, watch, plant, models)


def explain(dialect: str, ways: tuple[Way, ...]) -> None:
    """Where the time goes: the same again with timers around the stages."""
    first, pile = ways[0], ways[-1]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "times.json"
        with tenon(dialect, file) as one:
            one.in_way(Way("warm-up", 4, True, WARM_UP))
            _times(one, file)
            tables = []
            for way in (first, pile):
                one.in_way(way)
                tables.append(
                    {k: [v / way.orders for v in t] for k, t in _times(one, file).items()}
                )
    print(f"\nWhere the time goes, hub on {dialect}: for each order how often, milliseconds of "
          f"wall time\n(of CPU); a set of orders that pass a stage together pass it once"
          f"\n{'':<54}{first.name:>24}{pile.name:>24}")  # fmt: skip
    for name in sorted({name for table in tables for name in table}, key=_place):
        cells = "".join(f"{_cell(table.get(name)):>24}" for table in tables)
        print(f"  {name:<52}{cells}")


def _cell(times: list[float] | None) -> str:
    if times is None:
        return "-"
    return f"{times[0]:.2f}× {times[1] * 1000:.2f} ({times[2] * 1000:.2f})"


def _place(name: str) -> tuple[int, str]:
    parts = ("door", "hook", "flow", "claim", "other")
    part = name.split(":", maxsplit=1)[0]
    return (parts.index(part) if part in parts else len(parts), name)


def _times(one: Asked, file: Path) -> dict[str, list[float]]:
    """The times since the last asking."""
    file.unlink(missing_ok=True)
    os.kill(one.served.pid, signal.SIGUSR1)
    joined.wait_for(file.exists, 10, "the times")
    found: dict[str, list[float]] = json.loads(file.read_text("utf-8"))
    return found


def _looks_every() -> int:
    """Milliseconds between two looks of the watcher."""
    return int(EVERY * 1000)


def versions() -> dict[str, str]:
    """What was measured."""
    return {
        "tenon": __version__,
        "python": sys.version.split()[0],
        "sqlite": sqlite_version(),
        "postgresql": postgres_version() if "postgresql" in hubs_here() else "-",
        "aiohttp": importlib.metadata.version("aiohttp"),
        "at": time.strftime("%Y-%m-%d"),
    }


if __name__ == "__main__":
    sys.exit(main())

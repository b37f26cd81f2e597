"""What the commands make, run and check do; loaded only when one of them is asked for."""

import argparse
import json
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from plant.asking import ask
from plant.check import compare, compare_layers
from plant.check_view import show
from plant.facts import Facts
from plant.making import make
from plant.service.living import Life
from plant.settings import PlantConfig


def make_plant(options: argparse.Namespace) -> int:
    """Make a plant's history with a progress bar."""
    console = Console()
    config = PlantConfig(
        home=options.home.resolve(),
        seed=options.seed,
        start=options.start,
        months=options.months,
        days=options.days,
        profile=options.profile,
        wms_url=options.wms,
        mes_url=options.mes,
        kis_url=options.kis,
    )
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("Making the plant's history", total=1.0)
        counts = make(config, lambda done: progress.update(task, completed=done))
    words = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
    console.print(f"Made until {config.made_until:%Y-%m-%d %H:%M} in {config.home}: {words}")
    return 0


def run_plant(options: argparse.Namespace) -> int:
    """Let a plant live on from where it was saved."""
    life = Life(
        options.home.resolve(), options.pace, lambda words: print(words, flush=True),
        joined=bool(options.webhook),
    )  # fmt: skip
    life.run()
    return 0


def check_plant(options: argparse.Namespace) -> int:
    """Compare a running Tenon with the truth; without one, what was recorded with what happened."""
    truth = options.home / "truth.db"
    facts = Facts(truth)
    at = options.at or facts.origin + timedelta(seconds=facts.saved)
    if options.tenon_url:
        tenon = ask(options.tenon_url, options.accounts)
        report = compare(truth, at, tenon.lines(), tenon.issued())
    else:
        report = compare_layers(facts, at)
    if options.json:
        print(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        show(report, Console())
    return 0 if report.ok else 1

"""The plant's commands: make, run, crm, pace, check."""

import argparse
import importlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from plant.paths import CRM_PORT, write_json
from plant.service.crm import serve_crm


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m plant", description="The simulated metal-stamping plant."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _make_options(commands.add_parser("make", help="make the plant's history"))
    run = commands.add_parser("run", help="let the plant live on from where it stopped")
    run.add_argument("--pace", type=float, default=60.0, help="plant seconds in a real second")
    crm = commands.add_parser("crm", help="serve the CRM alone")
    crm.add_argument("--with-parent", action="store_true", help=argparse.SUPPRESS)
    for part in (run, crm):
        part.add_argument("--port", type=int, default=CRM_PORT, help="the CRM's port, 0 for any")
        part.add_argument("--webhook", metavar="URL", help="where the CRM posts its events")
        part.add_argument("--webhook-secret-file", type=Path, metavar="FILE")
    pace = commands.add_parser("pace", help="change the pace of a running plant")
    pace.add_argument("pace", type=float)
    check = commands.add_parser("check", help="compare what was recorded with what happened")
    check.add_argument("--at", type=datetime.fromisoformat, help="an instant of plant time")
    check.add_argument("--json", action="store_true", help="print the figures as JSON")
    check.add_argument("--tenon-url", metavar="URL", help="a running Tenon to compare")
    check.add_argument("--accounts", type=Path, metavar="FILE", help="its accounts (JSON)")
    for part in (run, crm, pace, check):
        part.add_argument("--home", type=Path, required=True, help="the plant's folder")
    return parser


def _make_options(part: argparse.ArgumentParser) -> None:
    part.add_argument("--home", type=Path, required=True, help="the plant's folder, empty or new")
    part.add_argument("--seed", type=int, default=1)
    part.add_argument("--months", type=int, default=3)
    part.add_argument("--days", type=int, help="days instead of months, for small plants")
    part.add_argument("--start", type=date.fromisoformat, default=date(2026, 8, 3))
    part.add_argument("--profile", choices=("full", "ledger"), default="full")
    for system in ("wms", "mes", "kis"):
        part.add_argument(f"--{system}", metavar="URL", help=f"server database for the {system}")


def _crm(options: argparse.Namespace) -> int:
    secret = options.webhook_secret_file
    serve_crm(
        options.home.resolve(),
        options.port,
        webhook_url=options.webhook,
        webhook_secret=secret.read_bytes().strip() if secret else None,
        with_parent=options.with_parent,
    )
    return 0


@contextmanager
def _crm_beside(options: argparse.Namespace) -> Iterator[None]:
    """Run the CRM as a process of its own for as long as the plant lives."""
    if not (options.home / "plant.json").exists():
        raise FileNotFoundError(
            f"No plant has been made in {options.home}. "
            "Make one with: python -m plant make --home DIR"
        )
    command = [sys.executable, "-m", "plant", "crm", "--home", str(options.home)]
    command += ["--port", str(options.port), "--with-parent"]
    if options.webhook:
        command += ["--webhook", options.webhook]
    if options.webhook_secret_file:
        command += ["--webhook-secret-file", str(options.webhook_secret_file)]

    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:  # noqa: S603
        try:
            yield
        finally:
            process.terminate()


def _heavy(name: str, options: argparse.Namespace) -> int:
    # Loaded late: the CRM must answer while the model's libraries are still being read.
    commands = importlib.import_module("plant.commands")
    return int(getattr(commands, name)(options))


def main(arguments: list[str] | None = None) -> int:
    """Run one of the plant's commands and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "crm":
            return _crm(options)
        if options.command == "pace":
            write_json(options.home / "pace.json", {"pace": options.pace})
            return 0
        if options.command == "run":
            with _crm_beside(options):
                return _heavy("run_plant", options)
        return _heavy(f"{options.command}_plant", options)
    except (OSError, ValueError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130

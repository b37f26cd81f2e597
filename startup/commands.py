"""The commands of start.py and their options."""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from startup import checks, console, demo, environment, system
from startup.paths import ROOT, python

_WITH_PEERS = {"engine", "webhook_to_job"}


def main() -> int:
    """Run one command; return its exit status."""
    console.prepare()
    options, more = _parser().parse_known_args()
    if more and options.command != "test":
        _parser().error(f"unknown: {' '.join(more)}")
    try:
        return _run(options, more)
    except console.Failure as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 0 if options.command == "demo" and not options.check else 130


def _run(options: Namespace, more: list[str]) -> int:
    if options.command == "demo":
        return demo.demo(options)
    if options.command == "test":
        return checks.test(deep=options.deep, more=more)
    if options.command == "check":
        return checks.check()
    if options.command == "bench":
        return _bench(options.name, quick=options.quick)
    return _screenshots(options)


def _bench(name: str, *, quick: bool) -> int:
    known = sorted(path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py"))
    if name not in known:
        raise console.Failure(f"There is no benchmark {name}; there are: {', '.join(known)}")
    environment.ensure()
    if name in _WITH_PEERS:
        environment.add_group("peers")
    command = [python(), "-m", f"benchmarks.{name}", *(["--quick"] if quick else [])]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _screenshots(options: Namespace) -> int:
    system.ensure_for_tests(browser=True, servers=False)
    with demo.running(options) as started:
        command = [python(), "-m", "tools.screenshots", "--url", started.url]
        command += ["--accounts", str(started.home / "accounts.json")]
        return subprocess.run(command, cwd=ROOT, check=False).returncode


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="start.py", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    of_demo = commands.add_parser("demo", help="a simulated plant and a Tenon joined to it")
    _add_demo_options(of_demo)
    of_demo.add_argument("--lan", action="store_true", help="let other machines open it")
    of_demo.add_argument(
        "--check", action="store_true", help="compare with the plant's truth, then end"
    )
    of_test = commands.add_parser("test", help="checks and tests; further words go to pytest")
    of_test.add_argument("--deep", action="store_true", help="also the long-running tests")
    commands.add_parser("check", help="the checks alone: lint, types, imports, sizes")
    of_bench = commands.add_parser("bench", help="run one benchmark")
    of_bench.add_argument("name", metavar="NAME")
    of_bench.add_argument("--quick", action="store_true", help="smaller, under a minute")
    of_pictures = commands.add_parser("screenshots", help="take the pictures of the README")
    _add_demo_options(of_pictures)
    of_pictures.set_defaults(lan=False, check=False)
    return parser


def _add_demo_options(parser: ArgumentParser) -> None:
    option = parser.add_argument
    option("--port", type=int, help=f"default {demo.DEFAULT_PORT}, or the next free one")
    option("--home", type=Path, default=ROOT / ".demo", metavar="DIR", help="default .demo")
    option("--seed", help="another plant")
    option("--pace", type=float, default=60, help="plant minutes a minute (default 60, 0: still)")
    option("--profile", choices=("full", "ledger"), help="what the finance system keeps")
    option("--wms", metavar="URL", help="put the WMS into this database (a MariaDB, say)")
    option("--mes", metavar="URL", help="put the MES into this database")
    option("--kis", metavar="URL", help="put finance into this database")
    option("--hub", metavar="URL", help="keep Tenon's hub in this PostgreSQL")
    option("--fresh", action="store_true", help="delete what the home holds and begin anew")

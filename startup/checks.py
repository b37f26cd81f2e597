"""`test` and `check`: everything a machine can say about the sources, then the tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from startup import environment, node, servers, system, webbuild
from startup.console import note, step, table
from startup.paths import ROOT, WEB_APP, program, python

_TYPED = ("src", "plant", "tests", "tools", "startup", "benchmarks", "start.py")
_SIDE_BY_SIDE = 2


@dataclass
class Report:
    """What passed, what failed, what was left out."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)
    failed: bool = False

    def add(self, name: str, status: int, remark: str = "") -> None:
        """Note the end of one check."""
        self.failed = self.failed or status != 0
        self.rows.append(("ok" if status == 0 else "FAILED", name, remark))

    def skip(self, name: str, why: str) -> None:
        """Note something that was left out."""
        self.rows.append(("skipped", name, why))


@dataclass(frozen=True)
class Check:
    """A command that must end with status 0."""

    name: str
    command: list[str]
    folder: Path = ROOT
    always_shown: bool = False


def check() -> int:
    """Run the checks alone."""
    environment.ensure()
    report = Report()
    _run_checks(report)
    table(report.rows)
    return 1 if report.failed else 0


def test(*, deep: bool, more: list[str]) -> int:
    """Run the checks and the tests; end with the closing line of pytest."""
    environment.ensure()
    in_ci = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
    missing = system.ensure_for_tests(browser=deep, servers=in_ci)
    report = Report()
    if deep or node.available():
        webbuild.ensure()
    _run_checks(report)
    for package in missing:
        report.skip(package, "not installed, see above")
    closing = _run_tests(report, deep=deep, more=more)
    step("Summary")
    table(report.rows)
    print(closing, flush=True)
    return 1 if report.failed else 0


def _run_checks(report: Report) -> None:
    step("Checking the sources")
    checks = _of_python()
    if not (WEB_APP / "package.json").is_file():
        report.skip("browser app", "not in this checkout")
    elif node.available():
        webbuild.ensure_modules()
        checks += _of_web()
    else:
        report.skip("browser app", "no Node 20 or newer here; `start.py demo` installs one")
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        for one, (status, output, seconds) in zip(checks, pool.map(_outcome, checks), strict=True):
            report.add(one.name, status, f"{seconds:.1f} s")
            note(f"{'ok' if status == 0 else 'FAILED':<7} {one.name} ({seconds:.1f} s)")
            if status or one.always_shown:
                print(output.rstrip(), flush=True)


def _of_python() -> list[Check]:
    present = [name for name in _TYPED if (ROOT / name).exists()]
    return [
        Check("mypy --strict", [str(program("mypy")), *present]),
        Check("ruff check", [str(program("ruff")), "check", "."]),
        Check("ruff format", [str(program("ruff")), "format", "--check", "."]),
        Check("import-linter", [str(program("lint-imports")), "--no-logo"]),
        Check("layout", [python(), "-m", "tools.check_layout"]),
        Check("promises", [python(), "-m", "tools.check_promises"]),
        Check("sizes", [python(), "-m", "tools.check_size"], always_shown=True),
    ]


def _of_web() -> list[Check]:
    return [
        Check("web: types", node.npm("run", "check"), WEB_APP),
        Check("web: vitest", node.npm("test"), WEB_APP),
    ]


def _outcome(one: Check) -> tuple[int, str, float]:
    begun = time.monotonic()
    done = subprocess.run(
        one.command,
        cwd=one.folder,
        env={**node.variables(), "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout, time.monotonic() - begun


def _run_tests(report: Report, *, deep: bool, more: list[str]) -> str:
    """Run pytest, showing what it says; return its closing line."""
    step("Looking for database servers")
    with servers.for_tests() as (variables, missing):
        for one in missing:
            report.skip("tests of a server", one)
            note(f"missing: {one}")
        step("Running the tests" + (", the deep ones too" if deep else ""))
        command = [python(), "-m", "pytest", "-n", "2", "--dist", "loadfile", "-rs"]
        command += ["-m", "deep or not deep"] if deep else []
        command += ["--color=yes"] if sys.stdout.isatty() else []
        status, closing = _streamed([*command, *more], variables)
    report.add("pytest" + (" (deep)" if deep else ""), status)
    if not deep:
        report.skip("deep tests", "`start.py test --deep` runs them")
    return closing


def _streamed(command: list[str], variables: dict[str, str]) -> tuple[int, str]:
    chosen = {**os.environ, "PYTHONUTF8": "1", **variables}
    if chromium := system.chromium():
        chosen["TENON_CHROMIUM"] = chromium
    closing = ""
    with subprocess.Popen(
        command, cwd=ROOT, env=chosen, stdout=subprocess.PIPE, encoding="utf-8", errors="replace"
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            closing = line.rstrip() or closing
    return process.returncode, closing

"""Builds the browser app when its sources changed, and puts it in place in one move."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from startup import node
from startup.console import Failure, note, step
from startup.paths import ROOT, STATIC, WEB_APP, digest, unchanged

_NOT_SOURCES = {"node_modules", "dist", "coverage", "test-results"}


def ensure() -> None:
    """Build the app unless what is in place was built from these very sources."""
    if not (WEB_APP / "package.json").is_file():
        note("no browser app in this checkout")
        return
    wanted = sources_digest()
    if unchanged(STATIC / ".digest", wanted):
        return
    ensure_modules()
    step("Building the browser app")
    fresh = STATIC.with_name("static.new")
    shutil.rmtree(fresh, ignore_errors=True)
    quietly = ["--emptyOutDir", "--logLevel", "warn"]
    _npm("run", "--silent", "build", "--", "--outDir", str(fresh), *quietly)
    _npm("run", "--silent", "build:report", "--", "--outDir", str(fresh / "r"), *quietly)
    for page in (fresh / "index.html", fresh / "r" / "index.html"):
        if not page.is_file():
            raise Failure(f"The build of {WEB_APP.relative_to(ROOT)} left no {page}")
    (fresh / ".digest").write_text(wanted, encoding="ascii")
    _swap(fresh, STATIC)


def ensure_modules() -> None:
    """Install the app's packages when its lock changed."""
    lock, modules = WEB_APP / "package-lock.json", WEB_APP / "node_modules"
    wanted = digest([lock])
    if unchanged(modules / ".lock-digest", wanted):
        return
    step("Installing the packages of the browser app")
    _npm("ci", "--loglevel=error")
    (modules / ".lock-digest").write_text(wanted, encoding="ascii")


def sources_digest() -> str:
    """Return the digest of everything below web/ that a build reads."""
    return digest(
        path
        for path in (ROOT / "web").rglob("*")
        if path.is_file() and not _NOT_SOURCES & set(path.relative_to(ROOT).parts)
    )


def _npm(*arguments: str) -> None:
    command = node.npm(*arguments)
    if subprocess.run(command, cwd=WEB_APP, env=node.variables(), check=False).returncode:
        raise Failure(
            f"npm {arguments[0]} failed in {WEB_APP.relative_to(ROOT)} (see above). Where a "
            f"mirror is needed, name it in {node.REGISTRY_VARIABLE} and run the command again."
        )


def _swap(fresh: Path, place: Path) -> None:
    """Put the fresh folder in place; whoever looks sees the old one or the new one, whole."""
    old = place.with_name("static.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old, ignore_errors=True)

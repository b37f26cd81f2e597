"""Makes `.venv` as the lock says; does nothing when the lock has not changed."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys

from startup import system
from startup.console import Failure, note, step
from startup.paths import ROOT, VENV, digest, program, python, unchanged

_MARK = VENV / ".lock-digest"


def ensure() -> None:
    """Bring the environment in line with `uv.lock`."""
    wanted = digest([ROOT / "uv.lock", ROOT / "pyproject.toml"], platform.python_version())
    if program("python").exists() and unchanged(_MARK, wanted):
        return
    if not _works():
        step(f"Making the Python environment {VENV.name}")
        _make()
    step("Installing the packages of uv.lock")
    # Inexact: uv itself, and Node where the system has none, live in the same environment.
    command = [*_uv(), "sync", "--frozen", "--inexact", "--quiet"]
    if subprocess.run(command, cwd=ROOT, env=_variables(), check=False).returncode:
        raise Failure(
            "The packages could not be installed (see above). Check the network; where a mirror "
            "is needed, name it in UV_DEFAULT_INDEX and run the same command again."
        )
    _MARK.write_text(wanted, encoding="ascii")


def add_group(name: str) -> None:
    """Install a dependency group of the lock beside the rest (the peers of the benchmarks)."""
    command = [*_uv(), "sync", "--frozen", "--inexact", "--quiet", "--group", name]
    subprocess.run(command, cwd=ROOT, env=_variables(), check=True)


def install(requirement: str) -> None:
    """Add one package that is not in the lock (Node, where the system has none)."""
    subprocess.run(
        [*_uv(), "pip", "install", "--quiet", requirement], cwd=ROOT, env=_variables(), check=True
    )


def _works() -> bool:
    """Say whether there is an environment whose Python starts (it may have been moved)."""
    if not program("python").exists():
        return False
    return subprocess.run([python(), "-c", ""], capture_output=True, check=False).returncode == 0


def _make() -> None:
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode and system.can_install():
        # Debian's Python leaves venv out of the package.
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        system.install([f"python{version}-venv"])
        made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode and (uv := shutil.which("uv")):
        made = subprocess.run(
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)],
            capture_output=True,
            text=True,
            check=False,
        )
    if made.returncode:
        raise Failure(
            f"{sys.executable} cannot make a virtual environment:\n"
            f"{(made.stdout + made.stderr).strip()}\n"
            "On Debian or Ubuntu: apt install python3-venv; then run the same command again."
        )


def _uv() -> list[str]:
    """Return the command of uv: the environment's own, else one on the path, else install it."""
    if not program("uv").exists():
        if found := shutil.which("uv"):
            return [found]
        note("installing uv into the environment")
        subprocess.run([python(), "-m", "ensurepip"], capture_output=True, check=False)
        pip = [python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run([*pip, "uv"], check=False).returncode:
            raise Failure(
                "uv could not be installed (see above). Check the network; where a mirror is "
                "needed, name it in PIP_INDEX_URL and run the same command again."
            )
    return [str(program("uv"))]


def _variables() -> dict[str, str]:
    return {
        **os.environ,
        "UV_PROJECT_ENVIRONMENT": str(VENV),
        "VIRTUAL_ENV": str(VENV),
        "UV_PYTHON": python(),
        "UV_PYTHON_DOWNLOADS": "never",
    }

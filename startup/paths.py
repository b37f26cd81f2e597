"""Where things are in this checkout."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
WINDOWS = os.name == "nt"
WEB_APP = ROOT / "web" / "app"
STATIC = ROOT / "src" / "tenon" / "server" / "static"


def program(name: str) -> Path:
    """Return a program of the environment."""
    return VENV / ("Scripts" if WINDOWS else "bin") / (f"{name}.exe" if WINDOWS else name)


def python() -> str:
    """Return the environment's Python."""
    return str(program("python"))


def digest(files: Iterable[Path], *more: str) -> str:
    """Return the SHA-256 over names and contents of files, and over further words."""
    total = hashlib.sha256("\0".join(more).encode())
    for path in sorted(files):
        total.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def unchanged(mark: Path, value: str) -> bool:
    """Say whether the mark left by an earlier run holds this value."""
    return mark.is_file() and mark.read_text(encoding="ascii").strip() == value

"""Where the sources that the checks read are."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def files(*suffixes: str) -> list[Path]:
    """Return the files git knows or would add, by suffix, as absolute paths in order."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    paths = (ROOT / name for name in sorted(set(filter(None, listed.split("\0")))))
    return [path for path in paths if path.suffix in suffixes and path.is_file()]


def shown(path: Path) -> str:
    """Return a path as seen from the root of the repository."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.as_posix()

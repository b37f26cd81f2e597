"""What start.py says on the terminal: steps, progress and boxes, in plain text."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable

_BAR = 30


class Failure(Exception):
    """Something a person must settle; start.py prints it and ends with status 1."""


def prepare() -> None:
    """Let a terminal of another encoding (a Chinese Windows, a C locale) show every letter."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace", line_buffering=True)


def step(text: str) -> None:
    """Say what happens now."""
    print(f"\033[1m==>\033[0m {text}" if _colour() else f"==> {text}", flush=True)


def note(text: str) -> None:
    """Say something that may be read later."""
    print(f"    {text}", flush=True)


class Progress:
    """One line that fills up; a new line now and then where the output is no terminal."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._last = ""

    @property
    def begun(self) -> bool:
        """Say whether anything was shown."""
        return bool(self._last)

    def show(self, done: int, total: int, unit: str = "") -> None:
        """Show how much is done."""
        share = min(1.0, done / total) if total else 0.0
        bar = "#" * int(share * _BAR)
        text = f"    {self._title} [{bar:<{_BAR}}] {done:,} / {total:,} {unit}".rstrip()
        if sys.stdout.isatty():
            print(f"\r{text}", end="", flush=True)
        elif f"{share:.1f}" != self._last:
            print(text, flush=True)
        self._last = f"{share:.1f}"

    def end(self) -> None:
        """Leave the line."""
        if sys.stdout.isatty() and self._last:
            print(flush=True)


def box(title: str, lines: Iterable[str]) -> None:
    """Print lines in a frame that holds Chinese letters too."""
    rows = list(lines)
    width = max(_width(row) for row in [title, *rows])
    width = min(max(width, 40), max(40, shutil.get_terminal_size().columns - 6))
    corners = "┌┐└┘─│" if _unicode() else "++++-|"
    print(
        f"\n  {corners[0]}{corners[4]} {title} {corners[4] * (width - _width(title))}{corners[1]}"
    )
    for row in rows:
        print(f"  {corners[5]}  {row}{' ' * (width - _width(row))} {corners[5]}")
    print(f"  {corners[2]}{corners[4] * (width + 3)}{corners[3]}\n", flush=True)


def table(rows: list[tuple[str, str, str]]) -> None:
    """Print rows of (mark, name, remark) in columns."""
    width = max((_width(name) for _, name, _ in rows), default=0)
    for mark, name, remark in rows:
        print(f"  {mark:<7} {name}{' ' * (width - _width(name))}  {remark}".rstrip(), flush=True)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf8")


def _colour() -> bool:
    return sys.stdout.isatty() and os.name == "posix" and "NO_COLOR" not in os.environ

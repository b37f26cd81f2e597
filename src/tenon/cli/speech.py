"""How commands speak: in the reader's language, errors as one clear line."""

from __future__ import annotations

import locale
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer
from rich.console import Console

from tenon.kernel.errors import TenonError
from tenon.kernel.text import Text

out: Final = Console(highlight=False)
err: Final = Console(stderr=True, highlight=False)


class _Language:
    chosen: str | None = None


def choose(language: str | None) -> None:
    """Speak this language from now on; None leaves it to the environment."""
    _Language.chosen = language


def chinese() -> bool:
    """Whether to speak Chinese: as chosen, else by LC_ALL, LANG or the system."""
    if _Language.chosen:
        return _Language.chosen == "zh"
    named = os.environ.get("LC_ALL") or os.environ.get("LANG") or locale.getlocale()[0] or ""
    return named.lower().startswith(("zh", "chinese"))


def say(text: Text) -> str:
    """The text in the reader's language."""
    return text.zh if chinese() else text.en


def tell(text: Text) -> None:
    """Print a line for people; on standard error, so that standard output stays data."""
    err.print(say(text), soft_wrap=True, markup=False)


@contextmanager
def plainly() -> Iterator[None]:
    """End the command with status 1 and one clear line when Tenon refuses something."""
    try:
        yield
    except TenonError as error:
        tell(error.text)
        raise typer.Exit(1) from error

"""Homes for the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner, Result

from tenon.access import passwords
from tenon.cli import speech
from tenon.cli.main import app


@pytest.fixture(scope="session", autouse=True)
def _quick_hashes() -> Iterator[None]:
    """Hash cheaply: nobody guesses here."""
    before = passwords._hasher
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    yield
    passwords._hasher = before


@dataclass
class Commands:
    """The `tenon` command over one home."""

    home: Path
    hub: str

    def __call__(
        self, *words: str, home: Path | None = None, lang: str = "en", given: str = ""
    ) -> Result:
        """Run a command to its end."""
        where = ["--home", str(home or self.home)]
        result = CliRunner().invoke(app, ["--lang", lang, *words, *where], input=given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    def init(self) -> dict[str, str]:
        """Make the home; the passwords by user name."""
        more = ["--hub", self.hub] if self.hub.startswith("postgresql") else []
        result = self("init", *more)
        assert result.exit_code == 0, result.output
        made = json.loads(result.stdout.strip().splitlines()[-1])
        return {a["username"]: a["password"] for a in made["accounts"]}


@pytest.fixture
def tenon(tmp_path: Path) -> Iterator[Commands]:
    """Give the command line over a fresh home."""
    yield Commands(tmp_path / "home", "sqlite")
    speech.choose(None)


@pytest.fixture
def anywhere(tmp_path: Path, hub_url: str) -> Iterator[Commands]:
    """Give the command line over a fresh home, once on SQLite and once on PostgreSQL."""
    yield Commands(tmp_path / "home", hub_url)
    speech.choose(None)

"""Small plants, made once for all tests of the plant."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from plant.making import make
from plant.settings import PlantConfig


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a plant's file read-only; texts come as bytes where they are not UTF-8."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        yield db


def one(db: sqlite3.Connection, query: str) -> Any:
    """Return the single value of a query."""
    return db.execute(query).fetchone()[0]


@pytest.fixture(scope="session")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a plant of eight days."""
    home = tmp_path_factory.mktemp("week") / "plant"
    make(PlantConfig(home=home, days=8))
    return home


@pytest.fixture(scope="session")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a plant of 33 days, so that a month has been closed, without current samples."""
    home = tmp_path_factory.mktemp("month") / "plant"
    make(PlantConfig(home=home, days=33, samples=False))
    return home

"""A server to attack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from tenon.access import passwords
from tests.serving import Serving, serving


@pytest.fixture(scope="session", autouse=True)
def _quick_hashes() -> Iterator[None]:
    """Hash cheaply: these tests look at who gets in, not at how long a guess takes."""
    before = passwords._hasher
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    yield
    passwords._hasher = before


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Give a running server that the tests of one file share."""
    with serving(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture
def fresh(tmp_path: Path, hub_url: str) -> Iterator[Serving]:
    """Give a running server of the test's own, once on SQLite and once on PostgreSQL."""
    with serving(tmp_path / "home", hub_url) as found:
        yield found

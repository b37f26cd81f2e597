"""Fixtures that every test may use: fresh databases on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests import servers

_MARK_OF_FIXTURE = {
    "pg_url": "postgres", "other_pg_url": "postgres", "mariadb_url": "mariadb"
}  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the servers its fixtures need, so that `-m` can choose."""
    for item in items:
        for fixture, mark in _MARK_OF_FIXTURE.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)


@contextmanager
def _or_skip(database: AbstractContextManager[str]) -> Iterator[str]:
    """Skip the test when the server is missing; with `CI=true` fail it."""
    try:
        url = database.__enter__()
    except servers.ServerMissing as missing:
        if servers.in_ci():
            pytest.fail(f"CI=true and {missing}", pytrace=False)
        pytest.skip(str(missing))
    try:
        yield url
    finally:
        database.__exit__(None, None, None)


@pytest.fixture
def pg_url() -> Iterator[str]:
    """Give the URL of a fresh PostgreSQL database, dropped afterwards."""
    with _or_skip(servers.fresh_postgres()) as url:
        yield url


@pytest.fixture
def other_pg_url() -> Iterator[str]:
    """Give the URL of another fresh PostgreSQL database: a source beside a hub."""
    with _or_skip(servers.fresh_postgres()) as url:
        yield url


@pytest.fixture
def mariadb_url() -> Iterator[str]:
    """Give the URL of a fresh MariaDB database, dropped afterwards."""
    with _or_skip(servers.fresh_mariadb()) as url:
        yield url


@pytest.fixture(
    params=[
        pytest.param("sqlite", id="sqlite"),
        pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgres),
    ]
)
def hub_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a fresh hub database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'hub.db'}"
        return
    with _or_skip(servers.fresh_postgres()) as url:
        yield url

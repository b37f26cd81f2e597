"""Servers to attack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from tenon.access import passwords
from tenon.access.tables import session, sign_in_try, user_account
from tests import servers
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


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
)
def _either(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Serving, list[dict[str, Any]]]]:
    home = tmp_path_factory.mktemp("home")
    if request.param == "sqlite":
        with serving(home) as found:
            yield found, _accounts(found)
        return
    try:
        database = servers.fresh_postgres()
        url = database.__enter__()
    except servers.ServerMissing as missing:
        if servers.in_ci():
            pytest.fail(f"CI=true and {missing}", pytrace=False)
        pytest.skip(str(missing))
    try:
        with serving(home, url) as found:
            yield found, _accounts(found)
    finally:
        database.__exit__(None, None, None)


@pytest.fixture
def fresh(_either: tuple[Serving, list[dict[str, Any]]]) -> Serving:
    """Give a running server with no sessions and the accounts as they were first made."""
    found, rows = _either
    with found.tenon.hub.write() as tx:
        for table in (session, sign_in_try, user_account):
            tx.execute(table.delete())
        tx.execute(user_account.insert(), rows)
    return found


def _accounts(found: Serving) -> list[dict[str, Any]]:
    with found.tenon.hub.read() as connection:
        return [dict(row) for row in connection.execute(sa.select(user_account)).mappings()]

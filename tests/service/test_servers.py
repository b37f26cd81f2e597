"""The database fixtures hand out usable, separate databases."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from tests import servers


def _round_trip(url: str) -> str:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE word (zh VARCHAR(20))"))
            connection.execute(text("INSERT INTO word VALUES (:zh)"), {"zh": "榫卯𠀋"})
            return str(connection.execute(text("SELECT zh FROM word")).scalar_one())
    finally:
        engine.dispose()


def test_hub_database_keeps_chinese(hub_url: str) -> None:
    assert _round_trip(hub_url) == "榫卯𠀋"


def test_mariadb_keeps_chinese(mariadb_url: str) -> None:
    assert _round_trip(mariadb_url) == "榫卯𠀋"


def test_two_postgres_databases_differ_and_are_dropped() -> None:
    if (why := servers.problem(servers.POSTGRES_VARIABLE)) and not servers.in_ci():
        pytest.skip(why)
    with servers.fresh_postgres() as first, servers.fresh_postgres() as second:
        assert first != second
    engine = create_engine(first)
    with pytest.raises(Exception, match="does not exist"):
        engine.connect()


def test_a_missing_server_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(servers.POSTGRES_VARIABLE, "postgresql+psycopg://x:secret@127.0.0.1:1/x")
    with (
        pytest.raises(servers.ServerMissing, match=servers.POSTGRES_VARIABLE) as missing,
        servers.fresh_postgres(),
    ):
        pass
    assert "secret" not in str(missing.value)

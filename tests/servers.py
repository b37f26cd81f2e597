"""The real database servers that tests may use: where they are, and fresh databases on them.

`python -m tests.servers` prints which of them answer, as one JSON object.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

POSTGRES_VARIABLE: Final = "TENON_TEST_POSTGRES"
MARIADB_VARIABLE: Final = "TENON_TEST_MARIADB"

_DEFAULTS: Final = {
    POSTGRES_VARIABLE: "postgresql+psycopg://postgres@127.0.0.1:5432/postgres",
    MARIADB_VARIABLE: "mysql+pymysql://root@127.0.0.1:3306/mysql",
}
_CONNECT_SECONDS: Final = 5


class ServerMissing(Exception):
    """A server that a test needs does not answer."""


def in_ci() -> bool:
    """Say whether a missing server is a failure (`CI=true`) and not a skip."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def free_port() -> int:
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def admin_url(variable: str) -> URL:
    """Return the administrative address of a server, from its variable or the default."""
    return make_url(os.environ.get(variable) or _DEFAULTS[variable])


def problem(variable: str) -> str | None:
    """Return why the server does not answer, or None when it does."""
    try:
        _run(admin_url(variable), "SELECT 1")
    except SQLAlchemyError as error:
        return str(error).strip().splitlines()[0]
    return None


@contextmanager
def fresh_postgres() -> Iterator[str]:
    """Create an empty PostgreSQL database, hand out its URL, drop it afterwards."""
    admin, name = admin_url(POSTGRES_VARIABLE), _new_name()
    _create(admin, f'CREATE DATABASE "{name}"', POSTGRES_VARIABLE)
    try:
        yield _written(admin, name)
    finally:
        _run(admin, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def fresh_mariadb() -> Iterator[str]:
    """Create an empty MariaDB database, hand out its URL, drop it afterwards."""
    admin, name = admin_url(MARIADB_VARIABLE), _new_name()
    _create(admin, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4", MARIADB_VARIABLE)
    try:
        yield _written(admin, name, charset="utf8mb4")
    finally:
        _run(admin, f"DROP DATABASE IF EXISTS `{name}`")


def _new_name() -> str:
    return f"tenon_test_{secrets.token_hex(6)}"


def _written(admin: URL, name: str, **query: str) -> str:
    url = admin.set(database=name).update_query_dict(query)
    return url.render_as_string(hide_password=False)


def _create(admin: URL, statement: str, variable: str) -> None:
    try:
        _run(admin, statement)
    except SQLAlchemyError as error:
        shown = admin.render_as_string(hide_password=True)
        raise ServerMissing(
            f"{shown} does not answer ({str(error).strip().splitlines()[0]}); "
            f"start the server or name another in {variable}"
        ) from error


def _run(admin: URL, statement: str) -> None:
    engine = create_engine(
        admin,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"connect_timeout": _CONNECT_SECONDS},
    )
    with engine.connect() as connection:
        connection.execute(text(statement))


if __name__ == "__main__":
    json.dump({name: problem(name) for name in _DEFAULTS}, sys.stdout)

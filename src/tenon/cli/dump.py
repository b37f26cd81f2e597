"""Consistent copies of a hub: SQLite's online backup, PostgreSQL's pg_dump on one snapshot."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, make_url

from tenon.kernel.errors import Config, Stop
from tenon.kernel.text import Text
from tenon.store import Hub, open_hub

SQLITE_NAME: Final = "hub.db"
POSTGRES_NAME: Final = "hub.dump"

_NO_PROGRAM = Text(
    "找不到程序 {program}；备份 PostgreSQL 需要安装 PostgreSQL 客户端，并在 PATH 中。",
    "The program {program} is not found; a PostgreSQL hub needs PostgreSQL's client programs in "
    "PATH.",
)
_FAILED = Text("{program} 失败：{problem}", "{program} failed: {problem}")
_NOT_EMPTY = Text(
    "目标数据库不是空的（{tables} 张表）；请换一个空数据库。",
    "The target database is not empty ({tables} tables); name an empty one.",
)
_DAMAGED = Text(
    "恢复的数据库未通过完整性检查：{problem}", "The restored database is damaged: {problem}"
)


def dump(hub: Hub, folder: Path) -> tuple[str, dict[str, int]]:
    """Copy the hub into the folder; the file's name and the rows of each table in that copy."""
    if hub.dialect == "sqlite":
        return SQLITE_NAME, _dump_sqlite(hub, folder / SQLITE_NAME)
    return POSTGRES_NAME, _dump_postgres(hub, folder / POSTGRES_NAME)


def load(file: Path, url: str) -> dict[str, int]:
    """Put a copy back at an empty place; the rows of each table found there."""
    if file.name == SQLITE_NAME:
        return _load_sqlite(file, Path(url.removeprefix("sqlite:///")))
    return _load_postgres(file, url)


def _dump_sqlite(hub: Hub, file: Path) -> dict[str, int]:
    source = hub.url.database or ""
    with (
        closing(sqlite3.connect(f"{Path(source).resolve().as_uri()}?mode=ro", uri=True)) as live,
        closing(sqlite3.connect(file)) as copy,
    ):
        live.backup(copy)
    return _check_sqlite(file)


def _load_sqlite(file: Path, target: Path) -> dict[str, int]:
    shutil.copyfile(file, target)
    return _check_sqlite(target)


def _check_sqlite(file: Path) -> dict[str, int]:
    with closing(sqlite3.connect(file)) as copy:
        found = copy.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise Stop("damaged", _DAMAGED, problem=found)
    hub = open_hub(f"sqlite:///{file}")
    try:
        with hub.read() as connection:
            return _rows(connection)
    finally:
        hub.close()


def _dump_postgres(hub: Hub, file: Path) -> dict[str, int]:
    with hub.snapshot() as connection:
        snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
        _run(
            "pg_dump", hub.url, "--format=custom", "--no-owner", "--no-privileges",
            f"--snapshot={snapshot}", f"--file={file}",
        )  # fmt: skip
        return _rows(connection)


def _load_postgres(file: Path, url: str) -> dict[str, int]:
    hub = open_hub(url)
    try:
        with hub.read() as connection:
            tables = len(sa.inspect(connection).get_table_names())
        if tables:
            raise Config("not_empty", _NOT_EMPTY, tables=tables)
        _run(
            "pg_restore", hub.url, "--no-owner", "--no-privileges", "--single-transaction",
            "--exit-on-error", str(file),
        )  # fmt: skip
        with hub.read() as connection:
            return _rows(connection)
    finally:
        hub.close()


def _run(program: str, url: sa.URL, *arguments: str) -> None:
    path = shutil.which(program)
    if path is None:
        raise Config("no_program", _NO_PROGRAM, program=program)
    plain = make_url(url).set(drivername="postgresql", password=None)
    # The password goes by the environment: arguments are there for every user to see.
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    target = plain.render_as_string(hide_password=False)
    ended = subprocess.run(  # noqa: S603  a program of PATH with our own arguments, no shell
        [path, f"--dbname={target}", *arguments],
        env=environment, capture_output=True, check=False, text=True,
    )  # fmt: skip
    if ended.returncode:
        problem = ended.stderr.strip()[-500:]
        raise Stop("dump_failed", _FAILED, program=program, problem=problem)


def _rows(connection: Connection) -> dict[str, int]:
    names = sorted(sa.inspect(connection).get_table_names())
    return {
        name: connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name))) or 0
        for name in names
    }

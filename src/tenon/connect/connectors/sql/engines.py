"""Opening a source database read-only, with time-outs, in each dialect."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from tenon.connect.connectors.sql.sqlserver import OPTIONS, PORT, open_sqlserver
from tenon.connect.contract import ConnectorSettings, Egress
from tenon.kernel.errors import Config
from tenon.kernel.text import Text

STATEMENT_SECONDS: Final = 30
CONNECT_SECONDS: Final = 10
BUSY_SECONDS: Final = 5
PORTS: Final = {"mysql": 3306, "mariadb": 3306, "postgresql": 5432, "mssql": PORT, "oracle": 1521}
_BACKENDS: Final = frozenset({"sqlite", *PORTS})

_BAD_URL = Text(
    "来源“{source}”的连接地址无效；请写成 sqlite:///文件路径、mysql://用户@主机:端口/库、"
    "mssql://用户@主机:端口/库 或 postgresql://用户@主机:端口/库。"
    "SQL Server 的命名实例请写它的端口。",
    "The address of the source “{source}” is not valid; write sqlite:///path, "
    "mysql://user@host:port/database, mssql://user@host:port/database or "
    "postgresql://user@host:port/database. Of a named instance of SQL Server give the port.",
)
_BAD_OPTION = Text(
    "来源“{source}”的设置 {key}: {value} 无效；可用：{allowed}。",
    "The setting {key}: {value} of the source “{source}” is not valid; use one of {allowed}.",
)
_NO_ORACLE = Text(
    "读取 Oracle 需要 Python 包 oracledb：请在 Tenon 的环境中安装它。（Oracle 尚未经过验证。）",
    "Reading Oracle needs the Python package oracledb: install it in Tenon's environment. (Oracle "
    "has not been verified.)",
)
_NOT_WRITABLE = Text(
    "本版本不写入 {kind}；只读取。请从 connections.yaml 中去掉该来源的 writes。",
    "This version writes nothing into {kind}, it only reads. Take `writes` of this source out of "
    "connections.yaml.",
)
_BAD_ENCODING = Text(
    "来源“{source}”的编码“{encoding}”不受支持；可用：{allowed}。",
    "The encoding “{encoding}” of the source “{source}” is not known; use one of {allowed}.",
)
ENCODINGS: Final = ("utf-8", "gb18030", "big5")


def url_of(settings: ConnectorSettings) -> URL:
    """The connection's address, with its password."""
    try:
        url = make_url(str(settings.values.get("url", "")))
    except ArgumentError:
        raise Config("bad_address", _BAD_URL, source=settings.source) from None
    if url.get_backend_name() not in _BACKENDS or "\\" in (url.host or ""):
        raise Config("bad_address", _BAD_URL, source=settings.source)
    if url.get_backend_name() == "mssql":
        url = url.set(query=_options(settings))
    password = settings.values.get("password")
    return url if password is None else url.set(password=str(password))


def _options(settings: ConnectorSettings) -> dict[str, str]:
    """What an administrator may say of a SQL Server, one of the values allowed each."""
    found = {key: str(settings.values[key]) for key in OPTIONS if key in settings.values}
    for key, value in found.items():
        if value not in OPTIONS[key]:
            raise Config(
                "bad_option", _BAD_OPTION, source=settings.source, key=key, value=value,
                allowed=", ".join(OPTIONS[key]),
            )  # fmt: skip
    return found


def encoding_of(settings: ConnectorSettings) -> str:
    """The encoding of text in the source."""
    encoding = str(settings.values.get("encoding", "utf-8")).lower()
    if encoding not in ENCODINGS:
        raise Config(
            "bad_encoding", _BAD_ENCODING, source=settings.source, encoding=encoding,
            allowed=", ".join(ENCODINGS),
        )  # fmt: skip
    return encoding


def address_of(url: URL) -> str:
    """Where the database is, for people, without user or password."""
    backend = url.get_backend_name()
    if backend == "sqlite":
        return Path(url.database or "").name
    port = url.port or PORTS[backend]
    return f"{url.host}:{port}/{url.database}"


def open_engine(url: URL, encoding: str, egress: Egress) -> Engine:
    """An engine whose connections cannot write and cannot wait for ever."""
    return _opened(url, encoding, egress, writes=False)


def open_writing_engine(url: URL, encoding: str, egress: Egress) -> Engine:
    """An engine whose connections may write, each in a transaction that is begun at once."""
    return _opened(url, encoding, egress, writes=True)


def _opened(url: URL, encoding: str, egress: Egress, *, writes: bool) -> Engine:
    match url.get_backend_name():
        case "sqlite":
            return _sqlite(url, encoding, writes=writes)
        case "postgresql":
            return _postgresql(url, egress, writes=writes)
        case "mssql" | "oracle" if writes:
            raise Config("not_writable", _NOT_WRITABLE, kind=url.get_backend_name())
        case "mssql":
            return open_sqlserver(url, egress, STATEMENT_SECONDS, BUSY_SECONDS)
        case "oracle":
            return _oracle(url, egress)
        case _:
            return _mysql(url, egress, writes=writes)


def _sqlite(url: URL, encoding: str, *, writes: bool) -> Engine:
    path = quote(str(Path(url.database or "").absolute()))
    engine = sa.create_engine(
        f"sqlite:///file:{path}?mode={'rw' if writes else 'ro'}&uri=true",
        poolclass=NullPool,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _configure(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # transactions are begun below, or not at all
        dbapi.text_factory = _decoder(encoding)
        dbapi.execute(f"PRAGMA query_only={'OFF' if writes else 'ON'}")

    if writes:
        # Nothing is read before the lock is held: a reader that turns writer could meet another.
        event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))

    @event.listens_for(engine, "before_cursor_execute")
    def _deadline(conn: Any, *_rest: Any) -> None:
        until = time.monotonic() + STATEMENT_SECONDS
        conn.connection.dbapi_connection.set_progress_handler(
            lambda: time.monotonic() > until, 100_000
        )

    return engine


def _decoder(encoding: str) -> Callable[[bytes], str | bytes]:
    def decode(value: bytes) -> str | bytes:
        try:
            return value.decode(encoding)
        except UnicodeDecodeError:
            return value  # kept as bytes: the row is set aside with them, not lost

    return decode


def _postgresql(url: URL, egress: Egress, *, writes: bool) -> Engine:
    port = url.port or PORTS["postgresql"]
    address = egress.admit(url.host or "localhost", port)
    milliseconds = STATEMENT_SECONDS * 1000
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        isolation_level="READ COMMITTED" if writes else "AUTOCOMMIT",
        connect_args={
            "hostaddr": address,
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": 2 * milliseconds,
            "options": f"-c default_transaction_read_only={'off' if writes else 'on'} "
            f"-c statement_timeout={milliseconds} -c lock_timeout={BUSY_SECONDS * 1000}",
        },
    )


def _oracle(url: URL, egress: Egress) -> Engine:
    """Not verified: no Oracle was there to run it against."""
    if importlib.util.find_spec("oracledb") is None:
        raise Config("no_oracle_driver", _NO_ORACLE)
    address = egress.admit(url.host or "localhost", url.port or PORTS["oracle"])
    query = {"service_name": url.database or ""}
    engine = sa.create_engine(
        url.set(drivername="oracle+oracledb", host=address, database=None, query=query),
        poolclass=NullPool,
        connect_args={"tcp_connect_timeout": CONNECT_SECONDS},
    )

    @event.listens_for(engine, "connect")
    def _configure(dbapi: Any, _record: Any) -> None:
        dbapi.call_timeout = STATEMENT_SECONDS * 1000

    event.listen(engine, "begin", lambda c: c.exec_driver_sql("SET TRANSACTION READ ONLY"))
    return engine


def _mysql(url: URL, egress: Egress, *, writes: bool) -> Engine:
    address = egress.admit(url.host or "localhost", url.port or PORTS["mysql"])
    query = {k: v for k, v in url.query.items() if k == "charset"} or {"charset": "utf8mb4"}
    engine = sa.create_engine(
        url.set(drivername="mysql+pymysql", host=address, query=query),
        poolclass=NullPool,
        isolation_level="READ COMMITTED" if writes else "AUTOCOMMIT",
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": 2 * STATEMENT_SECONDS,
            "write_timeout": STATEMENT_SECONDS,
        },
    )

    @event.listens_for(engine, "connect")
    def _configure(dbapi: Any, _record: Any) -> None:
        with dbapi.cursor() as cursor:
            for statement in mysql_session(dbapi.get_server_info(), writes=writes):
                cursor.execute(statement)

    return engine


def mysql_session(version: str, *, writes: bool = False) -> list[str]:
    """What is said first to a MySQL or MariaDB: no writing, no waiting for ever."""
    first = f"innodb_lock_wait_timeout = {BUSY_SECONDS}" if writes else "TRANSACTION READ ONLY"
    longest = f"max_execution_time = {STATEMENT_SECONDS * 1000}"
    if "MariaDB" in version:
        longest = f"max_statement_time = {STATEMENT_SECONDS}"
    return [f"SET SESSION {s}" for s in (first, f"lock_wait_timeout = {BUSY_SECONDS}", longest)]

"""Listening to the binlog of a MySQL or MariaDB: which tables changed, and which rows were deleted.

It is a hint and nothing more: rows are read by the polls, which a hint has done at once. So it
may start at the log's end each time, and whatever goes wrong ends in listening anew: what was
missed meanwhile the polls find.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymysql.connections import Connection as Line
from pymysql.err import OperationalError
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.event import HeartbeatLogEvent, RotateEvent, XidEvent
from pymysqlreplication.exceptions import BinLogNotEnabled
from pymysqlreplication.row_event import DeleteRowsEvent, TableMapEvent
from sqlalchemy.engine import URL, Connection

from tenon.connect.connectors.sql.engines import CONNECT_SECONDS
from tenon.connect.contract import Egress, Heard
from tenon.define.models import StreamDef
from tenon.kernel.errors import NeedsUser, Retry, TenonError
from tenon.kernel.text import Text

BEAT_SECONDS: Final = 1.0
_SILENT_SECONDS: Final = 15  # without even a heartbeat: the line is dead
_LOST: Final = frozenset({2006, 2013})
_NO_PRIVILEGE: Final = frozenset({1227, 1045, 1044, 1142})
_KEYS_AT_ONCE: Final = 1000
_ASKED: Final = ("log_bin", "binlog_format", "binlog_row_metadata")

_GRANT = Text(
    "来源“{source}”（{address}）的账号没有监听 binlog 的权限；轮询照常进行。要即时得知变化，"
    "请数据库管理员执行：GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {account};",
    "The account of the source “{source}” ({address}) may not listen to the binlog; polling goes "
    "on as ever. To be told of changes at once, have the database's administrator run: "
    "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {account};",
)
_OFF = Text(
    "来源“{source}”（{address}）没有开启 binlog；轮询照常进行。要即时得知变化，请在服务器配置的 "
    "[mysqld] 下写入 log_bin、server_id=1、binlog_format=ROW、binlog_row_metadata=FULL 并重启数据库"
    "，或从 connections.yaml 去掉 binlog。",
    "The source “{source}” ({address}) keeps no binlog; polling goes on as ever. To be told of "
    "changes at once, write log_bin, server_id=1, binlog_format=ROW and binlog_row_metadata=FULL "
    "under [mysqld] of the server's settings and restart it; or take `binlog` out of "
    "connections.yaml.",
)
_NOT_ROWS = Text(
    "来源“{source}”（{address}）的 binlog_format 是 {format}，只能监听 ROW；轮询照常进行。"
    "请在服务器配置的 [mysqld] 下写入 binlog_format=ROW 并重启数据库。",
    "The binlog_format of the source “{source}” ({address}) is {format}; only ROW can be listened "
    "to. Polling goes on as ever. Write binlog_format=ROW under [mysqld] of the server's settings "
    "and restart it.",
)
_NO_NAMES = Text(
    "正在监听，但 binlog_row_metadata 不是 FULL：删除的行不能即时得知。",
    "Listening, but binlog_row_metadata is not FULL: deleted rows are not told.",
)
_NOT_HERE = Text(
    "来源“{source}”（{address}）不是 MySQL 或 MariaDB，不能监听 binlog；"
    "请从 connections.yaml 去掉 binlog。",
    "The source “{source}” ({address}) is neither MySQL nor MariaDB, so there is no binlog to "
    "listen to. Take `binlog` out of connections.yaml.",
)
_BROKEN = Text(
    "监听来源“{source}”（{address}）的 binlog 时中断（{kind}），将重新监听；轮询照常进行，"
    "不会漏读。",
    "Listening to the binlog of “{source}” ({address}) was interrupted ({kind}) and begins anew. "
    "Polling goes on as ever; nothing is missed.",
)

_log = logging.getLogger(__name__)
logging.getLogger("pymysqlreplication").setLevel(logging.ERROR)  # what it warns of is said here


class _Lost(Exception):
    """The line is gone."""


class _Line(Line):
    """A connection that tells its loss: the reader would ask again for ever."""

    def __init__(self, *, db: str | None = None, **settings: Any) -> None:
        super().__init__(database=db, **settings)  # the reader calls it by its old name

    def _read_packet(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._read_packet(*args, **kwargs)  # type: ignore[no-untyped-call]
        except OperationalError as error:
            if error.args and error.args[0] in _LOST:
                raise _Lost from error
            raise


@dataclass(frozen=True, slots=True)
class Log:
    """What is known of a log: its database, our account as a GRANT names it, what it leaves out."""

    database: str
    account: str
    note: Text | None


@dataclass(frozen=True, slots=True)
class Binlog:
    """The binlog of one source."""

    source: str
    address: str
    url: URL
    egress: Egress

    def about(self, connection: Connection) -> Log:
        """What can be heard over this connection; NeedsUser when nothing can."""
        where = {"source": self.source, "address": self.address}
        if self.url.get_backend_name() not in {"mysql", "mariadb"}:
            raise NeedsUser("no_binlog_here", _NOT_HERE, **where)
        said = connection.exec_driver_sql(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN {_ASKED}")
        known = {name.lower(): str(value).upper() for name, value in said}
        if known.get("log_bin") not in {"ON", "1"}:
            raise NeedsUser("binlog_off", _OFF, **where)
        if known.get("binlog_format", "ROW") != "ROW":
            raise NeedsUser("binlog_format", _NOT_ROWS, format=known["binlog_format"], **where)
        database, account = connection.exec_driver_sql("SELECT DATABASE(), CURRENT_USER()").one()
        name, _, host = account.rpartition("@")
        named = known.get("binlog_row_metadata") == "FULL"
        return Log(database, f"'{name}'@'{host}'", None if named else _NO_NAMES)

    def listen(self, log: Log, streams: Sequence[StreamDef]) -> Iterator[Heard]:
        """What the log tells of these streams, from now on; an empty one at least each second.

        The first names all of them: what happened before anybody listened.
        """
        reader = self._reader(log.database)
        tables = _by_table(streams)
        first: Heard | None = Heard(frozenset(s.name for s in streams), note=log.note, begins=True)
        try:
            while True:
                told = reader.fetchone()
                if first is not None:  # listening from here on
                    yield first
                    first = None
                yield _heard(told, tables)
        except Exception as error:  # noqa: BLE001  whatever it is, listening begins anew
            raise self._told(error, log) from None
        finally:
            _closed(reader)

    def _reader(self, database: str) -> Any:
        settings = {
            "host": self.egress.admit(self.url.host or "localhost", self.url.port or 3306),
            "port": self.url.port or 3306, "user": self.url.username,
            "password": self.url.password or "", "charset": "utf8mb4",
            "connect_timeout": CONNECT_SECONDS, "read_timeout": _SILENT_SECONDS,
        }  # fmt: skip
        return BinLogStreamReader(
            settings,
            # Two listeners of one number would throw each other out.
            server_id=secrets.randbelow(2**31) + 2**31,
            only_events=[TableMapEvent, DeleteRowsEvent, XidEvent, HeartbeatLogEvent, RotateEvent],
            only_schemas=[database],
            blocking=True,
            resume_stream=True,  # from the log's end, not from the beginning of its last file
            slave_heartbeat=BEAT_SECONDS,
            pymysql_wrapper=_Line,
            enable_logging=False,
        )

    def _told(self, error: Exception, log: Log) -> TenonError:
        where = {"source": self.source, "address": self.address}
        if isinstance(error, TenonError):
            return error
        if isinstance(error, BinLogNotEnabled):
            return NeedsUser("binlog_off", _OFF, **where)
        number = error.args[0] if isinstance(error, OperationalError) and error.args else None
        if number in _NO_PRIVILEGE:
            return NeedsUser("binlog_denied", _GRANT, account=log.account, **where)
        _log.debug("the binlog of %s: %r", self.source, error)
        return Retry("binlog_broken", _BROKEN, kind=type(error).__name__.strip("_"), **where)


def _by_table(streams: Sequence[StreamDef]) -> Mapping[str, list[StreamDef]]:
    """The streams that a table's changes may change, by its name without case."""
    found: dict[str, list[StreamDef]] = {}
    for stream in streams:
        for table in {stream.table or stream.name, *(j.table for j in stream.join)}:
            found.setdefault(table.casefold(), []).append(stream)
    return found


def _heard(told: Any, tables: Mapping[str, list[StreamDef]]) -> Heard:
    if not isinstance(told, TableMapEvent | DeleteRowsEvent):
        return Heard()
    table = told.table.casefold()
    streams = tables.get(table, [])
    if isinstance(told, TableMapEvent):
        return Heard(frozenset(s.name for s in streams))
    own = [s for s in streams if (s.table or s.name).casefold() == table]
    deleted = {s.name: keys for s in own if (keys := _keys(told, s))}
    return Heard(frozenset(deleted), deleted)


def _keys(told: Any, stream: StreamDef) -> frozenset[tuple[Any, ...]]:
    """The key of each row deleted; none when the log does not name its columns."""
    found: set[tuple[Any, ...]] = set()
    for row in told.rows[:_KEYS_AT_ONCE]:
        values = {str(name).casefold(): value for name, value in row["values"].items()}
        key = tuple(values.get(name.casefold()) for name in stream.key)
        if all(isinstance(part, str | int) for part in key):
            found.add(key)
    return frozenset(found)


def _closed(reader: Any) -> None:
    try:
        reader.close()
    except Exception as error:  # noqa: BLE001  a line that is lost cannot say goodbye
        _log.debug("closing a binlog reader: %r", error)

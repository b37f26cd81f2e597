"""Where the sources of this installation are: `connections.yaml` in the Tenon home.

Each source has its connector's settings, with secrets by name, never by value:

    wms:
      url: mysql://tenon@10.0.0.8:3306/wms
      password: secret:wms
    mes:
      url: sqlite:////srv/mes/mes.db
      encoding: gb18030
      every_seconds: 1     # how often it is polled, where its definition does not suit
      binlog: true         # MySQL and MariaDB: be told of changes at once, beside polling
      writes: {pro_workorder: [insert, update]}    # what Tenon may write there; nothing by default
    kis:
      url: mssql://tenon@10.0.0.7:1433/AIS20260101000000
      password: secret:kis
      encoding: gb18030    # only where programs put GBK into VARCHAR columns of a Latin1 collation
      encryption: request  # or require, or off
    old:
      dsn: OLD_MES         # registered on this machine; or driver, server, port, database, or file
      user: tenon
      password: secret:old
    scale:
      url: sftp://tenon@10.0.0.7/export    # or ftp://, ftps://, file:///srv/export
      password: secret:scale
      host_key: SHA256:…
    crm:
      url: http://10.0.0.9:8601
      token: secret:crm
      hook_secret: secret:crm-hook    # at least 32 characters: webhooks of this source are taken
      calls_per_day: 1000    # what is paid for; see docs/guide/http.md
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from tenon.connect.calls import Budget, CallBook, budget_of, calls_of
from tenon.connect.connectors.files import FilesConnector
from tenon.connect.connectors.files.manifest import MANIFEST as FILES
from tenon.connect.connectors.http import HttpConnector
from tenon.connect.connectors.http.manifest import MANIFEST as HTTP
from tenon.connect.connectors.odbc import OdbcConnector
from tenon.connect.connectors.odbc.manifest import MANIFEST as ODBC
from tenon.connect.connectors.sql import SqlConnector
from tenon.connect.connectors.sql.manifest import MANIFEST as SQL
from tenon.connect.contract import Action, Connector, ConnectorSettings
from tenon.connect.egress import guard
from tenon.connect.manifest import Manifest
from tenon.connect.secrets import Secrets
from tenon.define.models import SourceDef
from tenon.kernel.errors import Config
from tenon.kernel.text import Text

_NO_CONNECTION = Text(
    "来源“{source}”还没有连接设置；请在 connections.yaml 中填写它的地址。",
    "The source “{source}” has no connection yet; write its address in connections.yaml.",
)
_BAD_FILE = Text(
    "connections.yaml 无法读取：{problem}。", "connections.yaml cannot be read: {problem}."
)
_NO_CONNECTOR = Text(
    "来源“{source}”的连接器“{kind}”不存在；可用：{allowed}。",
    "The connector “{kind}” of the source “{source}” does not exist; use one of {allowed}.",
)
_SHORT = Text(
    "来源“{source}”的 hook_secret 只有 {length} 个字符，至少需要 {shortest} 个；"
    "在此之前不接收它的 webhook。请用“tenon secret set”设置更长的密钥，并在发送方填写同一密钥。",
    "The hook_secret of the source “{source}” has {length} characters and needs {shortest}; until "
    "then its webhooks are not taken. Set a longer one with “tenon secret set”, and give the "
    "sender the same.",
)
_SHORTEST_SECRET: Final = 32
_REFERENCE: Final = "secret:"
_NOT_SENT: Final = frozenset({"hook_secret"})  # it proves who knocks here
_OF_TOKENS: Final = "client_secret"  # it goes to the token service, and nowhere else
_PORTS: Final = {
    "http": 80, "https": 443, "mysql": 3306, "mariadb": 3306, "postgresql": 5432, "mssql": 1433,
    "oracle": 1521, "ftp": 21, "ftps": 21, "sftp": 22,
}  # fmt: skip

CONNECTORS: Final[Mapping[str, Callable[[ConnectorSettings], Connector]]] = {
    "sql": SqlConnector,
    "http": HttpConnector,
    "odbc": OdbcConnector,
    "files": FilesConnector,
}
MANIFESTS: Final[Mapping[str, Manifest]] = {one.kind: one for one in (SQL, HTTP, FILES, ODBC)}
_writing: Final = threading.Lock()  # of connections.yaml: it is read, changed and written whole


Mark = tuple[int, int, int]
_ABSENT: Final[Mark] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Connections:
    """The connections of an installation, read afresh each time one is opened.

    `book` is where calls that cost money are counted; without it they are not made.
    """

    home: Path
    book: CallBook | None = None

    @property
    def secrets(self) -> Secrets:
        """The secrets they refer to."""
        return Secrets(self.home)

    def codes(self) -> list[str]:
        """The sources that have a connection."""
        return sorted(self._read())

    def mark(self) -> tuple[Mark, ...]:
        """What changes whenever a connection or a secret is written."""
        return tuple(_written(self.home / name) for name in ("connections.yaml", "secrets.json"))

    def hook_secret(self, source: str) -> str | None:
        """The secret by which the source signs its webhooks; None when none is set.

        Config when it cannot be read or is too short to be one (S12).
        """
        return _hook_secret(self, source, self.mark())

    def read_hook_secret(self, source: str) -> str | None:
        """The same, from the files."""
        said = self._read().get(source, {}).get("hook_secret")
        if not said:
            return None
        secret = str(self._value(said))
        if len(secret) < _SHORTEST_SECRET:
            raise Config(
                "short_hook_secret", _SHORT, source=source, length=len(secret),
                shortest=_SHORTEST_SECRET,
            )  # fmt: skip
        return secret

    def every(self, source: SourceDef) -> int:
        """How often the source is polled, in seconds: as said here, else as its definition says."""
        said = self._read().get(source.code, {}).get("every_seconds", source.every_seconds)
        if type(said) is not int or said < 1:
            raise Config("bad_connections", _BAD_FILE, problem="every_seconds: 1, 2, 3 …")
        return said

    def writes(self, source: str) -> dict[str, frozenset[Action]]:
        """What an administrator allowed to write there: {table without case: {insert, update}}."""
        said = self._read().get(source, {}).get("writes") or {}
        if not isinstance(said, dict) or not all(
            isinstance(actions, list) and set(actions) <= {"insert", "update"}
            for actions in said.values()
        ):
            problem = "writes: {table: [insert, update]}"
            raise Config("bad_connections", _BAD_FILE, problem=problem)
        return {str(table).casefold(): frozenset(actions) for table, actions in said.items()}

    def budget(self, source: str) -> Budget | None:
        """How many calls may be made to a source; None when they cost nothing."""
        return budget_of(source, self._read().get(source, {}))

    def save(self, connections: Mapping[str, Mapping[str, Any]]) -> None:
        """Write all connections (their secrets as `secret:NAME`)."""
        self.home.mkdir(parents=True, exist_ok=True)
        plain = {code: dict(values) for code, values in connections.items()}
        text = yaml.safe_dump(plain, allow_unicode=True, sort_keys=True)
        fresh = self.home / "connections.yaml.new"
        fresh.write_text(text, "utf-8")
        fresh.replace(self.home / "connections.yaml")

    def values(self, source: str) -> Mapping[str, Any] | None:
        """What is kept of a source's connection, secrets by name; None when there is none."""
        return self._read().get(source)

    def put(self, source: str, values: Mapping[str, Any]) -> None:
        """Write the connection of one source."""
        with _writing:
            self.save({**self._read(), source: values})

    def drop(self, source: str) -> None:
        """Forget the connection of one source."""
        with _writing:
            self.save({code: kept for code, kept in self._read().items() if code != source})

    def open(self, source: SourceDef, *, fresh: bool = False) -> Connector:
        """A connector for the source, not yet connected.

        With `fresh` it reads a stream even when it has not changed since it was synced.
        """
        values = self._read().get(source.code)
        if values is None:
            raise Config("no_connection", _NO_CONNECTION, source=source.code)
        opened = {
            k: self._value(v, place_of(values, k)) for k, v in values.items() if k not in _NOT_SENT
        }
        return self.make(source, opened, fresh=fresh)

    def make(
        self, source: SourceDef, values: Mapping[str, Any], *, fresh: bool = False
    ) -> Connector:
        """A connector for values that hold no reference to a secret, only secrets.

        Where the source that is kept has a budget of calls, it holds for other values as well.
        """
        make = CONNECTORS.get(source.connector)
        if make is None:
            raise Config(
                "no_connector", _NO_CONNECTOR, source=source.code, kind=source.connector,
                allowed=", ".join(CONNECTORS),
            )  # fmt: skip
        listed = guard(source.code, [p for p in (dialled(values), _tokens(values)) if p])
        budget = budget_of(source.code, {**self._read().get(source.code, {}), **values})
        calls = calls_of(self.book, source, budget, fresh=fresh)
        return make(ConnectorSettings(source.code, values, listed, source.zone, calls))

    def _value(self, value: Any, place: str | None = None) -> Any:
        """A setting with its secret opened, to be sent to `place` and nowhere else."""
        if isinstance(value, str) and value.startswith(_REFERENCE):
            return self.secrets.get(value.removeprefix(_REFERENCE), place)
        return value

    def _read(self) -> Mapping[str, Mapping[str, Any]]:
        path = self.home / "connections.yaml"
        return _connections(path, _written(path))


@lru_cache(maxsize=32)
def _hook_secret(connections: Connections, source: str, _mark: tuple[Mark, ...]) -> str | None:
    # Kept until a file changes: every webhook asks for its secret.
    return connections.read_hook_secret(source)


@lru_cache(maxsize=32)
def _connections(path: Path, written: Mark) -> Mapping[str, Mapping[str, Any]]:
    # Kept until the file changes: each row that is written back asks whether it may be.
    if written == _ABSENT:
        return {}
    try:
        data = yaml.safe_load(path.read_text("utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # The first line only: the rest of a YAML error quotes the file.
        problem = str(error).splitlines()[0]
        raise Config("bad_connections", _BAD_FILE, problem=problem) from None
    if not isinstance(data, dict) or not all(isinstance(v, dict) for v in data.values()):
        raise Config("bad_connections", _BAD_FILE, problem="source: {url: …}")
    return data


def _written(path: Path) -> Mark:
    """What changes when the file is written anew; its time alone is too coarse."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return _ABSENT
    return found.st_mtime_ns, found.st_size, found.st_ino


def dialled(values: Mapping[str, Any]) -> tuple[str, int] | None:
    """The host and port that a connection goes to; None when there is no network in it."""
    return _place(str(values.get("url", ""))) or _listed(values)


def place_of(values: Mapping[str, Any], name: str | None = None) -> str | None:
    """The place that a connection's secrets belong to, or the one called so; None for a file."""
    if name == _OF_TOKENS:
        tokens = _tokens(values)
        return f"{tokens[0]}:{tokens[1]}" if tokens else None
    if "dsn" in values:  # what the machine's administrator registered under this name
        return f"dsn:{values['dsn']}"
    place = dialled(values)
    return f"{place[0]}:{place[1]}" if place else None


def _tokens(values: Mapping[str, Any]) -> tuple[str, int] | None:
    """The service that gives out tokens, where there is one."""
    return _place(str(values.get("token_url") or ""))


def _listed(values: Mapping[str, Any]) -> tuple[str, int] | None:
    """The server of an ODBC source that is none by a registered name."""
    server, port = values.get("server"), values.get("port")
    listed = isinstance(server, str) and isinstance(port, int) and "dsn" not in values
    return (str(server), int(port or 0)) if listed else None


def _place(url: str) -> tuple[str, int] | None:
    parts = urlsplit(url)
    scheme = parts.scheme.split("+")[0]
    if scheme not in _PORTS:
        return None  # a file: there is no network to guard
    return (parts.hostname or "localhost", parts.port or _PORTS[scheme])

"""A connection string out of settings: names that are registered, keys that are listed.

A free string could load any library (`Driver=/tmp/x.so`, `LoadExt=`), read any file (`FILEDSN=`)
or write one (`TraceFile=`). So there is none: a driver or a data source by its registered name,
and of further keys only those below.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tenon.connect.connectors.odbc.machine import Registered, registered
from tenon.connect.contract import ConnectorSettings
from tenon.kernel.errors import Config
from tenon.kernel.text import Text

_NOTHING = Text(
    "来源“{source}”没有说明连接：请写 dsn（本机已登记：{dsns}），或 driver（本机已登记：{drivers}）"
    "加 server、port、database 或 file。",
    "The source “{source}” does not say what to connect to: give a dsn (registered here: {dsns}), "
    "or a driver (registered here: {drivers}) with server, port and database, or a file.",
)
_NOT_REGISTERED = Text(
    "来源“{source}”的 {key}“{value}”没有在本机登记；已登记：{allowed}。"
    "请用系统的 ODBC 管理工具登记它，不能填写文件路径。",
    "The {key} “{value}” of the source “{source}” is not registered on this machine; registered "
    "are {allowed}. Register it with the system's ODBC tool; a path cannot be given.",
)
_BAD_OPTION = Text(
    "来源“{source}”的 ODBC 选项“{key}”不允许；驱动“{driver}”可用：{allowed}。",
    "The ODBC option “{key}” of the source “{source}” is not allowed; of the driver “{driver}” "
    "one may set {allowed}.",
)
_BAD_VALUE = Text(
    "来源“{source}”的“{key}”含有 ODBC 连接串不能表示的字符（右花括号或控制字符），或不是允许的值。"
    "请修改它（例如换一个密码）。",
    "The {key} of the source “{source}” has a character that ODBC cannot carry (a closing brace or "
    "a control character), or a value that is not allowed. Change it: another password, for "
    "instance.",
)
_NO_PORT = Text(
    "来源“{source}”写了 server“{server}”但没有写 port；请写明端口，Tenon 只连接登记过的地址。",
    "The source “{source}” names the server “{server}” but no port. Give it: Tenon connects only "
    "to addresses that are listed.",
)
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:,-]+")
_OPTION: Final = re.compile(r"[A-Za-z0-9_. -]{1,40}")
# What a person may set, and what is always set, by the driver's name.
_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "FreeTDS": ("TDS_Version", "ClientCharset", "Encryption"),
    "MariaDB Unicode": ("CHARSET",),
    "MySQL ODBC 8.0 Unicode Driver": ("CHARSET",),
    "SQLite3": ("Timeout",),
    "PostgreSQL Unicode": ("SSLmode",),
    "ODBC Driver 17 for SQL Server": ("Encrypt", "TrustServerCertificate"),
    "ODBC Driver 18 for SQL Server": ("Encrypt", "TrustServerCertificate"),
}
_ALWAYS: Final[Mapping[str, Mapping[str, str]]] = {
    "FreeTDS": {"TDS_Version": "7.4", "ClientCharset": "UTF-8", "ApplicationIntent": "ReadOnly",
                "APP": "Tenon"},
    "MariaDB Unicode": {"FORWARDONLY": "1", "NO_CACHE": "1"},
    "SQLite3": {"NoCreat": "1", "Timeout": "5000"},
    "PostgreSQL Unicode": {"ReadOnly": "1", "UseDeclareFetch": "1"},
}  # fmt: skip
_FILE_KEYS: Final = {"SQLite3": "Database", "SQLite": "Database"}  # Access: DBQ


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect, and how."""

    shown: str
    driver: str
    server: str | None
    port: int | None
    pairs: Mapping[str, str] = field(repr=False)

    def text(self, address: str | None) -> str:
        """The connection string, to the resolved address."""
        pairs = dict(self.pairs)
        if address is not None:
            pairs["Server"] = address
        # With an end to the last one too: without it FreeTDS takes the brace for a part of it.
        return "".join(f"{k}={v if self.raw else _braced(v)};" for k, v in pairs.items())

    @property
    def raw(self) -> bool:
        """Whether the driver takes braces for a part of the value."""
        return self.driver in _FILE_KEYS


def address_of(settings: ConnectorSettings) -> Address:
    """The address that settings say; Config names what is wrong with them."""
    values, known = settings.values, registered()
    source = settings.source
    dsn, driver = values.get("dsn"), values.get("driver")
    if dsn is not None:
        _known(source, "dsn", str(dsn), list(known.dsns))
        pairs, driver = {"DSN": str(dsn)}, known.dsns[str(dsn)]
        shown = f"DSN {dsn}"
    elif driver is not None:
        _known(source, "driver", str(driver), list(known.drivers))
        pairs, shown = {"Driver": str(driver)}, str(driver)
        pairs |= _ALWAYS.get(str(driver), {})
    else:
        raise _nothing(source, known)
    server, port = (None, None) if dsn is not None else _server(source, values)
    if server is not None:
        pairs |= {"Server": server, "Port": str(port)}
        shown = f"{server}:{port}/{values.get('database') or ''}"
    if dsn is None and values.get("file"):
        path = Path(str(values["file"]))
        pairs[_FILE_KEYS.get(str(driver), "DBQ")] = str(path)
        shown = path.name
    for key, ours in (("Database", "database"), ("UID", "user"), ("PWD", "password")):
        if values.get(ours) and key not in pairs:
            pairs[key] = str(values[ours])
    pairs |= _options(source, str(driver), values.get("options") or {})
    found = Address(shown, str(driver), server, port, pairs)
    _check(source, pairs, "{};" if found.raw else "}")
    return found


def _known(source: str, key: str, value: str, names: list[str]) -> None:
    if value not in names:
        raise Config(
            "not_registered", _NOT_REGISTERED, source=source, key=key, value=value[:80],
            allowed=", ".join(names) or "—",
        )  # fmt: skip


def _nothing(source: str, known: Registered) -> Config:
    return Config(
        "no_odbc_source", _NOTHING, source=source, dsns=", ".join(known.dsns) or "—",
        drivers=", ".join(known.drivers) or "—",
    )  # fmt: skip


def _server(source: str, values: Mapping[str, Any]) -> tuple[str | None, int | None]:
    server, port = values.get("server"), values.get("port")
    if not server:
        return None, None
    if not isinstance(port, int):
        raise Config("no_port", _NO_PORT, source=source, server=str(server)[:80])
    return str(server), port


def _options(source: str, driver: str, options: Mapping[str, Any]) -> dict[str, str]:
    allowed = {name.casefold(): name for name in _OPTIONS.get(driver, ())}
    found = {}
    for key, value in options.items():
        name = allowed.get(str(key).casefold())
        if name is None:
            raise Config(
                "bad_odbc_option", _BAD_OPTION, source=source, key=str(key)[:40], driver=driver,
                allowed=", ".join(allowed.values()) or "—",
            )  # fmt: skip
        if not _OPTION.fullmatch(str(value)):
            raise Config("bad_odbc_value", _BAD_VALUE, source=source, key=name)
        found[name] = str(value)
    return found


def _check(source: str, pairs: Mapping[str, str], forbidden: str) -> None:
    for key, value in pairs.items():
        # Not every driver has an escape for a closing brace; what follows one would be more keys.
        if any(letter in forbidden or ord(letter) < 32 for letter in value):
            raise Config("bad_odbc_value", _BAD_VALUE, source=source, key=key)


def _braced(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else f"{{{value}}}"

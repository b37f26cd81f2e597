"""Opening SQL Server 2005 and later through ODBC: FreeTDS, or Microsoft's driver where it is.

A connection waits for nobody's lock longer than BUSY_SECONDS, gives way in a deadlock, says that
it only reads, and sends nothing but SELECT. It never reads what is not committed.
"""

from __future__ import annotations

import re
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.pool import NullPool

from tenon.connect.connectors.sql import prelogin
from tenon.connect.contract import Egress
from tenon.kernel.errors import Config, NeedsUser
from tenon.kernel.text import Text

PORT: Final = 1433
DRIVERS: Final = (
    "FreeTDS", "ODBC Driver 18 for SQL Server", "ODBC Driver 17 for SQL Server",
    "ODBC Driver 13 for SQL Server", "ODBC Driver 11 for SQL Server", "SQL Server",
)  # fmt: skip
OPTIONS: Final = {
    "encryption": ("request", "require", "off"),
    "tds_version": ("7.1", "7.2", "7.3", "7.4"),
    "driver": DRIVERS,
}
_CONNECT_SECONDS: Final = 10
_READS: Final = re.compile(r"\s*select\b", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:,-]+")

_NO_DRIVER = Text(
    "本机没有登记 SQL Server 的 ODBC 驱动（找过：{drivers}）。Debian/Ubuntu：安装 tdsodbc 和 "
    "unixodbc；Windows：安装 Microsoft ODBC Driver 17 for SQL Server。",
    "No ODBC driver for SQL Server is registered on this machine (looked for {drivers}). On Debian "
    "or Ubuntu install tdsodbc and unixodbc; on Windows Microsoft ODBC Driver 17 for SQL Server.",
)
_BAD_VALUE = Text(
    "SQL Server 连接的“{key}”含有 ODBC 连接串不能表示的字符（右花括号或控制字符）。"
    "请修改它（例如换一个密码）。",
    "The {key} of the SQL Server connection has a character that ODBC cannot carry (a closing "
    "brace or a control character). Change it: another password, for instance.",
)
_TLS = Text(
    "{address} 有应答（SQL Server {version}），但双方谈不成加密连接。"
    "旧版 SQL Server（2005–2014 未打补丁）只会 TLS 1.0，本机的安全策略可能已禁用它。可任选其一："
    "一、给该服务器安装支持 TLS 1.2 的更新；"
    "二、在本机允许驱动使用 TLS 1.0（见 docs/runbooks/legacy-systems.md）；"
    "三、仅在可信的内网中，若服务器不强制加密，把该连接设为 encryption: off"
    "（密码将以明文传输）。改好后点击“检查连接”。",
    "{address} answers (SQL Server {version}), but an encrypted connection cannot be agreed. SQL "
    "Server 2005 to 2014 without updates has TLS 1.0 only, which this machine may forbid. Either "
    "install the server's update for TLS 1.2; or allow the driver TLS 1.0 on this machine (see "
    "docs/runbooks/legacy-systems.md); or, in a network you trust and where the server does not "
    "demand encryption, set encryption: off (the password then travels in clear). Then press "
    "Check.",
)
_DEMANDS = Text(
    "{address}（SQL Server {version}）要求加密，而该连接设置了 encryption: off。请改为 request。",
    "{address} (SQL Server {version}) demands encryption, and the connection says encryption: off. "
    "Set it to request.",
)
_HAS_NONE = Text(
    "{address}（SQL Server {version}）不支持加密，而该连接设置了 encryption: require。"
    "请在服务器上启用加密，或改为 request。",
    "{address} (SQL Server {version}) has no encryption, and the connection says encryption: "
    "require. Enable it on the server, or set it to request.",
)


def open_sqlserver(url: URL, egress: Egress, seconds: int, busy: int) -> Engine:
    """An engine whose connections only read, with time-outs for statements and locks."""
    address = egress.admit(url.host or "localhost", url.port or PORT)
    text = connection_text(url, address)

    def connect() -> Any:
        return _connected(url, text, address, seconds)

    engine = sa.create_engine(
        "mssql+pyodbc://", creator=connect, poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    event.listen(engine, "before_cursor_execute", _only_reads)

    @event.listens_for(engine, "connect")
    def _configure(dbapi: Any, _record: Any) -> None:
        cursor = dbapi.cursor()
        cursor.execute(f"SET LOCK_TIMEOUT {busy * 1000}")
        cursor.execute("SET DEADLOCK_PRIORITY LOW")
        cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        cursor.execute(
            "SELECT snapshot_isolation_state FROM sys.databases WHERE database_id = DB_ID()"
        )
        row = cursor.fetchone()
        if row is not None and row[0] == 1:  # readers then wait for no writer at all
            cursor.execute("SET TRANSACTION ISOLATION LEVEL SNAPSHOT")
        cursor.close()

    return engine


def connection_text(url: URL, address: str) -> str:
    """The ODBC connection string: keys of ours, values in braces."""
    driver = _driver(url.query.get("driver"))
    encryption = str(url.query.get("encryption", "request"))
    port = url.port or PORT
    said = {"Driver": driver, "UID": url.username or "", "PWD": str(url.password or ""),
            "Database": url.database or "", "APP": "Tenon",
            "ApplicationIntent": "ReadOnly"}  # fmt: skip
    if driver == "FreeTDS":
        said |= {"Server": address, "Port": str(port), "ClientCharset": "UTF-8",
                 "TDS_Version": str(url.query.get("tds_version", "7.4")),
                 "Encryption": encryption}  # fmt: skip
    else:  # Microsoft's
        said |= {"Server": f"tcp:{address},{port}", "TrustServerCertificate": "yes",
                 "Encrypt": "yes" if encryption == "require" else "no"}  # fmt: skip
    return ";".join(f"{key}={_braced(key, value)}" for key, value in said.items() if value)


def _driver(named: Any) -> str:
    import pyodbc  # noqa: PLC0415  not installed everywhere, and not needed for other dialects

    registered = pyodbc.drivers()
    wanted = [str(named)] if named else DRIVERS
    found = next((name for name in wanted if name in registered), None)
    if found is None:
        raise Config("no_odbc_driver", _NO_DRIVER, drivers=", ".join(wanted))
    return found


def _braced(key: str, value: str) -> str:
    # FreeTDS knows no escape for a closing brace: what follows one would be further keys.
    if "}" in value or any(ord(letter) < 32 for letter in value):
        raise Config("bad_odbc_value", _BAD_VALUE, key=key)
    # Nor does it take braces around a number.
    return value if _PLAIN.fullmatch(value) else f"{{{value}}}"


def _connected(url: URL, text: str, address: str, seconds: int) -> Any:
    import pyodbc  # noqa: PLC0415

    pyodbc.pooling = False  # a connection that was closed is gone, with what was set in it
    try:
        connection = pyodbc.connect(text, autocommit=True, timeout=_CONNECT_SECONDS, readonly=True)
    except pyodbc.Error as error:
        if str(error.args[0])[:2] in {"08", "HY", "01"} and "(18456)" not in str(error):
            _explain_encryption(url, address)
        raise
    connection.timeout = seconds  # of statements
    return connection


def _explain_encryption(url: URL, address: str) -> None:
    """NeedsUser when the server is there and it is the encryption that could not be agreed."""
    told = prelogin.ask(address, url.port or PORT)
    if told is None:
        return
    wanted = url.query.get("encryption", "request")
    where = f"{url.host}:{url.port or PORT}"
    text = None
    if told.demands:
        text = _DEMANDS if wanted == "off" else _TLS
    elif told.encrypts:
        text = _TLS if wanted != "off" else None
    elif wanted == "require":
        text = _HAS_NONE
    if text is not None:
        raise NeedsUser("source_encryption", text, address=where, version=told.version)


def _only_reads(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    if not _READS.match(statement):
        message = f"a reading connection was asked for: {statement[:40]}"
        raise RuntimeError(message)

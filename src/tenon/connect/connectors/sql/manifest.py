"""What is asked of a person who connects a database."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from tenon.connect.connectors.sql.engines import ENCODINGS
from tenon.connect.connectors.sql.sqlserver import OPTIONS
from tenon.connect.manifest import Entered, Manifest, Option, Setting, Values, parts_of, url_of
from tenon.kernel.text import Text

_PORTS: Final = {"mysql": 3306, "mssql": 1433, "postgresql": 5432, "oracle": 1521}
_SERVERS: Final = {"dialect": tuple(_PORTS)}
_FILES: Final = {"dialect": ("sqlite",)}
_DIALECTS = (
    Option("mssql", Text("SQL Server（金蝶、用友等）", "SQL Server (Kingdee, Yonyou, …)")),
    Option("mysql", Text("MySQL / MariaDB", "MySQL / MariaDB")),
    Option("postgresql", Text("PostgreSQL", "PostgreSQL")),
    Option("oracle", Text("Oracle（未经验证）", "Oracle (not verified)")),
    Option("sqlite", Text("SQLite 文件", "SQLite file")),
)
_SETTINGS = (
    Setting("dialect", Text("数据库类型", "Kind of database"), "choice", required=True,
            default="mysql", choices=_DIALECTS),
    Setting("host", Text("主机", "Host"), required=True, when=_SERVERS, help=Text(
        "数据库服务器的名称或 IP 地址，例如 192.168.1.20",
        "Name or IP address of the database server, such as 192.168.1.20")),
    Setting("port", Text("端口", "Port"), "integer", when=_SERVERS, help=Text(
        "留空则用该数据库的标准端口", "Left empty: the usual port of that database")),
    Setting("database", Text("数据库名", "Database"), required=True, when=_SERVERS, help=Text(
        "金蝶账套的数据库名形如 AIS20260101080000",
        "Of a Kingdee ledger it looks like AIS20260101080000")),
    Setting("user", Text("用户名", "User"), when=_SERVERS, help=Text(
        "请让数据库管理员建一个只读账号", "Ask the database administrator for a read-only login")),
    Setting("password", Text("密码", "Password"), "secret", when=_SERVERS),
    Setting("file", Text("数据库文件", "Database file"), required=True, when=_FILES, help=Text(
        "服务器上的文件路径", "The file's path on the server")),
    Setting("encoding", Text("文字编码", "Encoding"), "choice", default="utf-8", advanced=True,
            choices=tuple(Option(e, Text(e, e)) for e in ENCODINGS), help=Text(
        "中文显示为乱码时改为 gb18030", "Choose gb18030 when Chinese looks garbled")),
    Setting("encryption", Text("加密（SQL Server）", "Encryption (SQL Server)"), "choice",
            advanced=True, when={"dialect": ("mssql",)},
            choices=tuple(Option(v, Text(v, v)) for v in OPTIONS["encryption"])),
)  # fmt: skip


def _values(entered: Entered) -> Values:
    dialect = str(entered["dialect"])
    values: Values = {"encoding": entered.get("encoding", "utf-8")}
    if dialect == "sqlite":
        return values | {"url": f"sqlite:///{quote(str(entered['file']), safe='/:')}"}
    database = quote(str(entered["database"]), safe="")
    values["url"] = url_of(dialect, {"port": _PORTS[dialect], **entered}, database)
    if "encryption" in entered:
        values["encryption"] = entered["encryption"]
    return values


def _entered(values: Values) -> dict[str, Any]:
    url = str(values.get("url", ""))
    parts = urlsplit(url)
    dialect = parts.scheme.split("+")[0].replace("mariadb", "mysql")
    found: dict[str, Any] = {"dialect": dialect, "encoding": values.get("encoding", "utf-8")}
    if "encryption" in values:
        found["encryption"] = values["encryption"]
    if dialect == "sqlite":
        return found | {"file": unquote(parts.path[1:])}
    return found | parts_of(url) | {"database": unquote(parts.path[1:])}


MANIFEST: Final = Manifest(
    kind="sql",
    label=Text("数据库", "Database"),
    note=Text(
        "MES、WMS、ERP 等系统背后的数据库。只读取，不写入。",
        "The database behind a MES, WMS or ERP. It is read, never written.",
    ),
    settings=_SETTINGS,
    values=_values,
    entered=_entered,
    keys=frozenset({"url", "encoding", "encryption"}),
)

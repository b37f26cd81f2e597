"""What is asked of a person who connects a database."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from tenon.connect.connectors.sql.engines import ENCODINGS
from tenon.connect.connectors.sql.sqlserver import OPTIONS
from tenon.connect.manifest import Entered, Manifest, Option, Setting, Values, parts_of, url_of
from tenon.kernel.errors import BadInput
from tenon.kernel.text import Text

_PORTS: Final = {"mysql": 3306, "mssql": 1433, "postgresql": 5432, "oracle": 1521}
_NEEDED = Text("请填写“{label}”。", "Fill in “{label_en}”.")
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
    Setting("host", Text("主机", "Host"), help=Text(
        "数据库服务器的名称或 IP 地址，例如 192.168.1.20",
        "Name or IP address of the database server, such as 192.168.1.20")),
    Setting("port", Text("端口", "Port"), "integer", help=Text(
        "留空则用该数据库的标准端口", "Left empty: the usual port of that database")),
    Setting("database", Text("数据库名", "Database"), help=Text(
        "金蝶账套的数据库名形如 AIS20260101080000",
        "Of a Kingdee ledger it looks like AIS20260101080000")),
    Setting("user", Text("用户名", "User"), help=Text(
        "请让数据库管理员建一个只读账号", "Ask the database administrator for a read-only login")),
    Setting("password", Text("密码", "Password"), "secret"),
    Setting("file", Text("数据库文件", "Database file"), help=Text(
        "只用于 SQLite：服务器上的文件路径", "For SQLite only: the file's path on the server")),
    Setting("encoding", Text("文字编码", "Encoding"), "choice", default="utf-8", advanced=True,
            choices=tuple(Option(e, Text(e, e)) for e in ENCODINGS), help=Text(
        "中文显示为乱码时改为 gb18030", "Choose gb18030 when Chinese looks garbled")),
    Setting("encryption", Text("加密（SQL Server）", "Encryption (SQL Server)"), "choice",
            advanced=True, choices=tuple(
                Option(v, Text(v, v)) for v in OPTIONS.get("encryption", ()))),
)  # fmt: skip


def _values(entered: Entered) -> Values:
    dialect = str(entered["dialect"])
    values: Values = {"encoding": entered.get("encoding", "utf-8")}
    if dialect == "sqlite":
        _need(entered, "file")
        return values | {"url": f"sqlite:///{quote(str(entered['file']), safe='/:')}"}
    _need(entered, "host", "database")
    database = quote(str(entered["database"]), safe="")
    values["url"] = url_of(dialect, {"port": _PORTS[dialect], **entered}, database)
    if dialect == "mssql" and "encryption" in entered:
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


def _need(entered: Entered, *names: str) -> None:
    labels = {s.name: s.label for s in _SETTINGS}
    for name in names:
        if not entered.get(name):
            label = labels[name]
            raise BadInput(
                "setting_missing", _NEEDED, setting=name, label=label.zh, label_en=label.en
            )


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

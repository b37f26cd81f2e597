"""What is asked of a person who connects through an ODBC driver of the machine."""

from __future__ import annotations

from typing import Any, Final

from tenon.connect.manifest import Entered, Manifest, Setting, Values
from tenon.kernel.errors import BadInput
from tenon.kernel.text import Text

_NEEDED = Text("请填写“数据源”或“驱动”。", "Fill in “Data source” or “Driver”.")
_NAMES: Final = ("dsn", "driver", "server", "port", "database", "file", "user")
_SETTINGS = (
    Setting("dsn", Text("数据源（DSN）", "Data source (DSN)"), help=Text(
        "在服务器上登记的 ODBC 数据源名称", "An ODBC data source registered on the server")),
    Setting("driver", Text("驱动", "Driver"), help=Text(
        "没有数据源时：已登记的驱动名称", "Without a data source: a registered driver")),
    Setting("server", Text("主机", "Host")),
    Setting("port", Text("端口", "Port"), "integer"),
    Setting("database", Text("数据库名", "Database")),
    Setting("file", Text("文件", "File"), help=Text(
        "Access 等文件型数据库的路径", "Path of a database that is a file, such as Access")),
    Setting("user", Text("用户名", "User")),
    Setting("password", Text("密码", "Password"), "secret"),
)  # fmt: skip


def _values(entered: Entered) -> Values:
    if not (entered.get("dsn") or entered.get("driver")):
        raise BadInput("setting_missing", _NEEDED, setting="dsn")
    return {name: entered[name] for name in _NAMES if name in entered}


def _entered(values: Values) -> dict[str, Any]:
    return {name: values[name] for name in _NAMES if name in values}


MANIFEST: Final = Manifest(
    kind="odbc",
    label=Text("ODBC 数据源", "ODBC data source"),
    note=Text(
        "老系统只有 ODBC 驱动时使用。", "For an old system that has nothing but an ODBC driver."
    ),
    settings=_SETTINGS,
    values=_values,
    entered=_entered,
    keys=frozenset({*_NAMES}),
)

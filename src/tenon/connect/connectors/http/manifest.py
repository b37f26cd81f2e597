"""What is asked of a person who connects a system with an HTTP interface."""

from __future__ import annotations

import re
from typing import Any, Final

from tenon.connect.manifest import Entered, Manifest, Setting, Values
from tenon.kernel.errors import BadInput
from tenon.kernel.text import Text

_BAD_PATH = Text(
    "“{value}”不是接口路径；应以 / 开头，例如 /api/customers。",
    "“{value}” is no path; it begins with /, as in /api/customers.",
)
_PATH: Final = re.compile(r"/[A-Za-z0-9._~/%-]{0,200}")
_BETWEEN: Final = re.compile(r"[\s,，;；、]+")
_MOST_CALLS: Final = 100_000_000
_BUDGET: Final = ("calls_per_day", "calls_per_month")
_SETTINGS = (
    Setting("url", Text("地址", "Address"), required=True, help=Text(
        "例如 http://192.168.1.30:8080", "Such as http://192.168.1.30:8080")),
    Setting("token", Text("访问令牌", "Access token"), "secret", help=Text(
        "由对方系统的管理员发放", "Given out by the administrator of that system")),
    Setting("paths", Text("要读取的接口", "What to read"), required=True, help=Text(
        "接口路径，用逗号分开，例如 /api/customers, /api/orders",
        "Paths, separated by commas, such as /api/customers, /api/orders")),
    Setting("calls_per_day", Text("每天的付费调用", "Paid calls a day"), "integer", advanced=True,
        most=_MOST_CALLS, help=Text(
        "调用要付费时填写：用完后当天不再请求", "Where calls cost money: then no more are made")),
    Setting("calls_per_month", Text("每月的付费调用", "Paid calls a month"), "integer",
        advanced=True, most=_MOST_CALLS),
)  # fmt: skip


def _values(entered: Entered) -> Values:
    paths = [p for p in _BETWEEN.split(str(entered["paths"])) if p]
    for path in paths:
        if not _PATH.fullmatch(path):
            raise BadInput("bad_path", _BAD_PATH, setting="paths", value=path[:80])
    budget = {name: entered[name] for name in _BUDGET if name in entered}
    return {"url": str(entered["url"]), "paths": paths, "check_path": paths[0], **budget}


def _entered(values: Values) -> dict[str, Any]:
    paths = values.get("paths") or ()
    found: dict[str, Any] = {"url": values.get("url"), "paths": ", ".join(map(str, paths))}
    found |= {name: values.get(name) for name in _BUDGET}
    return {name: value for name, value in found.items() if value}


MANIFEST: Final = Manifest(
    kind="http",
    label=Text("网络接口（HTTP）", "Web interface (HTTP)"),
    note=Text(
        "提供 REST/JSON 接口的系统，例如云端 CRM。",
        "A system with a REST or JSON interface, such as a CRM in the cloud.",
    ),
    settings=_SETTINGS,
    values=_values,
    entered=_entered,
    keys=frozenset({"url", "paths", "check_path", *_BUDGET}),
)

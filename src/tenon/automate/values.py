"""Values in a step's settings: constants, paths into the run's data, texts with `{path}`.

`{"from": "trigger.qty"}` is the value at that path; any other value stands for itself; in a
text `{trigger.line_key}` is filled in. Nothing is ever evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from tenon.define.models import Entity
from tenon.kernel.decimals import plain
from tenon.kernel.errors import Config
from tenon.kernel.text import Text

_HOLE: Final = re.compile(r"\{([a-z0-9_.]+)\}")
_NO_PATH = Text(
    "流程数据中没有“{path}”；请检查步骤设置。",
    "The flow's data have no “{path}”; check the step's settings.",
)
_OPERATOR = Text(
    "不支持的条件“{op}”；可用：{allowed}。", "Unknown operator “{op}”; use one of {allowed}."
)


def resolve(value: Any, data: Mapping[str, Any]) -> Any:
    """A setting with its paths and holes filled in from the run's data."""
    if isinstance(value, Mapping):
        if value.keys() == {"from"}:
            return at(str(value["from"]), data)
        return {k: resolve(v, data) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(v, data) for v in value]
    return fill(value, data) if isinstance(value, str) else value


def at(path: str, data: Mapping[str, Any]) -> Any:
    """The value at a dotted path; Config when there is none."""
    found: Any = data
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            raise Config("no_path", _NO_PATH, path=path)
        found = found[part]
    return found


def fill(template: str, data: Mapping[str, Any]) -> str:
    """A text with `{path}` filled in; a path that is not there stays as it is written."""

    def value(match: re.Match[str]) -> str:
        try:
            found = at(match[1], data)
        except Config:
            return match[0]
        if isinstance(found, Decimal):
            return plain(found)
        return "" if found is None else str(found)

    return _HOLE.sub(value, template)


def typed(entity: Entity, values: Mapping[str, Any], *, whole: bool = False) -> dict[str, Any]:
    """Values as a field of the entity takes them: the run's data have times as texts.

    With `whole` every field is given, as a new record needs it.
    """
    found = {code: _as_field(entity, code, value) for code, value in values.items()}
    return {f.code: None for f in entity.fields} | found if whole else found


def _as_field(entity: Entity, code: str, value: Any) -> Any:
    field = entity.by_code.get(code)
    if field is None or not isinstance(value, str) or not value:
        return value
    if field.type == "datetime":
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return date.fromisoformat(value) if field.type == "date" else value


def matches(filter_: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    """Whether the run's data satisfy a filter tree, as `records.query` words it."""
    if "and" in filter_:
        return all(matches(f, data) for f in filter_["and"])
    if "or" in filter_:
        return any(matches(f, data) for f in filter_["or"])
    if "not" in filter_:
        return not matches(filter_["not"], data)
    operator = _OPERATORS.get(str(filter_.get("op")))
    if operator is None:
        allowed = ", ".join(_OPERATORS)
        raise Config("unknown_operator", _OPERATOR, op=filter_.get("op"), allowed=allowed)
    one = at(str(filter_.get("field")), data)
    return bool(operator(_number(one), _number(resolve(filter_.get("value"), data))))


def _number(value: Any) -> Any:
    # A run's data were JSON: decimals are texts there, and compare as numbers.
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,9})?", value):
        return Decimal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return [_number(v) for v in value] if isinstance(value, list) else value


_OPERATORS: Final[dict[str, Any]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: _both(a, b) and a < b,
    "le": lambda a, b: _both(a, b) and a <= b,
    "gt": lambda a, b: _both(a, b) and a > b,
    "ge": lambda a, b: _both(a, b) and a >= b,
    "in": lambda a, b: a in (b or ()),
    "empty": lambda a, b: (a in (None, "", [])) == bool(b),
}


def _both(one: Any, other: Any) -> bool:
    return one is not None and other is not None and type(one) is type(other)

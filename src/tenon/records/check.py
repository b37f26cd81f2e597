"""Types and rules of a row before it is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from tenon.define.models import Entity, FieldDef
from tenon.kernel.decimals import fit
from tenon.kernel.errors import SetAside
from tenon.kernel.text import Text

_REQUIRED = Text("“{field}”必填，但没有值。", "“{field_en}” is required, but has no value.")
_TOO_LONG = Text(
    "“{field}”最多 {allowed} 个字符，收到 {received} 个。",
    "“{field_en}” has at most {allowed} characters; {received} were given.",
)
_CHOICE = Text(
    "“{field}”不能是“{value}”；可选：{allowed}。",
    "“{field_en}” cannot be “{value}”; choose one of {allowed}.",
)
_MINIMUM = Text(
    "“{field}”不能小于 {allowed}，收到 {value}。",
    "“{field_en}” cannot be below {allowed}; {value} was given.",
)
_TYPE = Text(
    "“{field}”应为{expected}，收到“{value}”。",
    "“{field_en}” must be a {expected}; “{value}” was given.",
)
_UNKNOWN_FIELD = Text("“{entity}”没有字段“{field}”。", "“{entity}” has no field “{field}”.")


def check_row(entity: Entity, row: Mapping[str, Any], *, partial: bool = False) -> dict[str, Any]:
    """The row with every value in its field's type; SetAside names the first value refused.

    With `partial` only the fields given are checked (a change); without, required fields must
    be there (a new record).
    """
    for code in row.keys() - entity.by_code.keys():
        raise SetAside("unknown_field", _UNKNOWN_FIELD, entity=entity.code, field=code)
    fields = (f for f in entity.fields if f.code in row or not partial)
    return {f.code: check_value(f, row.get(f.code)) for f in fields}


def check_value(field: FieldDef, value: Any) -> Any:
    """The value in the field's type, or SetAside."""
    if value is None or value == "":
        if field.required:
            raise SetAside("required", _REQUIRED, **_names(field))
        return None
    value = _typed(field, value)
    if field.minimum is not None and value < field.minimum:
        raise SetAside(
            "below_minimum", _MINIMUM, **_names(field), value=value, allowed=field.minimum
        )
    return value


def _typed(field: FieldDef, value: Any) -> Any:
    match field.type:
        case "text" | "ref":
            return _text(field, value)
        case "choice":
            return _choice(field, value)
        case "decimal":
            return fit(value, field.precision, field.scale)
        case "integer":
            return int(fit(value, 18, 0))
        case "boolean":
            return _instance(field, value, bool)
        case "datetime":
            return _instance(field, value, datetime)
        case "date":
            return _instance(field, value, date)
        case "json":
            return value


def _text(field: FieldDef, value: Any) -> str:
    text = str(value)
    if len(text) > field.length:
        raise SetAside(
            "too_long", _TOO_LONG, **_names(field), allowed=field.length, received=len(text)
        )
    return text


def _choice(field: FieldDef, value: Any) -> str:
    allowed = [c.code for c in field.choices]
    if value not in allowed:
        raise SetAside(
            "not_a_choice", _CHOICE, **_names(field), value=str(value)[:80],
            allowed="、".join(allowed),
        )  # fmt: skip
    return str(value)


def _instance(field: FieldDef, value: Any, kind: type) -> Any:
    if isinstance(value, kind):
        return value
    raise SetAside("wrong_type", _TYPE, **_names(field), expected=field.type, value=str(value)[:80])


def _names(field: FieldDef) -> dict[str, str]:
    return {"field": field.label.zh, "field_en": field.label.en}

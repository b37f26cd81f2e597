"""Which value belongs to which name in a call."""

from __future__ import annotations

import re
from typing import Any, Final

_ARGUMENT: Final = re.compile(r"(?:@(\w+)\s*=\s*)?(N?'(?:[^']|'')*'|null|-?\d+)", re.IGNORECASE)
PLACES: Final = ("table_name", "table_owner", "table_qualifier")


def titled(values: list[Any], given: list[tuple[str, Any]], declared_at: int) -> dict[str, Any]:
    """The parameters of a statement by their names, which its declaration tells."""
    after = declared_at + 1 if declared_at else 2
    if len(values) <= after:
        return {}
    called = names(str(values[declared_at] or ""))
    return {
        title or name: value for (title, value), name in zip(given[after:], called, strict=False)
    }


def names(declaration: str) -> list[str]:
    """The names a declaration (`@P1 int, @P2 nvarchar(40)`) has."""
    return re.findall(r"@(\w+)\s+\w", declaration)


def arguments(text: str) -> dict[str, Any]:
    """The arguments of a procedure called in a batch (`sp_columns N'a', @table_owner=null`)."""
    found: dict[str, Any] = {}
    for place, match in enumerate(_ARGUMENT.finditer(text)):
        raw = match[2]
        value = None if raw.lower() == "null" else raw
        if value is not None and value.endswith("'"):
            value = value[value.index("'") + 1 : -1].replace("''", "'")
        default = PLACES[place] if place < len(PLACES) else f"argument_{place}"
        found[(match[1] or default).lower()] = value
    return found

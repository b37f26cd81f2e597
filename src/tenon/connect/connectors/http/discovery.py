"""What an HTTP system has, told from the first page of each path that a person named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from tenon.connect.batches import rows_of
from tenon.connect.contract import Column, Found

_MOST_LISTS: Final = 5
Items = Sequence[Mapping[str, Any]]


def found_at(path: str, first: pa.RecordBatch | None) -> Iterator[Found]:
    """The items of a path as a table, and each list within them as another."""
    names, rows = rows_of(first) if first is not None else ((), [])
    items = [dict(zip(names, row, strict=True)) for row in rows]
    yield Found(path, _columns(items), path=path)
    lists = {name: inner for name in names if (inner := _inner(name, items))}
    for name, inner in list(lists.items())[:_MOST_LISTS]:
        yield Found(f"{path}#{name}", _columns(inner), path=path, explode=name)


def _inner(name: str, items: Items) -> list[dict[str, Any]]:
    """The rows of a list within the items, as a stream that explodes it has them."""
    return [
        {k: v for k, v in item.items() if k != name}
        | {f"{name}_{k}": v for k, v in element.items()}
        for item in items
        for element in _elements(item.get(name))
    ]


def _elements(value: Any) -> list[dict[str, Any]]:
    """The objects of a list that travels as JSON text."""
    if not isinstance(value, str) or not value.startswith("[{"):
        return []
    try:
        found = json.loads(value, parse_float=Decimal)
    except (ValueError, RecursionError):
        return []
    return [element for element in found if isinstance(element, dict)]


def _columns(items: Items) -> tuple[Column, ...]:
    names = dict.fromkeys(name for item in items for name in item)
    return tuple(_column(name, [item.get(name) for item in items]) for name in names)


def _column(name: str, values: Sequence[Any]) -> Column:
    there = [v for v in values if v is not None]
    return Column(name, _type(there), len(there) < len(values))


def _type(values: Sequence[Any]) -> str:
    kinds = {type(v) for v in values}
    if kinds and kinds <= {int, bool}:
        return "INTEGER"
    return "DECIMAL" if kinds and kinds <= {int, Decimal, bool} else "TEXT"

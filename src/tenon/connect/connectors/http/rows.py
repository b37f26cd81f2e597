"""Items of an answer as rows: nested lists taken apart, filtered, each with what is wrong of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from tenon.connect.batches import LINE, PROBLEM, batch_of
from tenon.connect.connectors.http.answer import Doubled, is_doubled
from tenon.connect.contract import ColumnAbsent
from tenon.define.models import StreamDef
from tenon.kernel.text import Text

_DOUBLED: Final = Text(
    "这一行中有重复的名称，无法确定哪一个值有效；整行没有采用，请让对方系统改正。",
    "A name stands twice in this row, so it cannot be told which value is meant. Nothing of it "
    "was taken; have the system mended.",
)
_TOLD: Final = json.dumps({"code": "doubled_name", **_DOUBLED.as_dict()}, ensure_ascii=False)

Item = Mapping[str, Any]


def batch(
    stream: StreamDef, source: str, path: str, items: Iterable[Item], *, doubled: bool = False
) -> pa.RecordBatch | None:
    """The items' rows as a batch of the stream's columns; None when they have none.

    ColumnAbsent when a column is in none of the rows. `doubled` says that a name stands twice
    somewhere in the items: the rows that have it get their problem.
    """
    every = [row for item in items for row in _exploded(stream.explode, item)]
    if not every:
        return None
    there = {name.casefold(): name for row in every for name in row}
    names = _names(stream, there)
    lacking = {n.casefold() for n in stream.may_lack}
    absent = [n for n in (*names, *stream.where) if n.casefold() not in there.keys() | lacking]
    if absent:
        raise ColumnAbsent(source, path, absent, sorted(there.values()))
    where = {there[n.casefold()]: {_plain(v) for v in vs} for n, vs in stream.where.items()}
    found = [r for r in every if all(_plain(r.get(n)) in vs for n, vs in where.items())]
    if not found:
        return None
    real = [there.get(n.casefold(), n) for n in names]
    values = [[_value(row.get(n)) for n in real] for row in found]
    if not doubled:
        return batch_of(names, values)
    told = [[_TOLD if is_doubled(row) else None, None] for row in found]
    return batch_of([*names, PROBLEM, LINE], [[*v, *t] for v, t in zip(values, told, strict=True)])


def _names(stream: StreamDef, there: Mapping[str, str]) -> list[str]:
    names = list(stream.columns) or list(there.values())
    needed = [*stream.key, *([stream.cursor.column] if stream.cursor else [])]
    have = {n.casefold() for n in names}
    return names + [n for n in dict.fromkeys(needed) if n.casefold() not in have]


def named(items: Sequence[Item], names: Iterable[str]) -> list[tuple[Any, ...]]:
    """The values of these columns in each item, their names matched without case."""
    wanted = [n.casefold() for n in names]
    layouts: dict[tuple[str, ...], list[str | None]] = {}
    found: list[tuple[Any, ...]] = []
    for item in items:
        layout = tuple(item)
        if layout not in layouts:
            there = {n.casefold(): n for n in layout}
            layouts[layout] = [there.get(n) for n in wanted]
        found.append(tuple(item[n] if n is not None else None for n in layouts[layout]))
    return found


def _exploded(name: str | None, item: Item) -> Iterator[Item]:
    if name is None:
        yield item
        return
    own = {k: v for k, v in item.items() if k != name}
    elements = item.get(name)
    for element in elements if isinstance(elements, list) else []:
        parts = element if isinstance(element, dict) else {"value": element}
        row = own | {f"{name}_{k}": v for k, v in parts.items()}
        yield Doubled(row) if isinstance(item, Doubled) or isinstance(element, Doubled) else row


def _plain(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else _text(value)
    if value is None or isinstance(value, int | Decimal):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _text(value: str) -> str | bytes:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: no text, but kept
        return value.encode("utf-8", "surrogatepass")
    return value

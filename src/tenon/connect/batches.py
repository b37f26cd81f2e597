"""Rows of a source as Arrow batches and back: a part of the connector contract.

A column holds text, 64-bit integers, exact decimals or timestamps (zone-less as the source has
them, or UTC). Bytes that are not valid text travel beside it in a binary column called
`<name>~bytes`, where the text column is null. A column of mixed kinds travels as text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from tenon.kernel.decimals import plain

BYTES: Final = "~bytes"
# Two columns at the end of a batch, of a connector whose rows may be broken: what is wrong with
# a row (`{code, zh, en}` as JSON), and the row as it was where it could not be taken apart.
PROBLEM: Final = "~problem"
LINE: Final = "~line"
_INT64: Final = 1 << 63


def batch_of(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    """A batch of database values."""
    arrays: list[pa.Array] = []
    titles: list[str] = []
    for name, values in zip(
        names, zip(*rows, strict=True) if rows else [()] * len(names), strict=True
    ):
        text, raw = _column(values)
        arrays.append(text)
        titles.append(name)
        if raw is not None:
            arrays.append(raw)
            titles.append(name + BYTES)
    return pa.RecordBatch.from_arrays(arrays, names=titles)


def names_of(batch: pa.RecordBatch) -> tuple[str, ...]:
    """The columns of a batch's rows."""
    names = batch.schema.names
    return tuple(n for n in names if not (n.endswith(BYTES) and n.removesuffix(BYTES) in names))


def rows_of(batch: pa.RecordBatch) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """A batch as column names and rows of str, int, Decimal, datetime, bytes or None."""
    columns: dict[str, list[Any]] = {}
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        values = array.to_pylist()
        if name.endswith(BYTES) and (plain := name.removesuffix(BYTES)) in columns:
            text = columns[plain]
            columns[plain] = [t if b is None else b for t, b in zip(text, values, strict=True)]
        else:
            columns[name] = values
    return tuple(columns), list(zip(*columns.values(), strict=True))


def _column(values: Iterable[Any]) -> tuple[pa.Array, pa.Array | None]:
    cells = list(values)
    kinds = set(map(type, cells))
    kinds.discard(type(None))
    if kinds & {memoryview, bytearray}:
        cells = [bytes(v) if isinstance(v, memoryview | bytearray) else v for v in cells]
        kinds = kinds - {memoryview, bytearray} | {bytes}
    if bytes not in kinds:
        return _typed(cells, kinds), None
    raw = pa.array([v if isinstance(v, bytes) else None for v in cells], pa.binary())
    rest = [None if isinstance(v, bytes) else v for v in cells]
    return _typed(rest, kinds - {bytes}), raw


def _typed(cells: list[Any], kinds: set[type]) -> pa.Array:
    if kinds <= {str}:
        return pa.array(cells, pa.string())
    if kinds <= {int, bool} and all(v is None or -_INT64 <= v < _INT64 for v in cells):
        return pa.array([None if v is None else int(v) for v in cells], pa.int64())
    if kinds <= {int, bool, float, Decimal}:
        return _decimals(cells)
    if kinds == {datetime}:
        return _moments(cells)
    return pa.array([_as_text(v) for v in cells], pa.string())


def _decimals(cells: list[Any]) -> pa.Array:
    numbers = [_number(v) for v in cells]
    if all(n is None or n.is_finite() for n in numbers):
        try:
            return pa.array(numbers)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            pass  # more digits than Arrow's decimals hold: as text, for the mapping to judge
    return pa.array([None if n is None else plain(n) for n in numbers], pa.string())


def _number(value: Any) -> Decimal | None:
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, float):
        # By its shortest text, so that 0.1 stays 0.1.
        return Decimal(repr(value)) if math.isfinite(value) else Decimal(str(value))
    return Decimal(int(value))


def _moments(cells: list[datetime | None]) -> pa.Array:
    zones = {v.tzinfo is not None for v in cells if v is not None}
    if zones == {True}:
        return pa.array([v and v.astimezone(UTC) for v in cells], pa.timestamp("us", "UTC"))
    if zones == {False}:
        return pa.array(cells, pa.timestamp("us"))
    return pa.array([_as_text(v) for v in cells], pa.string())


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float | Decimal):
        return plain(_number(value) or Decimal(0))
    return str(value)

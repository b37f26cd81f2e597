"""A batch as columns: texts, keys and contents of all rows at once.

They are letter for letter what `values.text_of` and `stage` make of one row, because rows are
recognised by them whichever way they come. A column for which that is not certain is worked
through value by value, each distinct one once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from tenon.connect.batches import BYTES, LINE, PROBLEM
from tenon.connect.mapping import Mapper
from tenon.connect.stage import KEY_LENGTH
from tenon.connect.values import text_of
from tenon.kernel.text import tidy

# Letters that no cleaning changes: visible ASCII and the common Chinese ones (RE2).
TIDY: Final = r"^[!-~\x{4e00}-\x{9fff}]([ -~\x{4e00}-\x{9fff}]*[!-~\x{4e00}-\x{9fff}])?$"
_ESCAPED: Final = r'["\\\x00-\x1f]'
_SECONDS: Final = "%Y-%m-%d %H:%M:%S"
# Arrow looks for a package it may use each time it has to guess what a plain value is.
_NOTHING: Final = pa.scalar(None, pa.string())
_NULL: Final = pa.scalar("null", pa.string())
_TRUE: Final = pa.scalar(True, pa.bool_())
_ZERO: Final = pa.scalar(0, pa.int64())
_LONGEST: Final = pa.scalar(KEY_LENGTH, pa.int32())
_encode: Final = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Content:
    """What the rows of a batch hold, in the order of the batch."""

    batch: pa.RecordBatch
    keys: pa.Array  # text; null where a row has no key, or one too long to be used as it is
    raws: pa.Array  # text: the row as JSON
    odd: pa.Array  # boolean: for the way row by row


def content_of(batch: pa.RecordBatch, mapper: Mapper) -> Content | None:
    """The contents of a batch; None when a column has a type that has no text here."""
    plain = [n for n in batch.schema.names if not n.endswith(BYTES) and n not in (PROBLEM, LINE)]
    texts = {name: texts_of(batch.column(name)) for name in plain}
    if not plain or any(column is None for column in texts.values()):
        return None
    keys = _keys([texts[mapper.names[at]] for at in mapper.key_at])
    odd = keys.is_null()
    for name in batch.schema.names:
        if name not in plain:  # bytes that are no text, or what the connector found wrong
            odd = pc.or_(odd, batch.column(name).is_valid())
    return Content(batch, keys, _raws(texts), odd)


def texts_of(column: pa.Array) -> pa.Array | None:
    """A column's values as `text_of` shows them."""
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_int64(kind):
        return column.cast(pa.string())
    if pa.types.is_decimal(kind):
        return _decimal_texts(column)
    if pa.types.is_timestamp(kind) and kind.unit == "us" and kind.tz in (None, "UTC"):
        return _moment_texts(column)
    return None


def joined(*parts: pa.Array | str, between: str = "") -> pa.Array:
    """Texts put together, row by row; nothing where one of them is missing."""
    typed = [pa.scalar(p, pa.string()) if isinstance(p, str) else p for p in (*parts, between)]
    return pc.binary_join_element_wise(*typed)


def is_tidy(texts: pa.Array, pattern: str = TIDY) -> bool:
    """Whether no value would be changed by cleaning it."""
    return bool(pc.all(pc.fill_null(pc.match_substring_regex(texts, pattern), _TRUE)).as_py())


def each(change: Callable[[str], str | None], texts: pa.Array) -> pa.Array:
    """Every distinct text changed once."""
    found: dict[str, str | None] = {}
    made = []
    for text in texts.to_pylist():
        if text is not None and text not in found:
            found[text] = change(text)
        made.append(None if text is None else found[text])
    return pa.array(made, pa.string())


def _decimal_texts(column: pa.Array) -> pa.Array:
    texts = column.cast(pa.string())
    if pc.any(pc.match_substring(texts, "E")).as_py():  # tiny numbers
        return pa.array([text_of(value) for value in column.to_pylist()], pa.string())
    if column.type.scale <= 0:
        return texts
    return pc.utf8_rtrim(pc.utf8_rtrim(texts, characters="0"), characters=".")


def _moment_texts(column: pa.Array) -> pa.Array:
    whole = pc.strftime(column.cast(pa.timestamp("s"), safe=False), format=_SECONDS)
    texts = whole
    micro = pc.microsecond(column), pc.millisecond(column)
    if pc.any(pc.or_(pc.greater(micro[0], _ZERO), pc.greater(micro[1], _ZERO))).as_py():
        parts = pc.and_(pc.equal(micro[0], _ZERO), pc.equal(micro[1], _ZERO))
        texts = pc.if_else(parts, whole, pc.strftime(column, format=_SECONDS))
    return texts if column.type.tz is None else joined(texts, "+00:00")


def _keys(parts: Sequence[pa.Array]) -> pa.Array:
    tidied = [part if is_tidy(part) else each(_tidy_or_none, part) for part in parts]
    keys = tidied[0] if len(tidied) == 1 else joined(*tidied, between="|")
    return pc.if_else(pc.greater(pc.utf8_length(keys), _LONGEST), _NOTHING, keys)


def _tidy_or_none(text: str) -> str | None:
    return tidy(text) or None


def _raws(texts: dict[str, pa.Array]) -> pa.Array:
    parts: list[Any] = []
    for name, column in texts.items():
        before = "{" if not parts else ","
        parts.append(f"{before}{_encode(name)}:")
        parts.append(_quoted(column))
    return joined(*parts, "}")


def _quoted(texts: pa.Array) -> pa.Array:
    if pc.any(pc.match_substring_regex(texts, _ESCAPED)).as_py():
        quoted = each(_encode, texts)
    else:
        quoted = joined('"', texts, '"')
    return pc.fill_null(quoted, _NULL)

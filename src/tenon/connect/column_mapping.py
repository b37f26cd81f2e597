"""A sync's rules over whole columns: what `Mapper` makes of one row, for many at once.

Numbers, times and clean texts are changed as columns; anything else goes value by value through
the rule of the row, each distinct value once. Rows that a rule refuses are only named here: the
way row by row says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from tenon.connect.columns import TIDY, is_tidy, joined, texts_of
from tenon.connect.mapping import Mapper, PlainRule
from tenon.define.models import FieldDef, MapRule
from tenon.kernel.errors import SetAside
from tenon.records.columns import UTC_TIME, arrow_type, broken

# What no cleaning of that kind changes (RE2): as in `kernel.text`.
_CLEAN: Final[Mapping[str, str]] = {
    "text": TIDY,
    "document_no": r"^[!-`{-~\x{4e00}-\x{9fff}]+$",
    "code": r"^[0-9A-Z\x{4e00}-\x{9fff}]+$",
    "name": r"^[0-9A-Z\x{4e00}-\x{9fff}]+$",
}
_MOMENT: Final = r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?$"
_EMPTY: Final = pa.scalar("", pa.string())
_NOTHING: Final = pa.scalar(None, pa.string())
_WIDE: Final = 38
_ARROW: Final = (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError)


@dataclass(frozen=True, slots=True)
class Mapped:
    """Fields of the rows of a batch, and which rows a rule refuses."""

    columns: dict[str, pa.Array]
    odd: pa.Array | None


def maps_columns(mapper: Mapper) -> bool:
    """Whether every field has a column type here."""
    return all(arrow_type(rule.field) is not None for rule in mapper.plain)


def map_columns(mapper: Mapper, batch: pa.RecordBatch) -> Mapped:
    """The fields that need no look-up."""
    columns: dict[str, pa.Array] = {}
    masks: list[pa.Array] = []
    for rule in mapper.plain:
        column = _fast(mapper, rule, batch)
        if column is None:
            column, refused = _each(mapper, rule, batch)
            masks += [] if refused is None else [refused]
        mask = broken(rule.field, column)
        masks += [] if mask is None else [mask]
        columns[rule.field.code] = column
    return Mapped(columns, either(masks))


def looked_up(mapper: Mapper, batch: pa.RecordBatch) -> dict[str, pa.Array]:
    """The cleaned texts by which each looked-up field is found; Stop names a missing column."""
    found = {}
    for one in mapper.lookups:
        rule = PlainRule(one.field, one.rule, _lenient(one.read))
        parts = [_cleaned(mapper, name, one.rule, batch) for name in rule.columns]
        if not parts or any(part is None for part in parts):
            column, _ = _each(mapper, rule, batch)
        else:
            column = parts[0] if len(parts) == 1 else joined(*parts, between="|")
            if one.rule.default is not None:
                column = pc.fill_null(column, pa.scalar(str(one.rule.default), pa.string()))
        found[one.field.code] = column
    return found


def either(masks: Iterable[pa.Array]) -> pa.Array | None:
    """Rows of any of these masks."""
    every = list(masks)
    return reduce(pc.or_, every) if every else None


def _lenient(read: Any) -> Any:
    def lenient(row: Any) -> Any:
        try:
            return read(row)
        except SetAside:
            return None

    return lenient


def _fast(mapper: Mapper, rule: PlainRule, batch: pa.RecordBatch) -> pa.Array | None:
    """The field's column where that is certain; None otherwise."""
    said = rule.rule
    if not isinstance(said.from_, str) or said.choices or said.times:
        return None
    at = mapper.at(said.from_)
    if at is None:
        return None
    column = batch.column(mapper.names[at])
    try:
        made = _converted(mapper, rule.field, said, column, batch)
    except _ARROW:
        return None
    # A default stands for no value, in the form in which the rule of the row takes it.
    return None if made is None or (said.default is not None and made.null_count) else made


def _converted(
    mapper: Mapper, field: FieldDef, rule: MapRule, column: pa.Array, batch: pa.RecordBatch
) -> pa.Array | None:
    kind = column.type
    match field.type:
        case "text":
            return _cleaned(mapper, str(rule.from_), rule, batch)
        case "decimal" if pa.types.is_decimal(kind) or pa.types.is_int64(kind):
            return _exact(column, field.scale).cast(arrow_type(field))
        case "integer" if pa.types.is_int64(kind):
            return column
        case "integer" if pa.types.is_decimal(kind):
            return column.cast(pa.decimal128(_WIDE, 0)).cast(pa.int64())
        case "datetime":
            return _moments(mapper, column)
        case _:
            return None


def _exact(column: pa.Array, scale: int) -> pa.Array:
    """A number with this many places, wide enough; ArrowInvalid when it has more."""
    if pa.types.is_int64(column.type):
        column = column.cast(pa.decimal128(_WIDE, 0))
    return column.cast(pa.decimal128(_WIDE, scale))


def _moments(mapper: Mapper, column: pa.Array) -> pa.Array | None:
    if pa.types.is_string(column.type) and is_tidy(column, _MOMENT):
        column = column.cast(pa.timestamp("us"))
    if not pa.types.is_timestamp(column.type):
        return None
    if column.type.tz is None:
        column = pc.assume_timezone(
            column, mapper.zone.key, ambiguous="earliest", nonexistent="raise"
        )
    return column.cast(UTC_TIME)


def _cleaned(mapper: Mapper, name: str, rule: MapRule, batch: pa.RecordBatch) -> pa.Array | None:
    """A column's cleaned texts, where cleaning changes nothing."""
    at = mapper.at(name)
    texts = None if at is None else texts_of(batch.column(mapper.names[at]))
    if texts is None:
        return None
    texts = pc.if_else(pc.equal(texts, _EMPTY), _NOTHING, texts)
    return texts if is_tidy(texts, _CLEAN[rule.clean]) else None


def _each(
    mapper: Mapper, rule: PlainRule, batch: pa.RecordBatch
) -> tuple[pa.Array, pa.Array | None]:
    """Every distinct value through the rule of the row; and the rows it refuses."""
    names = [mapper.names[at] for n in rule.columns if (at := mapper.at(n)) is not None]
    places = [mapper.names.index(name) for name in names]
    distinct, which = _distinct(batch, names)
    row: Any = [None] * len(mapper.names)  # a rule reads it by position only
    made: list[Any] = []
    refused: list[bool] = []
    for value in distinct:
        for at, one in zip(places, value, strict=True):
            row[at] = one
        try:
            made.append(_utc(rule.read(row)))
            refused.append(False)
        except SetAside:
            made.append(None)
            refused.append(True)
    column = pa.array(made, arrow_type(rule.field) or pa.string()).take(which)
    return column, pa.array(refused).take(which) if any(refused) else None


def _distinct(batch: pa.RecordBatch, names: list[str]) -> tuple[list[tuple[Any, ...]], pa.Array]:
    """The distinct values of some columns, and which of them each row has."""
    if len(names) == 1:
        coded = batch.column(names[0]).dictionary_encode(null_encoding="encode")
        return [(value,) for value in coded.dictionary.to_pylist()], coded.indices
    rows: Any = [()] * batch.num_rows
    if names:
        rows = zip(*(batch.column(name).to_pylist() for name in names), strict=True)
    found: dict[tuple[Any, ...], int] = {}
    which = [found.setdefault(row, len(found)) for row in rows]
    return list(found), pa.array(which, pa.int32())


def _utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value

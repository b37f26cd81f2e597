"""New records given as columns: the rules of a field for all rows at once, and their storing.

What `check` says of one value this says of a column; a field has one Arrow type here as it has
one column in the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from tenon.define.models import Entity, FieldDef
from tenon.kernel import clock
from tenon.kernel.errors import SetAside
from tenon.kernel.ids import uuid7s
from tenon.kernel.text import Text
from tenon.store.bulk import Insert, insert_of

_NO: Final = pa.scalar(False, pa.bool_())
UTC_TIME: Final = pa.timestamp("us", "UTC")
_BROKEN = Text(
    "有 {count} 行的“{field}”不符合规则。", "“{field_en}” breaks its rules in {count} rows."
)
_TYPES: Final[Mapping[str, pa.DataType]] = {
    "text": pa.string(), "choice": pa.string(), "ref": pa.string(), "integer": pa.int64(),
    "boolean": pa.bool_(), "datetime": UTC_TIME, "date": pa.date32(),
}  # fmt: skip


def arrow_type(field: FieldDef) -> pa.DataType | None:
    """The type of a field's column; None when it is no plain value (json)."""
    if field.type == "decimal":
        return pa.decimal128(field.precision, field.scale)
    return _TYPES.get(field.type)


def broken(field: FieldDef, column: pa.Array) -> pa.Array | None:
    """Which rows `check_value` would refuse, of a column in the field's type; None when none."""
    found: list[pa.Array] = []
    if field.required:
        found.append(column.is_null())
    if field.type in {"text", "ref"}:
        found.append(pc.greater(pc.utf8_length(column), pa.scalar(field.length, pa.int32())))
        found.append(pc.equal(column, pa.scalar("", pa.string())))
    if field.type == "choice":
        codes = pa.array([c.code for c in field.choices], pa.string())
        found.append(pc.and_(column.is_valid(), pc.invert(pc.is_in(column, codes))))
    if field.minimum is not None:
        found.append(pc.less(column, pa.scalar(field.minimum, pa.decimal128(38, 9))))
    if field.type == "integer":
        found.append(pc.greater_equal(pc.abs(column), pa.scalar(10**18, pa.int64())))
    masks = [mask for one in found if pc.any(mask := pc.fill_null(one, _NO)).as_py()]
    if not masks:
        return None
    either = masks[0]
    for mask in masks[1:]:
        either = pc.or_(either, mask)
    return either


def new_records(
    dialect: Dialect, entity: Entity, table: sa.Table, columns: Mapping[str, pa.Array],
    keys: tuple[str, pa.Array], by: str,
) -> tuple[list[str], Insert]:  # fmt: skip
    """Records that are not there yet: their ids, and what inserts them.

    `keys` are their source and their keys in it. SetAside when a rule is broken.
    """
    for code, column in columns.items():
        _refuse_broken(entity.by_code[code], column)
    source, source_keys = keys
    ids, at = uuid7s(len(source_keys)), clock.now()
    given: dict[str, Any] = {
        "id": pa.array(ids, pa.string()), "version": 1, "created_at": at, "created_by": by,
        "updated_at": at, "updated_by": by, "source": source, "source_key": source_keys,
    }  # fmt: skip
    return ids, insert_of(dialect, table, given | dict(columns), len(ids))


def _refuse_broken(field: FieldDef, column: pa.Array) -> None:
    mask = broken(field, column) if column.type == arrow_type(field) else column.is_valid()
    count = pc.sum(mask).as_py() if mask is not None else 0
    if count:
        raise SetAside(
            "broken_rule", _BROKEN, count=count, field=field.label.zh, field_en=field.label.en
        )

"""The tables of a catalogue: what must be made or added, and doing it.

Additive changes only in this format: a new entity makes a table, a new field a column, a new
index an index. A change of a field's type is refused; a field that disappears keeps its column.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.schema import CreateColumn, CreateIndex

from tenon.define.catalogue import Catalogue
from tenon.define.models import Entity
from tenon.kernel.errors import Config
from tenon.kernel.text import Text
from tenon.records.tables import entity_tables, table_name

_TYPE_CHANGED = Text(
    "字段 {entity}.{field} 的类型不能从 {before} 改为 {after}；请新增字段并迁移数据。",
    "The type of {entity}.{field} cannot change from {before} to {after}; add a new field "
    "and move the data.",
)


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One change of the hub's tables."""

    entity: str
    change: str  # table, column, index
    name: str


def plan_schema(tx: Connection, before: Catalogue, after: Catalogue) -> tuple[SchemaChange, ...]:
    """What publishing `after` would change; Config when a type would change."""
    _refuse_type_changes(before, after)
    inspector = sa.inspect(tx)
    there = set(inspector.get_table_names())
    changes: list[SchemaChange] = []
    for code, table in entity_tables(after).items():
        if table.name not in there:
            changes.append(SchemaChange(code, "table", table.name))
            continue
        columns = {c["name"] for c in inspector.get_columns(table.name)}
        indexes = {i["name"] for i in inspector.get_indexes(table.name)}
        changes += [SchemaChange(code, "column", c.name) for c in table.c if c.name not in columns]
        changes += [
            SchemaChange(code, "index", str(i.name)) for i in table.indexes if i.name not in indexes
        ]
    return tuple(changes)


def apply_schema(tx: Connection, after: Catalogue, changes: tuple[SchemaChange, ...]) -> None:
    """Carry out a plan inside the publishing transaction."""
    tables = entity_tables(after)
    new = [tables[c.entity] for c in changes if c.change == "table"]
    if new:
        new[0].metadata.create_all(tx, tables=new)
    for change in changes:
        table = tables[change.entity]
        if change.change == "column":
            clause = CreateColumn(table.c[change.name]).compile(dialect=tx.dialect)
            tx.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {clause}")
        elif change.change == "index":
            tx.execute(CreateIndex(next(i for i in table.indexes if i.name == change.name)))


def _refuse_type_changes(before: Catalogue, after: Catalogue) -> None:
    old = {e.code: e for e in before.of(Entity)}
    for entity in after.of(Entity):
        if entity.code not in old:
            continue
        known = old[entity.code].by_code
        for field in entity.fields:
            was = known.get(field.code)
            if was and (was.type, was.scale) != (field.type, field.scale):
                raise Config(
                    "type_changed", _TYPE_CHANGED, entity=table_name(entity.code)[2:],
                    field=field.code, before=f"{was.type}/{was.scale}",
                    after=f"{field.type}/{field.scale}",
                )  # fmt: skip

"""The real table of each entity, and the event table."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa

from tenon.define.catalogue import Catalogue
from tenon.define.models import Entity, FieldDef
from tenon.store import Id, Json, ScaledDecimal, UtcTime, metadata
from tenon.store.tables import NAMING

SYSTEM_FIELDS = (
    "id",
    "version",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "source",
    "source_key",
    "archived_at",
)

# One row for each change of one record, or for each batch of an initial load.
event = sa.Table(
    "event",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("entity", sa.String(48), nullable=False),
    sa.Column("record_id", Id, nullable=True),
    sa.Column("kind", sa.String(10), nullable=False),  # created, updated, loaded
    sa.Column("version", sa.Integer, nullable=True),
    sa.Column("changes", Json, nullable=True),  # {field: [before, after]}
    sa.Column("count", sa.Integer, nullable=False, server_default="1"),
    sa.Column("origin", sa.String(20), nullable=False),
    sa.Column("cause", sa.String(100), nullable=True),
    sa.Column("actor", sa.String(100), nullable=False),
    sa.Index("ix_event_record", "entity", "record_id"),
)


def column_type(field: FieldDef) -> Any:
    """The SQL type of a field."""
    match field.type:
        case "text":
            return sa.String(field.length)
        case "choice":
            return sa.String(48)
        case "integer":
            return sa.BigInteger()
        case "decimal":
            return ScaledDecimal(field.precision, field.scale)
        case "datetime":
            return UtcTime()
        case "date":
            return sa.Date()
        case "boolean":
            return sa.Boolean()
        case "ref":
            return Id()
        case "json":
            return Json()


def table_name(entity: str) -> str:
    """The table of an entity."""
    return f"e_{entity}"


@cache
def entity_tables(catalogue: Catalogue) -> dict[str, sa.Table]:
    """The tables of all entities, by entity code."""
    tables = sa.MetaData(naming_convention=NAMING)
    return {e.code: _table(e, tables) for e in catalogue.of(Entity)}


def _table(entity: Entity, tables: sa.MetaData) -> sa.Table:
    name = table_name(entity.code)
    return sa.Table(
        name,
        tables,
        sa.Column("id", Id, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("updated_at", UtcTime, nullable=False),
        sa.Column("updated_by", sa.String(100), nullable=False),
        sa.Column("source", sa.String(48), nullable=True),
        sa.Column("source_key", sa.String(200), nullable=True),
        sa.Column("archived_at", UtcTime, nullable=True),
        *(_column(f) for f in entity.fields),
        sa.UniqueConstraint("source", "source_key", name=f"uq_{name}_source"),
        *(sa.Index(f"ix_{name}_{'_'.join(columns)}", *columns) for columns in entity.indexes),
    )


def _column(field: FieldDef) -> sa.Column[Any]:
    # `required` is a rule of the write path, not of the table: a column added later has no values.
    keys = (sa.ForeignKey(f"{table_name(field.target)}.id"),) if field.target else ()
    return sa.Column(
        field.code,
        column_type(field),
        *keys,
        nullable=True,
        unique=field.unique or None,
        index=(field.index or field.type == "ref") and not field.unique,
    )

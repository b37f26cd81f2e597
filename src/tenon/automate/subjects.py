"""What a run is about, in words that people use: a number, never an id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from tenon.define.models import Entity
from tenon.records.query import Reader

LONGEST: Final = 200


def names(reader: Reader, entity: Entity, table: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    """What may name a record: its title, its key in its source, the title of what it belongs to."""
    found: list[sa.ColumnElement[Any]] = [table.c[entity.title]] if entity.title else []
    found.append(table.c.source_key)
    if owner := _owner(reader, entity):
        field, target, title = owner
        there = reader.table(target).alias("owner")
        of_owner = sa.select(there.c[title]).where(there.c.id == table.c[field])
        found.append(of_owner.scalar_subquery())
    return found


def subject(values: Sequence[Any]) -> str:
    """The first of these names that there is; empty when there is none."""
    return next((str(one) for one in values if one not in (None, "")), "")[:LONGEST]


def _owner(reader: Reader, entity: Entity) -> tuple[str, str, str] | None:
    """The first reference that must be filled to an entity with a title: field, target, title."""
    for one in entity.fields:
        if one.type == "ref" and one.required and one.target:
            title = reader.catalogue.entity(one.target).title
            if title:
                return one.code, one.target, title
    return None

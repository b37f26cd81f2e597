"""The nearest routing for an item that has none: by its name, and how its drawing number begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import sqlalchemy as sa
from rapidfuzz import fuzz
from rapidfuzz.distance import Prefix
from sqlalchemy.engine import Connection, RowMapping

from tenon.factory.routing import live_routings, rounded
from tenon.kernel.text import normal_code, normal_name
from tenon.records.query import Reader

LEAST: Final = Decimal(30)  # below this likeness nothing is proposed
_NAME, _DRAWING = 0.6, 0.4
_AT_MOST: Final = 20_000  # items looked at, the newest first


@dataclass(frozen=True, slots=True)
class Made:
    """An item that has a routing, in the form it is compared in."""

    row: RowMapping
    name: str
    drawing: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """An item whose routing may serve, and how like it is, in percent."""

    item: RowMapping
    version: int
    score: Decimal


def items_made(connection: Connection, reader: Reader) -> list[Made]:
    """The items that have a routing, with the newest version of it."""
    item = reader.table("item")
    routing = live_routings(reader).subquery()
    versions = (
        sa.select(routing.c.item, sa.func.max(routing.c.routing_version).label("version"))
        .group_by(routing.c.item)
        .subquery()
    )
    query = (
        sa.select(item.c.id, item.c.code, item.c.name, item.c.drawing_no, versions.c.version)
        .join_from(item, versions, versions.c.item == item.c.id)
        .where(item.c.archived_at.is_(None))
        .order_by(item.c.id.desc())
        .limit(_AT_MOST)
    )
    return [
        Made(row, normal_name(row["name"] or ""), normal_code(row["drawing_no"] or ""))
        for row in connection.execute(query).mappings()
    ]


def nearest(
    name: str | None, drawing_no: str | None, made: Sequence[Made], count: int = 1
) -> list[Proposal]:
    """The items most like this one, best first; those that are hardly alike are left out."""
    own_name, own_drawing = normal_name(name or ""), normal_code(drawing_no or "")
    scored = [(_likeness(own_name, own_drawing, one), at) for at, one in enumerate(made)]
    best = sorted(scored, key=lambda pair: (-pair[0], pair[1]))[:count]
    found = [(made[at].row, rounded(Decimal(str(score)), 1)) for score, at in best]
    return [Proposal(row, row["version"], score) for row, score in found if score >= LEAST]


def _likeness(name: str, drawing: str, other: Made) -> float:
    """0 to 100; without a drawing number the name alone decides."""
    names = fuzz.ratio(name, other.name)
    if not drawing or not other.drawing:
        return names
    begins = Prefix.normalized_similarity(drawing, other.drawing)
    return _NAME * names + _DRAWING * 100 * begins

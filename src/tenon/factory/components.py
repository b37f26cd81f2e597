"""What a work order needs of which components, from the bill of materials as it is now."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from tenon.connect.tables import source_row
from tenon.factory.routing import rounded
from tenon.records.query import Reader


@dataclass(frozen=True, slots=True)
class Bom:
    """The newest version of an item's bill of materials."""

    version: int | None
    lines: tuple[RowMapping, ...]

    def required(self, qty: Decimal) -> list[dict[str, Any]]:
        """Each component with the quantity for so many pieces, scrap allowed for."""
        return [{"item": line["component"], "required_qty": _needed(line, qty)}
                for line in self.lines]  # fmt: skip


def load_boms(connection: Connection, reader: Reader, items: Collection[str]) -> dict[str, Bom]:
    """The newest bill of materials of each of these items that has one."""
    if not items:
        return {}
    table, row = reader.table("bom_line"), source_row.c
    gone = sa.exists().where(
        row.entity == "bom_line", row.record_id == table.c.id, row.state == "gone"
    )
    query = sa.select(table).where(table.c.item.in_(items), table.c.archived_at.is_(None), ~gone)
    found: dict[str, dict[int, list[RowMapping]]] = {}
    for line in connection.execute(query.order_by(table.c.source_key)).mappings():
        found.setdefault(line["item"], {}).setdefault(_number(line["bom_version"]), []).append(line)
    return {item: _newest(versions) for item, versions in found.items()}


def _newest(versions: dict[int, list[RowMapping]]) -> Bom:
    number = max(versions)
    return Bom(number or None, tuple(versions[number]))


def _number(version: str | None) -> int:
    """A version as people write it (`V2`, `2.0`) as a number; 0 when it has none."""
    found = re.search(r"\d+", version or "")
    return int(found[0][:9]) if found else 0


def _needed(line: RowMapping, qty: Decimal) -> Decimal:
    per = line["qty_per"] / (line["base_qty"] or Decimal(1))
    return rounded(qty * per * (100 + (line["scrap_percent"] or Decimal(0))) / 100, 4)

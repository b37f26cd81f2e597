"""A write of a few rows: compared here, without the staging table that a large set needs.

What it does is what `stage` does, in a third of the statements: a report, a form, a flow's step
writes a handful of rows and must not wait for tables to be filled and joined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from tenon.define.models import FieldDef
from tenon.store.types import to_json

# From here on a staging table is faster.
FEW: Final = 50


@dataclass(slots=True)
class FewRow:
    """A checked row, and what it was found to be."""

    id: str  # of its record: the one found, or a new one
    staged: Mapping[str, Any]
    before: RowMapping | None = None
    changes: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """Created, updated or unchanged."""
        if self.before is None:
            return "created"
        return "updated" if self.changes else "unchanged"

    @property
    def version(self) -> int:
        """The version it has after the write."""
        return 1 if self.before is None else self.before["version"] + 1


class Few:
    """The statements of a small write to one entity's table; kept, so that they are compiled once.

    `staged` rows are those that `Stage.fill` takes.
    """

    def __init__(self, target: sa.Table, fields: tuple[FieldDef, ...]) -> None:
        t, self._target, self._fields = target.c, target, fields
        own = [t[f.code] for f in fields]
        found = sa.select(t.id, t.version, t.source, t.source_key, *own).order_by(t.id)
        found = found.with_for_update()
        self._by_id = found.where(t.id.in_(sa.bindparam("ids", expanding=True)))
        self._by_source = found.where(
            t.source == sa.bindparam("of_source"),
            t.source_key.in_(sa.bindparam("keys", expanding=True)),
        )
        values: dict[str, Any] = {f.code: sa.bindparam(f"new_{f.code}") for f in fields}
        self._update = (
            target.update()
            .where(t.id == sa.bindparam("of_id"))
            .values(
                **values, version=sa.bindparam("new_version"),
                updated_at=sa.bindparam("new_at"), updated_by=sa.bindparam("new_by"),
            )
        )  # fmt: skip
        self._insert = target.insert()

    def find(self, tx: Connection, staged: Sequence[Mapping[str, Any]]) -> list[FewRow]:
        """Lock the rows that exist, and say of each what differs."""
        ids = [r["stage_target"] for r in staged if r["stage_by_id"]]
        there = {}
        if ids:
            rows = tx.execute(self._by_id, {"ids": ids}).mappings()
            there = {row["id"]: row for row in rows}
        there_by_key = self._there_by_key(tx, staged)
        found = []
        for row in staged:
            if row["stage_by_id"]:
                before = there.get(row["stage_target"])
            else:
                before = there_by_key.get((row["stage_source"], row["stage_key"]))
            one = FewRow(before["id"] if before else row["stage_id"], row, before)
            if before is not None:
                one.changes = self._changes(before, row)
            found.append(one)
        return found

    def apply(self, tx: Connection, rows: Sequence[FewRow], at: datetime, by: str) -> None:
        """Change what differs and insert what is new."""
        if updated := [self._changed(r, at, by) for r in rows if r.outcome == "updated"]:
            tx.execute(self._update, updated)
        if created := [self._new(r, at, by) for r in rows if r.outcome == "created"]:
            tx.execute(self._insert, created)

    def _there_by_key(
        self, tx: Connection, staged: Sequence[Mapping[str, Any]]
    ) -> dict[tuple[str, str], RowMapping]:
        keys: dict[str, list[str]] = {}
        for row in staged:
            if not row["stage_by_id"] and row["stage_key"] is not None:
                keys.setdefault(row["stage_source"], []).append(row["stage_key"])
        return {
            (source, row["source_key"]): row
            for source, own in keys.items()
            for row in tx.execute(self._by_source, {"of_source": source, "keys": own}).mappings()
        }

    def _changes(self, before: RowMapping, after: Mapping[str, Any]) -> dict[str, list[Any]]:
        return {
            f.code: [before[f.code], after[f.code]]
            for f in self._fields
            if not _same(f, before[f.code], after[f.code])
        }

    def _changed(self, row: FewRow, at: datetime, by: str) -> dict[str, Any]:
        values = {f"new_{f.code}": row.staged[f.code] for f in self._fields}
        more = {"of_id": row.id, "new_version": row.version, "new_at": at, "new_by": by}
        return values | more

    def _new(self, row: FewRow, at: datetime, by: str) -> dict[str, Any]:
        values = {f.code: row.staged[f.code] for f in self._fields}
        return values | {
            "id": row.id, "version": 1, "created_at": at, "created_by": by,
            "updated_at": at, "updated_by": by,
            "source": row.staged["stage_source"], "source_key": row.staged["stage_key"],
        }  # fmt: skip


def is_few(staged: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the rows are few, each of another record."""
    if len(staged) > FEW:
        return False
    keys = [
        r["stage_target"] or (r["stage_source"], r["stage_key"])
        for r in staged
        if r["stage_by_id"] or r["stage_key"] is not None
    ]
    return len(set(keys)) == len(keys)


def _same(field_: FieldDef, before: Any, after: Any) -> bool:
    if field_.type == "json":
        return (before is None) == (after is None) and to_json(before) == to_json(after)
    return bool(before == after)

"""The staging table of a write: rows are put there, compared in SQL, and applied as sets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.define.models import Entity, FieldDef
from tenon.records.tables import column_type
from tenon.store import Id


class Stage:
    """A temporary table beside an entity's table, holding the rows of one write."""

    def __init__(
        self, entity: Entity, target: sa.Table, fields: tuple[FieldDef, ...], epoch: int
    ) -> None:
        self.target = target
        self._fields = fields
        # The name carries the epoch: a connection may outlive a change of the entity.
        self.table = sa.Table(
            f"stage_{entity.code}_{epoch}",
            sa.MetaData(),
            sa.Column("stage_row", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("stage_id", Id, nullable=False),
            sa.Column("stage_target", Id),
            sa.Column("stage_by_id", sa.Boolean, nullable=False),
            sa.Column("stage_version", sa.Integer),
            sa.Column("stage_source", sa.String(48)),
            sa.Column("stage_key", sa.String(200)),
            sa.Column("stage_differs", sa.Boolean),
            *(sa.Column(f.code, column_type(f)) for f in entity.fields),
            prefixes=["TEMPORARY"],
            # Truncated at commit: nobody vacuums a temporary table, and dead rows slow each scan.
            postgresql_on_commit="DELETE ROWS",
        )

    def fill(self, tx: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Put the rows in and find which of them exist already."""
        if not self._there(tx):
            self.table.create(tx, checkfirst=False)
        tx.execute(self.table.delete())
        tx.execute(self.table.insert(), [{**r, "stage_row": n} for n, r in enumerate(rows)])
        if tx.dialect.name != "sqlite":
            # Without statistics the planner takes the stage for large and scans the entity.
            tx.exec_driver_sql(f"ANALYZE {self.table.name}")
        s, t = self.table.c, self.target.c
        by_source = (
            sa.select(t.id).where(t.source == s.stage_source, t.source_key == s.stage_key)
        ).scalar_subquery()
        tx.execute(
            self.table.update()
            .where(~s.stage_by_id, s.stage_key.is_not(None))
            .values(stage_target=by_source)
        )

    def _there(self, tx: Connection) -> bool:
        if tx.dialect.name == "sqlite":
            found = "SELECT 1 FROM sqlite_temp_master WHERE type = 'table' AND name = ?"
        else:
            found = "SELECT 1 FROM pg_class WHERE oid = to_regclass('pg_temp.' || %s)"
        return tx.exec_driver_sql(found, (self.table.name,)).first() is not None

    def lock(self, tx: Connection) -> None:
        """Lock the rows that exist (SQLite's transaction is the lock) and mark who differs."""
        s, t = self.table.c, self.target.c
        if tx.dialect.name != "sqlite":
            tx.execute(
                sa.select(t.id)
                .join_from(self.table, self.target, t.id == s.stage_target)
                .order_by(t.id)
                .with_for_update(of=self.target)
            )
        differs = sa.or_(sa.false(), *(t[f.code].is_distinct_from(s[f.code]) for f in self._fields))
        tx.execute(self.table.update().where(s.stage_target == t.id).values(stage_differs=differs))

    def missing(self, tx: Connection) -> str | None:
        """An id that was given but does not exist."""
        s, t = self.table.c, self.target.c
        absent = ~sa.exists().where(t.id == s.stage_target)
        return tx.scalar(sa.select(s.stage_target).where(s.stage_by_id, absent).limit(1))

    def stale(self, tx: Connection) -> tuple[int, int] | None:
        """The version found and the version given, where they differ."""
        s, t = self.table.c, self.target.c
        row = tx.execute(
            sa.select(t.version, s.stage_version)
            .join_from(self.table, self.target, t.id == s.stage_target)
            .where(s.stage_version.is_not(None), t.version != s.stage_version)
            .limit(1)
        ).first()
        return (row[0], row[1]) if row else None

    def new_rows(self, *columns: Any) -> sa.Select[Any]:
        """Select from the staged rows that do not exist yet."""
        return (
            sa.select(*columns).select_from(self.table).where(self.table.c.stage_target.is_(None))
        )

    def changed_rows(self, *columns: Any) -> sa.Select[Any]:
        """Select from the staged rows that exist and differ, joined to what they change."""
        s = self.table.c
        return (
            sa.select(*columns)
            .join_from(self.table, self.target, self.target.c.id == s.stage_target)
            .where(s.stage_differs)
        )

    def changes(self, dialect: str) -> sa.ColumnElement[Any]:
        """JSON text `{field: [before, after]}` of what differs, made in SQL."""
        parts = [self._change(f) for f in self._fields]
        if not parts:
            return sa.literal("{}")
        if dialect == "sqlite":
            merged: sa.ColumnElement[Any] = parts[0]
            for part in parts[1:]:
                merged = sa.func.json_patch(merged, part)
            return merged
        return sa.cast(
            sa.func.jsonb_strip_nulls(sa.func.jsonb_build_object(*self._pg_pairs())), sa.Text
        )

    def _change(self, field: FieldDef) -> sa.ColumnElement[Any]:
        before, after = self.target.c[field.code], self.table.c[field.code]
        pair = sa.func.json_array(_shown(field, before), _shown(field, after))
        return sa.case(
            (before.is_distinct_from(after), sa.func.json_object(field.code, pair)),
            else_=sa.literal("{}"),
        )

    def _pg_pairs(self) -> list[Any]:
        # Unchanged fields become null and are stripped; arrays keep their nulls.
        pairs: list[Any] = []
        for f in self._fields:
            before, after = self.target.c[f.code], self.table.c[f.code]
            pair = sa.func.jsonb_build_array(
                sa.cast(before, sa.Text) if f.type == "decimal" else before,
                sa.cast(after, sa.Text) if f.type == "decimal" else after,
            )
            pairs += [sa.literal(f.code), sa.case((before.is_distinct_from(after), pair))]
        return pairs

    def apply(self, tx: Connection, at: datetime, by: str) -> None:
        """Change what differs and insert what is new."""
        s, t = self.table.c, self.target.c
        values = {f.code: s[f.code] for f in self._fields}
        tx.execute(
            self.target.update()
            .where(t.id == s.stage_target, s.stage_differs)
            .values(**values, version=t.version + 1, updated_at=at, updated_by=by)
        )
        moment = sa.literal(at, type_=t.created_at.type)
        columns = [
            "id", "version", "created_at", "created_by", "updated_at", "updated_by",
            "source", "source_key", *values,
        ]  # fmt: skip
        new = self.new_rows(
            s.stage_id, sa.literal(1), moment, sa.literal(by), moment, sa.literal(by),
            s.stage_source, s.stage_key, *values.values(),
        )  # fmt: skip
        tx.execute(self.target.insert().from_select(columns, new))

    def outcomes(self, tx: Connection) -> list[tuple[str, str]]:
        """For each row in order: its record's id and created, updated or unchanged."""
        s = self.table.c
        outcome = sa.case(
            (s.stage_target.is_(None), "created"), (s.stage_differs, "updated"), else_="unchanged"
        )
        found = tx.execute(
            sa.select(sa.func.coalesce(s.stage_target, s.stage_id, type_=Id()), outcome).order_by(
                s.stage_row
            )
        )
        return [(row[0], row[1]) for row in found]


def _shown(field: FieldDef, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    # On SQLite a decimal is a scaled integer; in history it must read as the decimal it was.
    if field.type != "decimal":
        return column
    return sa.func.decimal_text(column, field.scale)

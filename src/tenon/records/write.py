"""The one write path: every change of a record, single or bulk, goes through `Writer.write`.

check access → check types and rules → stage → lock what exists → write what differs → append
events → start what is triggered, all in the caller's transaction. One row and a hundred thousand
take the same path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.define.catalogue import Catalogue
from tenon.define.models import Entity, FieldDef
from tenon.kernel import clock
from tenon.kernel.errors import Conflict, NotFound
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text
from tenon.records.check import check_row
from tenon.records.ports import Actor, NoTriggers, Origin, Policy, Triggers, Written
from tenon.records.stage import Stage
from tenon.records.tables import entity_tables, event
from tenon.store import announce

_STALE = Text(
    "记录已被他人修改（现为第 {found} 版，您看到的是第 {given} 版）；请刷新后再改。",
    "Someone changed the record (now version {found}; you saw {given}). Reload, then change it.",
)
_GONE = Text("没有这条记录：{id}。", "There is no such record: {id}.")


@dataclass(frozen=True, slots=True)
class RowKey:
    """What a row is recognised by: our id, or its place in a source system."""

    id: str | None = None
    source: str | None = None
    source_key: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes records of a catalogue under a policy; what changes may start flows."""

    catalogue: Catalogue
    policy: Policy
    triggers: Triggers = NoTriggers()  # noqa: RUF009  it holds nothing

    def check(
        self, entity: str, row: Mapping[str, Any], *, partial: bool = False
    ) -> dict[str, Any]:
        """The row with typed values, or SetAside: for callers that judge row by row."""
        return check_row(self.catalogue.entity(entity), row, partial=partial)

    def write(
        self,
        tx: Connection,
        actor: Actor,
        entity: str,
        rows: Sequence[tuple[RowKey, Mapping[str, Any]]],
        *,
        origin: Origin = "live",
        cause: str | None = None,
    ) -> list[Written]:
        """Create or change records; every row gives the same fields. Answers in row order.

        A row with an id must exist (NotFound) at the version given (Conflict). A row with a
        source key is created when new. A value that breaks a rule raises SetAside and nothing
        is written.
        """
        if not rows:
            return []
        definition = self.catalogue.entity(entity)
        fields = tuple(f for f in definition.fields if f.code in rows[0][1])
        self.policy.check_write(actor, entity, frozenset(f.code for f in fields))
        stage = _stage(self.catalogue, entity, fields)
        stage.fill(tx, [_staged(definition, key, row) for key, row in rows])
        stage.lock(tx)
        self._guard(tx, stage)
        note = _Note(entity, origin, cause, actor)
        _record_events(tx, stage, note)
        stage.apply(tx, clock.now(), actor.id)
        written = [Written(id_, outcome) for id_, outcome in stage.outcomes(tx)]
        changed = [row for row in written if row.outcome != "unchanged"]
        if changed:
            announce(tx, f"record:{entity}")
            self.triggers.changed(tx, entity, changed, origin)
        return written

    def bind(self, tx: Connection, entity: str, places: Sequence[tuple[str, RowKey]]) -> None:
        """Give records that have no place in a source the one that is named.

        For records of ours that were written into another system and are read back from there.
        """
        table = entity_tables(self.catalogue)[entity]
        for id_, key in places:
            other = table.alias()
            taken = sa.exists().where(
                other.c.source == key.source, other.c.source_key == key.source_key
            )
            tx.execute(
                table.update()
                .where(table.c.id == id_, table.c.source_key.is_(None), ~taken)
                .values(source=key.source, source_key=key.source_key)
            )

    def _guard(self, tx: Connection, stage: Stage) -> None:
        missing = stage.missing(tx)
        if missing:
            raise NotFound("record_gone", _GONE, id=missing)
        stale = stage.stale(tx)
        if stale:
            raise Conflict("stale_version", _STALE, found=stale[0], given=stale[1])


@lru_cache(maxsize=512)
def _stage(catalogue: Catalogue, entity: str, fields: tuple[FieldDef, ...]) -> Stage:
    # Kept, because SQLAlchemy reuses compiled statements only for the same table objects.
    return Stage(
        catalogue.entity(entity), entity_tables(catalogue)[entity], fields, catalogue.epoch
    )


def _staged(entity: Entity, key: RowKey, row: Mapping[str, Any]) -> dict[str, Any]:
    return check_row(entity, row, partial=True) | {
        "stage_id": uuid7(),
        "stage_target": key.id,
        "stage_by_id": key.id is not None,
        "stage_version": key.version,
        "stage_source": key.source,
        "stage_key": key.source_key,
    }


@dataclass(frozen=True, slots=True)
class _Note:
    entity: str
    origin: Origin
    cause: str | None
    actor: Actor

    def values(self) -> list[sa.ColumnElement[Any]]:
        return [
            sa.literal(clock.now(), type_=event.c.at.type),
            sa.literal(self.entity),
            sa.literal(self.origin),
            sa.literal(self.cause, type_=sa.String()),
            sa.literal(self.actor.id),
        ]


_EVENT_COLUMNS = ["at", "entity", "origin", "cause", "actor", "record_id", "kind", "version"]


def _record_events(tx: Connection, stage: Stage, note: _Note) -> None:
    """Append the events before the rows change: the before-images are still there."""
    changed = stage.changed_rows(
        *note.values(), stage.target.c.id, sa.literal("updated"),
        stage.target.c.version + 1, stage.changes(tx.dialect.name),
    )  # fmt: skip
    tx.execute(event.insert().from_select([*_EVENT_COLUMNS, "changes"], changed))
    if note.origin not in {"initial", "backfill"}:
        created = stage.new_rows(
            *note.values(), stage.table.c.stage_id, sa.literal("created"), sa.literal(1)
        )
        tx.execute(event.insert().from_select(_EVENT_COLUMNS, created))
        return
    count = tx.scalar(stage.new_rows(sa.func.count()))
    if count:
        # An initial load of 3,900 orders is one fact, not 3,900.
        tx.execute(
            event.insert().values(
                at=clock.now(),
                entity=note.entity,
                kind="loaded",
                count=count,
                origin=note.origin,
                cause=note.cause,
                actor=note.actor.id,
            )
        )

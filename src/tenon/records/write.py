"""The one write path: every change of a record, single or bulk, goes through `Writer.write`.

check access → check types and rules → lock what exists and compare → append events → write what
differs → start what is triggered, all in the caller's transaction. A few rows are compared here
(`few`), many in a staging table (`stage`); both mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from tenon.define.catalogue import Catalogue
from tenon.define.models import Entity, FieldDef
from tenon.kernel import clock
from tenon.kernel.errors import Conflict, NotFound
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text
from tenon.records.check import check_row
from tenon.records.columns import new_records
from tenon.records.few import Few, FewRow, is_few
from tenon.records.ports import Actor, NoTriggers, Origin, Policy, Triggers, Written
from tenon.records.stage import Stage
from tenon.records.tables import entity_tables, event
from tenon.store import announce
from tenon.store.bulk import Insert

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
class Loading:
    """New records made ready outside a transaction."""

    entity: str
    actor: Actor
    ids: list[str]
    insert: Insert


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
        staged = [_staged(definition, key, row) for key, row in rows]
        note = _Note(entity, origin, cause, actor)
        if is_few(staged):
            few = _few(self.catalogue, entity, fields)
            written = _write_few(tx, few, staged, note)
        else:
            stage = _stage(self.catalogue, entity, fields)
            written = _write_many(tx, stage, staged, note)
        changed = [row for row in written if row.outcome != "unchanged"]
        if changed:
            announce(tx, f"record:{entity}")
            self.triggers.changed(tx, entity, changed, origin)
        return written

    def loading(
        self, dialect: Dialect, actor: Actor, entity: str, columns: Mapping[str, pa.Array],
        keys: tuple[str, pa.Array],
    ) -> Loading:  # fmt: skip
        """Records given as columns in their fields' types, made ready to be created.

        For a first load, whose rows are new: `keys` are their source and their keys there.
        SetAside when a value breaks a rule.
        """
        definition = self.catalogue.entity(entity)
        self.policy.check_write(actor, entity, frozenset(columns))
        table = entity_tables(self.catalogue)[entity]
        ids, insert = new_records(dialect, definition, table, columns, keys, actor.id)
        return Loading(entity, actor, ids, insert)

    def load(
        self, tx: Connection, what: Loading, *, origin: Origin, cause: str | None = None
    ) -> None:
        """Create what was made ready; one event tells of all of it.

        IntegrityError when a record is there already: then the transaction must end.
        """
        what.insert.run(tx)
        note = _Note(what.entity, origin, cause, what.actor)
        tx.execute(event.insert().values(note.of("loaded", clock.now(), count=len(what.ids))))
        announce(tx, f"record:{what.entity}")
        created = [Written(id_, "created") for id_ in what.ids]
        self.triggers.changed(tx, what.entity, created, origin)

    def bind(self, tx: Connection, entity: str, places: Sequence[tuple[str, RowKey]]) -> None:
        """Give records that have no place in a source the one that is named.

        For records of ours that were written into another system and are read back from there.
        """
        if places:
            rows = [
                {"of_id": id_, "to_source": key.source, "to_key": key.source_key}
                for id_, key in places
            ]
            tx.execute(_binding(self.catalogue, entity), rows)


@lru_cache(maxsize=64)
def _binding(catalogue: Catalogue, entity: str) -> sa.Update:
    table = entity_tables(catalogue)[entity]
    other = table.alias()
    source = sa.bindparam("to_source", type_=sa.String())
    key = sa.bindparam("to_key", type_=sa.String())
    taken = sa.exists().where(other.c.source == source, other.c.source_key == key)
    return (
        table.update()
        .where(table.c.id == sa.bindparam("of_id"), table.c.source_key.is_(None), ~taken)
        .values(source=source, source_key=key)
    )


def _write_few(
    tx: Connection, few: Few, staged: Sequence[Mapping[str, Any]], note: _Note
) -> list[Written]:
    rows = few.find(tx, staged)
    for row in rows:
        if row.before is None and row.staged["stage_by_id"]:
            raise NotFound("record_gone", _GONE, id=row.staged["stage_target"])
        _refuse_stale(row)
    at = clock.now()
    if events := note.events(rows, at):
        tx.execute(event.insert(), events)
    few.apply(tx, rows, at, note.actor.id)
    return [Written(row.id, row.outcome) for row in rows]


def _refuse_stale(row: FewRow) -> None:
    given = row.staged["stage_version"]
    if row.before is not None and given is not None and row.before["version"] != given:
        raise Conflict("stale_version", _STALE, found=row.before["version"], given=given)


def _write_many(
    tx: Connection, stage: Stage, staged: Sequence[dict[str, Any]], note: _Note
) -> list[Written]:
    stage.fill(tx, staged)
    stage.lock(tx)
    missing = stage.missing(tx)
    if missing:
        raise NotFound("record_gone", _GONE, id=missing)
    stale = stage.stale(tx)
    if stale:
        raise Conflict("stale_version", _STALE, found=stale[0], given=stale[1])
    _record_events(tx, stage, note)
    stage.apply(tx, clock.now(), note.actor.id)
    return [Written(id_, outcome) for id_, outcome in stage.outcomes(tx)]


@lru_cache(maxsize=512)
def _few(catalogue: Catalogue, entity: str, fields: tuple[FieldDef, ...]) -> Few:
    return Few(entity_tables(catalogue)[entity], fields)


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

    @property
    def in_bulk(self) -> bool:
        """Whether new records are told of together: a load of 3,900 orders is one fact."""
        return self.origin in {"initial", "backfill"}

    def of(self, kind: str, at: datetime, **more: Any) -> dict[str, Any]:
        """The row of an event."""
        return {
            "at": at, "entity": self.entity, "origin": self.origin, "cause": self.cause,
            "actor": self.actor.id, "kind": kind, "record_id": None, "version": None,
            "changes": None, "count": 1, **more,
        }  # fmt: skip

    def events(self, rows: Sequence[FewRow], at: datetime) -> list[dict[str, Any]]:
        """The events of a small write."""
        told = [
            self.of(
                row.outcome, at, record_id=row.id, version=row.version, changes=row.changes or None
            )
            for row in rows
            if row.outcome == "updated" or (row.outcome == "created" and not self.in_bulk)
        ]
        created = sum(row.outcome == "created" for row in rows)
        if self.in_bulk and created:
            told.append(self.of("loaded", at, count=created))
        return told


_EVENT_COLUMNS = ["at", "entity", "origin", "cause", "actor", "record_id", "kind", "version"]


def _record_events(tx: Connection, stage: Stage, note: _Note) -> None:
    """Append the events before the rows change: the before-images are still there."""
    changed = stage.changed_rows(
        *note.values(), stage.target.c.id, sa.literal("updated"),
        stage.target.c.version + 1, stage.changes(tx.dialect.name),
    )  # fmt: skip
    tx.execute(event.insert().from_select([*_EVENT_COLUMNS, "changes"], changed))
    if not note.in_bulk:
        created = stage.new_rows(
            *note.values(), stage.table.c.stage_id, sa.literal("created"), sa.literal(1)
        )
        tx.execute(event.insert().from_select(_EVENT_COLUMNS, created))
        return
    count = tx.scalar(stage.new_rows(sa.func.count()))
    if count:
        tx.execute(event.insert().values(note.of("loaded", clock.now(), count=count)))

"""Any figure can be asked why: from a record back to its rows, from a row on to what became of it.

Source rows, runs, batches, events and the ledger of what was written outward are kept anyway; a
run also keeps the publish whose mapping it used. Every question here goes by an index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.access.tables import user_account
from tenon.connect.rules import Explainer, Raw, label_of, raw_of, title_of, told, value_of
from tenon.connect.service import source_label, source_page
from tenon.connect.sight import Sight, columns_of
from tenon.connect.tables import push_row, source_row, sync_batch, sync_run
from tenon.define import versions
from tenon.define.catalogue import Catalogue
from tenon.define.models import PushDef, Sync
from tenon.kernel.errors import NotAllowed, NotFound
from tenon.kernel.text import Text
from tenon.records.query import Reader
from tenon.records.tables import SYSTEM_FIELDS, event

_ROWS: Final = 20
_EVENTS: Final = 200
_SHOWN_EVENTS: Final = 50
_PUSHES: Final = 20
_REPORTING: Final = Text("报工页", "Report page")


@dataclass(frozen=True, slots=True)
class Lineage:
    """Answers one caller; what their role hides is in no answer."""

    connection: Connection
    reader: Reader

    def record(self, entity: str, id_: str) -> dict[str, Any]:
        """Where a record and each of its fields come from, and what became of it."""
        definition = self.reader.catalogue.entity(entity)
        record = self.reader.get(self.connection, entity, id_)
        rows = self._rows(entity, record)
        made = next(
            (r for r in rows if _place(r) == (record["source"], record["source_key"])), None
        )
        events = self._events(entity, id_)
        return {
            "entity": entity, "entity_label": definition.label.text(), "id": id_,
            "title": title_of(self.connection, self.reader, entity, id_),
            "version": record["version"], "created_at": record["created_at"],
            "created_by": self._actor(record["created_by"]), "updated_at": record["updated_at"],
            "updated_by": self._actor(record["updated_by"]),
            "fields": self._fields(entity, record, made, events),
            "rows": [self._row(r, wrote=r is made) for r in rows],
            "events": [self._event(entity, e) for e in events[:_SHOWN_EVENTS]],
            "pushes": self._pushes(entity, id_),
        }  # fmt: skip

    def row(self, source: str, stream: str, key: str) -> dict[str, Any]:
        """A source row, and what became of it: its record, events, write-backs."""
        sync = sync_of(self.reader.catalogue, source, stream)
        page = row_page(self.connection, self.reader, source, stream, key)
        entity, id_ = page["entity"], page["record_id"]
        row = self._find(source, stream, key)
        record = self._record(entity, id_) if entity and id_ else None
        wrote = record is not None and _place(row) == (record["source"], record["source_key"])
        events = self._events(entity, id_) if record is not None else []
        own = [e for e in events if e.actor == f"sync:{source}"] if wrote else []
        return {
            "row": self._row(row, wrote=wrote), "reason": page["reason"], "task_id": row.task_id,
            "columns": self._columns(page, sync),
            "record": None if record is None else {
                "entity": entity, "entity_label": label_of(self.reader, entity), "id": id_,
                "title": title_of(self.connection, self.reader, entity, id_),
            },
            "events": [self._event(entity, e) for e in own[:_SHOWN_EVENTS]],
            "pushes": self._pushes(entity, id_) if record is not None else [],
        }  # fmt: skip

    def _rows(self, entity: str, record: Any) -> list[Any]:
        """The source rows of a record: the one that wrote it, then those recognised as it."""
        s = source_row.c
        stream, _, key = (record["source_key"] or "").partition(":")
        made = self._find(record["source"], stream, key) if record["source"] else None
        others = self.connection.execute(
            sa.select(source_row)
            .where(s.entity == entity, s.record_id == record["id"])
            .order_by(s.source, s.stream, s.key)
            .limit(_ROWS)
        ).all()
        first = [made] if made is not None else []
        return first + [r for r in others if made is None or _place(r) != _place(made)]

    def _find(self, source: str, stream: str, key: str) -> Any:
        s = source_row.c
        same = (s.source == source, s.stream == stream, s.key == key)
        return self.connection.execute(sa.select(source_row).where(*same)).first()

    def _record(self, entity: str, id_: str) -> Any:
        try:
            return self.reader.get(self.connection, entity, id_)
        except NotFound:
            return None  # archived since

    def _row(self, row: Any, *, wrote: bool) -> dict[str, Any]:
        run = self.connection.execute(
            sa.select(sync_run).where(sync_run.c.id == row.run_id)
        ).first()
        return {
            "source": row.source, "label": source_label(self.reader.catalogue, row.source),
            "stream": row.stream, "key": row.key, "state": row.state, "wrote": wrote,
            "first_seen_at": row.first_seen_at, "seen_at": row.seen_at, "run_id": row.run_id,
            "run": None if run is None else {
                "kind": run.kind, "state": run.state, "started_at": run.started_at,
                "batch": self._batch(row),
            },
            "mapping": self._mapping(row, run),
        }  # fmt: skip

    def _batch(self, row: Any) -> int | None:
        """The batch of the run that wrote the row: the first committed after it was noted down."""
        b = sync_batch.c
        return self.connection.scalar(
            sa.select(b.number)
            .where(b.run_id == row.run_id, b.at >= row.seen_at)
            .order_by(b.number)
            .limit(1)
        )

    def _mapping(self, row: Any, run: Any) -> versions.Version | None:
        """The version of the mapping that the row went through; its run may be forgotten."""
        sync = sync_of(self.reader.catalogue, row.source, row.stream)
        if run is not None:
            return versions.at(self.connection, "sync", run.sync, run.epoch, row.seen_at)
        if sync is None:
            return None
        return versions.at(self.connection, "sync", sync.code, None, row.seen_at)

    def _fields(
        self, entity: str, record: Any, made: Any, events: Sequence[Any]
    ) -> list[dict[str, Any]]:
        definition, hidden = self.reader.catalogue.entity(entity), self.reader.hidden(entity)
        rules, explainer = self._rules(made)
        return [
            {
                "code": f.code, "label": f.label.text(), "type": f.type,
                **value_of(self.connection, self.reader, f, record[f.code]),
                "rule": explainer.rule(rules[f.code]) if explainer and f.code in rules else None,
                "changed": self._last_change(entity, f.code, events),
            }
            for f in definition.fields
            if f.code not in hidden and f.code not in SYSTEM_FIELDS
        ]  # fmt: skip

    def _rules(self, made: Any) -> tuple[dict[str, Any], Explainer | None]:
        """The mapping as it was when the row was written, and what it was given."""
        if made is None:
            return {}, None
        run = self.connection.execute(
            sa.select(sync_run).where(sync_run.c.id == made.run_id)
        ).first()
        version = self._mapping(made, run)
        sync = version.definition() if version else None
        if not isinstance(sync, Sync):
            return {}, None
        raw: Raw = raw_of(made.raw)
        explainer = Explainer(
            self.connection, self.reader, Sight(self.reader, sync), made.source, raw
        )
        return dict(sync.fields), explainer

    def _columns(self, page: dict[str, Any], sync: Sync | None) -> list[dict[str, Any]]:
        """The row's columns, each with the fields it makes."""
        makes: dict[str, list[Text]] = {}
        if sync is not None:
            hidden = self.reader.hidden(sync.target)
            fields = self.reader.catalogue.entity(sync.target).by_code
            for code, rule in sync.fields.items():
                if code not in hidden and code in fields:
                    for column in columns_of(rule):
                        makes.setdefault(column.casefold(), []).append(fields[code].label.text())
        return [
            {"name": name, "value": value, "makes": makes.get(name.casefold(), [])}
            for name, value in page["columns"]
        ]

    def _events(self, entity: str, id_: str) -> Sequence[Any]:
        """The newest events of a record, newest first."""
        return self.connection.execute(
            sa.select(event)
            .where(event.c.entity == entity, event.c.record_id == id_)
            .order_by(event.c.seq.desc())
            .limit(_EVENTS)
        ).all()

    def _last_change(self, entity: str, code: str, events: Sequence[Any]) -> dict[str, Any] | None:
        last = next((e for e in events if e.kind == "created" or code in (e.changes or {})), None)
        return None if last is None else self._event(entity, last) | {"changes": []}

    def _event(self, entity: str, row: Any) -> dict[str, Any]:
        hidden = self.reader.hidden(entity)
        fields = self.reader.catalogue.entity(entity).by_code
        return {
            "at": row.at, "kind": row.kind, "version": row.version, "origin": row.origin,
            "actor": self._actor(row.actor), "cause": _cause(row.actor, row.cause),
            "changes": [
                {"field": fields[code].label.text(), "reference": fields[code].type == "ref",
                 "before": told(fields[code], before), "after": told(fields[code], after)}
                for code, (before, after) in (row.changes or {}).items()
                if code in fields and code not in hidden
            ],
        }  # fmt: skip

    def _actor(self, actor: str) -> Text:
        """Who acted, in words."""
        kind, _, code = actor.partition(":")
        catalogue = self.reader.catalogue
        try:
            if kind == "sync":
                return catalogue.source(code).label.text()
            if kind == "flow":
                return catalogue.flow(code).label.text()
        except NotFound:
            return Text(code, code)
        if kind == "report":
            return _REPORTING
        name = self.connection.scalar(
            sa.select(user_account.c.display_name).where(user_account.c.id == actor)
        ) if _is_id(actor) else None  # fmt: skip
        return Text(name or actor, name or actor)

    def _pushes(self, entity: str, id_: str) -> list[dict[str, Any]]:
        """What was written outward of the record."""
        p, catalogue = push_row.c, self.reader.catalogue
        known = {push.code: push for push in catalogue.of(PushDef)}
        rows = self.connection.execute(
            sa.select(push_row)
            .where(p.entity == entity, p.record_id == id_)
            .order_by(p.intended_at.desc())
            .limit(_PUSHES)
        )
        return [
            {
                "push": r.push, "label": _label(known.get(r.push), r.push), "state": r.state,
                "source": push.source if (push := known.get(r.push)) else None,
                "table": push.table if push else None,
                "key": r.key if self._sees_key(push) else None,
                "sent_at": r.sent_at, "echoed_at": r.echoed_at, "flow_run_id": r.run_id,
            }
            for r in rows
        ]  # fmt: skip

    def _sees_key(self, push: PushDef | None) -> bool:
        """Whether the key of a row written outward tells nothing that is hidden."""
        if push is None:
            return Sight(self.reader, None).all
        try:
            hidden = self.reader.hidden(push.entity)
        except NotAllowed:
            return False
        made_of = [push.columns[name].from_ or "" for name in push.key]
        plain = all("." not in name and name not in hidden for name in made_of)
        return plain or Sight(self.reader, None).all


def row_page(
    connection: Connection, reader: Reader, source: str, stream: str, key: str
) -> dict[str, Any]:
    """A source row as it was read, without what the reader's role hides."""
    found = source_page(connection, reader.catalogue, source, stream, key)
    return Sight(reader, sync_of(reader.catalogue, source, stream)).page(found)


def sync_of(catalogue: Catalogue, source: str, stream: str) -> Sync | None:
    """The sync that reads a stream; None when it is defined no more."""
    return next((s for s in catalogue.syncs_of(source) if s.stream.name == stream), None)


def _place(row: Any) -> tuple[str, str]:
    return row.source, f"{row.stream}:{row.key}"[:200]


def _cause(actor: str, cause: str | None) -> dict[str, Any]:
    """What made a change: a sync's run, a flow, a job report, or a person."""
    kind, _, id_ = (cause or actor).partition(":")
    if kind in {"sync", "flow", "report"}:
        return {"kind": kind, "id": id_ or None}
    return {"kind": "person" if _is_id(actor) else "system", "id": None}


def _is_id(actor: str) -> bool:
    return len(actor) == len("00000000-0000-7000-8000-000000000000") and actor.count("-") == 4


def _label(push: PushDef | None, code: str) -> Text:
    return push.label.text() if push else Text(code, code)

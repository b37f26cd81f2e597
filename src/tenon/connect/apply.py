"""Writing a prepared part of a run: records, source rows, waits, tasks, watermark, one commit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pyarrow as pa
from sqlalchemy.engine import Connection, Dialect

from tenon.connect import told
from tenon.connect.blocks import source_keys
from tenon.connect.echo import Echoes
from tenon.connect.identity import MATCHED, Decision, Identifier
from tenon.connect.plan import Plan, encoded
from tenon.connect.resolve import Resolver
from tenon.connect.stage import Block, Prepared, ReadyBlock, Work
from tenon.connect.tables import source_row, source_wait, sync_batch, sync_run, sync_state
from tenon.define.models import Sync
from tenon.jobs import lease
from tenon.kernel import clock, faults
from tenon.kernel.errors import SetAside
from tenon.master import lookup
from tenon.records.ports import Actor, Origin
from tenon.records.write import RowKey, Writer
from tenon.store.bulk import insert_of
from tenon.store.upsert import insert_new, insert_or_change
from tenon.tasks import service as tasks

_CHANGED = (
    "hash", "raw", "raw_bytes", "state", "reason_code", "reason", "task_id", "entity",
    "record_id", "run_id", "seen_at", "tries", "waits",
)  # fmt: skip

KEPT_KEYS: Final = 20  # of each batch, by which its page leads to its rows


@dataclass(slots=True)
class Counts:
    """What became of the rows of a run: read = applied + unchanged + set aside."""

    read: int = 0
    applied: int = 0
    unchanged: int = 0
    set_aside: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Add another part's counts."""
        self.read += other.read
        self.applied += other.applied
        self.unchanged += other.unchanged
        self.set_aside += other.set_aside
        self.reasons.update(other.reasons)


@dataclass(slots=True)
class Applier:
    """Writes the parts of one run."""

    sync: Sync
    writer: Writer
    actor: Actor
    plan: Plan
    resolver: Resolver
    identifier: Identifier | None
    echoes: Echoes
    lease_seconds: float
    origin: Origin
    batches: int = 0

    def apply(self, tx: Connection, part: Prepared, counts: Counts) -> Counts:
        """Write a part in the caller's transaction; the counts of the run with this part."""
        faults.point("sync.apply.before")
        if self.plan.lease_owner:
            lease.keep(tx, self.plan.lease_name, self.plan.lease_owner, self.lease_seconds)
        told.refuse_overtaken(tx, self.sync, part.told)
        decisions = self._identify(tx, part.works)
        good = [w for w in part.works if _reason(w, decisions) is None]
        loaded = self._load(tx, part.block)
        written = self._write(tx, good, decisions)
        ids = self._tasks(tx, part.works, decisions)
        self._rows(tx, part.works, decisions, written, ids)
        self._waits(tx, part.works, decisions, ids)
        self._links(tx)
        faults.point("sync.apply.after")
        return self._account(tx, part, decisions, len(good) + loaded, counts)

    def ready(self, dialect: Dialect, block: Block) -> ReadyBlock:
        """A block in the form in which it is written; SetAside when a rule is broken."""
        source, stream, now = self.sync.source, self.sync.stream.name, clock.now()
        keys = (source, source_keys(self.sync, block.keys))
        records = self.writer.loading(dialect, self.actor, self.sync.target, block.columns, keys)
        rows: dict[str, Any] = {
            "source": source, "stream": stream, "key": block.keys,
            "hash": pa.array(block.hashes(), pa.string()), "raw": block.raws, "state": "applied",
            "entity": self.sync.target, "record_id": pa.array(records.ids, pa.string()),
            "run_id": self.plan.run_id, "first_seen_at": now, "seen_at": now, "tries": 0,
            "waits": False,
        }  # fmt: skip
        return ReadyBlock(block, records, insert_of(dialect, source_row, rows, len(block)))

    def _load(self, tx: Connection, ready: ReadyBlock | None) -> int:
        """Write the rows that come as columns; IntegrityError when one is there after all."""
        if ready is None:
            return 0
        cause = f"sync:{self.plan.run_id}"
        self.writer.load(tx, ready.records, origin=self.origin, cause=cause)
        ready.rows.run(tx)
        return len(ready)

    def _identify(self, tx: Connection, works: Sequence[Work]) -> dict[str, Decision]:
        if self.identifier is None:
            return {}
        fine = [w for w in works if w.reason is None]
        return {d.work.key: d for d in self.identifier.decide(tx, fine)} if fine else {}

    def _write(
        self, tx: Connection, good: list[Work], decisions: dict[str, Decision]
    ) -> dict[str, str]:
        """The record of each row by its key."""
        rows = [w for w in good if self.identifier is None or decisions[w.key].write]
        heard = self.echoes.find(tx, rows)
        if heard:
            places = [(heard[w.key].record_id, self._key(w)) for w in rows if w.key in heard]
            self.writer.bind(tx, self.sync.target, places)
        echoes = {key for key, one in heard.items() if one.echo}
        ours = [w for w in rows if w.key in echoes]
        found = self._write_as(tx, f"echo:{self.sync.source}", ours)
        found |= self._write_as(tx, self.origin, [w for w in rows if w.key not in echoes])
        if self.identifier is not None:
            self._found_records(tx, list(decisions.values()), found)
        return found

    def _write_as(self, tx: Connection, origin: Origin, rows: list[Work]) -> dict[str, str]:
        answers = self.writer.write(
            tx, self.actor, self.sync.target, [(self._key(w), w.values) for w in rows],
            origin=origin, cause=f"sync:{self.plan.run_id}",
        )  # fmt: skip
        return {w.key: a.id for w, a in zip(rows, answers, strict=True)}

    def _key(self, work: Work) -> RowKey:
        return RowKey(
            source=self.sync.source, source_key=f"{self.sync.stream.name}:{work.key}"[:200]
        )

    def _found_records(
        self, tx: Connection, decisions: list[Decision], found: dict[str, str]
    ) -> None:
        fresh = {
            d.record_id: found[d.work.key] for d in decisions if d.write and d.work.key in found
        }
        for one in decisions:
            record = fresh.get(one.record_id, one.record_id)
            if record is None:
                continue
            one.record_id = found[one.work.key] = record
            if one.link is not None:
                one.link = replace(one.link, record_id=record)
        if self.identifier is not None:
            self.identifier.write(tx, decisions)

    def _links(self, tx: Connection) -> None:
        """Write the codes that were matched by a key while looking them up."""
        lookup.link(tx, self.resolver.links)
        for entity in {link.entity for link in self.resolver.links}:
            codes = {link.code for link in self.resolver.links if link.entity == entity}
            tasks.close_matched(tx, entity, self.sync.source, codes, MATCHED)

    def _tasks(
        self, tx: Connection, works: Sequence[Work], decisions: dict[str, Decision]
    ) -> dict[str, str]:
        """The task of each row that has one, by the row's key."""
        asked: dict[str, tasks.NewTask] = {}
        for work in works:
            decision = decisions.get(work.key)
            task = decision.task if decision and decision.task else work.task
            if task is not None:
                asked[work.key] = task
        if not asked:
            return {}
        for key, decision in decisions.items():
            if key in asked and not asked[key].seen:
                asked[key] = _seeing(asked[key], decision.work)
        opened = tasks.open_all(tx, list(asked.values()))
        return {key: opened[t.entity, t.source, t.code] for key, t in asked.items()}

    def _rows(
        self, tx: Connection, works: Sequence[Work], decisions: dict[str, Decision],
        written: dict[str, str], ids: dict[str, str],
    ) -> None:  # fmt: skip
        if not works:
            return
        now = clock.now()
        source, stream, run = self.sync.source, self.sync.stream.name, self.plan.run_id
        rows = []
        for work in works:
            reason = _reason(work, decisions)
            before = work.before
            same = before is not None and before.hash == work.hash
            rows.append({
                "source": source, "stream": stream, "key": work.key, "hash": work.hash,
                "raw": work.raw, "raw_bytes": work.raw_bytes,
                "state": "applied" if reason is None else "set_aside",
                "reason_code": reason and reason.code,
                "reason": reason and reason.text.as_dict(),
                "task_id": ids.get(work.key), "entity": self.sync.target,
                "record_id": written.get(work.key) or (before and before.record_id),
                "run_id": run, "first_seen_at": now, "seen_at": now,
                "tries": (before.tries if before and same else 0) + (reason is not None),
                "waits": bool(_waits(work, decisions, ids)),
            })  # fmt: skip
        tx.execute(insert_or_change(tx, source_row, _CHANGED), rows)

    def _waits(
        self, tx: Connection, works: Sequence[Work], decisions: dict[str, Decision],
        ids: dict[str, str],
    ) -> None:  # fmt: skip
        place = {"source": self.sync.source, "stream": self.sync.stream.name}
        old = [w.key for w in works if w.before and w.before.waits]
        if old:
            tx.execute(
                source_wait.delete().where(
                    source_wait.c.source == place["source"],
                    source_wait.c.stream == place["stream"],
                    source_wait.c.key.in_(old),
                )
            )
        rows = [
            place | {"key": w.key, "kind": k, "entity": e, "field": f, "value": v}
            for w in works
            for k, e, f, v in _waits(w, decisions, ids)
        ]
        if rows:
            tx.execute(insert_new(tx, source_wait), rows)

    def _state(
        self, tx: Connection, part: Prepared, set_aside: int, mark: dict[str, Any] | None
    ) -> None:
        """Move the stream's watermark and its counts of rows."""
        state = sync_state.c
        values: dict[str, Any] = {
            "rows": state.rows + part.changed - _before(part.works, "applied", "set_aside"),
            "set_aside": state.set_aside + set_aside - _before(part.works, "set_aside"),
        }
        if mark is not None:
            values["watermark"] = mark
        tx.execute(
            sync_state.update()
            .where(state.source == self.sync.source, state.stream == self.sync.stream.name)
            .values(values)
        )

    def _account(
        self, tx: Connection, part: Prepared, decisions: dict[str, Decision], applied: int,
        before: Counts,
    ) -> Counts:  # fmt: skip
        own = Counts(part.read, applied, part.unchanged, part.changed - applied)
        own.reasons.update(r.code for w in part.works if (r := _reason(w, decisions)))
        total = Counts(reasons=before.reasons.copy())
        total.add(Counts(before.read, before.applied, before.unchanged, before.set_aside))
        total.add(own)
        mark = encoded(part.watermark)
        self._state(tx, part, own.set_aside, mark)
        run: dict[str, Any] = {
            "read": total.read, "applied": total.applied, "unchanged": total.unchanged,
            "set_aside": total.set_aside, "reasons": dict(total.reasons),
        }  # fmt: skip
        if mark is not None:
            run["watermark_after"] = mark
        tx.execute(sync_run.update().where(sync_run.c.id == self.plan.run_id).values(run))
        tx.execute(
            sync_batch.insert().values(
                run_id=self.plan.run_id, number=self.batches + 1, at=clock.now(), read=own.read,
                applied=own.applied, unchanged=own.unchanged, set_aside=own.set_aside,
                watermark=mark, row_keys=part.keys(KEPT_KEYS),
            )
        )  # fmt: skip
        faults.point("sync.watermark.after")
        return total


def _before(works: Sequence[Work], *states: str) -> int:
    return sum(1 for w in works if w.before is not None and w.before.state in states)


def _reason(work: Work, decisions: dict[str, Decision]) -> SetAside | None:
    if work.reason is not None:
        return work.reason
    decision = decisions.get(work.key)
    return decision.reason if decision else None


def _waits(
    work: Work, decisions: dict[str, Decision], ids: dict[str, str]
) -> list[tuple[str, str, str, str]]:
    if work.poison:
        return work.names  # it cannot go on whatever arrives
    decision = decisions.get(work.key)
    waits = work.waits + work.names + (decision.waits if decision else [])
    if decision and decision.task and work.key in ids:
        waits = [*waits, ("task", "task", "", ids[work.key])]
    return list(dict.fromkeys(waits))


def _seeing(task: tasks.NewTask, work: Work) -> tasks.NewTask:
    seen = list(json.loads(work.raw).items())
    return replace(task, seen=seen)

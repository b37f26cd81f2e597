"""Trying again rows that were set aside or left incomplete, once what they wait for is there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect import drift, report
from tenon.connect.deps import ConnectDeps
from tenon.connect.plan import Plan, start
from tenon.connect.runner import Run
from tenon.connect.stage import Before, Prepared, Work
from tenon.connect.tables import source_row, source_wait, sync_state
from tenon.define.catalogue import Catalogue
from tenon.define.models import Sync
from tenon.kernel import clock
from tenon.kernel.errors import Conflict, TenonError
from tenon.master.tables import crosswalk, match_key
from tenon.records.tables import entity_tables
from tenon.tasks.tables import task

_AT_ONCE: Final = 500


@dataclass(slots=True)
class Retried:
    """How many rows were tried again, and what became of them."""

    tried: int = 0
    applied: int = 0
    still_set_aside: int = 0


def retry(
    deps: ConnectDeps,
    source: str | None = None,
    *,
    reason: str | None = None,
    everything: bool = False,
) -> Retried:
    """Try again rows whose waits are over, as a run for each stream.

    With `everything` every row set aside, or every one that was for this `reason`.

    A stream that is being synced is left out: its own cycle comes here next.
    """
    catalogue = deps.catalogue()
    total = Retried()
    for sync in sorted(catalogue.of(Sync), key=lambda s: (s.order, s.code)):
        if source is not None and sync.source != source:
            continue
        with deps.hub.read() as connection:
            if everything:
                keys = _aside(connection, sync, reason)
            else:
                keys = ready(connection, catalogue, sync)
        if keys:
            # A person waits a little for a sync to end; the cycle comes by again anyway.
            patience = 3.0 if everything else 0.0
            with suppress(Conflict):
                _add(total, retry_rows(deps, catalogue, sync, keys, patience=patience))
    return total


def retry_rows(
    deps: ConnectDeps,
    catalogue: Catalogue,
    sync: Sync,
    keys: Sequence[str],
    *,
    force: bool = False,
    patience: float = 0.0,
) -> Retried:
    """Try these rows of a stream again; with `force` they may found golden records.

    Conflict when the stream is still being synced after `patience` seconds.
    """
    plan = _started(deps, sync, patience, catalogue.epoch)
    with deps.hub.read() as connection:
        sync = drift.fitted(connection, sync)
    run = Run(deps, catalogue, sync, plan, force=force)
    try:
        for at in range(0, len(keys), _AT_ONCE):
            for part in _parts(run, keys[at : at + _AT_ONCE]):
                run.commit(part)
    except TenonError as error:
        with deps.hub.write(durable=False) as tx:
            report.fail(tx, sync, plan, run.counts, error)
        return Retried(run.counts.read, run.counts.applied, run.counts.set_aside)
    with deps.hub.write(durable=False) as tx:
        report.succeed(tx, sync, plan, run.counts, None, None)
    return Retried(run.counts.read, run.counts.applied, run.counts.set_aside)


def _started(deps: ConnectDeps, sync: Sync, patience: float, epoch: int) -> Plan:
    until = clock.monotonic() + patience
    while True:
        try:
            with deps.hub.write(durable=False) as tx:
                return start(tx, sync, "retry", deps.lease_seconds, epoch)
        except Conflict:
            if clock.monotonic() >= until:
                raise
        time.sleep(0.05)


def ready(connection: Connection, catalogue: Catalogue, sync: Sync) -> list[str]:
    """The keys of rows that wait for something which is there now."""
    w = source_wait.c
    own = sa.and_(w.source == sync.source, w.stream == sync.stream.name)
    kinds = connection.execute(
        sa.select(w.kind, w.entity, w.field).where(own, w.kind != "name").distinct()
    )
    found: set[str] = set()
    for kind, entity, field in kinds:
        there = _there(catalogue, kind, entity, field)
        if there is not None:
            same = sa.and_(own, w.kind == kind, w.entity == entity, w.field == field)
            found.update(connection.scalars(sa.select(w.key).where(same, there)))
    return sorted(found)


def _there(
    catalogue: Catalogue, kind: str, entity: str, field: str
) -> sa.ColumnElement[bool] | None:
    value = source_wait.c.value
    match kind:
        case "code":
            c = crosswalk.c
            return sa.exists().where(
                c.entity == entity, c.source == field, c.code == value, c.valid_to.is_(None)
            )
        case "key":
            k = match_key.c
            return sa.exists().where(k.entity == entity, k.key == field, k.value == value)
        case "none":
            state = sync_state.c
            return sa.exists().where(state.source == entity, state.stream == value, state.absent)
        case "task":
            return sa.exists().where(sa.cast(task.c.id, sa.String) == value, task.c.state == "done")
        case _:
            table = entity_tables(catalogue).get(entity)
            if table is None or field not in table.c:
                return None  # the definition changed since: a person's retry takes it up
            text = sa.cast(table.c[field], sa.String)
            column = table.c[field] if isinstance(table.c[field].type, sa.String) else text
            return sa.exists().where(column == value, table.c.archived_at.is_(None))


def _aside(connection: Connection, sync: Sync, reason: str | None) -> list[str]:
    s = source_row.c
    own = sa.and_(s.source == sync.source, s.stream == sync.stream.name)
    why = s.reason_code == reason if reason is not None else sa.true()
    return list(
        connection.scalars(sa.select(s.key).where(own, s.state == "set_aside", why).order_by(s.key))
    )


def _parts(run: Run, keys: Sequence[str]) -> Iterator[Prepared]:
    """These rows as kept, prepared again, apart by columns and by the load they came with."""
    sync, s = run.sync, source_row.c
    with run.deps.hub.read() as connection:
        rows = connection.execute(
            sa.select(source_row).where(
                s.source == sync.source, s.stream == sync.stream.name, s.key.in_(keys)
            )
        ).all()
    groups: dict[tuple[tuple[str, ...], bool], list[Work]] = {}
    for row in rows:
        names, work = _kept(row)
        groups.setdefault((names, _initial(run, row)), []).append(work)
    for (names, initial), works in groups.items():
        run.applier.origin = "initial" if initial else "live"
        mapper = run.mapper(names)
        for work in works:
            if mapper.key(work.row) is None:
                work.refuse_no_key()
        run.prepare(mapper, works)
        yield Prepared(len(works), works)


def _initial(run: Run, row: Any) -> bool:
    first = run.plan.first_success_at
    return first is None or row.first_seen_at <= first


def _kept(row: Any) -> tuple[tuple[str, ...], Work]:
    values: dict[str, Any] = json.loads(row.raw)
    for name, hexes in json.loads(row.raw_bytes or "{}").items():
        values[name] = bytes.fromhex(hexes)
    before = Before(row.hash, row.state, row.waits, row.tries, row.record_id)
    work = Work(row.key, tuple(values.values()), row.hash, row.raw, row.raw_bytes, before)
    return tuple(values), work


def _add(total: Retried, more: Retried) -> None:
    total.tried += more.tried
    total.applied += more.applied
    total.still_set_aside += more.still_set_aside

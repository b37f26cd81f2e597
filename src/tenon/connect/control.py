"""What a person paused: a source, or one of its syncs; kept until somebody resumes it.

Whoever pauses what is running ends it after the batch it is at. What was committed stays and the
watermark stands behind it, so the next run goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect import report
from tenon.connect.tables import sync_backfill, sync_hold, sync_run
from tenon.define.catalogue import Catalogue
from tenon.define.models import Sync
from tenon.kernel import clock
from tenon.kernel.errors import Conflict, NotFound
from tenon.kernel.text import Text
from tenon.store import announce
from tenon.store.upsert import insert_or_change

_HELD = Text(
    "{by}已暂停“{name}”（原因：{reason}）；请先点击“恢复”。",
    "{by} has paused “{name}” (because: {reason}). Press Resume first.",
)
_NO_SYNC = Text(
    "来源“{source}”没有名为“{sync}”的同步。", "The source “{source}” has no sync “{sync}”."
)
_GIVEN_UP = Text("{by}取消了补读：{reason}", "{by} gave the back-fill up: {reason}")
_NO_RUN = Text("没有这次运行：{id}。", "There is no such run: {id}.")
_OVER = Text(
    "这次运行已经结束，无需取消；如要停止以后的同步，请在“来源”页暂停它。",
    "The run is over and cannot be cancelled. To stop further syncs, pause it on the Sources page.",
)


@dataclass(frozen=True, slots=True)
class Hold:
    """A pause by a person: what, why, who, since when."""

    source: str
    sync: str  # empty: the whole source
    reason: str
    by: str
    at: datetime


Holds = Mapping[tuple[str, str], Hold]


def sync_of(catalogue: Catalogue, source: str, code: str) -> Sync:
    """The sync of a source; NotFound when it has none of that name."""
    for sync in catalogue.syncs_of(source):
        if sync.code == code:
            return sync
    raise NotFound("no_sync", _NO_SYNC, source=source, sync=code)


def holds(connection: Connection) -> Holds:
    """Every pause, by source and sync."""
    rows = connection.execute(sa.select(sync_hold))
    return {(r.source, r.sync): Hold(r.source, r.sync, r.reason, r.by, r.at) for r in rows}


def held(connection: Connection, source: str, sync: str = "") -> Hold | None:
    """The pause that keeps a sync (or a whole source) from running."""
    h = sync_hold.c
    row = connection.execute(
        sa.select(sync_hold)
        .where(h.source == source, h.sync.in_(("", sync)))
        .order_by(h.sync)
        .limit(1)
    ).first()
    return None if row is None else Hold(row.source, row.sync, row.reason, row.by, row.at)


def refuse_held(connection: Connection, catalogue: Catalogue, source: str) -> None:
    """Conflict when a person has paused the source."""
    found = held(connection, source)
    if found is not None:
        name = catalogue.source(source).label.zh
        raise Conflict("source_held", _HELD, name=name, by=found.by, reason=found.reason)


def pause(tx: Connection, source: str, sync: str, reason: str, by: str) -> None:
    """Pause a sync (all of the source, when empty); pausing it again changes the reason."""
    row = {"source": source, "sync": sync, "reason": reason, "by": by, "at": clock.now()}
    tx.execute(insert_or_change(tx, sync_hold, ("reason", "by", "at")), [row])
    announce(tx, "sync_run")


def resume(tx: Connection, source: str, sync: str) -> None:
    """Let a sync run again; of a whole source also what its own failure had paused."""
    h = sync_hold.c
    tx.execute(sync_hold.delete().where(h.source == source, h.sync == sync))
    if not sync:
        report.resume_source(tx, source)
    announce(tx, "sync_run")


def cancel(tx: Connection, run_id: str, reason: str, by: str) -> None:
    """End a run after the batch it is at, and pause its sync; a back-fill is given up instead."""
    run = _running(tx, run_id)
    if run.kind == "backfill":
        give_up(tx, sync_backfill.c.run_id == run.id, reason, by)
    else:
        pause(tx, run.source, run.sync, reason, by)


def give_up(tx: Connection, which: sa.ColumnElement[bool], reason: str, by: str) -> bool:
    """Give back-fills up that are not over; whether there was one."""
    ended = {
        "state": "cancelled", "ended_at": clock.now(),
        "message": _GIVEN_UP.format(by=by, reason=reason).as_dict(),
    }  # fmt: skip
    mine = sa.and_(which, sync_backfill.c.state == "waiting")
    announce(tx, "sync_run")
    return bool(tx.execute(sync_backfill.update().where(mine).values(ended)).rowcount)


def _running(tx: Connection, run_id: str) -> Any:
    r = sync_run.c
    row = tx.execute(sa.select(r.id, r.kind, r.state, r.source, r.sync).where(r.id == run_id))
    found = row.first()
    if found is None:
        raise NotFound("no_run", _NO_RUN, id=run_id)
    if found.state != "running":
        raise Conflict("run_over", _OVER)
    return found

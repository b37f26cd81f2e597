"""Planning a run: where it starts, in which form a cursor is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.contract import CursorValue, rewind
from tenon.connect.tables import sync_run, sync_state
from tenon.define.models import CursorDef, Sync
from tenon.jobs import lease
from tenon.kernel import clock
from tenon.kernel.errors import Conflict
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text

_COMMIT_SECONDS = 2.0  # on the wall

# Runs that read the stream from its beginning; runs that leave its watermark alone.
WHOLE: Final = frozenset({"full", "compare"})
BESIDE: Final = frozenset({"retry", "backfill"})
LIGHT_ROWS: Final = 5000  # reading a whole stream of no more is as light as a poll

_BUSY = Text(
    "同步“{sync}”正在运行，请等它结束后再试。",
    "The sync “{sync}” is running already; wait for it to end, then try again.",
)
_INTERRUPTED = Text(
    "运行被中断（进程被终止或断电）；已提交的批次保留，下一次运行从水位线继续。",
    "The run was interrupted (the process was killed or lost power). Committed batches stay; the "
    "next run goes on from the watermark.",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A run that has its lease and its row."""

    run_id: str
    lease_name: str
    lease_owner: str  # empty: what webhooks tell goes in beside a run
    kind: str
    watermark: CursorValue | None
    since: CursorValue | None
    first: bool  # the stream has never succeeded
    blank: bool  # none of its rows is there
    first_success_at: datetime | None
    rows: int = 0  # of the stream, as known when the run began


def start(tx: Connection, sync: Sync, kind: str | None, seconds: float, epoch: int) -> Plan:
    """Take the lease, settle what a killed run left, and write the run's row; or Conflict."""
    name = f"sync:{sync.source}:{sync.stream.name}"
    owner = lease.take(tx, name, seconds)
    if owner is None:
        raise Conflict("sync_busy", _BUSY, sync=sync.code)
    dead = _interrupt(tx, sync)
    state = _state(tx, sync)
    watermark = decoded(state.watermark)
    since = None
    if watermark is not None and sync.stream.cursor is not None and kind != "compare":
        since = rewind(watermark, _overlap(sync.stream.cursor))
    run_id = uuid7()
    kind = kind or ("full" if since is None else "incremental")
    tx.execute(
        sync_run.insert().values(
            id=run_id, source=sync.source, sync=sync.code, stream=sync.stream.name, kind=kind,
            state="running", started_at=clock.now(), watermark_before=state.watermark,
            watermark_after=state.watermark, resumed_from=dead, reasons={}, epoch=epoch,
            expected=state.rows or None if kind in WHOLE else None,
        )
    )  # fmt: skip
    if kind not in BESIDE:
        tx.execute(_of(sync).values(last_attempt_at=clock.now()))
    return Plan(
        run_id,
        name,
        owner,
        kind,
        watermark,
        since,
        state.last_success_at is None,
        not state.rows,
        state.first_success_at,
        state.rows,
    )


def encoded(value: CursorValue | None) -> dict[str, Any] | None:
    """A cursor value as the JSON kept."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return {"type": "time", "value": value.isoformat()}
    return {"type": "integer" if isinstance(value, int) else "text", "value": value}


def decoded(kept: Any) -> CursorValue | None:
    """The cursor value that was kept."""
    if not kept:
        return None
    if kept["type"] == "time":
        return datetime.fromisoformat(kept["value"])
    value: str | int = kept["value"]
    return value


def further(one: CursorValue | None, other: Any) -> CursorValue | None:
    """The later of two cursor values; a value of another kind is taken as it comes."""
    if isinstance(other, Decimal):
        other = int(other)
    if other is None or isinstance(other, bytes):
        return one
    if one is None or type(one) is not type(other):
        found: CursorValue = other
        return found
    return max(one, other)


def _state(tx: Connection, sync: Sync) -> Any:
    query = sa.select(sync_state).where(
        sync_state.c.source == sync.source, sync_state.c.stream == sync.stream.name
    )
    row = tx.execute(query).first()
    if row is None:
        tx.execute(sync_state.insert().values(source=sync.source, stream=sync.stream.name))
        row = tx.execute(query).one()
    return row


def _of(sync: Sync) -> sa.Update:
    return sync_state.update().where(
        sync_state.c.source == sync.source, sync_state.c.stream == sync.stream.name
    )


def _interrupt(tx: Connection, sync: Sync) -> str | None:
    """Mark runs of this sync that say they run: the lease is ours, so they are dead."""
    dead = list(
        tx.scalars(
            sa.select(sync_run.c.id)
            .where(sync_run.c.sync == sync.code, sync_run.c.state == "running")
            .order_by(sync_run.c.id)
        )
    )
    if dead:
        tx.execute(
            sync_run.update()
            .where(sync_run.c.id.in_(dead))
            .values(state="interrupted", ended_at=clock.now(), message=_INTERRUPTED.as_dict())
        )
    return dead[-1] if dead else None


def _overlap(cursor: CursorDef) -> int:
    """How far back a stream is read again, in seconds of the source's clock.

    It covers what lies between a row's stamp and its commit there. In a demo the source's clock
    hurries, its commits do not.
    """
    return max(cursor.overlap_seconds, int(_COMMIT_SECONDS * (clock.demo_pace() or 0)))

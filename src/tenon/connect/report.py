"""The end of a run: its outcome, what the source's state says of it, and what is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.apply import Counts
from tenon.connect.plan import BESIDE, Plan, encoded
from tenon.connect.tables import source_state, sync_batch, sync_run, sync_state
from tenon.define.models import Sync
from tenon.jobs import lease
from tenon.kernel import clock
from tenon.kernel.errors import Bug, TenonError
from tenon.kernel.text import Text
from tenon.store import announce

_UNEQUAL = Text(
    "运行 {run} 的行数不相等：读取 {read} ≠ 写入 {applied} + 未变 {unchanged} + 搁置 {set_aside}。"
    "请报告此问题。",
    "The rows of run {run} do not add up: read {read} ≠ applied {applied} + unchanged {unchanged} "
    "+ set aside {set_aside}. Please report this.",
)
_ABSENT = Text(
    "来源中没有这个可选的表，本次未读取；这是允许的。",
    "The source does not have this optional table; nothing was read, which is allowed.",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    run_id: str
    sync: str
    state: str  # succeeded, partial, cancelled, failed, absent
    counts: Counts
    error: TenonError | None = None


def check(run_id: str, counts: Counts) -> None:
    """Read = applied + unchanged + set aside, or it is a bug."""
    if counts.read != counts.applied + counts.unchanged + counts.set_aside:
        raise Bug(
            "rows_do_not_add_up", _UNEQUAL, run=run_id, read=counts.read, applied=counts.applied,
            unchanged=counts.unchanged, set_aside=counts.set_aside,
        )  # fmt: skip


def succeed(
    tx: Connection, sync: Sync, plan: Plan, counts: Counts, watermark: Any, note: Text | None,
    word: str = "succeeded",
) -> None:  # fmt: skip
    """Close a run that read all it meant to, or (partial, cancelled) ended before."""
    check(plan.run_id, counts)
    now = clock.now()
    values = _closed(word, counts, note.as_dict() if note else None)
    state: dict[str, Any] = {"failure": None, "absent": False}
    if word == "succeeded":
        state["last_success_at"] = now
        if plan.first:
            state["first_success_at"] = now
        if plan.since is None:
            state["compared_at"] = now
    if plan.kind in BESIDE:
        state = {}
    elif watermark is not None:
        values["watermark_after"] = state["watermark"] = encoded(watermark)
    tx.execute(sync_run.update().where(sync_run.c.id == plan.run_id).values(values))
    if state:
        tx.execute(_state_of(sync).values(state))
    _forget_idle(tx, sync, plan, word)
    if counts.applied or counts.set_aside or word != "succeeded":
        announce(tx, "sync_run")
    lease.give_back(tx, plan.lease_name, plan.lease_owner)


def absent(tx: Connection, sync: Sync, plan: Plan) -> None:
    """Close a run of an optional stream that is not there."""
    values = _closed("succeeded", Counts(), _ABSENT.as_dict())
    tx.execute(sync_run.update().where(sync_run.c.id == plan.run_id).values(values))
    tx.execute(_state_of(sync).values(last_success_at=clock.now(), failure=None, absent=True))
    _forget_idle(tx, sync, plan)
    lease.give_back(tx, plan.lease_name, plan.lease_owner)


def fail(tx: Connection, sync: Sync, plan: Plan, counts: Counts, error: TenonError) -> None:
    """Close a run that could not go on; what was committed stays."""
    message = error.text.as_dict()
    values = _closed("failed", counts, message)
    tx.execute(sync_run.update().where(sync_run.c.id == plan.run_id).values(values))
    if plan.kind != "backfill":  # which says nothing of the stream's own reading
        tx.execute(_state_of(sync).values(failure=message | {"code": error.code}))
    _forget_idle(tx, sync, plan, state="failed")
    announce(tx, "sync_run")
    lease.give_back(tx, plan.lease_name, plan.lease_owner)


def note_source(tx: Connection, source: str, error: TenonError | None) -> None:
    """Keep whether the source answers; one that needs a person is paused."""
    now = clock.now()
    row = tx.execute(sa.select(source_state).where(source_state.c.source == source)).first()
    if row is None:
        tx.execute(source_state.insert().values(source=source, paused=False))
    values: dict[str, Any] = {"last_attempt_at": now}
    if error is None:
        values |= {"last_success_at": now, "failure": None, "failed_since": None, "paused": False}
    else:
        values["failure"] = error.text.as_dict() | {"code": error.code}
        values["paused"] = error.recovery != "retry"
        values["failed_since"] = (row.failed_since if row else None) or now
    tx.execute(source_state.update().where(source_state.c.source == source).values(values))


def resume_source(tx: Connection, source: str) -> None:
    """Let a paused source be asked again: a person said so."""
    tx.execute(source_state.update().where(source_state.c.source == source).values(paused=False))


def purge(tx: Connection, before: datetime) -> int:
    """Forget runs that ended before a moment, with their batches; how many."""
    old = sa.select(sync_run.c.id).where(sync_run.c.ended_at < before)
    tx.execute(sync_batch.delete().where(sync_batch.c.run_id.in_(old)))
    return tx.execute(sync_run.delete().where(sync_run.c.ended_at < before)).rowcount


def _closed(state: str, counts: Counts, message: dict[str, str] | None) -> dict[str, Any]:
    return {
        "state": state, "ended_at": clock.now(), "read": counts.read, "applied": counts.applied,
        "unchanged": counts.unchanged, "set_aside": counts.set_aside,
        "reasons": dict(counts.reasons), "message": message,
    }  # fmt: skip


def _state_of(sync: Sync) -> sa.Update:
    return sync_state.update().where(
        sync_state.c.source == sync.source, sync_state.c.stream == sync.stream.name
    )


def _forget_idle(tx: Connection, sync: Sync, plan: Plan, state: str = "succeeded") -> None:
    """Of runs that changed nothing only the last is kept: they come every few seconds."""
    r = sync_run.c
    idle = sa.and_(
        r.sync == sync.code, r.state == state, r.id < plan.run_id, r.applied == 0,
        r.set_aside == 0,
    )  # fmt: skip
    if state == "failed":
        # The first one stays, to show since when.
        first = (
            sa.select(r.id)
            .where(r.sync == sync.code, r.state == "failed")
            .order_by(r.id)
            .limit(1)
            .scalar_subquery()
        )
        idle = sa.and_(idle, r.id != first)
    batches = sa.exists().where(sync_batch.c.run_id == r.id)
    tx.execute(sync_run.delete().where(idle, ~batches))

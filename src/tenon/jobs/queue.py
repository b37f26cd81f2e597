"""The job queue: work that is written down in the transaction that asks for it.

A job is a row. It is enqueued with the change that causes it, claimed by one worker under a
lease, and marked done in the very transaction that holds its effect; so the effect happens
once however often a worker dies. A worker that was thought dead and wakes up finds the job's
owner changed, and what it writes is rolled back (a fencing token).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.jobs.dbclock import db_now
from tenon.jobs.lease import PROCESS
from tenon.kernel import clock, faults
from tenon.kernel.errors import Retry, TenonError
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text
from tenon.store import Id, Json, UtcTime, announce, metadata
from tenon.store.upsert import insert_new

_LOST = Text(
    "任务“{kind}”已由另一进程接管；本次未提交的内容已放弃，不会重复写入。",
    "The job “{kind}” was taken over by another process; what was not committed is dropped and "
    "nothing is written twice.",
)

SUSPECT_TRIES: Final = 2

_ACTIVE: Final = sa.text("state IN ('ready', 'running')")

job = sa.Table(
    "job",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.String(48), nullable=False),
    sa.Column("key", sa.String(200), nullable=True, unique=True),
    sa.Column("lane", sa.String(200), nullable=True),
    sa.Column("payload", Json, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),  # ready, running, done, failed, cancelled
    sa.Column("run_at", sa.Float, nullable=False),  # seconds since 1970 by the database's clock
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("owner", sa.String(80), nullable=True),
    sa.Column("until", sa.Float, nullable=True),  # the lease of a running job
    sa.Column("error", Json, nullable=True),  # {code, zh, en}
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime, nullable=True),
    sa.Index(
        "ix_job_active", "kind", "run_at", "id",
        sqlite_where=_ACTIVE, postgresql_where=_ACTIVE,
    ),
    sa.Index(
        "ix_job_lane", "kind", "lane", "id", sqlite_where=_ACTIVE, postgresql_where=_ACTIVE
    ),
    sa.Index("ix_job_ended", "ended_at"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewJob:
    """Work to be done once the transaction is committed.

    A job whose `key` was used before is not enqueued again. Jobs of one `lane` are done one at a
    time, in the order they came. `delay` is in seconds.
    """

    kind: str
    payload: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    lane: str | None = None
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """A job that was claimed."""

    id: str
    kind: str
    key: str | None
    lane: str | None
    payload: dict[str, Any]
    tries: int  # this one included
    owner: str


def enqueue(tx: Connection, jobs: Sequence[NewJob]) -> None:
    """Write jobs down in the caller's transaction; they begin after its commit, or never."""
    if not jobs:
        return
    now: float = tx.scalar(sa.select(db_now(tx))) or 0.0
    at = clock.now()
    rows = [
        {
            "id": uuid7(), "kind": new.kind, "key": new.key, "lane": new.lane,
            "payload": new.payload, "state": "ready", "run_at": now + new.delay, "tries": 0,
            "created_at": at,
        }
        for new in jobs
    ]  # fmt: skip
    tx.execute(insert_new(tx, job), rows)
    announce(tx, *(topic(new.kind) for new in jobs))


def topic(kind: str) -> str:
    """The signal by which workers of a kind hear that there is work."""
    return f"job:{kind}"


def waiting(connection: Connection, kind: str) -> bool:
    """Whether a job of the kind could be claimed now."""
    found = connection.scalar(sa.select(sa.exists().where(_claimable(connection, kind))))
    return bool(found)


def claim(tx: Connection, kind: str, most: int, seconds: float) -> list[Job]:
    """Take up to `most` jobs under one lease; the caller commits, then works on them."""
    query = sa.select(job).where(_claimable(tx, kind)).order_by(job.c.id).limit(most)
    rows = tx.execute(query.with_for_update(skip_locked=True, of=job)).all()
    if not rows:
        return []
    # One that was often begun and never ended may be what kills its worker: it goes alone, so
    # that a death is counted against no job that only happened to be claimed with it.
    suspects = [r for r in rows if r.state == "running" and r.tries >= SUSPECT_TRIES]
    rows = suspects[:1] or rows
    owner = f"{PROCESS}:{uuid7()}"
    tx.execute(
        job.update()
        .where(job.c.id.in_([r.id for r in rows]))
        .values(state="running", owner=owner, until=db_now(tx) + seconds, tries=job.c.tries + 1)
    )
    return [Job(r.id, r.kind, r.key, r.lane, r.payload, r.tries + 1, owner) for r in rows]


def hold(tx: Connection, jobs: Sequence[Job], seconds: float) -> None:
    """Prolong the lease inside a transaction that relies on it; Retry when it was lost."""
    _mine(tx, jobs, {"until": db_now(tx) + seconds})


def done(tx: Connection, jobs: Sequence[Job]) -> None:
    """Mark jobs done in the transaction that holds their effect; Retry when they were lost."""
    faults.point("job.done.before")
    _mine(tx, jobs, {"state": "done", "ended_at": clock.now(), "until": None, "error": None})


def again(tx: Connection, one: Job, error: TenonError, delay: float) -> None:
    """Let a job be tried again after `delay` seconds."""
    values = {"state": "ready", "owner": None, "until": None, "run_at": db_now(tx) + delay}
    _mine(tx, [one], values | {"error": told(error)})
    announce(tx, topic(one.kind))


def fail(tx: Connection, one: Job, error: TenonError) -> None:
    """Give a job up: it stays, with its reason, until a person says what to do."""
    values = {"state": "failed", "ended_at": clock.now(), "until": None, "error": told(error)}
    _mine(tx, [one], values)


def revive(tx: Connection, ids: Sequence[str]) -> int:
    """Let failed jobs be tried afresh: a person said so; how many."""
    values = {"state": "ready", "run_at": db_now(tx), "tries": 0, "ended_at": None, "owner": None}
    failed = sa.and_(job.c.id.in_(ids), job.c.state == "failed")
    kinds = list(tx.scalars(sa.select(job.c.kind).where(failed).distinct()))
    changed = tx.execute(job.update().where(failed).values(values)).rowcount
    announce(tx, *map(topic, kinds))
    return changed


def cancel(tx: Connection, keys: Sequence[str]) -> int:
    """Take back jobs that have not begun, by their keys; how many."""
    waiting_jobs = sa.and_(job.c.key.in_(keys), job.c.state.in_(("ready", "failed")))
    ended = {"state": "cancelled", "ended_at": clock.now()}
    return tx.execute(job.update().where(waiting_jobs).values(ended)).rowcount


def keep_alive(tx: Connection, owners: Sequence[str], seconds: float) -> None:
    """Prolong the leases of jobs that this process is working on."""
    mine = sa.and_(job.c.state == "running", job.c.owner.in_(owners))
    tx.execute(job.update().where(mine).values(until=db_now(tx) + seconds))


def purge(tx: Connection, before: datetime, most: int = 5000) -> int:
    """Forget jobs that ended before a moment, a part at a time; how many.

    Failed ones stay: somebody has to look at them.
    """
    old = sa.and_(job.c.ended_at < before, job.c.state != "failed")
    part = sa.select(job.c.id).where(old).limit(most)
    return tx.execute(job.delete().where(job.c.id.in_(part))).rowcount


def told(error: TenonError) -> dict[str, str]:
    """An error as it is kept: its code and its words."""
    return {"code": error.code, **error.text.as_dict()}


def _claimable(connection: Connection, kind: str) -> sa.ColumnElement[bool]:
    now = db_now(connection)
    dead = job.c.until < now
    if connection.dialect.name == "sqlite":
        # One process owns the database: what another one left running is dead at once.
        dead = sa.or_(dead, ~job.c.owner.startswith(f"{PROCESS}:"))
    before = job.alias("before")
    behind = sa.exists().where(
        before.c.kind == job.c.kind,
        before.c.lane == job.c.lane,
        before.c.state.in_(("ready", "running")),
        before.c.id < job.c.id,
    )
    return sa.and_(
        job.c.kind == kind,
        job.c.state.in_(("ready", "running")),
        job.c.run_at <= now,
        sa.or_(job.c.state == "ready", dead),
        sa.or_(job.c.lane.is_(None), ~behind),
    )


def _mine(tx: Connection, jobs: Sequence[Job], values: dict[str, Any]) -> None:
    for owner in {one.owner for one in jobs}:
        ids = [one.id for one in jobs if one.owner == owner]
        mine = sa.and_(job.c.id.in_(ids), job.c.owner == owner, job.c.state == "running")
        if tx.execute(job.update().where(mine).values(values)).rowcount != len(ids):
            raise Retry("job_lost", _LOST, kind=jobs[0].kind)

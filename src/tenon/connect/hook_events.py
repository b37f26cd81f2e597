"""Webhooks as people see them: what came, what became of it, what was refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.tables import hook_event, hook_refusal
from tenon.jobs import queue
from tenon.jobs.queue import job
from tenon.kernel.errors import Conflict, NotFound
from tenon.kernel.text import Text
from tenon.store import announce

_GONE = Text("没有这个事件：{id}。", "There is no such event: {id}.")
_NOT_FAILED = Text(
    "这个事件没有失败，无需重试。", "This event did not fail; there is nothing to try again."
)
_SHOWN: Final = ("id", "hook", "event", "lane", "received_at", "state", "ended_at", "failure")


def page(
    connection: Connection, *, state: str | None, page_number: int, page_size: int
) -> dict[str, Any]:
    """A page of events, newest first, and what was refused lately."""
    h = hook_event.c
    where = [h.state == state] if state else []
    total = connection.scalar(sa.select(sa.func.count()).select_from(hook_event).where(*where))
    rows = connection.execute(
        sa.select(*(h[name] for name in _SHOWN))
        .where(*where)
        .order_by(h.id.desc())
        .limit(page_size)
        .offset((page_number - 1) * page_size)
    )
    refused = connection.execute(
        sa.select(hook_refusal).order_by(hook_refusal.c.last_at.desc()).limit(50)
    ).mappings()
    return {
        "rows": [_row(row) for row in rows], "total": total or 0, "page": page_number,
        "page_size": page_size, "refusals": [dict(row) for row in refused],
    }  # fmt: skip


def detail(connection: Connection, event_id: str) -> dict[str, Any]:
    """An event with what its sender said, exactly as it came; NotFound when it is gone."""
    found = connection.execute(sa.select(hook_event).where(hook_event.c.id == event_id)).first()
    if found is None:
        raise NotFound("event_gone", _GONE, id=event_id)
    return {"event": _row(found), "body": found.body}


def retry(tx: Connection, event_id: str) -> dict[str, Any]:
    """Let a failed event be worked in again: a person said so."""
    h = hook_event.c
    found = tx.execute(sa.select(hook_event).where(h.id == event_id).with_for_update()).first()
    if found is None:
        raise NotFound("event_gone", _GONE, id=event_id)
    if found.state != "failed":
        raise Conflict("not_failed", _NOT_FAILED)
    key = f"hook:{found.hook}:{found.event}"
    queue.revive(tx, list(tx.scalars(sa.select(job.c.id).where(job.c.key == key))))
    values = {"state": "received", "ended_at": None, "failure": None}
    tx.execute(hook_event.update().where(h.id == event_id).values(values))
    announce(tx, "hook_event")
    return _row(tx.execute(sa.select(hook_event).where(h.id == event_id)).one())


def purge(tx: Connection, before: datetime, most: int = 5000) -> int:
    """Forget events that ended before a moment, a part at a time; failed ones stay."""
    h = hook_event.c
    old = sa.select(h.id).where(h.ended_at < before, h.state != "failed").limit(most)
    return tx.execute(hook_event.delete().where(h.id.in_(old))).rowcount


def _row(row: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {name: getattr(row, name) for name in _SHOWN}
    failure = shown["failure"]
    if failure:
        text = {"zh": failure["zh"], "en": failure["en"]}
        shown["failure"] = {"code": failure["code"], "message": text}
    return shown

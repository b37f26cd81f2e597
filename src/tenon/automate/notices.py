"""Notices: what a role is told, and who has read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.automate.tables import notice, notice_read
from tenon.kernel import clock
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text
from tenon.records.ports import Actor
from tenon.store import announce
from tenon.store.upsert import insert_new


@dataclass(frozen=True, slots=True)
class NewNotice:
    """What a role is told; `link` is an address of the app."""

    role: str
    title: Text
    body: Text | None = None
    link: str | None = None
    run_id: str | None = None


def write(tx: Connection, new: Sequence[NewNotice]) -> list[str]:
    """Write notices; their ids, in order."""
    now, ids = clock.now(), [uuid7() for _ in new]
    rows = [
        {
            "id": id_, "at": now, "role": one.role, "title": one.title.as_dict(),
            "body": one.body.as_dict() if one.body else None, "link": one.link,
            "run_id": one.run_id,
        }
        for id_, one in zip(ids, new, strict=True)
    ]  # fmt: skip
    if rows:
        tx.execute(notice.insert(), rows)
        announce(tx, "notice")
    return ids


def page(
    connection: Connection, actor: Actor, *, unread: bool, page_number: int, page_size: int
) -> dict[str, Any]:
    """A page of the actor's notices, newest first, with the count of those unread."""
    query = _of(actor)
    total_unread = _count(connection, query.where(notice_read.c.at.is_(None)))
    if unread:
        query = query.where(notice_read.c.at.is_(None))
    rows = connection.execute(
        query.order_by(notice.c.id.desc()).limit(page_size).offset((page_number - 1) * page_size)
    )
    return {
        "rows": list(rows.mappings()),
        "unread": total_unread,
        "total": _count(connection, query),
        "page": page_number,
        "page_size": page_size,
    }


def read(tx: Connection, actor: Actor, ids: Sequence[str] | None) -> int:
    """Mark notices of the actor (all, when None) as read; how many are left unread."""
    wanted = _of(actor).where(notice_read.c.at.is_(None))
    if ids is not None:
        wanted = wanted.where(notice.c.id.in_(ids))
    found = [row.id for row in tx.execute(wanted)]
    if found:
        rows = [{"notice_id": id_, "user_id": actor.id, "at": clock.wall()} for id_ in found]
        tx.execute(insert_new(tx, notice_read), rows)
        announce(tx, "notice")
    return _count(tx, _of(actor).where(notice_read.c.at.is_(None)))


def _of(actor: Actor) -> sa.Select[Any]:
    """The notices of the actor's role, with when they read them."""
    mine = sa.and_(notice_read.c.notice_id == notice.c.id, notice_read.c.user_id == actor.id)
    return (
        sa.select(
            notice.c.id, notice.c.at, notice.c.title, notice.c.body, notice.c.link,
            notice_read.c.at.label("read_at"),
        )
        .outerjoin_from(notice, notice_read, mine)
        .where(notice.c.role == actor.role)
    )  # fmt: skip


def _count(connection: Connection, query: sa.Select[Any]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0

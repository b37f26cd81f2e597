"""Opening, listing and settling tasks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from tenon.kernel import clock
from tenon.kernel.errors import Conflict, NotFound
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text
from tenon.store import announce
from tenon.tasks.tables import task

_GONE = Text("没有这项任务：{id}。", "There is no such task: {id}.")
_SETTLED = Text(
    "这项任务已由 {by} 处理，无需再处理；请刷新列表。",
    "This task was already settled by {by}. Reload the list.",
)


@dataclass(frozen=True, slots=True)
class NewTask:
    """A code that a person must settle."""

    entity: str
    source: str
    code: str
    kind: str = "unknown_code"
    name: str | None = None
    stream: str | None = None
    key: str | None = None
    seen: list[tuple[str, str | None]] = field(default_factory=list)
    candidates: tuple[str, ...] = ()


def open_all(tx: Connection, new: Sequence[NewTask]) -> dict[tuple[str, str, str], str]:
    """The tasks of these codes by (entity, source, code), opening those that do not exist.

    A code that a person chose to ignore stays ignored. A task first seen in a row that only
    mentions the code learns more when the code's own row comes.
    """
    found: dict[tuple[str, str, str], str] = {}
    wanted = {(n.entity, n.source, n.code): n for n in reversed(new)}
    wanted |= {(n.entity, n.source, n.code): n for n in new if n.stream}
    known = {(r.entity, r.source, r.code): r for r in _known(tx, new)}
    for place, one in wanted.items():
        row = known.get(place)
        if row is None:
            found[place] = uuid7()
            tx.execute(task.insert().values(_row(one, found[place])))
            announce(tx, "task")
            continue
        found[place] = row.id
        if one.stream and (row.stream is None or row.kind != one.kind):
            changes = {k: v for k, v in _row(one, row.id).items() if k in _LEARNT}
            tx.execute(task.update().where(task.c.id == row.id).values(changes))
    return found


_LEARNT = ("kind", "name", "stream", "key", "seen", "candidates")


def _known(tx: Connection, new: Sequence[NewTask]) -> list[Any]:
    codes = {n.code for n in new}
    return list(
        tx.execute(
            sa.select(task)
            .where(
                task.c.code.in_(codes),
                task.c.source.in_({n.source for n in new}),
                task.c.entity.in_({n.entity for n in new}),
                task.c.state != "done",
            )
            .order_by(task.c.state)
        )
    )


def _row(new: NewTask, id_: str) -> dict[str, Any]:
    return {
        "id": id_, "kind": new.kind, "entity": new.entity, "source": new.source,
        "code": new.code, "name": new.name, "stream": new.stream, "key": new.key,
        "seen": new.seen, "candidates": list(new.candidates), "state": "open",
        "created_at": clock.now(),
    }  # fmt: skip


def close_matched(
    tx: Connection, entity: str, source: str, codes: Collection[str], outcome: Text
) -> None:
    """Close the open tasks of codes that were matched without a person."""
    if codes:
        tx.execute(
            task.update()
            .where(
                task.c.entity == entity,
                task.c.source == source,
                task.c.code.in_(codes),
                task.c.state == "open",
            )
            .values(
                state="done", done_at=clock.now(), done_by=f"sync:{source}",
                outcome=outcome.as_dict(),
            )
        )  # fmt: skip


def get(connection: Connection, id_: str) -> RowMapping:
    """One task; NotFound when there is none."""
    row = connection.execute(sa.select(task).where(task.c.id == id_)).mappings().first()
    if row is None:
        raise NotFound("no_task", _GONE, id=id_)
    return row


def settle(tx: Connection, id_: str, state: str, by: str, outcome: Text) -> RowMapping:
    """End an open task; Conflict when somebody was first."""
    changed = tx.execute(
        task.update()
        .where(task.c.id == id_, task.c.state == "open")
        .values(state=state, done_at=clock.now(), done_by=by, outcome=outcome.as_dict())
    )
    announce(tx, "task")
    row = get(tx, id_)
    if not changed.rowcount:
        raise Conflict("task_settled", _SETTLED, by=row["done_by"] or "—")
    return row


def page(
    connection: Connection,
    *,
    state: str | None = None,
    entity: str | None = None,
    page_number: int = 1,
    page_size: int = 50,
) -> tuple[list[RowMapping], int]:
    """A page of tasks, oldest first, and the count of all."""
    query = sa.select(task)
    if state:
        query = query.where(task.c.state == state)
    if entity:
        query = query.where(task.c.entity == entity)
    total = connection.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
    rows = connection.execute(
        query.order_by(task.c.created_at, task.c.id)
        .limit(page_size)
        .offset((page_number - 1) * page_size)
    )
    return list(rows.mappings()), total


def reopen(tx: Connection, id_: str) -> None:
    """Open a task again whose settlement came to nothing."""
    tx.execute(
        task.update()
        .where(task.c.id == id_)
        .values(state="open", done_at=None, done_by=None, outcome=None)
    )

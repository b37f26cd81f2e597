"""Settling a task: a person links an unknown code, creates what it names, or ignores it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.deps import ConnectDeps
from tenon.connect.retry import retry, retry_rows
from tenon.connect.tables import source_row, source_wait
from tenon.define.catalogue import Catalogue
from tenon.define.models import Entity, Sync
from tenon.kernel.errors import BadInput, Conflict, NotFound, SetAside
from tenon.kernel.text import Text
from tenon.master import lookup
from tenon.master.lookup import Link
from tenon.records.ports import Actor
from tenon.records.tables import entity_tables
from tenon.records.write import RowKey
from tenon.tasks import service as tasks

_LINKED = Text("已关联到“{name}”。", "Linked to “{name}”.")
_CREATED = Text("已新建“{name}”。", "Created “{name}”.")
_IGNORED = Text(
    "已忽略；等待它的行继续搁置。", "Ignored; the rows that wait for it stay set aside."
)
_NO_RECORD = Text("请先选择要关联的记录。", "Choose the record to link the code to.")
_NOT_CREATED = Text(
    "无法根据这一行新建记录：{reason} 请改为关联已有记录，或在来源系统中更正后重试。",
    "No record can be made from the row: {reason} Link it to an existing one, or correct it in "
    "its own system.",
)
_BAD_ACTION = Text(
    "不支持的操作“{action}”；可选：link、create、ignore。",
    "Unknown action “{action}”; choose link, create or ignore.",
)


# How long a person's request waits for a sync of the same stream to end.
_PATIENCE = 10.0


def resolve(
    deps: ConnectDeps, actor: Actor, id_: str, action: str, record_id: str | None = None
) -> dict[str, Any]:
    """Settle an open task, then try the rows that waited for it; Conflict when it was settled."""
    catalogue = deps.catalogue()
    with deps.hub.read() as connection:
        one = dict(tasks.get(connection, id_))
    match action:
        case "link":
            _link(deps, catalogue, actor, one, record_id)
        case "create":
            _create(deps, catalogue, actor, one)
        case "ignore":
            with deps.hub.write() as tx:
                tasks.settle(tx, id_, "ignored", actor.name, _IGNORED)
        case _:
            raise BadInput("bad_action", _BAD_ACTION, action=action[:40])
    if action != "ignore":
        retry(deps, one["source"])
    with deps.hub.read() as connection:
        return task_row(connection, catalogue, tasks.get(connection, id_))


def task_list(
    connection: Connection,
    catalogue: Catalogue,
    *,
    state: str | None = "open",
    entity: str | None = None,
    page: int = 1,
    page_size: int = 50,
) -> dict[str, Any]:
    """A page of tasks, each with how many rows wait for it."""
    rows, total = tasks.page(
        connection, state=state, entity=entity, page_number=page, page_size=page_size
    )
    return {
        "rows": [task_row(connection, catalogue, row) for row in rows],
        "total": total, "page": page, "page_size": page_size,
    }  # fmt: skip


def task_row(connection: Connection, catalogue: Catalogue, row: Any) -> dict[str, Any]:
    """A task as `server.models.UnknownCodeTask`."""
    try:
        label = catalogue.source(row["source"]).label.text()
    except NotFound:
        label = Text(row["source"], row["source"])
    return {
        "id": row["id"], "entity": row["entity"], "source": row["source"], "source_label": label,
        "code": row["code"], "name": row["name"],
        "seen": [(name, value) for name, value in row["seen"]],
        "waiting_rows": _waiting(connection, row), "state": row["state"],
        "created_at": row["created_at"], "done_at": row["done_at"], "done_by": row["done_by"],
        "outcome": row["outcome"],
    }  # fmt: skip


def _waiting(connection: Connection, row: Any) -> int:
    w = source_wait.c
    by_code = sa.and_(
        w.kind == "code", w.entity == row["entity"], w.field == row["source"],
        w.value == row["code"],
    )  # fmt: skip
    by_task = sa.and_(w.kind == "task", w.entity == "task", w.field == "", w.value == row["id"])
    rows = sa.select(w.source, w.stream, w.key).where(sa.or_(by_code, by_task)).distinct()
    return connection.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0


def _link(
    deps: ConnectDeps, catalogue: Catalogue, actor: Actor, one: dict[str, Any], record: str | None
) -> None:
    if not record:
        raise BadInput("no_record_chosen", _NO_RECORD)
    with deps.hub.write() as tx:
        title = _title(tx, catalogue, one["entity"], record)
        tasks.settle(tx, one["id"], "done", actor.name, _LINKED.format(name=title))
        lookup.relink(tx, _confirmed(one, record, actor))


def _create(deps: ConnectDeps, catalogue: Catalogue, actor: Actor, one: dict[str, Any]) -> None:
    name = one["name"] or one["code"]
    with deps.hub.write() as tx:
        tasks.settle(tx, one["id"], "done", actor.name, _CREATED.format(name=name))
        if one["stream"] is None:
            record = _plain_record(deps, catalogue, actor, tx, one)
            lookup.relink(tx, _confirmed(one, record, actor))
            return
        # A reused code belongs to another record still; from now on it does not.
        lookup.end(tx, one["entity"], one["source"], one["code"])
    sync = next(s for s in catalogue.syncs_of(one["source"]) if s.stream.name == one["stream"])
    try:
        retry_rows(deps, catalogue, sync, [one["key"]], force=True, patience=_PATIENCE)
    except Conflict:
        with deps.hub.write() as tx:
            tasks.reopen(tx, one["id"])
        raise
    _require_created(deps, sync, one)


def _require_created(deps: ConnectDeps, sync: Sync, one: dict[str, Any]) -> None:
    """Raise BadInput, with the task open again, when the row could not found a record."""
    s = source_row.c
    with deps.hub.write() as tx:
        row = tx.execute(
            sa.select(s.state, s.reason).where(
                s.source == sync.source, s.stream == sync.stream.name, s.key == one["key"]
            )
        ).first()
        if row is not None and row.state == "applied":
            return
        tasks.reopen(tx, one["id"])
    reason = row.reason["zh"] if row is not None and row.reason else "—"
    english = row.reason["en"] if row is not None and row.reason else "—"
    text = Text(
        _NOT_CREATED.zh.replace("{reason}", reason), _NOT_CREATED.en.replace("{reason}", english)
    )
    raise BadInput("not_created", text)


def _plain_record(
    deps: ConnectDeps, catalogue: Catalogue, actor: Actor, tx: Connection, one: dict[str, Any]
) -> str:
    """A record of a code that no base data explains: its code and its name are all there is."""
    entity = catalogue.entity(one["entity"])
    fields = entity.by_code
    values = dict.fromkeys(fields)
    name = one["name"] or one["code"]
    given = {k: v for k, v in (("code", one["code"]), ("name", name)) if k in fields}
    if entity.title and entity.title not in given:
        given[entity.title] = name
    writer = deps.writer()
    try:
        writer.check(entity.code, values | given)
    except SetAside as reason:
        text = Text(
            _NOT_CREATED.zh.replace("{reason}", reason.text.zh),
            _NOT_CREATED.en.replace("{reason}", reason.text.en),
        )
        raise BadInput("not_created", text) from None
    key = RowKey(source=one["source"], source_key=f"task:{one['id']}")
    return writer.write(tx, actor, entity.code, [(key, given)])[0].id


def _confirmed(one: dict[str, Any], record: str, actor: Actor) -> Link:
    return Link(
        one["entity"], one["source"], one["code"], record, one["name"] or one["code"],
        "confirmed", confirmed_by=actor.name, stream=one["stream"], key=one["key"],
    )  # fmt: skip


def _title(tx: Connection, catalogue: Catalogue, code: str, id_: str) -> str:
    entity: Entity = catalogue.entity(code)
    table = entity_tables(catalogue)[code]
    row = (
        tx.execute(
            sa.select(table).where(
                sa.cast(table.c.id, sa.String) == id_, table.c.archived_at.is_(None)
            )
        )
        .mappings()
        .first()
    )
    if row is None:
        raise BadInput("no_record_chosen", _NO_RECORD)
    return str(row[entity.title] if entity.title else id_)

"""Flows and their runs for people: lists, one run step by step, retry, cancel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.automate import registry, switch
from tenon.automate.tables import flow_run, flow_step
from tenon.automate.triggers import KIND
from tenon.connect.tables import push_row
from tenon.define import publish
from tenon.define.catalogue import Catalogue
from tenon.define.models import Flow, PushDef
from tenon.define.tables import definition
from tenon.jobs import queue
from tenon.jobs.queue import NewJob, job
from tenon.kernel import clock
from tenon.kernel.errors import Conflict, NotFound
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text
from tenon.store import announce

STATES: Final = ("running", "waiting", "done", "failed", "cancelled")
# Where a person looks at the record that a run is about.
_LINKS: Final[Mapping[str, str]] = {"order_line": "/orders/{id}"}

_GONE = Text("没有这个流程运行。", "There is no such run of a flow.")
_NOT_FAILED = Text(
    "只有失败的运行才能重试；这次运行的状态是“{state}”。请刷新页面。",
    "Only a failed run can be tried again; this one is {state}. Reload the page.",
)
_OVER = Text(
    "这次运行已结束（{state}），不能取消。请刷新页面。",
    "This run is over ({state}) and cannot be cancelled. Reload the page.",
)


def flows(connection: Connection, catalogue: Catalogue, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Every flow with what starts it, its steps, whether it is on, and its runs counted."""
    known = catalogue.of(Flow)
    on = switch.enabled(connection, known)
    counts = _counts(connection, clock.day_start(clock.now(), zone))
    versions = {
        row.code: row
        for row in connection.execute(
            sa.select(definition.c.code, definition.c.version, definition.c.package).where(
                definition.c.kind == "flow", definition.c.state == "published"
            )
        )
    }
    return [
        {
            "code": flow.code,
            "label": flow.label.text().as_dict(),
            "package": versions[flow.code].package,
            "version": versions[flow.code].version,
            "enabled": on[flow.code],
            "trigger": {
                "entity": flow.trigger.record,
                "entity_label": catalogue.entity(flow.trigger.record).label.text().as_dict(),
                "event": flow.trigger.event,
            },
            "steps": [
                {"id": s.id, "step": s.step, "label": step_label(flow, s.id)} for s in flow.steps
            ],
            "runs": {
                name: counts.get((flow.code, name), (0, None))[0]
                for name in ("running", "waiting", "failed", "done_today")
            },
            "last_run_at": max(
                (at for (code, _), (_, at) in counts.items() if code == flow.code and at),
                default=None,
            ),
        }
        for flow in known
    ]


def page(
    connection: Connection,
    catalogue: Catalogue,
    *,
    flow: str | None = None,
    state: str | None = None,
    q: str | None = None,
    page_number: int = 1,
    page_size: int = 50,
) -> dict[str, Any]:
    """A page of runs, newest first."""
    r = flow_run.c
    query = sa.select(flow_run)
    if flow:
        query = query.where(r.flow == flow)
    if state:
        query = query.where(r.state == state)
    if q:
        query = query.where(r.subject.icontains(q, autoescape=True))
    total = connection.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
    rows = connection.execute(
        query.order_by(r.id.desc()).limit(page_size).offset((page_number - 1) * page_size)
    ).all()
    flows_of = _Flows(connection, catalogue)
    return {
        "rows": [_row(row, flows_of.of(row), catalogue) for row in rows],
        "total": total,
        "page": page_number,
        "page_size": page_size,
    }


def run_page(connection: Connection, catalogue: Catalogue, id_: str) -> dict[str, Any]:
    """One run with each of its steps; NotFound when there is none."""
    row = _get(connection, id_)
    flow = _Flows(connection, catalogue).of(row)
    steps = {
        s.step: s for s in connection.execute(sa.select(flow_step).where(flow_step.c.run_id == id_))
    }
    trying = connection.execute(
        sa.select(job.c.tries, job.c.error).where(job.c.key == row.owner, job.c.state != "done")
    ).first()
    return {
        "run": _row(row, flow, catalogue),
        "trigger": row.data.get("trigger", {}),
        "steps": [_step(flow, at, row, steps, trying) for at in range(len(flow.steps))],
        "pushes": _pushes(connection, catalogue, id_),
        "version": row.epoch,
        "can_retry": row.state == "failed",
        "can_cancel": row.state in {"running", "waiting", "failed"},
    }


def _pushes(connection: Connection, catalogue: Catalogue, run_id: str) -> list[dict[str, Any]]:
    """What the run wrote into other systems."""
    tables = {push.code: push.table for push in catalogue.of(PushDef)}
    rows = connection.execute(
        sa.select(push_row).where(push_row.c.run_id == run_id).order_by(push_row.c.push)
    ).mappings()
    return [
        {
            "push": row["push"], "table": tables.get(row["push"], row["push"]), "key": row["key"],
            "state": row["state"], "sent_at": row["sent_at"], "echoed_at": row["echoed_at"],
            "columns": row["values"],
        }
        for row in rows
    ]  # fmt: skip


def retry(tx: Connection, id_: str) -> None:
    """Let a failed run go on from the step where it failed; Conflict when it has not failed."""
    row = _get(tx, id_, lock=True)
    if row.state != "failed":
        raise Conflict("run_not_failed", _NOT_FAILED, state=row.state)
    owner = f"{id_}:again:{uuid7()}"
    values = {"state": "running", "owner": owner, "failure": None, "ended_at": None, "depth": 1}
    tx.execute(flow_run.update().where(flow_run.c.id == id_).values(values))
    failed = sa.and_(flow_step.c.run_id == id_, flow_step.c.state == "failed")
    tx.execute(flow_step.delete().where(failed))
    queue.enqueue(tx, [NewJob(KIND, {"run": id_}, key=owner)])
    announce(tx, "flow_run")


def cancel(tx: Connection, id_: str) -> None:
    """End a run where it stands; what it has done stays done. Conflict when it is over."""
    row = _get(tx, id_, lock=True)
    if row.state in {"done", "cancelled"}:
        raise Conflict("run_over", _OVER, state=row.state)
    # Without its owner no job may move it on: one at work is rolled back at its next commit.
    tx.execute(
        flow_run.update()
        .where(flow_run.c.id == id_)
        .values(state="cancelled", owner=None, ended_at=clock.now())
    )
    if row.owner:
        queue.cancel(tx, [row.owner])
    announce(tx, "flow_run")


def purge(tx: Connection, before: datetime, most: int = 1000) -> int:
    """Forget runs that ended well, or were cancelled, before a moment; how many."""
    r = flow_run.c
    old = sa.select(r.id).where(r.ended_at < before, r.state.in_(("done", "cancelled")))
    ids = list(tx.scalars(old.limit(most)))
    tx.execute(flow_step.delete().where(flow_step.c.run_id.in_(ids)))
    return tx.execute(flow_run.delete().where(r.id.in_(ids))).rowcount


def step_label(flow: Flow, id_: str) -> dict[str, str]:
    """A step's own label, or that of its kind."""
    one = next(s for s in flow.steps if s.id == id_)
    if one.label is not None:
        return one.label.text().as_dict()
    return registry.find(one.step).label.as_dict()


class _Flows:
    """The flows that runs follow, each read once."""

    def __init__(self, connection: Connection, catalogue: Catalogue) -> None:
        self._connection, self._catalogue = connection, catalogue
        self._known: dict[tuple[str, int], Flow] = {}

    def of(self, row: Any) -> Flow:
        key = (row.flow, row.epoch)
        if key not in self._known:
            if row.epoch == self._catalogue.epoch:
                self._known[key] = self._catalogue.flow(row.flow)
            else:
                self._known[key] = publish.as_of(self._connection, Flow, *key)
        return self._known[key]


def _get(connection: Connection, id_: str, *, lock: bool = False) -> Any:
    query = sa.select(flow_run).where(flow_run.c.id == id_)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFound("no_flow_run", _GONE)
    return row


def _counts(connection: Connection, today: datetime) -> dict[tuple[str, str], tuple[int, Any]]:
    r = flow_run.c
    kind = sa.case((sa.and_(r.state == "done", r.ended_at >= today), "done_today"), else_=r.state)
    last = sa.func.max(r.started_at, type_=r.started_at.type)
    rows = connection.execute(sa.select(r.flow, kind, sa.func.count(), last).group_by(r.flow, kind))
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def _kind(catalogue: Catalogue, entity: str) -> dict[str, str]:
    """The label of an entity; its code when it is defined no more."""
    try:
        return catalogue.entity(entity).label.text().as_dict()
    except NotFound:
        return {"zh": entity, "en": entity}


def _row(row: Any, flow: Flow, catalogue: Catalogue) -> dict[str, Any]:
    link = _LINKS.get(row.entity)
    step = row.step if row.state != "done" else None
    if row.state == "failed" and row.failure and row.failure.get("step"):
        step = row.failure["step"]
    return {
        "id": row.id,
        "flow": row.flow,
        "label": flow.label.text().as_dict(),
        "state": row.state,
        "step": step,
        "step_label": step_label(flow, step) if step else None,
        # Runs of before named a record without a title by its id.
        "subject": "" if row.subject == row.record_id else row.subject,
        "entity_label": _kind(catalogue, row.entity),
        "subject_link": link.format(id=row.record_id) if link else None,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "waits_until": row.wait_until if row.state == "waiting" else None,
        "failure": _failure(row.failure) if row.state == "failed" else None,
    }


def _step(flow: Flow, at: int, run: Any, steps: Mapping[str, Any], trying: Any) -> dict[str, Any]:
    one = flow.steps[at]
    known = steps.get(one.id)
    here = one.id == run.step and run.state in {"running", "failed"}
    state = known.state if known else _unseen(flow, at, run)
    error = known.failure if known else None
    if here and trying is not None and state == "running":
        error = trying.error
    return {
        "id": one.id,
        "step": one.step,
        "label": step_label(flow, one.id),
        "state": state,
        "started_at": known.started_at if known else None,
        "ended_at": known.ended_at if known else None,
        "output": known.output if known else None,
        "failure": _failure(error),
        "tries": trying.tries if here and trying is not None else 0,
    }


def _unseen(flow: Flow, at: int, run: Any) -> str:
    """The state of a step that has no row: to come, at work, or passed over."""
    ids = [s.id for s in flow.steps]
    if run.state == "done" or at < ids.index(run.step):
        return "skipped"
    if ids[at] == run.step and run.state == "running":
        return "running"
    return "skipped" if run.state == "cancelled" else "pending"


def _failure(kept: Any) -> dict[str, Any] | None:
    if not kept:
        return None
    return {"code": kept["code"], "message": {"zh": kept["zh"], "en": kept["en"]}}

"""Reports that a person must look at: of a job that was over, of an unknown worker or machine.

What was decided about them stays to be seen, with who decided and when.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.factory.reporting import job, reports
from tenon.factory.reporting.reports import Part, Report, Reporting
from tenon.factory.reporting.tables import report
from tenon.kernel import clock
from tenon.kernel.errors import BadInput, Conflict, NotFound
from tenon.kernel.text import Text
from tenon.records.ports import SYSTEM, Actor
from tenon.store import announce

_WAITING: Final = "review"
_NONE = Text("没有这份报工。", "There is no such report.")
_DECIDED = Text("这份报工已有人处理；请刷新。", "Somebody has decided about this report. Reload.")
_NOBODY = Text(
    "没有工号“{number}”；请填写正确的工号，或留空。",
    "Nobody has the number “{number}”. Give the right one, or none.",
)


def page(
    connection: Connection, tenon: Reporting, actor: Actor, *, state: str, page_number: int,
    page_size: int,
) -> dict[str, Any]:  # fmt: skip
    """A page of the reports that wait, the oldest first, or of decided ones, the newest first."""
    r = report.c
    # Written out: the index of those that wait is not used for a value bound later.
    of_state = r.state == sa.bindparam(None, state, sa.String, literal_execute=True)
    mine = sa.select(report).where(r.reason.is_not(None), of_state)
    total = connection.scalar(sa.select(sa.func.count()).select_from(mine.subquery()))
    newest = (r.decided_at.desc().nulls_last(), r.id.desc())
    rows = connection.execute(
        mine.order_by(*((r.id,) if state == _WAITING else newest))
        .limit(page_size)
        .offset((page_number - 1) * page_size)
    ).all()
    return {
        "rows": [_shown(connection, tenon, actor, row) for row in rows], "total": total or 0,
        "page": page_number, "page_size": page_size,
    }  # fmt: skip


def _shown(connection: Connection, tenon: Reporting, actor: Actor, row: Any) -> dict[str, Any]:
    reader = tenon.reader(actor)
    held, sent = job.load(connection, reader, row.operation_id), _kept(row)
    who = job.employee(connection, reader, sent.employee_no)
    times = reports.timing(held, sent, row.received_at)
    return {
        "report_id": row.id, "state": row.state, "reason": row.reason,
        "received_at": row.received_at, "reported_at": times.corrected(sent.last_at),
        "work_order_no": held.order["work_order_no"], "seq": held.operation["seq"],
        "operation": held.operation["name"] or "", "qty_plan": held.operation["qty_plan"],
        "qty_good": job.good(connection, reader, held), "employee_no": sent.employee_no,
        "employee_name": who[1] if who else None,
        "machine": job.machine(connection, reader, sent.machine_id),
        "events": [{"kind": e.kind, "at": times.corrected(e.at)} for e in sent.events],
        "quantities": [{"kind": q.kind, "qty": q.qty} for q in sent.quantities],
        "decided_by": row.decided_by, "decided_at": row.decided_at,
    }  # fmt: skip


def decide(
    tenon: Reporting, actor: Actor, report_id: str, *, accept: bool,
    employee_no: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Take a report that waits, or leave it out; Conflict when somebody has decided.

    `employee_no` says whose it is where the number was mistyped.
    """
    with reports.foreign_ids_refused(), tenon.hub.write() as tx:
        row = reports.find(tx, report_id, lock=True)
        if row is None:
            raise NotFound("no_report", _NONE)
        if row.state != _WAITING:
            raise Conflict("report_decided", _DECIDED)
        if accept:
            _take(tx, tenon, row, employee_no)
        values = {
            "state": "recorded" if accept else "rejected", "decided_by": actor.name[:100],
            "decided_at": clock.now(),
        }  # fmt: skip
        tx.execute(report.update().where(report.c.id == report_id).values(values))
        announce(tx, "report")
        return reports.answer_of(reports.find(tx, report_id))


def _take(tx: Connection, tenon: Reporting, row: Any, employee_no: str | None) -> None:
    reader, sent = tenon.reader(SYSTEM), _kept(row)
    held = job.load(tx, reader, row.operation_id)
    who = job.employee(tx, reader, employee_no or sent.employee_no)
    if employee_no and who is None:
        raise BadInput("unknown_employee", _NOBODY, number=employee_no[:40])
    times = reports.timing(held, sent, row.received_at)
    reports.append(tx, tenon, held, sent, times, who and who[0])


def _kept(row: Any) -> Report:
    """The report as it was sent."""

    def parts(name: str) -> tuple[Part, ...]:
        return tuple(
            Part(
                p["id"], p["kind"], datetime.fromisoformat(p["at"]),
                Decimal(p["qty"]) if "qty" in p else None,
            )
            for p in row.body[name]
        )  # fmt: skip

    body = row.body
    return Report(
        row.id, row.device, row.sent_at, body["employee_no"], body["machine_id"],
        parts("events"), parts("quantities"),
    )  # fmt: skip

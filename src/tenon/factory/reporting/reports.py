"""Workers' reports: kept once, whatever the network does; nothing reported is ever lost.

A report is time events and quantities with ids made on the phone. The same report again gets
the same answer and has no second effect. What cannot be taken as it is (the job was closed, the
worker's number is unknown) is kept for a planner to look at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.access.attempts import Attempts
from tenon.automate import notices
from tenon.boards.reading import Opened
from tenon.factory.reporting import codes, job
from tenon.factory.reporting.tables import report
from tenon.kernel import clock, faults
from tenon.kernel.errors import BadInput, Conflict, NotFound
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text
from tenon.records.ports import SYSTEM, Actor
from tenon.records.write import RowKey, Writer
from tenon.store.upsert import insert_new

UNDO: Final = timedelta(minutes=10)
_TRUSTED: Final = timedelta(minutes=1)
OF_DEVICE: Final = Attempts(240)  # a queue of a whole shift is sent at once

_DIFFERS = Text(
    "这份报工此前以不同的内容收到过；请刷新页面后重新报工。",
    "This report came before with other contents. Reload the page and report again.",
)
_CLOSED = Text(
    "这道工序已结束（工单 {number}），不能再报工；如有疑问请联系班组长。",
    "This job is over (work order {number}); nothing more can be reported for it. Ask the "
    "supervisor if that is wrong.",
)
_TOO_LATE = Text(
    "已超过十分钟，不能撤销；请联系班组长更正。",
    "More than ten minutes have passed. Ask the supervisor to correct it.",
)
_NOT_YOURS = Text("这台设备没有提交过这份报工。", "This phone has not sent that report.")
_EMPTY = Text("报工中没有数量也没有时间。", "The report holds neither a quantity nor a time.")
_TWICE = Text("报工中的编号重复。", "An id stands twice in the report.")
_UNKNOWN_MACHINE = Text("没有这台设备。", "There is no such machine.")
_REVIEW = Text("工单 {number} 的一份报工待确认", "A report for {number} waits for a decision")


class Reporting(Opened, Protocol):
    """The part of an opened Tenon that reporting needs."""

    @property
    def writer(self) -> Writer:
        """The one write path."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """A time event (`kind`) or a quantity (`kind`, `qty`), with its id and time on the phone."""

    id: str
    kind: str
    at: datetime
    qty: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a phone sends."""

    id: str
    device: str
    sent_at: datetime
    employee_no: str
    machine_id: str | None
    events: tuple[Part, ...]
    quantities: tuple[Part, ...]

    @property
    def content(self) -> dict[str, Any]:
        """What it says, whenever and however often it is sent."""
        return {
            "employee_no": self.employee_no, "machine_id": self.machine_id,
            "events": [_said(p) for p in self.events],
            "quantities": [_said(p) for p in self.quantities],
        }  # fmt: skip


def receive(tenon: Reporting, token: str, address: str, sent: Report) -> dict[str, Any]:
    """Keep a report; the same one again gets the same answer."""
    OF_DEVICE.refuse_many(f"{address} {sent.device}")
    OF_DEVICE.count(f"{address} {sent.device}")
    _check(sent)
    with tenon.hub.read() as connection:
        operation_id = codes.operation_of(connection, token, address)
    offset = clock.now() - sent.sent_at
    with tenon.hub.write() as tx:
        answer = _keep(tx, tenon, operation_id, sent, offset)
        faults.point("report.store.before")
    faults.point("report.store.after")
    return answer


def undo(tenon: Reporting, token: str, address: str, device: str, report_id: str) -> dict[str, Any]:
    """Take a report back within ten minutes, from the phone that sent it."""
    with tenon.hub.write() as tx:
        operation_id = codes.operation_of(tx, token, address)
        row = _row(tx, report_id, lock=True)
        if row is None or row.operation_id != operation_id or row.device != device:
            raise NotFound("no_report", _NOT_YOURS)
        if row.state == "undone":
            return _answer(row)
        if clock.now() > row.received_at + UNDO or row.decided_at is not None:
            raise Conflict("undo_too_late", _TOO_LATE)
        if row.state == "recorded":
            _reverse(tx, tenon, row)
        tx.execute(report.update().where(report.c.id == report_id).values(state="undone"))
        found = _row(tx, report_id)
    return _answer(found)


def decide(tenon: Reporting, actor: Actor, report_id: str, *, accept: bool) -> dict[str, Any]:
    """Take a report that waits for a decision as it is, or leave it out; Conflict when decided."""
    with tenon.hub.write() as tx:
        row = _row(tx, report_id, lock=True)
        if row is None:
            raise NotFound("no_report", _NOT_YOURS)
        if row.state != "review":
            raise Conflict("report_decided", _DECIDED)
        if accept:
            held = job.load(tx, tenon.reader(SYSTEM), row.operation_id)
            sent = _kept(row)
            who = job.employee(tx, tenon.reader(SYSTEM), sent.employee_no)
            _append(tx, tenon, held, sent, timedelta(0), row.received_at, who and who[0])
        values = {
            "state": "recorded" if accept else "rejected", "decided_by": actor.id,
            "decided_at": clock.now(),
        }  # fmt: skip
        tx.execute(report.update().where(report.c.id == report_id).values(values))
        return _answer(_row(tx, report_id))


_DECIDED = Text("这份报工已有人处理；请刷新。", "Somebody has decided about this report. Reload.")


def reviews(connection: Connection, tenon: Reporting, actor: Actor) -> list[dict[str, Any]]:
    """The reports that wait for a decision, oldest first."""
    rows = connection.execute(
        sa.select(report).where(report.c.state == "review").order_by(report.c.id).limit(200)
    ).all()
    reader = tenon.reader(actor)
    return [
        {
            "report_id": row.id, "reason": row.reason, "received_at": row.received_at,
            "work_order_no": held.order["work_order_no"], "seq": held.operation["seq"],
            "operation": held.operation["name"] or "", "employee_no": row.body["employee_no"],
            "quantities": [
                {"kind": q["kind"], "qty": q["qty"]} for q in row.body["quantities"]
            ],
        }
        for row in rows
        for held in [job.load(connection, reader, row.operation_id)]
    ]  # fmt: skip


def _check(sent: Report) -> None:
    parts = [*sent.events, *sent.quantities]
    if not parts:
        raise BadInput("empty_report", _EMPTY)
    if len({p.id for p in parts}) != len(parts):
        raise BadInput("doubled_ids", _TWICE)


def _keep(
    tx: Connection, tenon: Reporting, operation_id: str, sent: Report, offset: timedelta
) -> dict[str, Any]:
    now, reader = clock.now(), tenon.reader(SYSTEM)
    held = job.load(tx, reader, operation_id)
    who = job.employee(tx, reader, sent.employee_no)
    reason = held.closed or (None if who else "unknown_employee")
    body = sent.content
    row = {
        "id": sent.id, "operation_id": operation_id, "device": sent.device,
        "hash": _hash(operation_id, body), "state": "review" if reason else "recorded",
        "reason": reason, "body": body, "received_at": now,
    }  # fmt: skip
    if tx.scalar(insert_new(tx, report).values(row).returning(report.c.id)) is None:
        there = _row(tx, sent.id)
        if there is None or there.hash != row["hash"]:
            raise Conflict("report_differs", _DIFFERS)
        return _answer(there)
    if held.closed and _times(sent, offset, now)[1] > held.closed_at:
        # Work said to be done after the job was over: the worker hears it now, on the spot.
        raise Conflict("job_closed", _CLOSED, number=held.order["work_order_no"])
    if reason:
        title = _REVIEW.format(number=held.order["work_order_no"])
        notices.write(tx, [notices.NewNotice("planner", title, link="/order-changes")])
    else:
        _append(tx, tenon, held, sent, offset, now, who and who[0])
    return _answer(_row(tx, sent.id))


def _append(
    tx: Connection, tenon: Reporting, held: job.Job, sent: Report, offset: timedelta,
    now: datetime, employee: str | None,
) -> None:  # fmt: skip
    """Append the events and quantities of a report."""
    if sent.machine_id is not None:
        machine = tenon.reader(SYSTEM).table("machine")
        if not tx.scalar(sa.select(sa.exists().where(machine.c.id == sent.machine_id))):
            raise BadInput("unknown_machine", _UNKNOWN_MACHINE)
    common = {
        "report_id": sent.id, "operation": held.operation["id"], "employee": employee,
        "machine": sent.machine_id, "server_at": now, "device": sent.device, "corrects": None,
        "undone_at": None,
    }  # fmt: skip
    actor = Actor(f"report:{sent.device}"[:100], sent.employee_no, "worker", "system")
    for entity, field, parts in (
        ("op_event", "event", sent.events), ("op_quantity", "quantity", sent.quantities)
    ):  # fmt: skip
        rows = [
            common | {"client_id": p.id, field: p.kind, **_when(p, offset, now)}
            | ({"qty": p.qty} if entity == "op_quantity" else {})
            for p in parts
        ]  # fmt: skip
        tenon.writer.write(
            tx, actor, entity, [(RowKey(), row) for row in rows], cause=f"report:{sent.id}"
        )


def _reverse(tx: Connection, tenon: Reporting, row: Any) -> None:
    """Append the rows that take a report back: nothing that was reported is deleted."""
    now, reader = clock.now(), tenon.reader(SYSTEM)
    undoing = uuid7()
    actor = Actor(f"report:{row.device}"[:100], row.body["employee_no"], "worker", "system")
    for entity in ("op_event", "op_quantity"):
        table = reader.table(entity)
        own = tx.execute(sa.select(table).where(table.c.report_id == row.id)).mappings().all()
        fields = [f.code for f in reader.catalogue.entity(entity).fields]
        new = []
        for there in own:
            made = {code: there[code] for code in fields} | {
                "report_id": undoing, "client_id": uuid7(), "corrects": there["client_id"],
                "at": now, "device_at": now, "server_at": now, "undone_at": now,
            }  # fmt: skip
            made |= {"event": "undo"} if entity == "op_event" else {"qty": -there["qty"]}
            new.append((RowKey(), made))
        marked = [(RowKey(id=there["id"]), {"undone_at": now}) for there in own]
        for rows in (new, marked):
            tenon.writer.write(tx, actor, entity, rows, cause=f"report:{row.id}")


def _when(part: Part, offset: timedelta, now: datetime) -> dict[str, datetime]:
    return {"at": _corrected(part.at, offset, now), "device_at": part.at, "server_at": now}


def _corrected(at: datetime, offset: timedelta, now: datetime) -> datetime:
    """A phone's time by the server's clock: what its clock is off is known from its sending."""
    moved = at + offset if abs(offset) > _TRUSTED else at
    return min(moved, now)


def _times(sent: Report, offset: timedelta, now: datetime) -> tuple[datetime, datetime]:
    times = [_corrected(p.at, offset, now) for p in (*sent.events, *sent.quantities)]
    return min(times), max(times)


def _said(part: Part) -> dict[str, Any]:
    said = {"id": part.id, "kind": part.kind, "at": part.at.isoformat()}
    return said if part.qty is None else said | {"qty": f"{part.qty:f}"}


def _hash(operation_id: str, body: Mapping[str, Any]) -> str:
    text = json.dumps([operation_id, body], sort_keys=True, ensure_ascii=False)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _kept(row: Any) -> Report:
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
        row.id, row.device, row.received_at, body["employee_no"], body["machine_id"],
        parts("events"), parts("quantities"),
    )  # fmt: skip


def _row(tx: Connection, report_id: str, *, lock: bool = False) -> Any:
    query = sa.select(report).where(report.c.id == report_id)
    return tx.execute(query.with_for_update() if lock else query).first()


def _answer(row: Any) -> dict[str, Any]:
    return {
        "report_id": row.id, "state": row.state, "reason": row.reason,
        "undo_until": row.received_at + UNDO,
    }  # fmt: skip


def open_job(tenon: Reporting, token: str, address: str) -> dict[str, Any]:
    """What the worker's page shows of the job a code stands for."""
    with tenon.hub.read() as connection:
        operation_id = codes.operation_of(connection, token, address)
        return job.page(connection, tenon.reader(SYSTEM), operation_id)


def person(tenon: Reporting, token: str, address: str, number: str) -> str | None:
    """The name of the worker with this number; only who holds a code may ask."""
    with tenon.hub.read() as connection:
        codes.operation_of(connection, token, address)
        codes.WRONG.refuse_many(f"person {address}")
        found = job.employee(connection, tenon.reader(SYSTEM), number)
        if found is None:
            codes.WRONG.count(f"person {address}")  # numbers are not to be guessed through
        return found[1] if found else None

"""Workers' reports: kept once, whatever the network does; nothing reported is ever lost.

A report is time events and quantities with ids made on the phone. The same report again gets
the same answer and has no second effect. What cannot be taken as it is (the job was closed, the
worker's number is unknown) is kept for a planner to look at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

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
from tenon.store import announce
from tenon.store.upsert import insert_new

UNDO: Final = timedelta(minutes=10)
_TRUSTED: Final = timedelta(minutes=1)
_ON_THE_SPOT: Final = timedelta(minutes=2)
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
_REVIEW = Text("工单 {number} 的报工待确认", "A report for {number} waits for a decision")


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

    @property
    def last_at(self) -> datetime:
        """The last time in it, by the phone's clock."""
        return max(p.at for p in (*self.events, *self.quantities))


@dataclass(frozen=True, slots=True)
class Timing:
    """A phone's times by the server's clock: what its clock is off is known from its sending."""

    offset: timedelta
    earliest: datetime
    received: datetime

    def corrected(self, at: datetime) -> datetime:
        """When it was; what cannot be (the clock was set in between) becomes when it came."""
        moved = at + self.offset if abs(self.offset) > _TRUSTED else at
        return moved if self.earliest <= moved <= self.received else self.received

    def of(self, part: Part) -> dict[str, datetime]:
        """The three times of a row."""
        return {
            "at": self.corrected(part.at), "device_at": part.at, "server_at": self.received,
        }  # fmt: skip


def timing(held: job.Job, sent: Report, received: datetime) -> Timing:
    """How the times of a report are to be read."""
    # Nobody reports a job long before there is one.
    earliest = held.operation["created_at"] - timedelta(days=1)
    return Timing(received - sent.sent_at, earliest, received)


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


def receive(tenon: Reporting, token: str, address: str, sent: Report) -> dict[str, Any]:
    """Keep a report; the same one again gets the same answer."""
    OF_DEVICE.refuse_many(f"{address} {sent.device}")
    OF_DEVICE.count(f"{address} {sent.device}")
    _check(sent)
    operation_id = _looked_up(tenon, token, address)
    with foreign_ids_refused(), tenon.hub.write() as tx:
        answer = _keep(tx, tenon, operation_id, sent)
        faults.point("report.store.before")
    faults.point("report.store.after")
    return answer


def undo(tenon: Reporting, token: str, address: str, device: str, report_id: str) -> dict[str, Any]:
    """Take a report back within ten minutes, from the phone that sent it."""
    operation_id = _looked_up(tenon, token, address)
    with tenon.hub.write() as tx:
        row = find(tx, report_id, lock=True)
        if row is None or row.operation_id != operation_id or row.device != device:
            raise NotFound("no_report", _NOT_YOURS)
        if row.state == "undone":
            return answer_of(row)
        if _undo_left(row) <= timedelta(0):
            raise Conflict("undo_too_late", _TOO_LATE)
        if row.state == "recorded":
            _reverse(tx, tenon, row)
        tx.execute(report.update().where(report.c.id == report_id).values(state="undone"))
        announce(tx, "report")
        return answer_of(find(tx, report_id))


def _looked_up(tenon: Reporting, token: str, address: str) -> str:
    """The operation of a code; a guess must not make writers wait."""
    with tenon.hub.read() as connection:
        return codes.operation_of(connection, token, address)


def _check(sent: Report) -> None:
    parts = [*sent.events, *sent.quantities]
    if not parts:
        raise BadInput("empty_report", _EMPTY)
    if len({p.id for p in parts}) != len(parts):
        raise BadInput("doubled_ids", _TWICE)


@contextmanager
def foreign_ids_refused() -> Iterator[None]:
    """Refuse a report that uses the ids of another's events or quantities."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict("report_differs", _DIFFERS) from error


def _keep(tx: Connection, tenon: Reporting, operation_id: str, sent: Report) -> dict[str, Any]:
    now, reader = clock.now(), tenon.reader(SYSTEM)
    held = job.load(tx, reader, operation_id)
    who = job.employee(tx, reader, sent.employee_no)
    reason = held.closed or (None if who else "unknown_employee")
    if sent.machine_id and not job.has_machine(tx, reader, sent.machine_id):
        reason = reason or "unknown_machine"
    body = sent.content
    row = {
        "id": sent.id, "operation_id": operation_id, "device": sent.device,
        "hash": _hash(operation_id, body), "state": "review" if reason else "recorded",
        "reason": reason, "body": body, "sent_at": sent.sent_at, "received_at": now,
    }  # fmt: skip
    if tx.scalar(insert_new(tx, report).values(row).returning(report.c.id)) is None:
        there = find(tx, sent.id)
        if there is None or there.hash != row["hash"]:
            raise Conflict("report_differs", _DIFFERS)
        return answer_of(there)
    times = timing(held, sent, now)
    if held.closed and _begun_after(held, sent, times):
        raise Conflict("job_closed", _CLOSED, number=held.order["work_order_no"])
    announce(tx, "report")
    if reason:
        _tell_planners(tx, held)
    else:
        append(tx, tenon, held, sent, times, who and who[0])
    return answer_of(find(tx, sent.id))


def _begun_after(held: job.Job, sent: Report, times: Timing) -> bool:
    """Whether somebody stands there with an old traveler: they hear at once that the job is over.

    What waited on a phone is another matter: nobody could tell them, so a planner looks at it.
    """
    on_the_spot = sent.sent_at - sent.last_at < _ON_THE_SPOT
    return on_the_spot and times.corrected(sent.last_at) > held.closed_at


def _tell_planners(tx: Connection, held: job.Job) -> None:
    """One notice for a job, however many of its reports wait."""
    waiting = sa.select(sa.func.count()).where(
        report.c.operation_id == held.operation["id"], report.c.state == "review"
    )
    if tx.scalar(waiting) == 1:
        title = _REVIEW.format(number=held.order["work_order_no"])
        notices.write(
            tx,
            [notices.NewNotice("planner", title, link="/reviews")],
        )


def append(
    tx: Connection, tenon: Reporting, held: job.Job, sent: Report, times: Timing,
    employee: str | None,
) -> None:  # fmt: skip
    """Append the events and quantities of a report."""
    machine = sent.machine_id
    if machine and not job.has_machine(tx, tenon.reader(SYSTEM), machine):
        machine = None
    common = {
        "report_id": sent.id, "operation": held.operation["id"], "employee": employee,
        "machine": machine, "device": sent.device, "corrects": None, "undone_at": None,
    }  # fmt: skip
    for entity, field, parts in (
        ("op_event", "event", sent.events), ("op_quantity", "quantity", sent.quantities)
    ):  # fmt: skip
        rows = [
            common | {"client_id": p.id, field: p.kind, **times.of(p)}
            | ({"qty": p.qty} if entity == "op_quantity" else {})
            for p in parts
        ]  # fmt: skip
        tenon.writer.write(
            tx, _actor(sent.device, sent.employee_no), entity,
            [(RowKey(), row) for row in rows], cause=f"report:{sent.id}",
        )  # fmt: skip


def _reverse(tx: Connection, tenon: Reporting, row: Any) -> None:
    """Append the rows that take a report back: nothing that was reported is deleted."""
    now, reader = clock.now(), tenon.reader(SYSTEM)
    undoing = uuid7()
    actor = _actor(row.device, row.body["employee_no"])
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


def _actor(device: str, employee_no: str) -> Actor:
    return Actor(f"report:{device}"[:100], employee_no, "worker", "system")


def find(tx: Connection, report_id: str, *, lock: bool = False) -> Any:
    """A report that came; None when none did."""
    query = sa.select(report).where(report.c.id == report_id)
    return tx.execute(query.with_for_update() if lock else query).first()


def answer_of(row: Any) -> dict[str, Any]:
    """What its phone is told of a report."""
    left = _undo_left(row)
    return {
        "report_id": row.id, "state": row.state, "reason": row.reason,
        "undo_until": row.received_at + UNDO * _pace(),
        "undo_seconds": max(0, int(left.total_seconds())),
    }  # fmt: skip


def _undo_left(row: Any) -> timedelta:
    """How much longer a report may be taken back, in minutes of the person who would."""
    if row.decided_at is not None or row.state not in {"recorded", "review"}:
        return timedelta(0)
    gone: timedelta = clock.now() - row.received_at
    return UNDO - gone / _pace()


def _pace() -> float:
    # In a demo the plant's minutes hurry; the thumb on the phone does not.
    return max(clock.demo_pace() or 1.0, 1.0)


def _said(part: Part) -> dict[str, Any]:
    said = {"id": part.id, "kind": part.kind, "at": part.at.isoformat()}
    return said if part.qty is None else said | {"qty": f"{part.qty:f}"}


def _hash(operation_id: str, body: Mapping[str, Any]) -> str:
    text = json.dumps([operation_id, body], sort_keys=True, ensure_ascii=False)
    return blake2b(text.encode(), digest_size=16).hexdigest()

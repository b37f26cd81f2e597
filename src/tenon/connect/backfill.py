"""Back-fills: a range read again because a person asked, beside the watermark.

A back-fill is worked off in short slices between the source's polls, so that it holds none of
them up; how far it has come is kept, so that the next slice (or the next process) goes on there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from tenon.connect import control, drift, report, told
from tenon.connect.apply import Counts
from tenon.connect.batches import rows_of
from tenon.connect.contract import Connector, CursorValue
from tenon.connect.deps import ConnectDeps
from tenon.connect.due import Turns
from tenon.connect.mapping import Mapper, Row
from tenon.connect.plan import Plan, decoded, encoded, start
from tenon.connect.runner import HUB_ERROR, Run
from tenon.connect.span import Span, begin, beyond, end, place, refuse_backwards
from tenon.connect.stage import Prepared, changed
from tenon.connect.tables import sync_backfill, sync_state
from tenon.connect.watch import Ended, Watch
from tenon.define.catalogue import Catalogue
from tenon.define.models import CursorDef, StreamDef, Sync
from tenon.kernel import clock
from tenon.kernel.errors import BadInput, Conflict, NotFound, Retry, TenonError
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text
from tenon.store import announce

_SLICE_SECONDS: Final = 10.0
_MOST_WAITING: Final = 20  # of one source

_FIRST = Text(
    "“{sync}”的首次装载还没有完成；请等它完成后再补读。",
    "The first load of “{sync}” is not over; wait for it, then read again.",
)
_NO_CURSOR = Text(
    "“{sync}”没有水位列；请按主键补读。", "“{sync}” has no cursor; give a range of its key."
)
_MANY = Text(
    "来源“{source}”已有 {most} 个补读在等待；请等它们完成，或取消其中一些。",
    "{most} back-fills of the source “{source}” wait already. Let them end, or cancel some.",
)
_NO_RANGE = Text(
    "“{low}”到“{high}”不是这一列的值；请照来源中的写法填写。",
    "“{low}” to “{high}” are no values of that column. Write them as the source does.",
)
_NONE = Text("没有这个补读：{id}。", "There is no such back-fill: {id}.")
_OVER = Text("这个补读已经结束。", "The back-fill is over.")
_SLICE = Text(
    "补读已到“{reached}”，先让位给日常读取，随后接着读。",
    "Read again as far as “{reached}”; the polls go first, then it goes on.",
)


def ask(
    tx: Connection, catalogue: Catalogue, sync: Sync, span: Span, reason: str, by: str,
    *, at_once: bool = False,
) -> str:  # fmt: skip
    """Have a range read again; its id. BadInput when the range is none of this stream."""
    state = _state(tx, sync)
    if state is None or state.last_success_at is None:
        raise Conflict("first_load", _FIRST, sync=sync.code)
    zone = ZoneInfo(catalogue.source(sync.source).zone)
    refuse_backwards(span, zone)
    if span.by == "cursor":
        mark = decoded(state.watermark)
        if sync.stream.cursor is None or mark is None:
            raise BadInput("no_cursor", _NO_CURSOR, sync=sync.code)
        begin(span.low, mark, zone)
    if len(waiting(tx, sync.source)) >= _MOST_WAITING:
        raise Conflict("many_backfills", _MANY, source=sync.source, most=_MOST_WAITING)
    id_ = uuid7()
    tx.execute(
        sync_backfill.insert().values(
            id=id_, source=sync.source, sync=sync.code, span=span.as_dict(), state="waiting",
            at_once=at_once, reason=reason, by=by, at=clock.now(),
        )
    )  # fmt: skip
    announce(tx, "sync_run")
    return id_


def cancel(tx: Connection, id_: str, reason: str, by: str) -> None:
    """Give a back-fill up; what it has written stays."""
    b = sync_backfill.c
    if not control.give_up(tx, b.id == id_, reason, by):
        known = tx.scalar(sa.select(b.id).where(b.id == id_))
        raise Conflict("backfill_over", _OVER) if known else NotFound("none", _NONE, id=id_)


def waiting(connection: Connection, source: str | None = None) -> list[Any]:
    """The back-fills that are not over, in the order they were asked for."""
    b = sync_backfill.c
    query = sa.select(sync_backfill).where(b.state == "waiting").order_by(b.id)
    if source is not None:
        query = query.where(b.source == source)
    return list(connection.execute(query))


def due(deps: ConnectDeps, catalogue: Catalogue, source: str) -> list[Any]:
    """The back-fills of a source that may go on now."""
    with deps.hub.read() as connection:
        asked = waiting(connection, source)
        if not asked:
            return []
        turns = Turns(connection, catalogue)
    peak = turns.peak(catalogue.source(source))
    codes = {s.code for s in catalogue.syncs_of(source)}
    return [
        one
        for one in asked
        if one.sync in codes
        and (one.at_once or not peak)
        and not (turns.hold(source) or turns.hold(source, one.sync))
    ]


def work(deps: ConnectDeps, catalogue: Catalogue, connector: Connector, source: str) -> None:
    """Read a slice of a back-fill of a source, the one that was asked for first."""
    for one in due(deps, catalogue, source):
        try:
            with deps.hub.write(durable=False) as tx:
                sync = drift.fitted(tx, catalogue.sync(one.sync))
                plan = start(tx, sync, "backfill", deps.lease_seconds, catalogue.epoch)
                _note(tx, one.id, run_id=plan.run_id)
        except Conflict:
            continue  # the stream is being read, by another process
        _Slice(deps, catalogue, sync, plan, one).read(connector)
        return


def shown(row: Any) -> dict[str, Any]:
    """A back-fill as people see it."""
    reached = decoded(row.reached)
    return {
        "id": row.id, "sync": row.sync, "span": row.span, "state": row.state,
        "reached": None if reached is None else str(reached), "reason": row.reason,
        "by": row.by, "at": row.at, "ended_at": row.ended_at, "run_id": row.run_id,
        "message": row.message,
    }  # fmt: skip


def of_run(connection: Connection, run_id: str) -> dict[str, Any] | None:
    """The back-fill whose last run this is."""
    row = connection.execute(sa.select(sync_backfill).where(sync_backfill.c.run_id == run_id))
    found = row.first()
    return None if found is None else shown(found)


class _Watch(Watch):
    """Watches a slice: it ends when the back-fill is given up, or others have waited long."""

    request: Any
    gained = False

    def _stopped(self, connection: Connection) -> Ended | None:
        b = sync_backfill.c
        now = connection.execute(sa.select(b.state, b.message).where(b.id == self.request.id))
        row = now.first()
        if row is None or row.state != "waiting":
            return Ended("cancelled", Text(row.message["zh"], row.message["en"]) if row else _OVER)
        return super()._stopped(connection)

    def _spent(self, counts: Counts) -> Ended | None:
        if not self.gained:
            return None
        if clock.monotonic() - self._began >= _SLICE_SECONDS:
            return Ended("partial", _SLICE)
        return super()._spent(counts)


class _Slice:
    """One run of a back-fill."""

    def __init__(
        self, deps: ConnectDeps, catalogue: Catalogue, sync: Sync, plan: Plan, request: Any
    ) -> None:
        self._deps, self._sync, self._plan, self._request = deps, sync, plan, request
        self._span = Span(**request.span)
        source = catalogue.source(sync.source)
        self._zone = ZoneInfo(source.zone)
        self._high = end(self._span.high, self._zone)
        self._reached = decoded(request.reached)
        self._run = Run(deps, catalogue, sync, plan)
        self._run.applier.origin = "backfill"
        self._watch = self._run.watch = _Watch(deps, source, sync, plan)
        self._watch.request = request
        if not request.at_once:
            self._watch.keep_off_peak()

    def read(self, connector: Connector) -> None:
        """Read until the range, or the slice, is over; what went wrong is kept."""
        try:
            self._read(connector)
        except TenonError as error:
            self._fail(error)
        except (ValueError, ArithmeticError):  # no value of that column
            low, high = self._span.low, self._span.high
            self._fail(BadInput("not_a_range", _NO_RANGE, low=low, high=high))
        except SQLAlchemyError as error:
            self._fail(Retry("hub_error", HUB_ERROR, kind=type(error).__name__))
        else:
            self._close()

    def _read(self, connector: Connector) -> None:
        batches = self._reading(connector)
        for batch in self._watch.batches(batches, lambda: self._run.counts):
            names, rows = rows_of(batch)
            mapper = self._run.mapper(names)
            first = names.index(self._first_of(names))
            inside, last = self._inside(mapper, rows, first)
            for at in range(0, len(inside), self._run.pace.size):
                self._write(mapper, inside[at : at + self._run.pace.size])
            self._reach(last)
            if last is not None and beyond(place(last, self._zone), self._high) and self._ordered:
                break

    _ordered = True  # what lies beyond the range comes after it

    def _reading(self, connector: Connector) -> Iterator[pa.RecordBatch]:
        """The batches that hold the range, from where it was left."""
        stream, low = self._sync.stream, self._low()
        if self._span.by == "cursor":
            yield from connector.read(stream, low)
            return
        if connector.capabilities.ranges:
            by_key = stream.model_copy(update={"cursor": CursorDef(column=stream.key[0])})
            for number, batch in enumerate(connector.read(by_key, low)):
                if number == 0 and not _has(batch, stream):
                    break  # it does not read its cursor in this order
                yield batch
            else:
                return
        self._ordered = False
        yield from connector.read(stream, None)

    def _low(self) -> CursorValue:
        if self._reached is not None:
            return self._reached
        if self._span.by == "key":
            return self._span.low
        with self._deps.hub.read() as connection:
            mark = decoded(_state(connection, self._sync).watermark)
        return self._span.low if mark is None else begin(self._span.low, mark, self._zone)

    def _first_of(self, names: Sequence[str]) -> str:
        wanted = self._sync.stream.key[0].casefold()
        return next(n for n in names if n.casefold() == wanted)

    def _inside(
        self, mapper: Mapper, rows: Sequence[Row], first: int
    ) -> tuple[list[Row], CursorValue | None]:
        """The rows of the range, and the value of the last row that has one."""
        low = place(self._span.low, self._zone)
        inside: list[Row] = []
        last: CursorValue | None = None
        for row in rows:
            value = mapper.cursor(row) if self._span.by == "cursor" else row[first]
            if value is None or isinstance(value, bytes):
                continue
            last = value if isinstance(value, str | int | datetime) else str(value)
            there = place(value, self._zone)
            if not beyond(low, there) and not beyond(there, self._high):
                inside.append(row)
        return inside, last

    def _write(self, mapper: Mapper, rows: list[Row]) -> None:
        sync = self._sync
        with self._deps.hub.read() as connection:
            times = told.times(connection, sync)
            works = changed(connection, sync.source, sync.stream.name, mapper, rows)
        self._run.prepare(mapper, works)
        part = Prepared(len(rows), works, None, times)  # the watermark stays where it is
        if works:
            self._run.commit(part)
        else:
            self._run.counts.add(Counts(read=part.read, unchanged=part.read))

    def _reach(self, last: CursorValue | None) -> None:
        if last is None or not self._ordered:
            return
        now = place(last, self._zone)
        self._watch.gained |= beyond(now, place(self._low_of_slice(), self._zone))
        self._reached = last

    def _low_of_slice(self) -> Any:
        return decoded(self._request.reached) if self._request.reached else self._span.low

    def _close(self) -> None:
        ended = self._watch.ended
        note = ended.text if ended else None
        if note is _SLICE:
            note = note.format(reached=self._reached)
        with self._deps.hub.write(durable=False) as tx:
            word = ended.state if ended else "succeeded"
            report.succeed(tx, self._sync, self._plan, self._run.counts, None, note, word)
            values: dict[str, Any] = {"reached": encoded(self._reached)}
            if ended is None:
                values |= {"state": "done", "ended_at": clock.now()}
            _note(tx, self._request.id, **values)
            announce(tx, "sync_run")

    def _fail(self, error: TenonError) -> None:
        with self._deps.hub.write(durable=False) as tx:
            report.fail(tx, self._sync, self._plan, self._run.counts, error)
            values: dict[str, Any] = {
                "message": error.text.as_dict(), "reached": encoded(self._reached),
            }  # fmt: skip
            if error.recovery != "retry":
                values |= {"state": "failed", "ended_at": clock.now()}
            _note(tx, self._request.id, **values)


def _has(batch: pa.RecordBatch, stream: StreamDef) -> bool:
    """Whether the batch has all the columns that the stream itself would have."""
    there = {name.casefold() for name in batch.schema.names}
    wanted = [*stream.columns, *stream.key, *([stream.cursor.column] if stream.cursor else [])]
    return all(name.casefold() in there for name in wanted)


def _state(connection: Connection, sync: Sync) -> Any:
    s = sync_state.c
    query = sa.select(sync_state).where(s.source == sync.source, s.stream == sync.stream.name)
    return connection.execute(query).first()


def _note(tx: Connection, id_: str, **values: Any) -> None:
    b = sync_backfill.c
    own = sync_backfill.update().where(b.id == id_, b.state == "waiting")
    tx.execute(own.values(values))

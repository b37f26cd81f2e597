"""The sync runner: plan → read → stage → map → resolve → check → apply → report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from tenon.connect import drift, report, told
from tenon.connect.apply import Applier, Counts
from tenon.connect.batches import names_of, rows_of
from tenon.connect.blocks import Blocks
from tenon.connect.contract import Connector, StreamAbsent, StreamUnchanged
from tenon.connect.deps import ConnectDeps
from tenon.connect.echo import Echoes
from tenon.connect.gone import Key, Vanished, confirm
from tenon.connect.identity import Identifier
from tenon.connect.mapping import Mapper
from tenon.connect.pace import AT_THE_GATE, SIDE_BY_SIDE, Pace, Probation
from tenon.connect.plan import Plan, further, start
from tenon.connect.report import Outcome
from tenon.connect.resolve import Resolver
from tenon.connect.stage import Prepared, Work, changed
from tenon.connect.tables import source_row
from tenon.connect.watch import Watch
from tenon.define.catalogue import Catalogue
from tenon.define.models import Master, Sync
from tenon.jobs import lease
from tenon.kernel import faults
from tenon.kernel.errors import Retry, SetAside, TenonError
from tenon.kernel.text import Text
from tenon.records.ports import Actor
from tenon.records.tables import entity_tables
from tenon.records.write import Writer

_REFUSED = Text(
    "数据库拒绝了这一行：某个唯一值（如编号）已被另一条记录使用，或数值超出范围。",
    "The database refused the row: a unique value, such as its number, belongs to another record, "
    "or a value is out of range.",
)
HUB_ERROR = Text(
    "写入 Tenon 数据库时出错（{kind}）；已提交的内容保留，稍后会自动重试。",
    "Writing Tenon's own database failed ({kind}). What was committed stays; it is tried again.",
)

_MANY: Final = 5000

Progress = Callable[[str, Counts], None]


@dataclass(slots=True)
class Run:
    """One run under way."""

    deps: ConnectDeps
    catalogue: Catalogue
    sync: Sync
    plan: Plan
    force: bool = False
    progress: Progress | None = None
    deleted: frozenset[Key] = frozenset()  # what the source said it deleted
    counts: Counts = field(default_factory=Counts)
    pace: Pace = field(init=False)
    resolver: Resolver = field(init=False)
    blocks: Blocks | None = field(init=False)
    applier: Applier = field(init=False)
    watch: Watch = field(init=False)
    _mapper: Mapper | None = None

    def __post_init__(self) -> None:
        one_writer = self.deps.hub.dialect == "sqlite"
        self.pace = Pace(AT_THE_GATE if one_writer else SIDE_BY_SIDE)
        self.resolver = Resolver(self.catalogue, self.sync.source)
        identifier = None
        if self.sync.identity is not None:
            master = self.catalogue.master(self._master())
            unless = self.sync.identity.found_unless
            owner = self.catalogue.sync(unless) if unless else None
            identifier = Identifier(master, self.sync, owner, force=self.force)
        source = self.catalogue.source(self.sync.source)
        name = source.label.zh
        self.applier = Applier(
            sync=self.sync,
            writer=Writer(self.catalogue, self.deps.policy, self.deps.triggers),
            actor=Actor(f"sync:{self.sync.source}", name, "admin", "sync"),
            plan=self.plan,
            resolver=self.resolver,
            identifier=identifier,
            echoes=Echoes(self.catalogue, self.sync),
            lease_seconds=self.deps.lease_seconds,
            origin="initial" if self.plan.first else "live",
        )
        plainly = self.plan.first and identifier is None and not self.applier.echoes.expected()
        self.blocks = Blocks(self.sync, self.resolver, self.plan.blank) if plainly else None
        self.watch = Watch(self.deps, source, self.sync, self.plan)

    def mapper(self, names: tuple[str, ...]) -> Mapper:
        """The rules compiled for these columns."""
        if self._mapper is None or self._mapper.names != names:
            zone = ZoneInfo(self.catalogue.source(self.sync.source).zone)
            self._mapper = Mapper(self.catalogue, self.sync, names, zone)
        return self._mapper

    def parts(
        self, mapper: Mapper, batch: pa.RecordBatch
    ) -> Iterator[tuple[pa.RecordBatch, Prepared]]:
        """Pieces of a batch that one short transaction holds each, prepared one after another."""
        whole, seen, at = None, 0, 0
        if self.blocks is not None:
            with self.deps.hub.read() as connection:
                seen = told.times(connection, self.sync)
                whole = self.blocks.of(connection, mapper, batch)
        while at < batch.num_rows:
            size = self.pace.size
            piece = batch.slice(at, size)
            with self.deps.hub.read() as connection:
                block, rows = whole.part(at, size) if whole else (None, rows_of(piece)[1])
                if whole is None:
                    seen = told.times(connection, self.sync)
                works = changed(
                    connection, self.sync.source, self.sync.stream.name, mapper, rows
                )  # fmt: skip
            self.prepare(mapper, works)
            ready = self.applier.ready(self.deps.hub.sql, block) if block else None
            yield piece, Prepared(piece.num_rows, works, told=seen, block=ready)
            at += size

    def prepare(self, mapper: Mapper, works: list[Work]) -> None:
        """Map, check and look up rows, outside any write transaction."""
        if works:
            with self.deps.hub.read() as connection:
                self.prepare_in(connection, mapper, works)
        faults.point("sync.stage.after")

    def prepare_in(self, connection: Connection, mapper: Mapper, works: list[Work]) -> None:
        """Map, check and look up rows as this connection sees them."""
        for work in works:
            if work.reason is None:
                try:
                    work.facts = mapper.facts(work.row)
                    work.values = mapper.values(work.row)
                    if self.force and work.facts is not None:
                        work.values |= mapper.founded(work.facts)
                except SetAside as reason:
                    work.refuse(reason)
        self.resolver.resolve(connection, mapper, works)

    def commit(self, part: Prepared) -> None:
        """Write a part; a row that the database refuses is found by halving, and set aside."""
        try:
            # Timed inside: waiting for one's turn says nothing about the size of the part.
            with self.deps.hub.write(durable=False) as tx, self.pace.timed(part.changed):
                total = self.applier.apply(tx, part, self.counts)
        except told.Overtaken:
            self.resolver.links.clear()
            self.commit(self._again(part))
            return
        except (IntegrityError, DataError, SetAside) as error:
            if part.block is not None:  # something is there already
                self.blocks = None
                self.commit(self._again(part))
                return
            for smaller in instead(part, error):
                self.commit(smaller)
            return
        self.counts = total
        self.applier.batches += 1
        self.resolver.links.clear()
        faults.point("sync.commit.after")
        if self.progress is not None:
            self.progress(self.sync.code, total)

    def _again(self, part: Prepared) -> Prepared:
        """The part prepared afresh, row by row: what is there is not what it was."""
        if self._mapper is None:
            return part
        rows = [work.row for work in part.works]
        rows += part.block.block.rows() if part.block is not None else []
        with self.deps.hub.read() as connection:
            now = told.times(connection, self.sync)
            works = told.newest(connection, self.sync, self._mapper, rows).works
        self.prepare(self._mapper, works)
        return Prepared(part.read, works, part.watermark, now)

    def _master(self) -> str:
        return next(m.code for m in self.catalogue.of(Master) if m.entity == self.sync.target)


class Runner:
    """Runs syncs of the current catalogue."""

    def __init__(self, deps: ConnectDeps) -> None:
        self._deps = deps

    def sync(
        self, code: str, connector: Connector | None = None, progress: Progress | None = None,
        kind: str | None = None, deleted: frozenset[Key] = frozenset(),
    ) -> Outcome:  # fmt: skip
        """Run one sync to its end; Conflict when it runs already.

        `deleted` are keys of rows that the source said it deleted.

        Errors of the source are in the outcome and in the run's row, not raised.
        """
        catalogue = self._deps.catalogue()
        sync = catalogue.sync(code)
        with self._deps.hub.write(durable=False) as tx:
            plan = start(tx, sync, kind, self._deps.lease_seconds, catalogue.epoch)
        run = Run(self._deps, catalogue, sync, plan, progress=progress, deleted=deleted)
        faults.point("sync.plan.after")
        own = connector is None
        try:
            connector = connector or self._deps.connections.open(catalogue.source(sync.source))
            faults.point("sync.connect.after")
            run.sync = drift.look(self._deps, sync, connector)
            run.watch.expect(connector)
            watermark, note = self._read(run, connector)
        except StreamUnchanged as same:
            watermark, note = plan.watermark, same.text
        except StreamAbsent as error:
            if not sync.stream.optional:
                return self._failed(run, error)
            with self._deps.hub.write(durable=False) as tx:
                report.absent(tx, sync, plan)
            return Outcome(plan.run_id, code, "absent", run.counts)
        except TenonError as error:
            return self._failed(run, error)
        except SQLAlchemyError as error:
            return self._failed(run, Retry("hub_error", HUB_ERROR, kind=type(error).__name__))
        finally:
            if own and connector is not None:
                connector.close()
        return self._succeeded(run, watermark, note)

    def _read(self, run: Run, connector: Connector) -> tuple[Any, Text | None]:
        """Read, prepare and commit until the source has no more; the watermark reached."""
        sync, stream = run.sync, run.sync.stream
        whole = stream.cursor is None and not run.plan.blank
        compares = whole or run.plan.kind == "compare"
        vanished = Vanished(self._deps.hub, sync) if compares else None
        probation = Probation(sync)
        watermark: Any = run.plan.watermark
        batches = connector.read(stream, run.plan.since)
        for batch in run.watch.batches(batches, lambda: run.counts):
            faults.point("sync.read.after")
            mapper = run.mapper(names_of(batch))
            for piece, part in run.parts(mapper, batch):
                watermark = part.watermark = _furthest(mapper, piece, watermark)
                if vanished is not None:
                    vanished.see(mapper.key(row) for row in rows_of(piece)[1])
                for judged in probation.judge(part):
                    self._commit_or_count(run, judged)
        for part in probation.rest():
            self._commit_or_count(run, part)
        if run.plan.first and run.counts.applied > _MANY:
            self._deps.hub.take_stock(source_row, entity_tables(run.catalogue)[sync.target])
        if run.watch.ended is not None:  # there is more: nothing is put away, nothing is gone
            return watermark, run.watch.ended.text
        finish = getattr(connector, "finish", None)
        if finish is not None:
            if run.counts.read:  # what is put away cannot be read again after a power cut
                self._make_durable(run)
            finish(stream)
        return watermark, self._gone(run, connector, vanished)

    def _gone(self, run: Run, connector: Connector, vanished: Vanished | None) -> Text | None:
        """Mark the rows that are no longer there; what to say of it."""
        if vanished is not None:
            return vanished.mark(run.plan)
        if not run.deleted:
            return None
        return confirm(self._deps.hub, run.sync, run.plan, connector, run.deleted)

    def _make_durable(self, run: Run) -> None:
        """Flush what was committed, by a commit that waits for the disk."""
        with self._deps.hub.write() as tx:
            plan = run.plan
            lease.keep(tx, plan.lease_name, plan.lease_owner, self._deps.lease_seconds)

    def _commit_or_count(self, run: Run, part: Prepared) -> None:
        if part.changed:
            run.commit(part)
        else:  # all as before: nothing to write, so no transaction
            run.counts.add(Counts(read=part.read, unchanged=part.read))

    def _succeeded(self, run: Run, watermark: Any, note: Text | None) -> Outcome:
        faults.point("sync.report.before")
        with self._deps.hub.write(durable=False) as tx:
            word = run.watch.ended.state if run.watch.ended else "succeeded"
            report.succeed(tx, run.sync, run.plan, run.counts, watermark, note, word)
        faults.point("sync.report.after")
        return Outcome(run.plan.run_id, run.sync.code, word, run.counts)

    def _failed(self, run: Run, error: TenonError) -> Outcome:
        with self._deps.hub.write(durable=False) as tx:
            report.fail(tx, run.sync, run.plan, run.counts, error)
        return Outcome(run.plan.run_id, run.sync.code, "failed", run.counts, error)


def _furthest(mapper: Mapper, batch: pa.RecordBatch, watermark: Any) -> Any:
    """The watermark after a part."""
    name = mapper.cursor_name
    if name is None:
        return watermark
    column = batch.column(name)
    if mapper.created_name is not None:
        made = batch.column(mapper.created_name).to_pylist()
        values = (m if c is None else c for c, m in zip(column.to_pylist(), made, strict=True))
        return reduce(further, values, watermark)
    if pa.types.is_string(column.type):  # of mixed kinds: in the order they came
        return reduce(further, column.to_pylist(), watermark)
    return further(watermark, pc.max(column).as_py())


def instead(part: Prepared, error: Exception) -> tuple[Prepared, ...]:
    """What to write instead of a part that was refused: its halves, or its one row set aside."""
    if len(part.works) > 1:
        return _halves(part)
    if not part.works or part.works[0].reason is not None:
        raise error
    refused = error if isinstance(error, SetAside) else SetAside("refused", _REFUSED)
    part.works[0].refuse(refused)
    return (part,)


def _halves(part: Prepared) -> tuple[Prepared, Prepared]:
    middle = len(part.works) // 2
    first, second = part.works[:middle], part.works[middle:]
    # The watermark moves with the second half only: never ahead of the rows before it.
    one = Prepared(len(first), first, told=part.told)
    return one, Prepared(part.read - len(first), second, part.watermark, part.told)

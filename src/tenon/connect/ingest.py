"""Working in what webhooks told: as the syncs of their source would have read it.

The same rows, mapped, resolved and checked by the same rules, with the same hash: the next poll
finds them unchanged. Events claimed together go in as one set and one transaction, in which
their jobs end too.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError

from tenon.connect import told
from tenon.connect.batches import rows_of
from tenon.connect.contract import ItemConnector
from tenon.connect.deps import ConnectDeps
from tenon.connect.hooks import KIND, parsed
from tenon.connect.mapping import Row
from tenon.connect.plan import Plan
from tenon.connect.runner import Run, instead
from tenon.connect.stage import Prepared
from tenon.connect.tables import hook_event, sync_run
from tenon.define.catalogue import Catalogue
from tenon.define.models import HookDef, Sync
from tenon.jobs.queue import Job
from tenon.jobs.queue import told as words
from tenon.jobs.worker import Batch, Kind
from tenon.kernel import clock, faults
from tenon.kernel.errors import BadInput, Config, SetAside, TenonError
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text
from tenon.store import announce

AT_ONCE: Final = 16
_BEFORE_REFUSING: Final = 3

_NO_ITEM = Text(
    "来源“{source}”没有给出“{path}”的内容。", "The source “{source}” gave nothing for “{path}”."
)
_NOT_ASKABLE = Text(
    "来源“{source}”的连接器不能按单条读取；请在 webhook 的请求体中带上“{item}”。",
    "The connector of “{source}” cannot be asked for one item; send “{item}” in the body.",
)


@dataclass(slots=True)
class _Told:
    """One event on its way: its item, and what became of it."""

    id: str
    item: Mapping[str, Any]
    news: bool = False
    older: bool = False

    @property
    def state(self) -> str:
        """Stale when it told nothing but what was older than what is there."""
        return "stale" if self.older and not self.news else "done"


class Ingest:
    """Works in the events of hooks; `kind` is what a worker is given."""

    def __init__(self, deps: ConnectDeps) -> None:
        self._deps = deps
        self._lock = threading.Lock()
        self._open: dict[str, tuple[object, ItemConnector]] = {}

    def kind(self, threads: int = 1) -> Kind:
        """The kind of job that works events in."""
        return Kind(KIND, self.run, batch=AT_ONCE, threads=threads, on_failed=_failed)

    def run(self, batch: Batch) -> None:
        """Work in the events of these jobs, in the order they came."""
        catalogue = self._deps.catalogue()
        events = self._events([str(one.payload["event"]) for one in batch.jobs])
        news = [
            (catalogue.hook(code), [self._taken(catalogue.hook(code), e) for e in own])
            for code, own in groupby(events, key=lambda e: str(e.hook))
        ]
        faults.point("hook.fetch.after")
        # Not waited for: a power cut takes these rows and their jobs' end away together.
        with self._deps.hub.write(durable=False) as tx:
            batch.hold(tx)
            last = min(one.tries for one in batch.jobs) >= _BEFORE_REFUSING
            for hook, own in news:
                self._work_in(tx, catalogue, hook, own, refuse=last)
            _settle(tx, [one for _, own in news for one in own])
            batch.done(tx)
            announce(tx, "hook_event")
        batch.settled()

    def close(self) -> None:
        """Close the connections kept."""
        with self._lock:
            for _mark, connector in self._open.values():
                connector.close()
            self._open.clear()

    def _events(self, ids: Sequence[str]) -> list[Any]:
        h = hook_event.c
        query = sa.select(h.id, h.hook, h.body).where(h.id.in_(ids))
        with self._deps.hub.read() as connection:
            return list(connection.execute(query.order_by(h.hook, h.id)))

    def _taken(self, hook: HookDef, event: Any) -> _Told:
        """The item an event is about: from its body, or as the source gives it now."""
        body = parsed(event.body)
        item = body.get(hook.item) if hook.item else None
        if not isinstance(item, Mapping):
            if hook.path is None:
                raise BadInput("no_item", _NO_ITEM, source=hook.source, path=hook.item or "")
            item = self._connector(hook).fetch(_filled(hook.path, body))
        return _Told(event.id, item)

    def _connector(self, hook: HookDef) -> ItemConnector:
        """A connection to the source, kept open as long as its settings are the same."""
        mark = self._deps.connections.mark()
        with self._lock:
            kept = self._open.get(hook.source)
            if kept is not None and kept[0] == mark:
                return kept[1]
            made: Any = self._deps.connections.open(self._deps.catalogue().source(hook.source))
            if not hasattr(made, "fetch"):
                raise Config("not_askable", _NOT_ASKABLE, source=hook.source, item=hook.item or "")
            if kept is not None:
                kept[1].close()
            self._open[hook.source] = (mark, made)
            found: ItemConnector = made
            return found

    def _work_in(
        self, tx: Connection, catalogue: Catalogue, hook: HookDef, own: Sequence[_Told],
        *, refuse: bool,
    ) -> None:  # fmt: skip
        syncs = sorted((catalogue.sync(c) for c in hook.syncs), key=lambda s: (s.order, s.code))
        told.tell(tx, syncs)
        connector = self._connector(hook)
        for sync in syncs:
            run = Run(self._deps, catalogue, sync, _plan())
            for names, rows, owners in _layouts(connector, sync, own):
                _apply(tx, run, names, rows, owners, refuse=refuse)


def _layouts(
    connector: ItemConnector, sync: Sync, own: Sequence[_Told]
) -> list[tuple[tuple[str, ...], list[Row], list[_Told]]]:
    """The rows of the items with whose they are, apart by columns (all have the same, mostly)."""
    found: dict[tuple[str, ...], tuple[list[Row], list[_Told]]] = {}
    for one in own:
        batch = connector.batch(sync.stream, one.item)
        if batch is None:
            continue
        names, rows = rows_of(batch)
        layout = found.setdefault(names, ([], []))
        layout[0].extend(rows)
        layout[1].extend([one] * len(rows))
    return [(names, rows, owners) for names, (rows, owners) in found.items()]


def _apply(
    tx: Connection, run: Run, names: tuple[str, ...], rows: list[Row], owners: list[_Told],
    *, refuse: bool,
) -> None:  # fmt: skip
    """Apply the rows that are news to the stream of one sync."""
    mapper = run.mapper(names)
    found = told.newest(tx, run.sync, mapper, rows)
    news, older = ({id(work.row) for work in part} for part in (found.works, found.older))
    for row, owner in zip(rows, owners, strict=True):
        owner.news = owner.news or id(row) in news
        owner.older = owner.older or id(row) in older
    if not found.works:
        return
    if not run.applier.batches:
        _begin(tx, run)
    run.prepare_in(tx, mapper, found.works)
    _put(tx, run, Prepared(len(rows), found.works), refuse=refuse)
    run.resolver.links.clear()


def _put(tx: Connection, run: Run, part: Prepared, *, refuse: bool) -> None:
    """Write a part; a row that the database refuses is set aside, as a run does.

    Not at once: a number that is taken may be another process founding the very same thing.
    """
    try:
        with tx.begin_nested():
            total = run.applier.apply(tx, part, run.counts)
    except (IntegrityError, DataError, SetAside) as error:
        if isinstance(error, IntegrityError) and not refuse:
            raise
        for smaller in instead(part, error):
            _put(tx, run, smaller, refuse=refuse)
        return
    run.counts = total
    run.applier.batches += 1


def _plan() -> Plan:
    return Plan(
        uuid7(), "", "", "hook", None, None, first=False, blank=False, first_success_at=None
    )


def _begin(tx: Connection, run: Run) -> None:
    """The run's row, as every sync has one: read = applied + unchanged + set aside."""
    now = clock.now()
    tx.execute(
        sync_run.insert().values(
            id=run.plan.run_id, source=run.sync.source, sync=run.sync.code,
            stream=run.sync.stream.name, kind=run.plan.kind, state="succeeded", started_at=now,
            ended_at=now, reasons={}, epoch=run.catalogue.epoch,
        )
    )  # fmt: skip
    announce(tx, "sync_run")


def _settle(tx: Connection, events: Sequence[_Told]) -> None:
    for state in {one.state for one in events}:
        ids = [one.id for one in events if one.state == state]
        ended = {"state": state, "ended_at": clock.now(), "failure": None}
        tx.execute(hook_event.update().where(hook_event.c.id.in_(ids)).values(ended))


def _failed(tx: Connection, job: Job, error: TenonError) -> None:
    ended = {"state": "failed", "ended_at": clock.now(), "failure": words(error)}
    tx.execute(
        hook_event.update().where(hook_event.c.id == str(job.payload["event"])).values(ended)
    )
    announce(tx, "hook_event")


def _filled(path: str, body: Mapping[str, Any]) -> str:
    """The path with `{field}` of the body filled in, each as one segment of it."""
    return re.sub(r"\{(\w+)\}", lambda m: quote(_segment(body.get(m[1])), safe=""), path)


def _segment(value: Any) -> str:
    text = str(value) if isinstance(value, str | int) else ""
    if text.strip(".") == "":
        raise BadInput("no_item", _NO_ITEM, source="", path=text)
    return text

"""What a change of records starts: new runs of flows, and runs that waited for this very change.

Both are written in the transaction of the change: what started them is there, or neither is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.automate import switch
from tenon.automate.subjects import names, subject
from tenon.automate.tables import flow_run
from tenon.define.catalogue import Catalogue, CatalogueNow
from tenon.define.models import Flow
from tenon.jobs.queue import NewJob, enqueue
from tenon.kernel import clock
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text
from tenon.records.ports import SYSTEM, Origin, Policy, Written
from tenon.records.query import Reader
from tenon.store import announce

KIND: Final = "flow"
DEEPEST: Final = 8
_CHUNK: Final = 5000  # below SQLite's limit of bound parameters

_LOOP = Text(
    "流程已连续相互触发 {depth} 层，可能是循环，已停止。请检查哪些流程在互相修改同一记录。",
    "Flows have started one another {depth} levels deep, which looks like a loop; it was stopped. "
    "Look which flows change each other's records.",
)


@dataclass(frozen=True)
class FlowTriggers:
    """Starts flows of the catalogue of the moment."""

    catalogue: CatalogueNow
    policy: Policy
    _depth: threading.local = field(default_factory=threading.local)

    @contextmanager
    def caused_by(self, depth: int) -> Iterator[None]:
        """Note that the changes of the block are made by a run this deep, on this thread."""
        self._depth.now = depth
        try:
            yield
        finally:
            self._depth.now = 0

    def changed(self, tx: Connection, entity: str, rows: Sequence[Written], origin: Origin) -> None:
        """Start flows for these rows, and wake the runs that wait for them."""
        catalogue = self.catalogue(tx)
        flows = [
            flow
            for flow in catalogue.of(Flow)
            if flow.trigger.record == entity and origin in flow.trigger.origins
        ]
        if flows:
            on = switch.enabled(tx, flows)
            for flow in flows:
                if on[flow.code]:
                    self._start(tx, catalogue, flow, rows)
        # Nobody waits for a record that was not there yet.
        self._wake(tx, entity, [row.id for row in rows if row.outcome != "created"])

    def _start(
        self, tx: Connection, catalogue: Catalogue, flow: Flow, rows: Sequence[Written]
    ) -> None:
        event = flow.trigger.event
        ids = [row.id for row in rows if event in {"saved", row.outcome}]
        reader = Reader(catalogue, self.policy, SYSTEM)
        found = [one for part in _parts(ids) for one in _matching(tx, reader, flow, part)]
        if not found:
            return
        depth = getattr(self._depth, "now", 0) + 1
        runs = [_new_run(catalogue, flow, id_, subject, depth) for id_, subject in found]
        tx.execute(flow_run.insert(), runs)
        live = [run for run in runs if run["state"] == "running"]
        enqueue(tx, [NewJob(KIND, {"run": run["id"]}, key=run["owner"]) for run in live])
        announce(tx, "flow_run")

    def _wake(self, tx: Connection, entity: str, ids: Sequence[str]) -> None:
        r = flow_run.c
        for part in _parts(ids):
            waiting = tx.execute(
                sa.select(r.id, r.waits).where(
                    r.state == "waiting", r.wait_entity == entity, r.wait_record.in_(part)
                )
            )
            enqueue(tx, [wake(row.id, row.waits) for row in waiting])


def wake(run_id: str, waits: int, delay: float = 0.0) -> NewJob:
    """A job that asks a waiting run whether its wait is over."""
    payload = {"run": run_id, "wait": waits}
    return NewJob(KIND, payload, key=f"{run_id}:wake:{uuid7()}", delay=delay)


def _new_run(
    catalogue: Catalogue, flow: Flow, record_id: str, subject: str, depth: int
) -> dict[str, Any]:
    id_, now = uuid7(), clock.now()
    loop = _LOOP.format(depth=depth - 1) if depth > DEEPEST else None
    return {
        "id": id_, "flow": flow.code, "epoch": catalogue.epoch,
        "state": "failed" if loop else "running", "step": flow.steps[0].id, "owner": f"{id_}:0",
        "depth": depth, "entity": flow.trigger.record, "record_id": record_id,
        "subject": subject, "data": {}, "started_at": now, "ended_at": now if loop else None,
        "waits": 0, "failure": {"code": "flow_loop", **loop.as_dict()} if loop else None,
    }  # fmt: skip


def _matching(
    tx: Connection, reader: Reader, flow: Flow, ids: Sequence[str]
) -> list[tuple[str, str]]:
    entity = reader.catalogue.entity(flow.trigger.record)
    table = reader.table(entity.code)
    query = sa.select(table.c.id, *names(reader, entity, table)).where(table.c.id.in_(ids))
    if flow.trigger.when:
        query = query.where(reader.compile(entity.code, flow.trigger.when))
    return [(row[0], subject(row[1:])) for row in tx.execute(query.order_by(table.c.id))]


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]

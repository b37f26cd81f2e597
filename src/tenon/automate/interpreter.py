"""The interpreter: runs of flows as a set, from one wait to the next.

A job moves one run on from where it stands. Jobs claimed together are worked through in step:
local steps of all their runs in one transaction together with the runs' state, then the outward
calls outside any transaction, then their answers with the local steps that follow, and so on
until every run waits or has ended. Whoever dies on the way leaves each run at its last commit,
and the next worker goes on from there: local effects are there once, outward calls are repeated
with the keys they had.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.automate import registry
from tenon.automate.registry import At, LocalStep, Outcome, OutwardStep, Step, StepContext, Wait
from tenon.automate.tables import flow_run, flow_step
from tenon.automate.triggers import KIND, FlowTriggers, wake
from tenon.connect.deps import ConnectDeps
from tenon.define import publish
from tenon.define.models import Flow, StepDef
from tenon.jobs.queue import Job, NewJob, enqueue
from tenon.jobs.worker import Batch, Kind
from tenon.kernel import clock, faults
from tenon.kernel.errors import Config, TenonError
from tenon.kernel.text import Text
from tenon.records.ports import SYSTEM, Actor
from tenon.records.query import Reader
from tenon.records.write import Writer
from tenon.store import announce
from tenon.store.types import to_json
from tenon.store.upsert import insert_or_change

AT_ONCE: Final = 16
_STEP_COLUMNS: Final = ("state", "ended_at", "output", "failure")

_NO_STEP = Text(
    "流程“{flow}”中没有可以前往的后续步骤“{step}”；请检查定义。",
    "The flow “{flow}” has no later step “{step}” to go to; check its definition.",
)


@dataclass(slots=True)
class _Run:
    """A run on its way."""

    id: str
    flow: Flow
    job: Job
    step: str
    depth: int
    entity: str
    record_id: str
    data: dict[str, Any]
    waits: int
    waited: datetime | None
    state: str = "running"
    failure: dict[str, Any] | None = None
    intent: Any = None
    wait: Wait | None = None
    begun: dict[str, datetime] = field(default_factory=dict)  # steps begun in this segment
    taken: list[dict[str, Any]] = field(default_factory=list)  # rows of steps not saved yet

    @property
    def definition(self) -> StepDef:
        """The step it stands at."""
        return next(s for s in self.flow.steps if s.id == self.step)


class Interpreter:
    """Moves runs on; `kind` is what a worker is given."""

    def __init__(self, connect: ConnectDeps, triggers: FlowTriggers) -> None:
        self._connect = connect
        self._triggers = triggers
        self._flows: dict[tuple[str, int], Flow] = {}
        self._checked: dict[tuple[str, int, str], Any] = {}  # settings of steps, once each

    def kind(self, threads: int = 1) -> Kind:
        """The kind of job that moves runs on."""
        return Kind(KIND, self.run, batch=AT_ONCE, threads=threads, on_failed=on_failed)

    def run(self, batch: Batch) -> None:
        """Move the runs of these jobs on until each waits or has ended."""
        runs = self._segment(batch, partial(self._load, jobs=batch.jobs))
        faults.point("flow.start.after")
        while runs:
            faults.point("push.intend.after")
            groups = _groups(runs)
            answers = [self._call(step, own) for step, own in groups]
            runs = self._segment(batch, partial(self._record, groups=groups, answers=answers))
            faults.point("push.record.after")

    def _segment(self, batch: Batch, begin: Callable[[Connection], list[_Run]]) -> list[_Run]:
        """One transaction: begin, then local steps; the runs that stand at an outward step."""
        with self._connect.hub.write() as tx:
            batch.hold(tx)
            runs = begin(tx)
            while local := [g for g in _groups(runs) if not _is_outward(g[0])]:
                for step, own in local:
                    self._local(tx, step, own)
            faults.point("flow.local.before")
            outward = [g for g in _groups(runs) if _is_outward(g[0])]
            for step, own in outward:
                context = self._context(tx, own[0])
                with _blamed_on(own[0].step):
                    intents = _outward(step).intend(context, [self._at(step, r) for r in own])
                for run, intent in zip(own, intents, strict=True):
                    run.intent = intent
            going = [run for _, own in outward for run in own]
            _save(tx, runs)
            held = {run.job.id for run in going}
            over = [job for job in batch.rest() if job.id not in held]
            batch.done(tx, over)
            announce(tx, "flow_run")
        batch.settled(over)
        faults.point("flow.local.after")
        return going

    def _load(self, tx: Connection, jobs: Sequence[Job]) -> list[_Run]:
        """The runs these jobs may move on; a job that came too late finds none."""
        by_run = {str(job.payload["run"]): job for job in jobs}
        query = sa.select(flow_run).where(flow_run.c.id.in_(by_run)).order_by(flow_run.c.id)
        rows = tx.execute(query.with_for_update()).all()
        runs = [
            self._run(tx, row, by_run[row.id]) for row in rows if _may_move(row, by_run[row.id])
        ]
        self._read_triggers(tx, [run for run in runs if not run.data])
        return runs

    def _run(self, tx: Connection, row: Any, job: Job) -> _Run:
        flow = self._flow(tx, row.flow, row.epoch)
        return _Run(
            row.id, flow, job, row.step, row.depth, row.entity, row.record_id, row.data,
            row.waits, row.waited,
        )  # fmt: skip

    def _flow(self, tx: Connection, code: str, epoch: int) -> Flow:
        """The flow as it was when the run began: a running instance keeps its version."""
        if (code, epoch) not in self._flows:
            self._flows[code, epoch] = publish.as_of(tx, Flow, code, epoch)
        return self._flows[code, epoch]

    def _read_triggers(self, tx: Connection, runs: Sequence[_Run]) -> None:
        """Take the triggering records into the runs' data, as they are at the beginning."""
        reader = self._reader(tx)
        for entity in {run.entity for run in runs}:
            own = [run for run in runs if run.entity == entity]
            wanted = {"field": "id", "op": "in", "value": [run.record_id for run in own]}
            rows = {r["id"]: r for r in reader.select(tx, entity, wanted, limit=len(own))}
            for run in own:
                found = rows.get(run.record_id)
                run.data = {"trigger": _plain(dict(found or {"id": run.record_id})), "steps": {}}

    def _call(self, step: Step, runs: Sequence[_Run]) -> Any:
        with _blamed_on(runs[0].step):
            return _outward(step).call(self._connect, [self._at(step, run) for run in runs])

    def _local(self, tx: Connection, step: Step, runs: Sequence[_Run]) -> None:
        local: LocalStep[Any] = step  # type: ignore[assignment]
        deep = max(run.depth for run in runs)
        with self._triggers.caused_by(deep), _blamed_on(runs[0].step):
            outcomes = local.run(self._context(tx, runs[0]), [self._at(step, run) for run in runs])
        for run, outcome in zip(runs, outcomes, strict=True):
            _advance(run, outcome)

    def _record(
        self, tx: Connection, groups: Sequence[tuple[Step, list[_Run]]], answers: Sequence[Any]
    ) -> list[_Run]:
        """Write the answers down, then move on; a run cancelled meanwhile keeps its answer only."""
        faults.point("push.record.before")
        going = self._still_going(tx, [run for _, own in groups for run in own])
        for (step, own), said in zip(groups, answers, strict=True):
            deep = max(run.depth for run in own)
            with self._triggers.caused_by(deep), _blamed_on(own[0].step):
                context = self._context(tx, own[0])
                outcomes = _outward(step).record(
                    context, [self._at(step, run) for run in own], said
                )
            for run, outcome in zip(own, outcomes, strict=True):
                if run.id in going:
                    _advance(run, outcome)
        return [run for _, own in groups for run in own if run.id in going]

    def _still_going(self, tx: Connection, runs: Sequence[_Run]) -> set[str]:
        r = flow_run.c
        query = sa.select(r.id, r.owner).where(r.id.in_([run.id for run in runs]))
        owners = dict(tx.execute(query.order_by(r.id).with_for_update()).all())
        return {run.id for run in runs if owners.get(run.id) == run.job.key}

    def _at(self, step: Step, run: _Run) -> At[Any]:
        run.begun.setdefault(run.step, clock.now())
        place = (run.flow.code, id(run.flow), run.step)
        if place not in self._checked:
            self._checked[place] = _settings(step, run.flow.code, run.definition)
        key = f"{run.id}:{run.step}"
        return At(run.id, key, self._checked[place], run.data, run.waited, run.intent)

    def _context(self, tx: Connection, run: _Run) -> StepContext:
        catalogue = self._connect.catalogue(tx)
        actor = Actor(f"flow:{run.flow.code}", run.flow.label.zh, "admin", "system")
        writer = Writer(catalogue, self._connect.policy, self._triggers)
        return StepContext(tx, catalogue, writer, self._reader(tx), actor, self._connect)

    def _reader(self, tx: Connection) -> Reader:
        return Reader(self._connect.catalogue(tx), self._connect.policy, SYSTEM)


def on_failed(tx: Connection, job: Job, error: TenonError) -> None:
    """Show a run whose job was given up as failed, at the step where it stood."""
    failure = _failure(error, error.params.get("step"))
    mine = sa.and_(
        flow_run.c.id == job.payload["run"],
        sa.or_(flow_run.c.owner == job.key, flow_run.c.state == "waiting"),
        flow_run.c.state.in_(("running", "waiting")),
    )
    row = tx.execute(sa.select(flow_run.c.id, flow_run.c.step).where(mine)).first()
    if row is None:
        return
    now = clock.now()
    tx.execute(
        flow_run.update()
        .where(flow_run.c.id == row.id)
        .values(state="failed", failure=failure, ended_at=now)
    )
    values = {
        "run_id": row.id, "step": failure["step"] or row.step, "state": "failed",
        "started_at": now, "ended_at": now, "failure": failure,
    }  # fmt: skip
    tx.execute(insert_or_change(tx, flow_step, ("state", "ended_at", "failure")), [values])
    announce(tx, "flow_run")


def _failure(error: TenonError, step: str | None) -> dict[str, Any]:
    return {"code": error.code, "step": step, **error.text.as_dict()}


@contextmanager
def _blamed_on(step: str) -> Iterator[None]:
    """Note at which step an error arose: its transaction, and the steps before, are undone."""
    try:
        yield
    except TenonError as error:
        error.params.setdefault("step", step)
        raise


def check(flow: Flow) -> None:
    """Refuse a flow whose steps or their settings are not right.

    A step may go to a later step only: a flow that could go back might never end.
    """
    for at, definition in enumerate(flow.steps):
        step = registry.find(definition.step)
        settings = _settings(step, flow.code, definition)
        later = {s.id for s in flow.steps[at + 1 :]}
        for target in getattr(settings, "targets", ()):
            if target not in later:
                raise Config("no_step", _NO_STEP, flow=flow.code, step=target)


_BAD_SETTINGS = Text(
    "流程“{flow}”的步骤“{step}”设置有误：{problem}。",
    "The step “{step}” of the flow “{flow}” has wrong settings: {problem}.",
)


def _settings(step: Step, flow: str, definition: StepDef) -> Any:
    try:
        return step.settings.model_validate(definition.with_)
    except ValueError as error:
        raise Config(
            "bad_step", _BAD_SETTINGS, flow=flow, step=definition.id, problem=str(error)[:300]
        ) from None


def _may_move(row: Any, job: Job) -> bool:
    if row.state == "waiting":
        return bool(job.payload.get("wait") == row.waits)
    return bool(row.state == "running" and row.owner == job.key)


def _is_outward(step: Step) -> bool:
    return hasattr(step, "call")


def _outward(step: Step) -> OutwardStep[Any]:
    outward: OutwardStep[Any] = step  # type: ignore[assignment]
    return outward


def _groups(runs: Sequence[_Run]) -> list[tuple[Step, list[_Run]]]:
    """Runs that stand at the same step of the same flow, in their order."""
    found: dict[tuple[int, str], list[_Run]] = {}
    for run in runs:
        if run.state == "running":
            found.setdefault((id(run.flow), run.step), []).append(run)
    return [(registry.find(own[0].definition.step), own) for own in found.values()]


def _advance(run: _Run, outcome: Outcome) -> None:
    """Take an outcome into the run and its step's row, and move it to where it goes next."""
    now = clock.now()
    begun = run.begun.setdefault(run.step, now)
    output = _plain(outcome.output)
    state = "waiting" if outcome.wait else "failed" if outcome.failure else "done"
    failure = _failure(outcome.failure, run.step) if outcome.failure else None
    values = {
        "run_id": run.id, "step": run.step, "started_at": begun, "output": output or None,
        "state": state, "ended_at": None if outcome.wait else now, "failure": failure,
    }  # fmt: skip
    run.taken.append(values)
    if failure:
        run.state, run.failure = "failed", failure
        return
    if outcome.wait:
        run.state, run.wait = "waiting", outcome.wait
        return
    run.data = run.data | {"steps": run.data["steps"] | {run.step: output}}
    run.waited = None
    ids = [s.id for s in run.flow.steps]
    following = ids.index(run.step) + 1 if outcome.goto is None else ids.index(outcome.goto)
    if outcome.stop or following >= len(ids):
        run.state = "done"
    else:
        run.step = ids[following]


def _save(tx: Connection, runs: Sequence[_Run]) -> None:
    """Write down, as sets, where the runs stand, the steps they took, and when to wake them."""
    now = clock.now()
    if steps := [row for run in runs for row in run.taken]:
        tx.execute(insert_or_change(tx, flow_step, _STEP_COLUMNS), steps)
    enqueue(tx, [job for run in runs if run.wait for job in _begin_wait(run, run.wait, now)])
    if runs:
        tx.execute(_SAVE, [_saved(run, now) for run in runs])
    for run in runs:
        run.taken = []


def _begin_wait(run: _Run, wait: Wait, now: datetime) -> list[NewJob]:
    """Note that the run waits; the job that wakes it when its time has come."""
    again = run.waited is not None  # it was woken, and its wait is not over
    run.waited = run.waited or now
    run.waits += 1
    if wait.until is None:
        return []
    seconds = max(0.0, (wait.until - now).total_seconds()) / (clock.demo_pace() or 1.0)
    # A demo may change its pace, and a clock may jump: look again at least once an hour.
    return [wake(run.id, run.waits, delay=min(seconds, 3600.0) + (0.05 if again else 0))]


_SAVE: Final = (
    flow_run.update()
    .where(flow_run.c.id == sa.bindparam("of_run"))
    .values(
        {
            name: sa.bindparam(f"new_{name}")
            for name in (
                "state", "step", "data", "waits", "waited", "owner", "ended_at", "failure",
                "wait_until", "wait_entity", "wait_record",
            )
        }
    )
)  # fmt: skip


def _saved(run: _Run, now: datetime) -> dict[str, Any]:
    wait = run.wait or Wait()
    values = {
        "state": run.state, "step": run.step, "data": run.data, "waits": run.waits,
        "waited": run.waited, "owner": run.job.key if run.state == "running" else None,
        "ended_at": now if run.state in {"done", "failed"} else None, "failure": run.failure,
        "wait_until": wait.until, "wait_entity": wait.entity, "wait_record": wait.record_id,
    }  # fmt: skip
    return {"of_run": run.id} | {f"new_{name}": value for name, value in values.items()}


def _plain(value: Any) -> Any:
    """A value as it will be read back from the run's row: decimals and times as texts."""
    return json.loads(to_json(value))

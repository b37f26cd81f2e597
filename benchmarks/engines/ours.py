"""Our side: `ours HUB FOLDER FLOW JSON`; flows of the product's own interpreter and worker."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
import yaml

from benchmarks.engines.task import CAUSE, EFFECT, STEPS, Noted, check, measure
from tenon.assembly import Tenon, open_tenon, packages
from tenon.assembly.home import HomeSettings, write_settings
from tenon.automate.registry import At, Outcome, StepContext, StepSettings, step
from tenon.automate.tables import flow_run
from tenon.automate.triggers import KIND
from tenon.connect.deps import ConnectDeps
from tenon.define.catalogue import parse
from tenon.define.models import Package
from tenon.jobs.queue import NewJob, enqueue
from tenon.jobs.worker import Worker
from tenon.kernel import clock
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text

_DEFINITIONS: Final = """
{kind: package, code: engines, version: 1.0.0, label: {zh: 引擎, en: Engines}}
---
kind: entity
code: thing
label: {zh: 物, en: Thing}
fields: [{code: name, label: {zh: 名, en: Name}, type: text}]
---
kind: flow
code: local
label: {zh: 本地, en: Local}
trigger: {record: thing}
steps:
  - {id: s0, step: effect}
  - {id: s1, step: effect}
  - {id: s2, step: effect}
  - {id: s3, step: effect}
---
kind: flow
code: outward
label: {zh: 对外, en: Outward}
trigger: {record: thing}
steps: [{id: s0, step: call_out}]
"""
NOTED: Final = Noted()


class Settings(StepSettings):
    """Nothing to set."""


@step
class Effect:
    """A local step: a row for each run."""

    name = "effect"
    label = Text("写一行", "Write a row")
    settings = Settings

    def run(self, context: StepContext, runs: Sequence[At[Settings]]) -> list[Outcome]:
        """Write the rows of the set."""
        number = int(runs[0].key[-1])
        names = [str(at.data["trigger"]["name"]) for at in runs]
        if number == 0:
            for name in names:
                NOTED.begin(name)
        rows = [{"id": f"{name}:{number}", "run": name, "step": number} for name in names]
        context.tx.execute(EFFECT.insert(), rows)
        return [Outcome() for _ in runs]


@step
class CallOut:
    """An outward step: a call for each run."""

    name = "call_out"
    label = Text("调用", "Call")
    settings = Settings

    def intend(self, _context: StepContext, runs: Sequence[At[Settings]]) -> list[Any]:
        """Nothing is needed."""
        return [None for _ in runs]

    def call(self, _connect: ConnectDeps, runs: Sequence[At[Settings]]) -> list[str]:
        """Call."""
        for at in runs:
            NOTED.begin(str(at.data["trigger"]["name"]))
            NOTED.calls.append(at.key)
        return [at.key for at in runs]

    def record(
        self, _context: StepContext, runs: Sequence[At[Settings]], answers: Sequence[str]
    ) -> list[Outcome]:
        """The answers are the steps' output."""
        return [Outcome({"answer": answer}) for _, answer in zip(runs, answers, strict=True)]


def main(hub: str, folder: str, flow: str, asked: str) -> None:
    """Measure, print what was found."""
    home, wanted = Path(folder), json.loads(asked)
    write_settings(home, HomeSettings(hub=None if hub.startswith("sqlite") else hub))
    with open_tenon(home) as tenon:
        _publish(tenon)
        with tenon.hub.write() as tx:
            for table in (CAUSE, EFFECT):
                table.create(tx)
        kinds = [kind for kind in tenon.working.kinds() if kind.name == KIND]
        worker = Worker(tenon.hub, kinds)
        worker.start()
        found = measure(lambda run: _ask(tenon, flow, run), lambda: _done(tenon), NOTED, wanted)
        worker.stop()
        engine = sa.create_engine(tenon.hub.url)
        check(engine, flow, NOTED, _done(tenon))
        engine.dispose()
    assert STEPS == 4
    print(json.dumps(found))


def _publish(tenon: Tenon) -> None:
    found = tuple(parse(data, "engines") for data in yaml.safe_load_all(_DEFINITIONS))
    package = next(d for d in found if isinstance(d, Package))
    packages.publish_package(tenon.hub, package, found, "benchmark")
    tenon.refresh()


def _ask(tenon: Tenon, flow: str, name: str) -> None:
    """A business row, the run and its job, in one transaction: as a trigger writes them."""
    id_ = uuid7()
    run = {
        "id": id_, "flow": flow, "epoch": tenon.catalogue.epoch, "state": "running",
        "step": "s0", "owner": f"{id_}:0", "depth": 1, "entity": "thing", "record_id": id_,
        "subject": name, "data": {"trigger": {"id": id_, "name": name}, "steps": {}},
        "started_at": clock.now(), "waits": 0,
    }  # fmt: skip
    with tenon.hub.write() as tx:
        tx.execute(CAUSE.insert().values(id=name))
        tx.execute(flow_run.insert().values(run))
        enqueue(tx, [NewJob(KIND, {"run": id_}, key=f"{id_}:0")])


def _done(tenon: Tenon) -> int:
    query = sa.select(sa.func.count()).where(flow_run.c.state == "done")
    with tenon.hub.read() as connection:
        return connection.scalar(query) or 0


if __name__ == "__main__":
    main(*sys.argv[1:])

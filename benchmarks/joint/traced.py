"""`tenon` with its stages timed: `traced FILE serve …`; SIGUSR1 writes the times and begins anew.

The product's own functions are wrapped before it starts; nothing of it is replaced. A stage has
its wall time and the CPU time of the thread that went through it.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from tenon.jobs import queue as jobs_queue  # before anything that takes its names from it

_TIMES: Final[dict[str, list[float]]] = defaultdict(lambda: [0, 0.0, 0.0])  # count, wall, CPU
_COMMITTED: Final[dict[str, float]] = {}
_HERE: Final = threading.local()


def note(stage: str, wall: float, cpu: float) -> None:
    """Add one passage through a stage."""
    found = _TIMES[stage]
    found[0] += 1
    found[1] += wall
    found[2] += cpu


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Time the block as a passage through the stage."""
    wall, cpu = time.perf_counter(), time.thread_time()
    try:
        yield
    finally:
        note(name, time.perf_counter() - wall, time.thread_time() - cpu)


def timed(owner: Any, name: str, as_: str | Callable[..., str], part: str | None = None) -> None:
    """Time every call of a function; `part` names the part whose transactions it holds."""
    original = getattr(owner, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        before = getattr(_HERE, "part", "other")
        _HERE.part = part or before
        try:
            with stage(as_ if isinstance(as_, str) else as_(*args)):
                return original(*args, **kwargs)
        finally:
            _HERE.part = before

    setattr(owner, name, call)


def wrap_queue() -> None:
    """Remember when the commit of each job was over, and how long until somebody had it."""
    enqueue, claim = jobs_queue.enqueue, jobs_queue.claim

    def enqueued(tx: Any, jobs: Any) -> None:
        enqueue(tx, jobs)
        tx.info.setdefault("traced", []).extend(j.key for j in jobs if j.key and not j.delay)

    def claimed(tx: Any, kind: str, most: int, seconds: float) -> Any:
        found = claim(tx, kind, most, seconds)
        for job in found:
            at = _COMMITTED.pop(job.key or "", None)
            if at is not None:
                note(f"{kind}: from its commit until it is claimed", time.perf_counter() - at, 0)
        return found

    jobs_queue.enqueue, jobs_queue.claim = enqueued, claimed


def wrap_store() -> None:
    """Time the turn, the statements and the commit of each transaction, by part."""
    from tenon.store import Hub  # noqa: PLC0415  after the queue is wrapped

    write = Hub.write

    @contextmanager
    def written(self: Hub, *, durable: bool = True) -> Iterator[Any]:
        part = getattr(_HERE, "part", "other")
        manager = write(self, durable=durable)
        with stage(f"{part}: waiting for the turn to write"):
            tx = manager.__enter__()
        keys: list[str] = []
        tx.info["traced"] = keys
        try:
            with stage(f"{part}: transaction"):
                yield tx
        except BaseException:
            if not manager.__exit__(*sys.exc_info()):
                raise
        else:
            with stage(f"{part}: commit"):
                manager.__exit__(None, None, None)
            now = time.perf_counter()
            _COMMITTED.update(dict.fromkeys(keys, now))

    Hub.write = written  # type: ignore[method-assign]


def time_statements() -> None:
    """Time each statement sent to a database, by part."""

    def before(_connection: Any, _cursor: Any, _statement: str, *_more: Any) -> None:
        _HERE.sent = time.perf_counter()

    def after(_connection: Any, _cursor: Any, _statement: str, *_more: Any) -> None:
        part = getattr(_HERE, "part", "other")
        note(
            f"{part}: statements, the driver and the database", time.perf_counter() - _HERE.sent, 0
        )

    sa.event.listen(sa.Engine, "before_cursor_execute", before)
    sa.event.listen(sa.Engine, "after_cursor_execute", after)


def wrap_stages() -> None:
    """Time the door, the working in, the flow's steps and the push."""
    from tenon.automate.interpreter import Interpreter  # noqa: PLC0415
    from tenon.automate.steps.write_back import WriteBack  # noqa: PLC0415
    from tenon.connect import hooks  # noqa: PLC0415
    from tenon.connect.ingest import Ingest  # noqa: PLC0415
    from tenon.jobs.worker import Worker  # noqa: PLC0415

    timed(hooks, "receive", "door: all", "door")
    timed(hooks, "_open", "door: the hook and its secret")
    timed(hooks, "_verify", "door: verify the signature")
    timed(hooks, "parsed", "door: parse")
    timed(Worker, "_turn", lambda _self, kind: f"{kind.name}: turn", "claim")
    timed(Ingest, "run", "hook: all", "hook")
    timed(Ingest, "_events", "hook: read the events")
    timed(Ingest, "_taken", "hook: take the item (fetch it)")
    timed(Ingest, "_work_in", "hook: work in (map, resolve, write, start flows)")
    timed(Interpreter, "run", "flow: all", "flow")
    timed(Interpreter, "_load", "flow: load the runs")
    timed(
        Interpreter, "_local",
        lambda _self, _tx, step, _runs: f"flow: step {step.name}",
    )  # fmt: skip
    timed(WriteBack, "intend", "flow: push: compute the rows, write them down")
    timed(Interpreter, "_call", "flow: push: write into the MES")
    timed(WriteBack, "record", "flow: push: write the answer down")


def dump_on_signal(file: Path) -> None:
    """Write the times and begin anew at SIGUSR1."""

    def dump(*_signal: object) -> None:
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(_TIMES), "utf-8")
        _TIMES.clear()
        fresh.replace(file)

    signal.signal(signal.SIGUSR1, dump)


def main() -> None:
    """Wrap, then be `tenon`."""
    wrap_queue()
    wrap_store()
    wrap_stages()
    time_statements()
    dump_on_signal(Path(sys.argv.pop(1)))
    from tenon.cli.main import app  # noqa: PLC0415

    app()


if __name__ == "__main__":
    main()

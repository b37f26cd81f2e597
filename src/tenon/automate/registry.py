"""The registry of steps: a step is one class in one file, found by its name.

Runs of one flow that stand at the same step are done together, as a set: a step is given all of
them. A local step works in the segment's one transaction. An outward step has three parts: it
writes down what it means to do, does it outside any transaction, and writes down the answer
together with what follows; a process that dies on the way does it again with the same keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy.engine import Connection

from tenon.connect.deps import ConnectDeps
from tenon.define.catalogue import Catalogue
from tenon.kernel.errors import Config, TenonError
from tenon.kernel.text import Text
from tenon.records.ports import Actor
from tenon.records.query import Reader
from tenon.records.write import Writer
from tenon.store import Hub

_UNKNOWN = Text(
    "没有名为“{step}”的步骤；可用：{known}。", "There is no step “{step}”; known: {known}."
)


class StepSettings(BaseModel):
    """The settings of a step: frozen, and strict about what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


S = TypeVar("S", bound=StepSettings)


@dataclass(frozen=True, slots=True)
class Wait:
    """What a run waits for: a moment (plant time), a change of a record, whichever is first."""

    until: datetime | None = None
    entity: str | None = None
    record_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step came to for one run.

    `goto` names a later step (the next one, when None); `stop` ends the run well; `wait` leaves
    the run at this step, which is asked again when the wait is over. `failure` ends the run at
    this step until a person tries it again; unlike an error that is raised, it undoes nothing.
    """

    output: dict[str, Any] = field(default_factory=dict)
    goto: str | None = None
    stop: bool = False
    wait: Wait | None = None
    failure: TenonError | None = None


@dataclass(frozen=True, slots=True)
class At(Generic[S]):
    """One run at this step.

    `key` recognises the step of this run for ever, for receivers that keep keys. `data` is
    `{"trigger": {…fields of the record…, "id"}, "steps": {step id: output}}`. `waited` is when a
    wait at this step began, None before. `intent` is what `intend` of an outward step answered.
    """

    run_id: str
    key: str
    settings: S
    data: Mapping[str, Any]
    waited: datetime | None = None
    intent: Any = None


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a step works with; `tx` is the segment's transaction."""

    tx: Connection
    catalogue: Catalogue
    writer: Writer
    reader: Reader
    actor: Actor
    connect: ConnectDeps

    @property
    def hub(self) -> Hub:
        """The hub."""
        return self.connect.hub


class LocalStep(Protocol[S]):
    """A step that reads and writes the hub alone."""

    name: str
    label: Text
    settings: type[S]

    def run(self, context: StepContext, runs: Sequence[At[S]]) -> list[Outcome]:
        """Do the step for these runs, in order of `runs`; an error of one fails the set."""
        ...


class OutwardStep(Protocol[S]):
    """A step that reaches another system."""

    name: str
    label: Text
    settings: type[S]

    def intend(self, context: StepContext, runs: Sequence[At[S]]) -> list[Any]:
        """Write down what is meant to be done; for each run what `call` needs to do it.

        Called again after a crash.
        """
        ...

    def call(self, connect: ConnectDeps, runs: Sequence[At[S]]) -> list[Any]:
        """Do it, outside any transaction; the answers. Doing it again must change nothing."""
        ...

    def record(
        self, context: StepContext, runs: Sequence[At[S]], answers: Sequence[Any]
    ) -> list[Outcome]:
        """Write the answers down."""
        ...


Step = LocalStep[Any] | OutwardStep[Any]
_steps: dict[str, Step] = {}
T = TypeVar("T")


def step(cls: type[T]) -> type[T]:
    """Register a step's class under its `name`."""
    made: Any = cls()
    _steps[made.name] = made
    return cls


def find(name: str) -> Step:
    """The step registered under `name`."""
    try:
        return _steps[name]
    except KeyError:
        known = ", ".join(sorted(_steps))
        raise Config("unknown_step", _UNKNOWN, step=name, known=known) from None

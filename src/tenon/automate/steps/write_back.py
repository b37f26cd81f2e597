"""The write-back step: records of ours written into a legacy system."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from tenon.automate.registry import At, Outcome, StepContext, StepSettings, step
from tenon.automate.values import resolve
from tenon.connect import writeback
from tenon.connect.contract import Written
from tenon.connect.deps import ConnectDeps
from tenon.connect.writeback import Intent, Sending
from tenon.kernel.errors import Conflict, TenonError
from tenon.kernel.text import Text

_CONFLICT = Text(
    "“{table}”中“{key}”的列“{column}”现为“{theirs}”，而我们要写入“{ours}”；没有写入任何内容。"
    "请在该系统中核对后重试。",
    "The column “{column}” of “{key}” in “{table}” holds “{theirs}”, and we would write “{ours}”; "
    "nothing was written. Look at it there, then try again.",
)


# What a run means to write, or why that cannot be said; what became of it, or why it was refused.
Meant = list[Sending] | TenonError
Answer = list[Written] | TenonError


class Rows(StepSettings):
    """Which records (an id, or several) are written by which push."""

    push: str
    records: dict[str, str] | str


class Settings(StepSettings):
    """`rows` are written together, in their order: all of them, or none."""

    rows: tuple[Rows, ...] = Field(min_length=1)


@step
class WriteBack:
    """Writes records into a legacy system; what became of each row is the step's output.

    A run that may not write, or meets a conflict, fails by itself: what it did before stands,
    and the runs beside it go on.
    """

    name = "write_back"
    label = Text("回写", "Write back")
    settings = Settings

    def intend(self, context: StepContext, runs: Sequence[At[Settings]]) -> list[Meant]:
        """Compute the rows and write down that they are to be there."""
        try:
            found: list[Meant] = [*_prepared(context, runs)]
        except TenonError:
            found = [_meant(context, at) for at in runs]  # who is it that cannot?
        meant = [
            writeback.OfStep(at.run_id, at.key, own)
            for at, own in zip(runs, found, strict=True)
            if isinstance(own, list)
        ]
        writeback.intend(context.tx, meant)
        return found

    def call(self, connect: ConnectDeps, runs: Sequence[At[Settings]]) -> list[Answer]:
        """Write the rows of all runs; an error that will not pass by itself is one run's own."""
        groups = [at.intent if isinstance(at.intent, list) else [] for at in runs]
        try:
            return [*writeback.send(connect, groups)]
        except TenonError as error:
            if len(runs) > 1 or error.recovery in {"retry", "bug"}:
                raise  # of several each is then called alone
            return [error]

    def record(
        self, context: StepContext, runs: Sequence[At[Settings]], answers: Sequence[Answer]
    ) -> list[Outcome]:
        """Write down what became of the rows."""
        groups = []
        for at, said in zip(runs, answers, strict=True):
            if isinstance(at.intent, list) and isinstance(said, list):
                groups.append((at.intent, said))
            elif isinstance(at.intent, list):
                writeback.refuse(context.tx, at.intent)
        writeback.record(context.tx, groups)
        return [_outcome(at.intent, said) for at, said in zip(runs, answers, strict=True)]


def _prepared(context: StepContext, runs: Sequence[At[Settings]]) -> list[list[Sending]]:
    wanted = [_intents(context, at) for at in runs]
    intents = [intent for own in wanted for intent in own]
    every = writeback.prepare(context.tx, context.reader, intents, lock=True)
    found = []
    for own in wanted:
        count = sum(len(i.ids) for i in own)
        mine, every = every[:count], every[count:]
        found.append(mine)
    return found


def _meant(context: StepContext, at: At[Settings]) -> Meant:
    try:
        return _prepared(context, [at])[0]
    except TenonError as error:
        if error.recovery in {"retry", "bug"}:
            raise
        return error


def _intents(context: StepContext, at: At[Settings]) -> list[Intent]:
    found = []
    for rows in at.settings.rows:
        said: Any = resolve(rows.records, at.data)
        ids = said if isinstance(said, list) else [said]
        push = context.catalogue.push(rows.push)
        found.append(Intent(push, tuple(str(id_) for id_ in ids if id_)))
    return found


def _outcome(meant: Meant, said: Answer) -> Outcome:
    if isinstance(meant, TenonError):
        return Outcome(failure=meant)
    if isinstance(said, TenonError):
        return Outcome(failure=said)
    for one, written in zip(meant, said, strict=True):
        if written.state == "conflict":
            return Outcome(failure=_conflict(one, written))
    rows = [
        {"push": one.push.code, "key": one.key, "state": written.state}
        for one, written in zip(meant, said, strict=True)
    ]
    return Outcome({"rows": rows})


def _conflict(one: Sending, said: Written) -> Conflict:
    return Conflict(
        "write_conflict", _CONFLICT, table=one.push.table, key=one.key, column=said.column,
        ours=said.ours or "", theirs=said.theirs or "",
    )  # fmt: skip

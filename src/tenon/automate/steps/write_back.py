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
from tenon.kernel.errors import Conflict
from tenon.kernel.text import Text

_CONFLICT = Text(
    "“{table}”中“{key}”的列“{column}”现为“{theirs}”，而我们要写入“{ours}”；没有写入任何内容。"
    "请在该系统中核对后重试。",
    "The column “{column}” of “{key}” in “{table}” holds “{theirs}”, and we would write “{ours}”; "
    "nothing was written. Look at it there, then try again.",
)


class Rows(StepSettings):
    """Which records (an id, or several) are written by which push."""

    push: str
    records: dict[str, str] | str


class Settings(StepSettings):
    """`rows` are written together, in their order: all of them, or none."""

    rows: tuple[Rows, ...] = Field(min_length=1)


@step
class WriteBack:
    """Writes records into a legacy system; what became of each row is the step's output."""

    name = "write_back"
    label = Text("回写", "Write back")
    settings = Settings

    def intend(self, context: StepContext, runs: Sequence[At[Settings]]) -> list[list[Sending]]:
        """Compute the rows and write down that they are to be there."""
        wanted = [_intents(context, at) for at in runs]
        every = writeback.prepare(
            context.connect, context.tx, context.reader, [i for own in wanted for i in own]
        )
        found: list[list[Sending]] = []
        for at, own in zip(runs, wanted, strict=True):
            count = sum(len(i.ids) for i in own)
            mine, every = every[:count], every[count:]
            writeback.intend(context.tx, mine, at.run_id, at.key)
            found.append(mine)
        return found

    def call(self, connect: ConnectDeps, runs: Sequence[At[Settings]]) -> list[list[Written]]:
        """Write the rows of all runs."""
        return writeback.send(connect, [at.intent for at in runs])

    def record(
        self,
        context: StepContext,
        runs: Sequence[At[Settings]],
        answers: Sequence[list[Written]],
    ) -> list[Outcome]:
        """Write down what became of the rows; Conflict when the other system holds other values."""
        outcomes = []
        for at, said in zip(runs, answers, strict=True):
            _refuse_conflict(at.intent, said)
            writeback.record(context.tx, at.intent, said)
            rows = [
                {"push": one.push.code, "key": one.key, "state": written.state}
                for one, written in zip(at.intent, said, strict=True)
            ]
            outcomes.append(Outcome({"rows": rows}))
        return outcomes


def _intents(context: StepContext, at: At[Settings]) -> list[Intent]:
    found = []
    for rows in at.settings.rows:
        said: Any = resolve(rows.records, at.data)
        ids = said if isinstance(said, list) else [said]
        push = context.catalogue.push(rows.push)
        found.append(Intent(push, tuple(str(id_) for id_ in ids if id_)))
    return found


def _refuse_conflict(sendings: Sequence[Sending], answers: Sequence[Written]) -> None:
    for one, said in zip(sendings, answers, strict=True):
        if said.state == "conflict":
            raise Conflict(
                "write_conflict", _CONFLICT, table=one.push.table, key=one.key,
                column=said.column, ours=said.ours or "", theirs=said.theirs or "",
            )  # fmt: skip

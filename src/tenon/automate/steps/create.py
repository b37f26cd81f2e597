"""The create step: a new record from the run's data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tenon.automate.registry import At, Outcome, StepContext, StepSettings, step
from tenon.automate.values import resolve, typed
from tenon.kernel.text import Text
from tenon.records.write import RowKey


class Settings(StepSettings):
    """`values` are {field: value}; a value may be `{from: path}` or hold `{path}`."""

    entity: str
    values: dict[str, Any]


@step
class Create:
    """Creates a record; its id is the step's output."""

    name = "create"
    label = Text("新建记录", "Create a record")
    settings = Settings

    def run(self, context: StepContext, runs: Sequence[At[Settings]]) -> list[Outcome]:
        """Create a record for each run, as one set."""
        entity = context.catalogue.entity(runs[0].settings.entity)
        rows = [
            (RowKey(), typed(entity, resolve(at.settings.values, at.data), whole=True))
            for at in runs
        ]
        written = context.writer.write(
            context.tx, context.actor, entity.code, rows, cause=context.actor.id
        )
        return [Outcome({"id": row.id}) for row in written]

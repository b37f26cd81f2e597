"""The update step: a record changed from the run's data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from tenon.automate.registry import At, Outcome, StepContext, StepSettings, step
from tenon.automate.values import resolve, typed
from tenon.define.models import Entity
from tenon.kernel.text import Text
from tenon.records.write import RowKey


class Settings(StepSettings):
    """`id` names the record, `values` are {field: value} as in the create step."""

    entity: str
    id: dict[str, str] | str = Field(default={"from": "trigger.id"})
    values: dict[str, Any]


Places = list[tuple[int, At[Settings]]]


@step
class Update:
    """Changes a record; whether it was changed is the step's output."""

    name = "update"
    label = Text("修改记录", "Change a record")
    settings = Settings

    def run(self, context: StepContext, runs: Sequence[At[Settings]]) -> list[Outcome]:
        """Change the record of each run, as one set; of one record several times, in order."""
        entity = context.catalogue.entity(runs[0].settings.entity)
        done: dict[int, Outcome] = {}
        waiting: Places = list(enumerate(runs))
        while waiting:
            part, waiting = _distinct(waiting)
            done |= _change(context, entity, part)
        return [done[place] for place in range(len(runs))]


def _distinct(waiting: Places) -> tuple[Places, Places]:
    """The first change of each record, and the rest: a set names each record once."""
    part: Places = []
    rest: Places = []
    seen: set[str] = set()
    for place, at in waiting:
        id_ = str(resolve(at.settings.id, at.data))
        (rest if id_ in seen else part).append((place, at))
        seen.add(id_)
    return part, rest


def _change(context: StepContext, entity: Entity, part: Places) -> dict[int, Outcome]:
    rows = [
        (
            RowKey(id=str(resolve(at.settings.id, at.data))),
            typed(entity, resolve(at.settings.values, at.data)),
        )
        for _, at in part
    ]
    written = context.writer.write(
        context.tx, context.actor, entity.code, rows, cause=context.actor.id
    )
    return {
        place: Outcome({"id": row.id, "outcome": row.outcome})
        for (place, _), row in zip(part, written, strict=True)
    }

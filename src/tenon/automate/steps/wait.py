"""The wait step: until a moment, until a record is as it should be, or whichever is first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import Field, model_validator

from tenon.automate.registry import At, Outcome, StepContext, StepSettings, Wait, step
from tenon.automate.values import resolve
from tenon.kernel import clock
from tenon.kernel.text import Text


class Watched(StepSettings):
    """A record, and the filter over its fields that ends the wait."""

    entity: str
    id: dict[str, str] | str
    when: dict[str, Any]


class Settings(StepSettings):
    """`until` is a moment in the run's data, `minutes` a time from the wait's beginning.

    Both are plant time. With a `record` they are the latest end: the output says whether the
    record came to be as it should (`met`).
    """

    until: dict[str, str] | None = None
    minutes: int | None = Field(default=None, ge=0, le=60 * 24 * 366)
    record: Watched | None = None

    @model_validator(mode="after")
    def _some(self) -> Settings:
        if self.until is None and self.minutes is None and self.record is None:
            raise ValueError("a wait needs `until`, `minutes` or `record`")
        return self


@step
class WaitStep:
    """Waits as a row: nothing runs meanwhile."""

    name = "wait"
    label = Text("等待", "Wait")
    settings = Settings

    def run(self, context: StepContext, runs: Sequence[At[Settings]]) -> list[Outcome]:
        """Go on where the wait is over."""
        met = _met(context, runs)
        return [_outcome(at, met=at.run_id in met) for at in runs]


def _outcome(at: At[Settings], *, met: bool) -> Outcome:
    if met:
        return Outcome({"met": True})
    end, now = _end(at), clock.now()
    if end is not None and now >= end:
        return Outcome({"met": False} if at.settings.record else {})
    record = at.settings.record
    if record is None:
        return Outcome(wait=Wait(until=end))
    return Outcome(wait=Wait(end, record.entity, str(resolve(record.id, at.data))))


def _end(at: At[Settings]) -> datetime | None:
    settings, begun = at.settings, at.waited or clock.now()
    ends = [] if settings.minutes is None else [begun + timedelta(minutes=settings.minutes)]
    if settings.until is not None:
        said = resolve(settings.until, at.data)
        if said:
            moment = datetime.fromisoformat(str(said))
            ends.append(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        elif not ends and settings.record is None:
            return begun  # there is no moment to wait for
    return min(ends, default=None)


def _met(context: StepContext, runs: Sequence[At[Settings]]) -> set[str]:
    """The runs whose record is as it should be.

    The records are locked against change until the run is written down as waiting: a change
    comes either before the look or after the wait has begun, never unseen between the two.
    """
    watched = runs[0].settings.record
    if watched is None:
        return set()
    records = {at.run_id: str(resolve(watched.id, at.data)) for at in runs}
    table = context.reader.table(watched.entity)
    ids = sorted(set(records.values()))
    if context.tx.dialect.name != "sqlite":
        locked = sa.select(table.c.id).where(table.c.id.in_(ids)).order_by(table.c.id)
        context.tx.execute(locked.with_for_update(read=True))
    condition = context.reader.compile(watched.entity, watched.when)
    found = set(context.tx.scalars(sa.select(table.c.id).where(table.c.id.in_(ids), condition)))
    return {run_id for run_id, id_ in records.items() if id_ in found}

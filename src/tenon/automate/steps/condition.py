"""The condition step: where the run goes next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from tenon.automate.registry import At, Outcome, StepContext, StepSettings, step
from tenon.automate.values import matches
from tenon.kernel.text import Text

STOP = "stop"


class Settings(StepSettings):
    """`if` is a filter over the run's data; `then` and `else` a later step's id, or `stop`."""

    if_: dict[str, Any] = Field(alias="if")
    then: str | None = None
    else_: str | None = Field(default=STOP, alias="else")

    @property
    def targets(self) -> tuple[str, ...]:
        """The steps it may go to."""
        return tuple(t for t in (self.then, self.else_) if t and t != STOP)


@step
class Condition:
    """Goes on when a condition holds, elsewhere when it does not."""

    name = "condition"
    label = Text("条件", "Condition")
    settings = Settings

    def run(self, context: StepContext, runs: Sequence[At[Settings]]) -> list[Outcome]:
        """Decide for each run."""
        return [_outcome(at.settings, holds=matches(at.settings.if_, at.data)) for at in runs]


def _outcome(settings: Settings, *, holds: bool) -> Outcome:
    goes = settings.then if holds else settings.else_
    output = {"holds": holds}
    return Outcome(output, stop=True) if goes == STOP else Outcome(output, goto=goes)

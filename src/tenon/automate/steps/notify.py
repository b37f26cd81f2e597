"""The notify step: a notice to the people of a role, inside Tenon."""

from __future__ import annotations

from collections.abc import Sequence

from tenon.automate import notices
from tenon.automate.registry import At, Outcome, StepContext, StepSettings, step
from tenon.automate.values import fill
from tenon.define.models import Label
from tenon.kernel.text import Text


class Settings(StepSettings):
    """Who is told what; texts and link may hold `{path}` of the run's data."""

    role: str
    title: Label
    body: Label | None = None
    link: str | None = None


@step
class Notify:
    """Puts a notice before everybody of a role."""

    name = "notify"
    label = Text("通知", "Notify")
    settings = Settings

    def run(self, context: StepContext, runs: Sequence[At[Settings]]) -> list[Outcome]:
        """Write a notice for each run."""
        new = [
            notices.NewNotice(
                role=at.settings.role,
                title=_filled(at.settings.title, at),
                body=_filled(at.settings.body, at) if at.settings.body else None,
                link=fill(at.settings.link, at.data) if at.settings.link else None,
                run_id=at.run_id,
            )
            for at in runs
        ]
        ids = notices.write(context.tx, new)
        return [Outcome({"notice": id_}) for id_ in ids]


def _filled(label: Label, at: At[Settings]) -> Text:
    return Text(fill(label.zh, at.data), fill(label.en, at.data))

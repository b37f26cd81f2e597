"""When a sync runs: by a cron expression, at a time of day, after another; in which hours.

All in the source's own time zone.
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Final

from croniter import croniter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from tenon.kernel.text import Text

_NAMES: Final = "mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_CRON_PART: Final = re.compile(rf"(?:[0-9*/,-]|{_NAMES})+", re.IGNORECASE)
_HOURS: Final = re.compile(
    r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:(24):00|([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_DURATION: Final = re.compile(r"([1-9][0-9]{0,4})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_YEARS: Final = 5  # an expression that names no day in this time names none

_A_DAY: Final = datetime.fromisoformat("2026-01-01")

_CRON = Text("按计划（cron：{cron}）", "by cron ({cron})")
_DAILY = Text("每天 {at}", "daily at {at}")
_AFTER = Text("在“{after}”成功之后", "after “{after}” has succeeded")


def _sound_cron(value: str) -> str:
    parts = value.split()
    if len(value) > 100 or len(parts) != 5 or not all(_CRON_PART.fullmatch(p) for p in parts):
        raise ValueError("a cron expression has five parts: minute hour day month weekday")
    try:
        croniter(value, _A_DAY, max_years_between_matches=_YEARS).get_next(datetime)
    except ValueError as error:
        raise ValueError(f"this cron expression never comes: {error}") from None
    return " ".join(parts)


def _sound_hours(value: str) -> str:
    if not _HOURS.fullmatch(value):
        raise ValueError('write hours as "18:00-07:00"')
    if value[:5] == value[6:]:
        raise ValueError("a window must not begin when it ends; leave it out to allow every hour")
    return value


def _sound_duration(value: str) -> str:
    if not _DURATION.fullmatch(value):
        raise ValueError("write a time such as 30m, 24h or 7d")
    return value


Cron = Annotated[str, AfterValidator(_sound_cron)]
Hours = Annotated[str, AfterValidator(_sound_hours)]
Duration = Annotated[str, AfterValidator(_sound_duration)]
Rows = Annotated[int, Field(ge=1)]


class ScheduleDef(BaseModel):
    """One of: a `cron` expression, a time of day (`daily`), `after` another sync succeeded.

    A time that passed while nothing ran is made up for once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cron: Cron | None = None
    daily: time | None = None
    after: str | None = None

    @field_validator("daily", mode="before")
    @classmethod
    def _in_quotes(cls, value: Any) -> Any:
        if value is not None and not isinstance(value, str | time):
            raise ValueError('write the time in quotes: daily: "02:30"')
        return value

    @model_validator(mode="after")
    def _just_one(self) -> ScheduleDef:
        if sum(v is not None for v in (self.cron, self.daily, self.after)) != 1:
            raise ValueError("a schedule is one of cron, daily, after")
        return self

    def latest(self, local: datetime) -> datetime | None:
        """The last moment at or before a local time at which it was due; None for `after`."""
        if self.daily is not None:
            at = datetime.combine(local.date(), self.daily.replace(tzinfo=None))
            return at if at <= local else at - timedelta(days=1)
        if self.cron is None:
            return None
        next_minute = local.replace(second=0, microsecond=0) + timedelta(minutes=1)
        found: datetime = croniter(self.cron, next_minute).get_prev(datetime)
        return found

    def text(self) -> Text:
        """As people read it."""
        if self.daily is not None:
            return _DAILY.format(at=self.daily.isoformat("minutes"))
        if self.after is not None:
            return _AFTER.format(after=self.after)
        return _CRON.format(cron=self.cron)


def within(windows: tuple[str, ...], at: time) -> bool:
    """Whether a time of day lies in one of the windows; always, when there are none."""
    return not windows or any(_inside(one, f"{at:%H:%M}") for one in windows)


def seconds_of(duration: str) -> int:
    """A duration such as 7d in seconds."""
    return int(duration[:-1]) * _SECONDS[duration[-1]]


def _inside(window: str, at: str) -> bool:
    begin, end = window.split("-")
    return begin <= at < end if begin < end else at >= begin or at < end

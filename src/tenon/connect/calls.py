"""Calls that cost money: counted before they are made, forecast, told of, and stopped in time.

A budget is a setting of the connection (`calls_per_day`, `calls_per_month`, `calls_alarm`: the
share at which people are told). Days and months are those of the source's zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.contract import Calls, CallsSpent, NoCalls, Version
from tenon.connect.tables import source_call, source_version
from tenon.define.models import SourceDef
from tenon.kernel import clock
from tenon.kernel.errors import Config
from tenon.kernel.text import Text
from tenon.store import Hub
from tenon.store.upsert import insert_new, insert_or_change

_ALARM, _SPENT = 1, 2
_CODE: Final = "calls_spent"
_USUAL_SHARE: Final = 0.8
_WEEK: Final = timedelta(days=7)
_HOUR: Final = timedelta(hours=1)  # less says nothing of a day's pace
_DAY_ZH, _MONTH_ZH = "今天", "本月"

_BAD_BUDGET = Text(
    "来源“{source}”的连接设置 {name} 无效；应为 {allowed}。在更正之前不会发出请求。",
    "The setting {name} of the source “{source}” is not valid; it should be {allowed}. Until it is "
    "corrected nothing is asked.",
)
_UNCOUNTED = Text(
    "来源“{source}”的调用要付费，这个命令无法为它计数，所以没有发出请求；"
    "请在“数据来源”页面点击“测试连接”。",
    "Calls to the source “{source}” cost money and this command cannot count them, so nothing was "
    "asked. Use Test connection on the Sources page.",
)
_DAY_SPENT = Text(
    "来源“{source}”今天的付费调用已用完（{used} / {limit} 次），没有再发出请求，其他来源不受影响。"
    "{free} 起恢复，Tenon 会自动继续；急用时请在 connections.yaml 中调高 calls_per_day。",
    "The paid calls of the source “{source}” are spent for today ({used} of {limit}), so it is not "
    "asked any more; other sources go on. Tenon goes on by itself from {free}; if it cannot wait, "
    "raise calls_per_day in connections.yaml.",
)
_MONTH_SPENT = Text(
    "来源“{source}”本月的付费调用已用完（{used} / {limit} 次），没有再发出请求，其他来源不受影响。"
    "{free} 起恢复，Tenon 会自动继续；急用时请在 connections.yaml 中调高 calls_per_month。",
    "The paid calls of the source “{source}” are spent for this month ({used} of {limit}), so it "
    "is not asked any more; other sources go on. Tenon goes on by itself from {free}; if it cannot "
    "wait, raise calls_per_month in connections.yaml.",
)
_SOON_TITLE = Text("{zh}：付费调用快用完了", "{en}: paid calls are running out")
_SOON = Text(
    "{period_zh}已用 {used} / {limit} 次。{forecast_zh}用完后 Tenon 会停止请求，直到 {free}。"
    "可以调高额度，或让同步少跑几次（every_seconds）。",
    "{used} of {limit} are used {period_en}. {forecast_en}Once they are spent Tenon stops asking "
    "until {free}. Raise the budget, or let its syncs run less often (every_seconds).",
)
_SPENT_TITLE = Text(
    "{zh}：付费调用已用完，已停止请求", "{en}: paid calls are spent, asking stopped"
)
_SPENT_BODY = Text(
    "{period_zh}的 {limit} 次已全部用完。其他来源不受影响；{free} 起自动继续。"
    "急用时请在 connections.yaml 中调高额度。",
    "All {limit} calls {period_en} are used. Other sources go on; this one goes on by itself from "
    "{free}. If it cannot wait, raise the budget in connections.yaml.",
)


@dataclass(frozen=True, slots=True)
class Budget:
    """How many calls may be made, and at which share of them people are told."""

    per_day: int | None
    per_month: int | None
    alarm: float


@dataclass(frozen=True, slots=True)
class CallState:
    """How far a budget is used, as `server.models.CallState`.

    `spent_at` is when it will be spent at this pace, if before it begins anew; `free_at` is when
    it begins anew, once it is spent.
    """

    today: int
    per_day: int | None
    month: int
    per_month: int | None
    again: int  # of the month's calls, those that repeated a failed one
    alarm: bool
    spent_at: datetime | None
    free_at: datetime | None


class Tell(Protocol):
    """Tells the administrators something, in the transaction given."""

    def __call__(self, tx: Connection, title: Text, body: Text, link: str) -> None:
        """Put it before them."""
        ...


@dataclass(frozen=True, slots=True)
class CallBook:
    """Where the calls of all sources are counted."""

    hub: Hub
    tell: Tell | None = None

    def of(self, source: SourceDef, budget: Budget | None, *, fresh: bool = False) -> Calls:
        """What a connection to this source is given; with `fresh` it knows no version."""
        return SourceCalls(self, source, budget, fresh=fresh)


def calls_of(
    book: CallBook | None, source: SourceDef, budget: Budget | None, *, fresh: bool = False
) -> Calls:
    """What a connection is given to count by; without a book nothing may be asked that costs."""
    if book is not None:
        return book.of(source, budget, fresh=fresh)
    return NoCalls() if budget is None else Uncounted(source.code)


class Uncounted(NoCalls):
    """A budget, and nothing to count by."""

    def __init__(self, source: str) -> None:
        self._source = source

    def count(self, *, again: bool = False) -> None:
        """Refuse the call."""
        raise Config("calls_uncounted", _UNCOUNTED, source=self._source)


class SourceCalls:
    """The calls of one source."""

    def __init__(
        self, book: CallBook, source: SourceDef, budget: Budget | None, *, fresh: bool = False
    ) -> None:
        self._book, self._source, self._budget, self._fresh = book, source, budget, fresh
        self.costs = budget is not None

    def count(self, *, again: bool = False) -> None:
        """Count a call that is about to be made; CallsSpent when none is left.

        It is on the disk before the call is made: a process that dies, or a power cut, cannot
        make calls that nobody counted.
        """
        budget = self._budget
        if budget is None:
            return
        at = _Days(self._source)
        with self._book.hub.write() as tx:
            _add(tx, self._source.code, at.day, again=again)
            now = _used(tx, self._source.code, at)
            _refuse_spent(self._source, budget, at, now)
            self._say(tx, budget, at, now)

    def version(self, stream: str) -> Version | None:
        """The version of a stream that was written last."""
        if self._fresh:
            return None
        v = source_version.c
        query = sa.select(v.asked, v.etag, v.modified, v.rows)
        with self._book.hub.read() as connection:
            row = connection.execute(query.where(*self._of(stream))).first()
        return Version(*row) if row else None

    def keep(self, stream: str, version: Version | None) -> None:
        """Note the version of a stream that was written; None forgets it."""
        with self._book.hub.write(durable=False) as tx:
            if version is None:
                tx.execute(source_version.delete().where(*self._of(stream)))
                return
            values = asdict(version)
            row = {"source": self._source.code, "stream": stream, **values}
            tx.execute(insert_or_change(tx, source_version, tuple(values)), [row])

    def _of(self, stream: str) -> tuple[Any, ...]:
        v = source_version.c
        return v.source == self._source.code, v.stream == stream

    def _say(self, tx: Connection, budget: Budget, at: _Days, now: _Used) -> None:
        """Tell people once for each day and month that it runs out, and once that it has."""
        told = {
            "told_day": (budget.per_day, now.today, now.told_day),
            "told_month": (budget.per_month, now.month, now.told_month),
        }
        for column, (limit, used, before) in told.items():
            level = _level(limit, used, budget.alarm)
            if limit is None or level <= before:
                continue
            own = (source_call.c.source == self._source.code, source_call.c.day == at.day)
            tx.execute(source_call.update().where(*own).values({column: level}))
            if self._book.tell is not None:
                monthly = column == "told_month"
                title, body = _words(self._source, budget, at, now, level, monthly=monthly)
                self._book.tell(tx, title, body, f"/sources?source={self._source.code}")


class _Days:
    """The moment, in the days and months of a source."""

    def __init__(self, source: SourceDef) -> None:
        self.zone = ZoneInfo(source.zone)
        self.now = clock.wall()
        self.day = self.now.astimezone(self.zone).date()
        self.month = self.day.replace(day=1)
        self.next_day = self._start(self.day + timedelta(days=1))
        self.next_month = self._start((self.month + timedelta(days=31)).replace(day=1))

    def since(self, day: date) -> timedelta:
        """How long ago a day began."""
        return self.now - self._start(day)

    def _start(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def shown(self, at: datetime) -> str:
        """A time for people, in the source's zone."""
        return at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")


@dataclass(frozen=True, slots=True)
class _Used:
    today: int
    month: int
    again: int
    week: int
    first: date  # of the days of the last week that have calls
    told_day: int
    told_month: int


def budget_of(source: str, values: Mapping[str, Any]) -> Budget | None:
    """The budget that a connection's settings name; Config when it is none."""
    limits = [_limit(source, values, name) for name in ("calls_per_day", "calls_per_month")]
    share = values.get("calls_alarm", _USUAL_SHARE)
    good = isinstance(share, int | float) and not isinstance(share, bool) and 0 < share <= 1
    if not good:
        raise Config(
            "bad_setting", _BAD_BUDGET, source=source, name="calls_alarm", allowed="0.1 … 1"
        )
    return None if limits == [None, None] else Budget(limits[0], limits[1], float(share))


def state(connection: Connection, source: SourceDef, budget: Budget) -> CallState:
    """How far the budget of a source is used now."""
    at = _Days(source)
    used = _used(connection, source.code, at)
    level = max(
        _level(budget.per_day, used.today, budget.alarm),
        _level(budget.per_month, used.month, budget.alarm),
    )
    return CallState(
        used.today, budget.per_day, used.month, budget.per_month, used.again, level >= _ALARM,
        _forecast(budget, at, used), _free_at(budget, at, used),
    )  # fmt: skip


def is_spent(failure: Mapping[str, Any] | None) -> bool:
    """Whether a source failed because its calls are spent: it waits, nothing is broken."""
    return failure is not None and failure.get("code") == _CODE


def purge(tx: Connection, before: datetime) -> int:
    """Forget days long gone; how many."""
    return tx.execute(source_call.delete().where(source_call.c.day < before.date())).rowcount


def _add(tx: Connection, source: str, day: date, *, again: bool) -> None:
    c = source_call.c
    row = {"source": source, "day": day, "calls": 0, "again": 0}
    tx.execute(insert_new(tx, source_call), [row])
    more = {"calls": c.calls + 1, "again": c.again + int(again)}
    tx.execute(source_call.update().where(c.source == source, c.day == day).values(more))


def _used(connection: Connection, source: str, at: _Days) -> _Used:
    c = source_call.c
    since = min(at.month, at.day - _WEEK)
    rows = connection.execute(
        sa.select(c.day, c.calls, c.again, c.told_day, c.told_month).where(
            c.source == source, c.day >= since, c.day <= at.day
        )
    ).all()
    month = [r for r in rows if r.day >= at.month]
    today = [r for r in rows if r.day == at.day]
    week = [r for r in rows if r.day > at.day - _WEEK]
    return _Used(
        today=sum(r.calls for r in today),
        month=sum(r.calls for r in month),
        again=sum(r.again for r in month),
        week=sum(r.calls for r in week),
        first=min((r.day for r in week), default=at.day),
        told_day=max((r.told_day for r in today), default=0),
        told_month=max((r.told_month for r in month), default=0),
    )


def _level(limit: int | None, used: int, alarm: float) -> int:
    if limit is None or used < limit * alarm:
        return 0
    return _SPENT if used >= limit else _ALARM


def _refuse_spent(source: SourceDef, budget: Budget, at: _Days, now: _Used) -> None:
    """Raise when the call that was just counted is one too many; it is then not counted."""
    for text, limit, used, free in (
        (_MONTH_SPENT, budget.per_month, now.month, at.next_month),
        (_DAY_SPENT, budget.per_day, now.today, at.next_day),
    ):
        if limit is not None and used > limit:
            raise CallsSpent(
                _CODE, text, source=source.code, used=used - 1, limit=limit,
                free=at.shown(free),
            )  # fmt: skip


def _free_at(budget: Budget, at: _Days, used: _Used) -> datetime | None:
    if budget.per_month is not None and used.month >= budget.per_month:
        return at.next_month
    if budget.per_day is not None and used.today >= budget.per_day:
        return at.next_day
    return None


def _forecast(budget: Budget, at: _Days, used: _Used) -> datetime | None:
    """When the first of the limits is reached at the pace of today, or of the last week."""
    found = [
        _reached(at, at.next_day, budget.per_day, used.today, used.today, at.since(at.day)),
        _reached(at, at.next_month, budget.per_month, used.month, used.week, at.since(used.first)),
    ]
    return min((one for one in found if one is not None), default=None)


def _reached(
    at: _Days, end: datetime, limit: int | None, used: int, made: int, within: timedelta
) -> datetime | None:
    """When a limit is reached by so many calls within such a time; None when not before `end`."""
    if limit is None or used >= limit or made <= 0:
        return None
    seconds = (limit - used) * max(within, _HOUR).total_seconds() / made
    if seconds >= (end - at.now).total_seconds():
        return None
    return at.now + timedelta(seconds=seconds)


def _words(
    source: SourceDef, budget: Budget, at: _Days, now: _Used, level: int, *, monthly: bool
) -> tuple[Text, Text]:
    label = source.label.text()
    used, limit = (now.month, budget.per_month) if monthly else (now.today, budget.per_day)
    only = Budget(None, limit, 1) if monthly else Budget(limit, None, 1)
    forecast = _forecast(only, at, now)
    when = at.shown(forecast) if forecast else ""
    said = {
        "used": used, "limit": limit, "free": at.shown(at.next_month if monthly else at.next_day),
        "period_zh": _MONTH_ZH if monthly else _DAY_ZH,
        "period_en": "this month" if monthly else "today",
        "forecast_zh": f"照目前的速度，{when} 用完。" if when else "",
        "forecast_en": f"At this pace they are spent by {when}. " if when else "",
    }  # fmt: skip
    title, body = (_SPENT_TITLE, _SPENT_BODY) if level == _SPENT else (_SOON_TITLE, _SOON)
    return title.format(zh=label.zh, en=label.en), body.format(**said)


def _limit(source: str, values: Mapping[str, Any], name: str) -> int | None:
    limit = values.get(name)
    if limit is None:
        return None
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= 10**12:
        raise Config("bad_setting", _BAD_BUDGET, source=source, name=name, allowed="1, 2, 3, …")
    return limit

"""The plant's clock and working time: shifts, closed days, the power cut."""

from bisect import bisect_right
from datetime import date, datetime, timedelta, timezone

from plant.settings import DAY, HOUR, MINUTE

ZONE = timezone(timedelta(hours=8))
SHIFT_OPEN = 8 * HOUR
SHIFT_CHANGE = 20 * HOUR
SHIFT_CLOSE = 28 * HOUR
MEAL = (12 * HOUR, 12 * HOUR + 30 * MINUTE)
HOLIDAYS = frozenset({(1, 1), (5, 1), (10, 1), (10, 2)})
HORIZON_DAYS = 800


class Calendar:
    """Working time of the plant as sorted windows of seconds since the origin."""

    def __init__(self, origin: datetime, power_cut: tuple[int, int]) -> None:
        self.origin = origin
        self.power_cut = power_cut
        self._opens: list[int] = []
        self._closes: list[int] = []
        self._texts: dict[int, str] = {}
        for day in range(HORIZON_DAYS):
            if self.is_working_day(day):
                self._add_day(day * DAY)

    def date_of(self, day: int) -> date:
        """Return the calendar date of a day counted from the origin."""
        return (self.origin + timedelta(days=day)).date()

    def is_working_day(self, day: int) -> bool:
        """Tell whether the plant works on a day counted from the origin."""
        when = self.date_of(day)
        return when.weekday() != 6 and (when.month, when.day) not in HOLIDAYS

    def _add_day(self, midnight: int) -> None:
        for opens, closes in ((SHIFT_OPEN, MEAL[0]), (MEAL[1], SHIFT_CLOSE)):
            start, end = midnight + opens, midnight + closes
            cut, back = self.power_cut
            pieces = [(start, min(end, cut)), (max(start, back), end)]
            for a, b in pieces if start < back and cut < end else [(start, end)]:
                if a < b:
                    self._opens.append(a)
                    self._closes.append(b)

    def next_open(self, now: int) -> int:
        """Return `now` when the plant works, else the next moment it opens."""
        place = bisect_right(self._opens, now) - 1
        if place >= 0 and now < self._closes[place]:
            return now
        return self._opens[place + 1]

    def close_after(self, now: int) -> int:
        """Return when the window that holds `now` ends; `now` must be working time."""
        return self._closes[bisect_right(self._opens, now) - 1]

    def add_work(self, now: int, seconds: int) -> int:
        """Return when `seconds` of working time have passed since `now`."""
        at = self.next_open(now)
        while True:
            left = self.close_after(at) - at
            if seconds <= left:
                return at + seconds
            seconds -= left
            at = self.next_open(at + left)

    def shift_end(self, now: int) -> int:
        """Return the end of the shift in which `now` lies."""
        midnight = now - now % DAY
        clock = now - midnight
        if clock < SHIFT_CLOSE - DAY:
            return midnight + SHIFT_CLOSE - DAY
        return midnight + (SHIFT_CHANGE if clock < SHIFT_CHANGE else SHIFT_CLOSE)

    def shift_of(self, now: int) -> int:
        """Return 0 for the day shift and 1 for the night shift."""
        return 0 if SHIFT_OPEN <= now % DAY < SHIFT_CHANGE else 1

    def at_clock(self, now: int, hours: tuple[float, ...]) -> int:
        """Return the next of these clock hours on a working day, strictly after `now`."""
        day = now // DAY
        while True:
            if self.is_working_day(day):
                for hour in hours:
                    at = day * DAY + int(hour * HOUR)
                    if at > now:
                        return at
            day += 1

    def office(self, now: int) -> int:
        """Return `now` in office hours (08:00 to 18:00 of working days), else the next opening."""
        day, clock = divmod(now, DAY)
        if self.is_working_day(day) and 8 * HOUR <= clock < 18 * HOUR:
            return now
        if clock >= 8 * HOUR:
            day += 1
        while not self.is_working_day(day):
            day += 1
        return day * DAY + 8 * HOUR + clock % 1700

    def text(self, now: int) -> str:
        """Return an instant as the local systems write it."""
        known = self._texts.get(now)
        if known is None:
            if len(self._texts) > 50_000:
                self._texts.clear()
            known = (self.origin + timedelta(seconds=now)).isoformat(" ")
            self._texts[now] = known
        return known

    def iso(self, now: int) -> str:
        """Return an instant as the CRM writes it, with its zone."""
        return (self.origin + timedelta(seconds=now)).isoformat() + "+08:00"

    def moment(self, now: int) -> datetime:
        """Return an instant as a naive datetime of plant time."""
        return self.origin + timedelta(seconds=now)

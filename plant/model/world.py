"""The stage of the model: time, chance, master data and the book that records it all."""

import random
from collections.abc import Callable
from typing import Any

import simpy

from plant.calendar import Calendar
from plant.model.catalog import Catalog
from plant.record.book import Book
from plant.settings import DAY, HOUR, MINUTE, PlantConfig

POWER_CUT_DAY = 37
# After this many seconds of 2,000 days the model has nothing planned.
NEVER = 2000 * DAY


class World:
    """What every part of the model and of its recording shares."""

    def __init__(self, config: PlantConfig, book: Book) -> None:
        self.config = config
        self.rates = config.rates
        self.book = book
        self.env = simpy.Environment()
        day = POWER_CUT_DAY if config.days is None else max(1, config.days // 2)
        cut = day * DAY + 14 * HOUR + 10 * MINUTE
        self.power_cut = (cut, cut + 95 * MINUTE)
        self.calendar = Calendar(config.origin, self.power_cut)
        self.catalog = Catalog(config)
        self.live = False

    @property
    def now(self) -> int:
        """Return the plant's clock in seconds since the origin."""
        return int(self.env.now)

    def chance(self, stream: str) -> random.Random:
        """Return a stream of random numbers of its own for one part of the model."""
        return random.Random(f"{self.config.seed}:{stream}")

    def after(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        """Call something once the plant's clock has moved on by so much."""
        callbacks = self.env.timeout(max(0, int(seconds))).callbacks
        if callbacks is not None:  # None only once an event has been processed
            callbacks.append(lambda _: call(*arguments))

    def at(self, instant: int, call: Callable[..., None], *arguments: Any) -> None:
        """Call something at an instant of plant time, or now if that has passed."""
        self.after(instant - self.now, call, *arguments)

    def text(self, instant: int | None) -> str | None:
        """Return an instant as the local systems write it; None stays None."""
        return None if instant is None else self.calendar.text(instant)

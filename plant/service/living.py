"""The plant living on: replayed to where it was saved, then moved at a pace and committed."""

import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from plant.calendar import ZONE
from plant.model.plant import Plant
from plant.paths import read_json, write_json
from plant.record.storing import Store
from plant.service.adopting import Adopter, Journal, take_over
from plant.settings import DAY, HOUR, PlantConfig
from plant.systems import opened, read_config, store_book

TICK_SECONDS = 0.5
LONGEST_STEP = 2 * HOUR
REPLAY_STEP = DAY


class PlantClock:
    """The mapping of wall time to plant time, kept in clock.json for others to read."""

    def __init__(self, config: PlantConfig) -> None:
        self._config = config
        self._sim, self._wall, self._pace = 0.0, time.monotonic(), 0.0

    def set(self, sim: float, pace: float) -> None:
        """Let the plant's clock stand at `sim` now and go on at a pace from here."""
        self._sim, self._wall, self._pace = sim, time.monotonic(), pace
        moment = self._config.origin + timedelta(seconds=sim)
        write_json(
            self._config.home / "clock.json",
            {
                "sim": moment.replace(tzinfo=ZONE).isoformat(),
                "wall": datetime.now(UTC).isoformat(),
                "pace": pace,
            },
        )

    def now(self) -> float:
        """Return the plant's time now."""
        return self._sim + (time.monotonic() - self._wall) * self._pace


class Life:
    """One run of a plant that has been made."""

    def __init__(
        self, home: Path, pace: float, say: Callable[[str], None], *, joined: bool = False
    ) -> None:
        self._home, self._pace, self._say = home, pace, say
        self._joined = joined
        self._journal = Journal(home)
        self._config = read_config(home)
        self._clock = PlantClock(self._config)
        self._stopping = False

    def run(self) -> None:
        """Replay, then live until asked to stop."""
        with opened(self._config, fast=False) as stores:
            saved = min(store.saved for store in stores.values())
            self._clock.set(saved, 0)
            plant = self._replay(saved)
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, self._stop)
            self._clock.set(saved, self._pace)
            self._say(f"Live from {self._text(saved)} at {self._pace:g} times real time")
            self._live(plant, stores, saved)

    def _replay(self, saved: int) -> Plant:
        """Make the plant again from its seed, unheard, to where it was saved."""
        started = time.monotonic()
        plant = Plant(self._config)
        plant.muted = True
        at, joined = -1, False
        for when, entered in self._journal.until(saved):
            at = self._pass(plant, at, when)
            if entered is None:
                plant.join()
                joined = True
            else:
                plant.adopt(entered)
        self._pass(plant, at, saved)
        if self._joined and not joined:
            self._journal.add(saved, None)
            plant.join()
        plant.muted = False
        plant.world.live = True
        self._say(f"Replayed to {self._text(saved)} in {time.monotonic() - started:.1f} s")
        return plant

    @staticmethod
    def _pass(plant: Plant, at: int, until: int) -> int:
        """Let the plant live from one instant to another, unheard."""
        while at < until:
            at = min(until, at + REPLAY_STEP)
            plant.live_until(at)
            plant.book.clear()
        return until

    def _live(self, plant: Plant, stores: dict[str, Store], saved: int) -> None:
        at, adopter = saved, Adopter(self._config)
        while not self._stopping:
            self._follow_pace(at)
            target = int(self._clock.now())
            if target - at > max(LONGEST_STEP, 20 * self._pace):
                self._clock.set(at, self._pace)  # the machine slept: the plant did too
                target = at
            if target > at:
                plant.live_until(target)
                if self._joined:
                    take_over(plant, adopter, self._journal, target)
                store_book(plant.book, stores, target)
                at = target
            time.sleep(TICK_SECONDS)
        adopter.close()
        self._clock.set(at, 0)
        self._say(f"Stopped at {self._text(at)}")

    def _follow_pace(self, at: int) -> None:
        """Take up another pace when `plant pace` has asked for one."""
        path = self._home / "pace.json"
        if not path.exists():
            return
        pace = float(read_json(path)["pace"])
        path.unlink()
        if pace != self._pace:
            self._pace = pace
            self._clock.set(max(at, self._clock.now()), pace)
            self._say(f"Pace is now {pace:g}")

    def _text(self, instant: int) -> str:
        return (self._config.origin + timedelta(seconds=instant)).isoformat(" ")

    def _stop(self, *_: object) -> None:
        self._stopping = True

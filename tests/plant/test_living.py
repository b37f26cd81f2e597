"""The plant lives on, is killed, and lives on again without losing or doubling a row."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx

from plant.facts import Facts
from plant.making import make
from plant.model.plant import Plant
from plant.settings import PlantConfig
from plant.systems import create_all, opened, store_book
from tests.plant.test_making import fingerprint

HOUR = 3600


def _start(home: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "plant", "run", "--home", str(home)]
    return subprocess.Popen(
        [*command, "--pace", "6000", "--port", "0"],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": "."},
    )


def _wait(what: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def _saved(home: Path) -> int:
    return Facts(home / "truth.db").saved


def _lived(config: PlantConfig, until: int) -> None:
    """Make the same plant in one go, to compare with the one that was interrupted."""
    config.home.mkdir()
    plant = Plant(config)
    with opened(config, fast=True) as stores:
        create_all(config, stores)
        made = config.seconds(config.made_until)
        plant.live_until(made)
        plant.world.live = True
        plant.live_until(until)
        store_book(plant.book, stores, until)


def test_a_killed_plant_goes_on_without_loss_or_doubles(tmp_path: Path) -> None:
    config = PlantConfig(home=tmp_path / "plant", days=3)
    make(config)
    made = config.seconds(config.made_until)
    first = _start(config.home)
    _wait(lambda: _saved(config.home) > made + 2 * HOUR)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    killed_at = _saved(config.home)
    second = _start(config.home)
    _wait(lambda: _saved(config.home) > killed_at + 3 * HOUR)
    second.send_signal(signal.SIGTERM)
    assert second.wait(20) == 0
    saved = _saved(config.home)
    clock = json.loads((config.home / "clock.json").read_text("utf-8"))
    assert clock["pace"] == 0
    again = replace(config, home=tmp_path / "again")
    _lived(again, saved)
    assert fingerprint(config.home) == fingerprint(again.home)


def test_the_crm_answers_before_the_replay_is_done(week: Path) -> None:
    started = time.monotonic()
    process = _start(week)
    try:
        token = (week / "crm" / "token").read_text("ascii").strip()

        def answers() -> bool:
            described = json.loads((week / "plant.json").read_text("utf-8"))
            try:
                answer = httpx.get(
                    f"{described['systems']['crm']['base_url']}/customers?limit=1",
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=2,
                )
            except httpx.TransportError:
                return False
            return answer.status_code == 200

        _wait(answers)
        took = time.monotonic() - started
    finally:
        process.terminate()
        process.wait(20)
    assert took < 8, "two seconds on an idle machine; this one may be busy"

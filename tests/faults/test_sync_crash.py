"""kill -9 at every named point of a sync: nothing lost, nothing twice, no watermark ahead."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tenon.connect.tables import source_row, sync_run, sync_state
from tenon.kernel import faults
from tests.faults.crash_child import SYNCS
from tests.service.sync_world import SourceFiles, World, make_sources, open_world

ROOT = Path(__file__).parents[2]
SEED = 20260131
ORDERS, REPORTS = 320, 170


def stamp(number: int) -> str:
    return f"2026-01-31 08:{number // 60 % 60:02}:{number % 60:02}"


def fill(world_home: Path) -> None:
    """A source with changes of all kinds: good rows, poison, codes and references to wait for."""
    make_sources(world_home)
    world = SourceFiles(world_home)
    world.items(*((n, f"3.{n}", f"件 {n}", f"DRW-{n}", stamp(n)) for n in range(1, 61)))
    products = [(f"P{n}", f"件 {n}", f"drw {n}" if n % 20 else "?", stamp(n)) for n in range(1, 61)]
    world.sql("mes", "INSERT INTO product VALUES (?, ?, ?, ?)", products)
    world.orders(*(
        (f"WO-{n:05}", f"P{n % 60 + 1}", "bad" if n % 50 == 0 else str(n), None, "", stamp(n))
        for n in range(1, ORDERS + 1)
    ))  # fmt: skip
    reports = [(n, f"wo-{n * 2:05}", n) for n in range(1, REPORTS + 1)]
    world.sql("mes", "INSERT INTO report VALUES (?, ?, ?)", reports)


def child(home: Path, url: str, fault: str | None = None) -> subprocess.Popen[bytes]:
    variables = {k: v for k, v in os.environ.items() if k != "TENON_FAULT"}
    if fault:
        variables["TENON_FAULT"] = fault
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.crash_child", str(home), url],
        cwd=ROOT, env=variables, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(process: subprocess.Popen[bytes]) -> int:
    _, errors = process.communicate(timeout=60)
    assert process.returncode in {0, -signal.SIGKILL}, errors.decode()[-2000:]
    return process.returncode


def snapshot(world: World) -> dict[str, Any]:
    """What a sync leaves behind, without ids and times."""
    found: dict[str, Any] = {}
    for entity in ("item", "work_order", "report"):
        found[entity] = [(r.source, r.source_key, r.version) for r in world.records(entity)]
        events = Counter[str]()
        for event in world.events(entity):
            events[event.kind] += event.count
        # A row that waited through a kill comes live or initial; either way it is created once.
        found[f"{entity} events"] = (
            events["loaded"] + events["created"], events["updated"]
        )  # fmt: skip
    found["rows"] = sorted(
        (r.source, r.stream, r.key, r.hash, r.state, r.reason_code or "")
        for r in world.all(source_row)
    )
    return found


def watermark_is_not_ahead(world: World) -> None:
    """Every source row at or below a watermark is there: none was passed over."""
    with world.hub.read() as connection:
        marks = connection.execute(sa.select(sync_state.c.stream, sync_state.c.watermark)).all()
        for stream, mark in marks:
            if stream not in {"wo", "product", "t_item"} or not mark:
                continue
            seen = set(
                connection.scalars(sa.select(source_row.c.key).where(source_row.c.stream == stream))
            )
            source = "kis" if stream == "t_item" else "mes"
            engine = sa.create_engine(f"sqlite:///{world.home / source}.db")
            key = {"wo": "no", "product": "code", "t_item": "id"}[stream]
            with engine.connect() as legacy:
                passed = legacy.execute(
                    sa.text(f"SELECT {key} FROM {stream} WHERE changed <= :mark"),
                    {"mark": mark["value"]},
                )
                missing = {str(r[0]) for r in passed} - seen
            engine.dispose()
            assert not missing, (stream, mark, sorted(missing)[:5])


def settled(home: Path, url: str, wait: float) -> dict[str, Any]:
    """The state after further runs, having checked what the kill left."""
    world = open_world(home, url, lease_seconds=0.2)
    try:
        watermark_is_not_ahead(world)
        world.adds_up()
        time.sleep(wait)  # on PostgreSQL a dead runner's lease must run out
        for _ in range(2):
            for code in SYNCS:
                outcome = world.sync(code)
                assert outcome.state == "succeeded", outcome.error
            world.retry()
        world.adds_up()
        watermark_is_not_ahead(world)
        assert "running" not in {r.state for r in world.all(sync_run)}
        return snapshot(world)
    finally:
        world.hub.close()


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("reference")
    fill(home)
    return settled(home, f"sqlite:///{home / 'hub.db'}", 0)


def test_the_reference_holds_every_kind_of_row(reference: dict[str, Any]) -> None:
    states = Counter((r[4], r[5]) for r in reference["rows"])
    assert states["applied", ""] > 400
    assert states["set_aside", "not_a_number"] == ORDERS // 50
    assert states["set_aside", "unknown_code"] > 3
    assert states["set_aside", "missing_ref"] > 10
    assert reference["work_order events"] == (len(reference["work_order"]), 0)


@pytest.mark.parametrize("point", faults.SYNC_POINTS)
def test_killed_at_a_named_point(point: str, tmp_path: Path, reference: dict[str, Any]) -> None:
    fill(tmp_path)
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    assert finish(child(tmp_path, url, f"{point}:kill:2")) == -signal.SIGKILL
    assert settled(tmp_path, url, 0) == reference


@pytest.mark.deep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("repeat", range(50))
def test_killed_at_random(repeat: int, tmp_path: Path, reference: dict[str, Any]) -> None:
    chance = random.Random(SEED + repeat)
    fill(tmp_path)
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    kills = 0
    for _ in range(chance.randint(1, 3)):
        point = chance.choice(faults.SYNC_POINTS)
        process = child(tmp_path, url, f"{point}:kill:{chance.randint(1, 9)}")
        if repeat % 5 == 0:  # and some at no point we named
            time.sleep(chance.uniform(0.4, 1.6))
            process.kill()
        kills += finish(process) != 0
    assert settled(tmp_path, url, 0) == reference


@pytest.mark.deep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", faults.SYNC_POINTS)
def test_killed_with_the_hub_on_postgresql(
    point: str, tmp_path: Path, pg_url: str, reference: dict[str, Any]
) -> None:
    fill(tmp_path)
    assert finish(child(tmp_path, pg_url, f"{point}:kill:2")) == -signal.SIGKILL
    assert settled(tmp_path, pg_url, 0.5) == reference

"""Making a plant: its months of history in one go."""

import secrets
from collections.abc import Callable
from pathlib import Path

from plant.calendar import ZONE
from plant.model.plant import Plant
from plant.paths import path_of, write_json
from plant.settings import DAY, PlantConfig
from plant.systems import create_all, describe, opened, store_book, url_of

STEP = DAY // 2
KEEP_PENDING = 80_000


def make(config: PlantConfig, progress: Callable[[float], None] | None = None) -> dict[str, int]:
    """Make the plant's history and return how many rows were written and kept."""
    home = config.home
    if (home / "plant.json").exists():
        raise FileExistsError(
            f"{home} already holds a plant; choose an empty folder or remove it first."
        )
    home.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(config)
    end = config.seconds(config.made_until)
    plant, written = Plant(config), 0
    with opened(config, fast=True) as stores:
        create_all(config, stores)
        at = -1
        while at < end:
            at = min(end, at + STEP)
            plant.live_until(at)
            if plant.book.pending() > KEEP_PENDING or at == end:
                written += plant.book.pending()
                store_book(plant.book, stores, at)
            if progress is not None:
                progress((at + 1) / (end + 1))
    counts = {"rows_written": written}
    counts.update(plant.totals())
    for name in ("token", "hook-secret"):
        _write_secret(home / "crm" / name)
    made_until = config.made_until.isoformat(" ")
    stands = config.made_until.replace(tzinfo=ZONE).isoformat()
    write_json(home / "clock.json", {"sim": stands, "wall": None, "pace": 0})
    write_json(home / "plant.json", describe(config, made_until, counts))
    return counts


def _clear_leftovers(config: PlantConfig) -> None:
    """Remove files of a making that was broken off."""
    for system in ("mes", "wms", "kis", "crm", "truth"):
        if url_of(config, system) is None:
            for ending in ("", "-wal", "-shm"):
                path = path_of(config.home, system)
                Path(f"{path}{ending}").unlink(missing_ok=True)


def _write_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)
    path.write_text(secrets.token_urlsafe(32) + "\n", encoding="ascii")

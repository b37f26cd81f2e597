"""Where a plant keeps its systems, and the description of it that others read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plant.legacy import SYSTEMS, kis
from plant.paths import CRM_PORT, path_of, read_json
from plant.record import truth
from plant.record.book import Book
from plant.record.storing import Store, open_store
from plant.settings import PlantConfig

ALL = {**SYSTEMS, "truth": truth.METADATA}


def url_of(config: PlantConfig, system: str) -> str | None:
    """Return the server database of a system, if it does not live in a file."""
    urls = {"wms": config.wms_url, "mes": config.mes_url, "kis": config.kis_url}
    return urls.get(system)


@contextmanager
def opened(config: PlantConfig, *, fast: bool) -> Iterator[dict[str, Store]]:
    """Open the stores of all systems and close them at the end."""
    stores: dict[str, Store] = {}
    try:
        for system in ALL:
            stores[system] = open_store(
                path_of(config.home, system), url_of(config, system), gbk=system == "mes", fast=fast
            )
        yield stores
    finally:
        for store in stores.values():
            store.close()


def create_all(config: PlantConfig, stores: dict[str, Store]) -> None:
    """Make the tables of every system."""
    for system, metadata in ALL.items():
        keep = kis.LEDGER_TABLES if system == "kis" and config.profile == "ledger" else None
        store = stores[system]
        store.create(t for t in metadata.sorted_tables if keep is None or t.name in keep)


def store_book(book: Book, stores: dict[str, Store], instant: int) -> None:
    """Store what is pending in each system up to an instant, unless it already reaches there."""
    for system, store in stores.items():
        if instant > store.saved:
            store.write(book.pages[system].values(), instant)
    book.clear()


def describe(config: PlantConfig, made_until: str, counts: dict[str, int]) -> dict[str, Any]:
    """Return the description that goes into plant.json."""
    systems: dict[str, Any] = {}
    for system in ("mes", "wms", "kis"):
        url = url_of(config, system)
        path = path_of(config.home, system)
        systems[system] = {
            "url": url or f"sqlite:///{path}",
            "path": None if url else str(path),
            "encoding": "gb18030" if system == "mes" and not url else "utf-8",
        }
    systems["kis"]["profile"] = config.profile
    systems["crm"] = {
        "base_url": f"http://127.0.0.1:{CRM_PORT}/api",
        "path": str(path_of(config.home, "crm")),
        "token_file": str(config.home / "crm" / "token"),
        "hook_secret_file": str(config.home / "crm" / "hook-secret"),
    }
    return {
        "seed": config.seed,
        "profile": config.profile,
        "zone": "Asia/Shanghai",
        "made_until": made_until,
        "systems": systems,
        "truth": str(path_of(config.home, "truth")),
        "counts": counts,
        "config": config.as_json(),
    }


def read_config(home: Path) -> PlantConfig:
    """Return the config of the plant made in `home`."""
    path = home / "plant.json"
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is not there: no plant has been made in {home}. "
            "Make one with: python -m plant make --home DIR"
        )
    return PlantConfig.from_json(home, read_json(path)["config"])

"""A process that syncs a small source once and is killed on the way: `crash_child HOME HUB`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.service.sync_world import open_world

SYNCS = ("kis_item", "mes_item", "mes_order", "mes_report")


def main(home: str, url: str) -> None:
    """Run every sync in its order, then the rows whose wait is over."""
    world = open_world(Path(home), url, lease_seconds=0.2)
    for code in SYNCS:
        outcome = world.sync(code)
        if outcome.error is not None:
            raise outcome.error
    world.retry()
    world.hub.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

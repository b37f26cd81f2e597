"""A home that is joined to the small plant, and senders of its webhooks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from tenon.assembly import Tenon
from tenon.connect.runner import Runner
from tenon.connect.tables import hook_event
from tenon.define.models import Sync
from tenon.jobs.queue import job
from tenon.jobs.worker import Worker
from tenon.records.ports import SYSTEM
from tests.faults.small_plant import SmallPlant, signed
from tests.serving import Serving, serving

DOOR = "/api/hooks/crm_orders"


@dataclass
class HookWorld:
    """A served home without workers of its own: `work` does what waits."""

    served: Serving
    plant: SmallPlant
    client: httpx.Client

    @property
    def tenon(self) -> Tenon:
        return self.served.tenon

    def send(self, body: dict[str, Any]) -> httpx.Response:
        """Knock with a rightly signed body."""
        raw, headers = signed(body)
        return self.client.post(DOOR, content=raw, headers=headers)

    def work(self) -> None:
        """Do every job that waits."""
        worker = Worker(self.tenon.hub, self.tenon.working.kinds())
        kinds = [kind.name for kind in self.tenon.working.kinds()]
        while any(worker.run_once(kind) for kind in kinds):
            pass

    def hurry(self) -> None:
        """Let jobs that wait for their next try be due now."""
        with self.tenon.hub.write() as tx:
            tx.execute(job.update().where(job.c.state == "ready").values(run_at=0.0))

    def sync(self, *codes: str) -> None:
        """Run these syncs."""
        for code in codes:
            outcome = Runner(self.tenon.connect).sync(code)
            assert outcome.error is None, outcome.error

    def rows(self, entity: str, **values: Any) -> list[Any]:
        """Records of an entity with these values."""
        table = self.tenon.reader(SYSTEM).table(entity)
        query = sa.select(table).filter_by(**values).order_by(table.c.id)
        with self.tenon.hub.read() as connection:
            return list(connection.execute(query))

    def events(self) -> dict[str, str]:
        """The state of every event."""
        with self.tenon.hub.read() as connection:
            found = connection.execute(sa.select(hook_event.c.event, hook_event.c.state))
            return {row.event: row.state for row in found}


@contextmanager
def hook_world(
    folder: Path, hub_url: str, mes_url: str | None = None, **plant_is: Any
) -> Iterator[HookWorld]:
    """The small plant with its base data synced, and a server joined to it."""
    mes_url = mes_url or f"sqlite:///{folder / 'plant' / 'mes.db'}"
    plant = SmallPlant(folder / "plant", mes_url, **plant_is)
    plant.make()
    url = hub_url if hub_url.startswith("postgresql") else None
    with plant.living(), serving(folder / "home", url) as served:
        plant.connect(served.tenon.home)
        world = HookWorld(served, plant, served.client())
        syncs = sorted(served.tenon.catalogue.of(Sync), key=lambda s: s.order)
        world.sync(*(s.code for s in syncs if s.source in {"mes", "crm"}))
        yield world


def plain(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()

"""A world with one source whose calls cost money."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from tenon.connect import service
from tenon.connect.calls import CallBook
from tenon.connect.cycle import SyncCycle
from tenon.connect.report import Outcome
from tenon.connect.settings import Connections
from tenon.define.catalogue import check, parse
from tenon.define.models import Label, SourceDef
from tenon.kernel.text import Text
from tenon.server.source_models import SourceState
from tests.service.http_server import Asked, OddServer, Reply, serving
from tests.service.sync_world import World, world_at
from tests.service.test_sync_cycle import publish_more

LABEL = Label(zh="快递", en="Courier")
PAID = SourceDef(code="paid", label=LABEL, system=LABEL, connector="http")
NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)  # 12:00 in Shanghai
DEFINITIONS = """
{kind: source, code: paid, label: {zh: 快递, en: Courier}, system: {zh: 快递, en: Courier},
 connector: http}
---
kind: entity
code: parcel
label: {zh: 包裹, en: Parcel}
fields:
  - {code: code, label: {zh: 编码, en: Code}, type: text, required: true}
  - {code: qty, label: {zh: 数量, en: Quantity}, type: decimal, scale: 4}
---
kind: sync
code: paid_parcel
source: paid
label: {zh: 包裹, en: Parcels}
target: parcel
stream: {name: parcels, path: /parcels, key: [code], http: {pages: none}}
fields: {code: code, qty: qty}
"""


@dataclass
class Paid:
    """A world with a source whose calls cost money."""

    world: World
    server: OddServer
    told: list[tuple[Text, Text, str]] = field(default_factory=list)

    def setting(self, **values: Any) -> SyncCycle:
        """The source with these settings, and a cycle that syncs it."""
        deps = self.world.deps
        book = CallBook(self.world.hub, lambda _tx, *told: self.told.append(told))
        connections = Connections(deps.connections.home, book)
        others = {c: {"url": f"sqlite:///{self.world.home / c}.db"} for c in ("mes", "kis")}
        connections.save(others | {"paid": {"url": self.server.url} | values})
        self.world.deps = replace(
            deps, connections=connections, catalogue=lambda _tx=None: self.world.catalogue
        )
        return SyncCycle(self.world.deps)

    def state(self) -> SourceState:
        with self.world.hub.read() as connection:
            states = service.source_states(self.world.deps, connection)
        return SourceState.model_validate(next(s for s in states if s.code == "paid"))

    def one(self, cycle: SyncCycle) -> Outcome:
        (outcome,) = cycle.run_source("paid")
        return outcome


def one_parcel(_asked: Asked) -> Reply:
    return Reply({"items": [{"code": "a", "qty": 1}]})


@contextmanager
def shop(home: Path, plan: Any, hub_url: str | None = None) -> Iterator[Paid]:
    with (
        world_at(home, hub_url or f"sqlite:///{home / 'hub.db'}") as world,
        serving(plan) as server,
    ):
        found = tuple(parse(d, "test") for d in yaml.safe_load_all(DEFINITIONS))
        check(found)
        world.catalogue = publish_more(world, found)
        yield Paid(world, server)

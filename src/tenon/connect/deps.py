"""What the sync runner is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from tenon.connect.settings import Connections
from tenon.connect.writers import Writers
from tenon.define.catalogue import CatalogueNow
from tenon.records.ports import NoTriggers, Policy, Triggers
from tenon.records.write import Writer
from tenon.store import Hub


@dataclass(frozen=True, slots=True)
class ConnectDeps:
    """The hub, the catalogue of the moment, what guards and follows records, the connections.

    `zone` is the plant's: a source has its own in its definition.
    """

    hub: Hub
    catalogue: CatalogueNow
    policy: Policy
    connections: Connections
    lease_seconds: float = 60.0
    triggers: Triggers = NoTriggers()  # noqa: RUF009  it holds nothing
    writers: Writers = field(default_factory=Writers)
    zone: ZoneInfo = ZoneInfo("Asia/Shanghai")  # noqa: RUF009  it never changes

    def writer(self) -> Writer:
        """The one write path, for the catalogue of this moment."""
        return Writer(self.catalogue(), self.policy, self.triggers)

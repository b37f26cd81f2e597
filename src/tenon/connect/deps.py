"""What the sync runner is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tenon.connect.settings import Connections
from tenon.define.catalogue import Catalogue
from tenon.records.ports import Policy
from tenon.records.write import Writer
from tenon.store import Hub


@dataclass(frozen=True, slots=True)
class ConnectDeps:
    """The hub, the current catalogue, the policy records are written under, the connections."""

    hub: Hub
    catalogue: Callable[[], Catalogue]
    policy: Policy
    connections: Connections
    lease_seconds: float = 60.0

    def writer(self) -> Writer:
        """The one write path, for the catalogue of this moment."""
        return Writer(self.catalogue(), self.policy)

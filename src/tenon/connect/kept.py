"""Connections kept open between two rounds: opening one costs more than a poll that finds nothing.

Kept for half a minute at most, so that a source whose tables change is looked at afresh in time,
and only where a connection that waits holds up nobody (a server, not a file).
"""

from __future__ import annotations

from typing import Any, Final, cast

from tenon.connect.contract import Connector, LastingConnector
from tenon.connect.settings import Connections
from tenon.define.models import SourceDef
from tenon.kernel import clock

_LONGEST: Final = 30.0


class Kept:
    """The open connection of each source; a source is used by one thread at a time."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._open: dict[str, tuple[Connector, float, Any]] = {}

    def take(self, source: SourceDef) -> Connector:
        """The connection that was kept, or a new one, not yet connected."""
        kept = self._open.get(source.code)
        mark = (self._connections.mark(), source)
        fresh = kept is not None and kept[2] == mark and clock.monotonic() < kept[1]
        if kept is not None and fresh and cast("LastingConnector", kept[0]).alive():
            return kept[0]
        self.close(source.code)
        opened = self._connections.open(source)
        self._open[source.code] = opened, clock.monotonic() + _LONGEST, mark
        return opened

    def give_back(self, source: str, *, well: bool) -> None:
        """Keep the connection for the next round if all went well and it may be kept."""
        kept = self._open.get(source)
        if kept is not None and not (well and getattr(kept[0], "lasting", False)):
            self.close(source)

    def close(self, source: str) -> None:
        """Close a source's connection."""
        kept = self._open.pop(source, None)
        if kept is not None:
            kept[0].close()

    def close_all(self) -> None:
        """Close every connection."""
        for source in list(self._open):
            self.close(source)

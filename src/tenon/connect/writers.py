"""Connections that write, kept open as long as their settings are the same."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from tenon.connect.contract import WriteRow, Written
from tenon.connect.settings import Connections
from tenon.define.models import SourceDef
from tenon.kernel.errors import Config
from tenon.kernel.text import Text

_CANNOT = Text(
    "来源“{source}”的连接器不能写入。", "The connector of the source “{source}” cannot write."
)


class Writers:
    """One writing connection a source, used by one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, tuple[object, Any, threading.Lock]] = {}

    def write(
        self,
        connections: Connections,
        source: SourceDef,
        groups: Sequence[Sequence[WriteRow]],
        *,
        dry: bool = False,
    ) -> list[list[Written]]:
        """Write the groups in one transaction at the source."""
        connector, turn = self._of(connections, source)
        with turn:
            answers: list[list[Written]] = connector.write(groups, dry=dry)
        return answers

    def close(self) -> None:
        """Close what is open."""
        with self._lock:
            for _mark, connector, _turn in self._open.values():
                connector.close()
            self._open.clear()

    def _of(self, connections: Connections, source: SourceDef) -> tuple[Any, threading.Lock]:
        mark = connections.mark()
        with self._lock:
            there = self._open.get(source.code)
            if there is not None and there[0] == mark:
                return there[1], there[2]
            made: Any = connections.open(source)
            if not hasattr(made, "write"):
                raise Config("cannot_write", _CANNOT, source=source.code)
            if there is not None:
                with there[2]:
                    there[1].close()
            turn = threading.Lock()
            self._open[source.code] = (mark, made, turn)
            return made, turn

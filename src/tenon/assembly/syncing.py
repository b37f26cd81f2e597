"""The sync cycle of a running Tenon, and how far its first full sync has come."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from tenon.assembly.home import write_private
from tenon.connect.control import refuse_held
from tenon.connect.cycle import SyncCycle
from tenon.connect.deps import ConnectDeps
from tenon.connect.tables import source_state, sync_state
from tenon.kernel import clock
from tenon.kernel.errors import Conflict
from tenon.kernel.text import Text

FIRST_SYNC: Final = "first-sync.json"
_LOOK_EVERY = 0.25
_PATIENCE = 60.0

_OFF = Text(
    "同步未运行：服务以 --no-sync 启动，或正在停止。",
    "Nothing syncs: the server was started with --no-sync, or is stopping.",
)
_NOT_CONNECTED = Text(
    "来源“{source}”还没有连接设置；请先在“数据来源”页面填写。",
    "The source “{source}” has no connection; enter it on the page of sources first.",
)


class Syncing:
    """Starts and stops the cycle; asks it for a round now."""

    def __init__(self, home: Path, deps: ConnectDeps) -> None:
        self._home = home
        self._deps = deps
        self._cycle: SyncCycle | None = None
        self._connected: frozenset[str] = frozenset()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Sync for the block."""
        self._connected = frozenset(self._deps.connections.codes())
        self._cycle = cycle = SyncCycle(self._deps)
        ended = threading.Event()
        watcher = threading.Thread(
            target=self._watch, args=(ended,), name="first sync", daemon=True
        )
        cycle.start()
        watcher.start()
        try:
            yield
        finally:
            self._cycle = None
            ended.set()
            cycle.stop()
            watcher.join(5)

    def now(self, source: str) -> None:
        """Start a round of a source; Conflict when nothing syncs or it has no connection."""
        cycle = self._cycle
        if cycle is None:
            raise Conflict("sync_off", _OFF)
        self._deps.catalogue().source(source)
        if source not in self._deps.connections.codes():
            raise Conflict("not_connected", _NOT_CONNECTED, source=source)
        with self._deps.hub.read() as connection:
            refuse_held(connection, self._deps.catalogue(), source)
        cycle.soon(source)

    def wake(self, source: str) -> None:
        """Start a round of a source if anything syncs here: somebody resumed it."""
        cycle = self._cycle
        if cycle is not None and source in self._deps.connections.codes():
            cycle.soon(source)

    def _watch(self, ended: threading.Event) -> None:
        """Write the progress of the first full sync until it is done."""
        before, until = None, clock.monotonic() + _PATIENCE
        while not ended.is_set():
            progress = self._progress(until - clock.monotonic())
            if progress != before:
                write_private(self._home / FIRST_SYNC, json.dumps(progress))
                before = progress
            if progress["state"] == "done":
                return
            ended.wait(_LOOK_EVERY)

    def _progress(self, patience: float) -> dict[str, object]:
        """Syncs that have ended once; done when each source had its round or needs a person.

        A source that fails in a way that may pass is waited for as long as patience lasts.
        """
        catalogue = self._deps.catalogue()
        total = {(s.source, s.stream.name) for c in self._connected for s in catalogue.syncs_of(c)}
        state, source = sync_state.c, source_state.c
        with self._deps.hub.read() as connection:
            ended = connection.execute(
                sa.select(state.source, state.stream).where(
                    sa.or_(state.last_success_at.is_not(None), state.absent)
                )
            )
            known = total & {(r.source, r.stream) for r in ended}
            rounds = source.last_success_at.is_not(None) | source.paused
            if patience <= 0:
                rounds |= source.failed_since.is_not(None)
            over = set(connection.scalars(sa.select(source.source).where(rounds)))
        done = {code for code, _ in total} <= over
        count = len(total) if done else len(known)
        return {"state": "done" if done else "running", "done": count, "total": len(total)}

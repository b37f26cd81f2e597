"""Sources that tell of their changes: a hint is heard, and what changed is polled at once.

Polling stays the truth. A hint that is lost, late, doubled or wrong costs a moment or a poll that
finds nothing; it can neither lose a row nor write one twice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final, cast

import sqlalchemy as sa

from tenon.connect.contract import Heard, WatchingConnector
from tenon.connect.deps import ConnectDeps
from tenon.connect.gone import Key
from tenon.connect.report import Outcome
from tenon.connect.tables import source_listen, source_state
from tenon.kernel import clock
from tenon.kernel.errors import TenonError
from tenon.kernel.text import Text
from tenon.store import announce

_log = logging.getLogger(__name__)

AGAIN: Final = 5.0  # seconds between two beginnings
_PATIENCE: Final = 60.0  # until what a person must mend is tried again
_SETTLE: Final = 0.02  # a source tells of a change a moment before others can read it
_SECOND_LOOK: Final = 0.2  # after one that found nothing: the change may have been on its way
_GAP: Final = 0.1  # between two polls because of hints
_LONGEST: Final = 5.0
_MOST_KEYS: Final = 10_000

Wake = Callable[[str, Heard], None]


class Listener:
    """Listens to one source, again and again; `run` is one time, until it is interrupted."""

    def __init__(
        self, deps: ConnectDeps, source: str, wake: Wake, stopping: Callable[[], bool]
    ) -> None:
        self._deps, self._source, self._wake, self._stopping = deps, source, wake, stopping
        self._not_before = 0.0
        self._said: tuple[str, str | None] | None = None

    @property
    def wanted(self) -> bool:
        """Whether an administrator asked for it."""
        try:
            connector = self._deps.connections.open(self._deps.catalogue().source(self._source))
        except TenonError:
            return False
        with closing(connector):
            return watches(connector)

    def run(self) -> None:
        """Listen until something goes wrong or all is stopped."""
        if clock.monotonic() < self._not_before or self._paused():
            return
        try:
            self._listen()
        except TenonError as error:
            if error.recovery != "retry":
                self._not_before = clock.monotonic() + _PATIENCE
            self._say("failing", error.text, error.code)

    def _listen(self) -> None:
        catalogue = self._deps.catalogue()
        streams = [s.stream for s in catalogue.syncs_of(self._source)]
        connector = self._deps.connections.open(catalogue.source(self._source))
        with closing(connector), closing(_watched(connector, streams)) as told:
            for heard in told:
                if self._stopping():
                    return
                if self._said is None or self._said[0] != "listening":
                    self._say("listening", heard.note, None)
                if heard.streams:
                    self._wake(self._source, heard)

    def _paused(self) -> bool:
        with self._deps.hub.read() as connection:
            paused = sa.select(source_state.c.paused).where(source_state.c.source == self._source)
            return bool(connection.scalar(paused))

    def _say(self, state: str, message: Text | None, code: str | None) -> None:
        """Keep whether the source is listened to, when that changed."""
        if self._said == (state, code):
            return
        if state == "failing":
            _log.warning("listening to %s: %s", self._source, message.en if message else code)
        kept = {**message.as_dict(), "code": code} if message else None
        values = {"state": state, "message": kept, "since": clock.now()}
        with self._deps.hub.write(durable=False) as tx:
            same = source_listen.c.source == self._source
            if not tx.execute(source_listen.update().where(same).values(values)).rowcount:
                tx.execute(source_listen.insert().values(values | {"source": self._source}))
            announce(tx, "sync_run")
        self._said = (state, code)


def watches(connector: object) -> bool:
    """Whether a connector's source is to be listened to."""
    return bool(getattr(connector, "watches", False))


def _watched(connector: object, streams: Sequence[Any]) -> Any:
    return cast("WatchingConnector", connector).watch(streams)


@dataclass(frozen=True, slots=True)
class Round:
    """What a round reads: these streams only, or all; and what the source said it deleted."""

    only: frozenset[str] | None = None
    deleted: Mapping[str, frozenset[Key]] = field(default_factory=dict)

    def reads(self, stream: str) -> bool:
        """Whether the round reads a stream."""
        return self.only is None or stream in self.only

    def deleted_of(self, stream: str) -> frozenset[Key]:
        """The keys of a stream that the source said it deleted."""
        return self.deleted.get(stream, frozenset())


WHOLE: Final = Round()


@dataclass(slots=True)
class Wakes:
    """The hints heard since the last round of each source, and when whole rounds are due."""

    _heard: dict[str, Round] = field(default_factory=dict)
    _whole_at: dict[str, float] = field(default_factory=dict)
    _free_at: dict[str, float] = field(default_factory=dict)
    _began_at: dict[str, float] = field(default_factory=dict)
    _looked_twice: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, source: str, heard: Heard) -> None:
        """Keep a hint until the source's next round."""
        with self._lock:
            self._looked_twice.discard(source)
            before = self._heard.get(source, Round(frozenset()))
            self._heard[source] = _joined(before, heard)

    def whole(self, source: str) -> None:
        """Let the next round read everything."""
        self._whole_at.pop(source, None)

    def take(self, source: str, every: float) -> Round:
        """What this round reads; it waits a little where a hint has just come."""
        now = clock.monotonic()
        if source in self._heard and now < self._whole_at.get(source, 0.0):
            wait = max(_SETTLE, self._free_at.get(source, 0.0) - now)
            threading.Event().wait(min(wait, _LONGEST))
            whole = False
        else:
            self._whole_at[source] = now + every
            whole = True
        self._began_at[source] = clock.monotonic()
        with self._lock:
            heard = self._heard.pop(source, Round(frozenset()))
        return Round(None, heard.deleted) if whole else heard

    def ran(self, source: str, one: Round, outcomes: Sequence[Outcome]) -> bool:
        """Note the end of a round; whether to look a second time for what was heard."""
        now = clock.monotonic()
        self._free_at[source] = now + max(_GAP, now - self._began_at.get(source, now))
        if one.only is None or any(o.error or o.counts.applied for o in outcomes):
            return False
        with self._lock:
            if source in self._looked_twice or source in self._heard:
                return False
            self._looked_twice.add(source)
            self._heard[source] = Round(one.only)
        self._free_at[source] = now + _SECOND_LOOK
        return True


def _joined(before: Round, heard: Heard) -> Round:
    deleted = dict(before.deleted)
    for stream, keys in heard.deleted.items():
        together = deleted.get(stream, frozenset()) | keys
        # So many are no slip of somebody's hand; a full compare must tell.
        deleted[stream] = together if len(together) <= _MOST_KEYS else frozenset()
    return Round((before.only or frozenset()) | heard.streams, deleted)

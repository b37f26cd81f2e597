"""What a reading service works with: one connection, one actor, one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from tenon.define.catalogue import Catalogue
from tenon.kernel import clock
from tenon.kernel.text import Text
from tenon.records.ports import Actor
from tenon.records.query import Reader
from tenon.store import Hub

T = TypeVar("T")


class SourceState(Protocol):
    """The part of a source's state that boards show."""

    @property
    def code(self) -> str:
        """The source's code."""
        ...

    @property
    def label(self) -> Text:
        """Its name."""
        ...

    @property
    def state(self) -> str:
        """How its connection is: ok, syncing, stale, failing, paused or never."""
        ...

    @property
    def message(self) -> Text | None:
        """What is wrong, if anything."""
        ...

    @property
    def age_seconds(self) -> int | None:
        """How long ago it was last read in full; None when never."""
        ...

    @property
    def set_aside(self) -> int:
        """How many of its rows wait."""
        ...


class Opened(Protocol):
    """The part of an opened Tenon that reading services need (`tenon.assembly` gives it)."""

    @property
    def hub(self) -> Hub:
        """The hub database."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """The published definitions."""
        ...

    @property
    def zone(self) -> ZoneInfo:
        """The plant's time zone."""
        ...

    def reader(self, actor: Actor) -> Reader:
        """A door to records as `actor`."""
        ...

    def source_ages(self, connection: Connection) -> dict[str, timedelta | None]:
        """How long ago each source was last read in full; None when never."""
        ...

    def source_states(self, connection: Connection) -> Sequence[SourceState]:
        """The state of each source's connection."""
        ...

    def waiting_rows(self, connection: Connection, keys: list[str]) -> int:
        """How many source rows that name one of these documents are set aside."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """One connection, one actor, one moment."""

    connection: Connection
    reader: Reader
    now: datetime
    zone: ZoneInfo
    stale: bool
    tenon: Opened
    _answers: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, answer: Callable[[], T]) -> T:
        """`answer()`, worked out once in this context: cards of one board share it."""
        if name not in self._answers:
            self._answers[name] = answer()
        found: T = self._answers[name]
        return found

    @property
    def catalogue(self) -> Catalogue:
        """The published definitions."""
        return self.reader.catalogue


@contextmanager
def reading(tenon: Opened, actor: Actor) -> Iterator[Context]:
    """A context for one request; everything read in it is of one snapshot on SQLite."""
    with tenon.hub.read() as connection:
        ages = tenon.source_ages(connection)
        # In a demo at sixty times speed the plant's minutes pass while a sync runs.
        pace = max(clock.demo_pace() or 1.0, 1.0)
        stale = any(
            (age := ages.get(code)) is None
            or age > timedelta(minutes=tenon.catalogue.source(code).stale_minutes) * pace
            for code in ("mes", "wms")
        )
        yield Context(connection, tenon.reader(actor), clock.now(), tenon.zone, stale, tenon)

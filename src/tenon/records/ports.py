"""Who acts, and what `access` must answer before any record is read or written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from sqlalchemy.engine import Connection

# live, initial, backfill, replay, or echo:<source> for a row that we wrote there ourselves.
Origin = str


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, a sync or the system itself; nothing touches a record without one."""

    id: str
    name: str
    role: str
    kind: Literal["user", "sync", "system"] = "user"


SYSTEM = Actor("system", "Tenon", "admin", "system")


class Policy(Protocol):
    """The port that `access` fills: every read and write asks it first."""

    def check_read(self, actor: Actor, entity: str) -> frozenset[str]:
        """The fields hidden from the actor; NotAllowed when all of the entity is."""
        ...

    def check_write(self, actor: Actor, entity: str, fields: frozenset[str]) -> None:
        """Raise NotAllowed when the actor may not write these fields of the entity."""
        ...


class Written(NamedTuple):
    """The outcome for one row."""

    id: str
    outcome: str  # created, updated, unchanged


class Triggers(Protocol):
    """The port that `automate` fills: what a change starts, in the transaction that makes it."""

    def changed(self, tx: Connection, entity: str, rows: Sequence[Written], origin: Origin) -> None:
        """Start what waits for these rows to be created or updated; unchanged rows are not told."""
        ...


class NoTriggers:
    """Nothing is started by a change: for tests, and while a Tenon is being put together."""

    def changed(self, tx: Connection, entity: str, rows: Sequence[Written], origin: Origin) -> None:
        """Start nothing."""

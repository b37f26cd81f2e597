"""Who acts, and what `access` must answer before any record is read or written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Origin = Literal["live", "initial", "backfill", "replay"]


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

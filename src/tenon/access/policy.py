"""Roles as published: what an actor may do, read, write and must not see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tenon.access.errors import NOT_ALLOWED, NOT_READABLE, NOT_WRITABLE
from tenon.define.catalogue import Catalogue
from tenon.define.models import Role
from tenon.kernel.errors import NotAllowed
from tenon.records.ports import Actor

# Every capability a route may ask for; `*` in a role means all of them.
CAPABILITIES: Final = (
    "orders.read",
    "orders.manage",
    "travelers.print",
    "flows.read",
    "flows.manage",
    "boards.read",
    "sources.read",
    "sources.manage",
    "source_rows.read",
    "masters.read",
    "masters.manage",
    "users.manage",
    "definitions.read",
)
_NOBODY = Role.model_validate({"code": "nobody", "label": {"zh": "无角色", "en": "No role"}})


@dataclass(frozen=True)
class RolePolicy:
    """The policy of a catalogue's roles; the system and its syncs may everything."""

    catalogue: Catalogue

    def can(self, actor: Actor, capability: str) -> bool:
        """Whether the actor's role includes the capability."""
        return actor.kind != "user" or _holds(self._role(actor).can, capability)

    def require(self, actor: Actor, capability: str) -> None:
        """Raise NotAllowed unless the actor's role includes the capability."""
        if not self.can(actor, capability):
            raise NotAllowed("not_allowed", NOT_ALLOWED, role=actor.role, capability=capability)

    def capabilities(self, actor: Actor) -> list[str]:
        """All capabilities of the actor."""
        return [c for c in CAPABILITIES if self.can(actor, c)]

    def check_read(self, actor: Actor, entity: str) -> frozenset[str]:
        """The fields hidden from the actor; NotAllowed when all of the entity is."""
        if actor.kind != "user":
            return frozenset()
        role = self._role(actor)
        if not _holds(role.read, entity):
            raise NotAllowed("not_readable", NOT_READABLE, entity=entity)
        return frozenset(role.hidden.get(entity, ()))

    def check_write(self, actor: Actor, entity: str, fields: frozenset[str]) -> None:
        """Raise NotAllowed when the actor may not write these fields of the entity."""
        if actor.kind != "user":
            return
        role = self._role(actor)
        hidden = fields & frozenset(role.hidden.get(entity, ()))
        if not _holds(role.write, entity) or hidden:
            names = ", ".join(sorted(hidden))
            raise NotAllowed("not_writable", NOT_WRITABLE, entity=entity, fields=names)

    def _role(self, actor: Actor) -> Role:
        # A role that was withdrawn leaves its people with nothing, not with an error page.
        roles = (r for r in self.catalogue.of(Role) if r.code == actor.role)
        return next(roles, _NOBODY)


def _holds(names: tuple[str, ...], name: str) -> bool:
    return "*" in names or name in names

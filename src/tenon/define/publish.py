"""Plan, publish and roll back definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.define.catalogue import Catalogue, D, check, parse
from tenon.define.models import Definition, Package
from tenon.define.tables import definition, epoch
from tenon.kernel import clock
from tenon.kernel.errors import NotFound
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text

_NO_EPOCH = Text("没有第 {epoch} 次发布。", "There is no publish number {epoch}.")

# What else must happen in the publishing transaction (records makes its tables).
ApplySchema = Callable[[Connection, Catalogue, Catalogue], None]


@dataclass(frozen=True, slots=True)
class Change:
    """What publishing would do with one definition."""

    kind: str
    code: str
    change: str  # added, changed, removed
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What publishing a package would change; nothing has changed yet."""

    package: Package
    definitions: tuple[Definition, ...]
    changes: tuple[Change, ...]


def current_epoch(tx: Connection) -> int:
    """The number of the last publish; 0 before the first."""
    return tx.scalar(sa.select(epoch.c.epoch)) or 0


def load(tx: Connection) -> Catalogue:
    """The catalogue as published now."""
    rows = tx.execute(
        sa.select(definition.c.body, definition.c.kind, definition.c.code)
        .where(definition.c.state == "published")
        .order_by(definition.c.package, definition.c.position)
    )
    return Catalogue(current_epoch(tx), tuple(parse(r.body, f"{r.kind} {r.code}") for r in rows))


def plan(tx: Connection, package: Package, definitions: tuple[Definition, ...]) -> Plan:
    """Compare a package with what is published; it must fit the other packages, and they it."""
    own = codes_of(tx, package.code)
    others = (d for d in load(tx).definitions if (d.kind, d.code) not in own)
    check((*others, *definitions))
    before = {(k, c): b for k, c, b in _published(tx, package.code)}
    after = {(d.kind, d.code): body(d) for d in definitions}
    changes = [Change(*key, "added") for key in after.keys() - before.keys()]
    changes += [Change(*key, "removed") for key in before.keys() - after.keys()]
    for key in after.keys() & before.keys():
        differs = {
            f for f in after[key].keys() | before[key].keys()
            if after[key].get(f) != before[key].get(f)
        }  # fmt: skip
        if differs:
            changes.append(Change(*key, "changed", tuple(sorted(differs))))
    return Plan(package, definitions, tuple(sorted(changes, key=lambda c: (c.kind, c.code))))


def publish(tx: Connection, what: Plan, by: str, apply_schema: ApplySchema) -> Catalogue:
    """Publish a plan in the caller's transaction; the new catalogue."""
    before = load(tx)
    if not what.changes:
        return before
    number = before.epoch + 1
    touched = {(c.kind, c.code) for c in what.changes}
    for kind, code in touched:
        tx.execute(
            definition.update()
            .where(
                definition.c.kind == kind,
                definition.c.code == code,
                definition.c.state == "published",
            )
            .values(state="retired", retired_epoch=number)
        )
    for position, one in enumerate(what.definitions):
        if (one.kind, one.code) in touched:
            tx.execute(definition.insert().values(_row(tx, what, one, position, number, by)))
    _set_epoch(tx, number)
    after = load(tx)
    apply_schema(tx, before, after)
    return after


def at_epoch(tx: Connection, number: int, package: str) -> tuple[Definition, ...]:
    """A package's definitions as they stood after publish `number`: publish them to roll back."""
    if not 0 < number <= current_epoch(tx):
        raise NotFound("unknown_epoch", _NO_EPOCH, epoch=number)
    rows = tx.execute(
        sa.select(definition.c.body, definition.c.kind, definition.c.code)
        .where(
            definition.c.package == package,
            definition.c.epoch <= number,
            sa.or_(definition.c.retired_epoch.is_(None), definition.c.retired_epoch > number),
        )
        .order_by(definition.c.position)
    )
    return tuple(parse(r.body, f"{r.kind} {r.code}") for r in rows)


def as_of(tx: Connection, kind: type[D], code: str, number: int) -> D:
    """A definition as it stood after publish `number`, however often it was changed since."""
    name = kind.model_fields["kind"].default
    row = tx.execute(
        sa.select(definition.c.body).where(
            definition.c.kind == name,
            definition.c.code == code,
            definition.c.epoch <= number,
            sa.or_(definition.c.retired_epoch.is_(None), definition.c.retired_epoch > number),
        )
    ).first()
    found = parse(row.body, f"{name} {code}") if row else None
    if not isinstance(found, kind):
        raise NotFound("unknown_epoch", _NO_EPOCH, epoch=number)
    return found


def codes_of(tx: Connection, package: str) -> frozenset[tuple[str, str]]:
    """Kind and code of every published definition of a package."""
    return frozenset((k, c) for k, c, _ in _published(tx, package))


def body(one: Definition) -> dict[str, Any]:
    """A definition as the data kept in the database."""
    return one.model_dump(mode="json", by_alias=True, exclude_defaults=True) | {"kind": one.kind}


def _published(tx: Connection, package: str) -> list[Any]:
    rows = tx.execute(
        sa.select(definition.c.kind, definition.c.code, definition.c.body).where(
            definition.c.state == "published", definition.c.package == package
        )
    )
    return [(r.kind, r.code, r.body) for r in rows]


def _row(
    tx: Connection, what: Plan, one: Definition, position: int, number: int, by: str
) -> dict[str, Any]:
    last = tx.scalar(
        sa.select(sa.func.max(definition.c.version)).where(
            definition.c.kind == one.kind, definition.c.code == one.code
        )
    )
    return {
        "id": uuid7(), "kind": one.kind, "code": one.code, "version": (last or 0) + 1,
        "package": what.package.code, "package_version": what.package.version,
        "state": "published", "position": position, "body": body(one), "epoch": number,
        "published_at": clock.now(), "published_by": by,
    }  # fmt: skip


def _set_epoch(tx: Connection, number: int) -> None:
    if number == 1:
        tx.execute(epoch.insert().values(one=1, epoch=1))
    else:
        tx.execute(epoch.update().values(epoch=number))

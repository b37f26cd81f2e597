"""Packages of definitions: the built-in one, and planning, publishing and rolling back any."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.access.policy import CAPABILITIES
from tenon.assembly import steps
from tenon.assembly.tables import installed_package
from tenon.define import publish
from tenon.define.catalogue import Catalogue, read_package
from tenon.define.models import Definition, Package, Role
from tenon.define.overview import published_version, version_key
from tenon.kernel import clock
from tenon.kernel.errors import Config
from tenon.kernel.text import Text
from tenon.records.schema import SchemaChange, apply_schema, plan_schema
from tenon.store import Hub
from tenon.store.types import to_json

_UNKNOWN_CAPABILITY = Text(
    "角色“{role}”的权限“{capability}”不存在；可用：{allowed}。",
    "Role “{role}” names an unknown capability “{capability}”; use some of {allowed}.",
)
_NO_PACKAGE = Text("没有已发布的包“{package}”。", "No package “{package}” is published here.")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What publishing a package would change: its definitions, and the hub's tables."""

    plan: publish.Plan
    schema: tuple[SchemaChange, ...]


def built_in() -> tuple[Package, tuple[Definition, ...]]:
    """The factory package that comes with the program."""
    with resources.as_file(resources.files("tenon") / "factory" / "package") as folder:
        return read_package(folder)


def propose(tx: Connection, package: Package, definitions: tuple[Definition, ...]) -> Proposal:
    """Compare a package with what is published; nothing changes."""
    _check_roles(definitions)
    steps.check(definitions)
    before = publish.load(tx)
    own = publish.codes_of(tx, package.code)
    others = tuple(d for d in before.definitions if (d.kind, d.code) not in own)
    after = Catalogue(before.epoch + 1, (*others, *definitions))
    plan = publish.plan(tx, package, definitions)
    return Proposal(plan, plan_schema(tx, before, after))


def publish_folder(hub: Hub, folder: Path, by: str) -> Proposal:
    """Publish the package in a folder."""
    return publish_package(hub, *read_package(folder), by)


def publish_package(
    hub: Hub, package: Package, definitions: tuple[Definition, ...], by: str
) -> Proposal:
    """Publish a package with the tables it needs, in one transaction."""
    with hub.write() as tx:
        _one_at_a_time(tx)
        return _publish(tx, package, definitions, by)


def revise_package(
    hub: Hub,
    package: Package,
    change: Callable[[tuple[Definition, ...]], tuple[Definition, ...]],
    by: str,
) -> Proposal:
    """Publish a package as `change` makes it of what is published of it; {} before the first."""
    with hub.write() as tx:
        _one_at_a_time(tx)
        now = publish.current_epoch(tx)
        before = publish.at_epoch(tx, now, package.code) if now else ()
        held = tuple(d for d in before if not isinstance(d, Package))
        return _publish(tx, package, (package, *change(held)), by)


def publish_built_in(hub: Hub) -> bool:
    """Publish the built-in package unless this content, or a newer version, already was."""
    package, definitions = built_in()
    digest = _digest(definitions)
    with hub.write() as tx:
        _one_at_a_time(tx)
        latest = published_version(tx, package.code)
        if latest and version_key(latest) > version_key(package.version):
            return False
        if tx.scalar(sa.select(installed_package.c.epoch).filter_by(digest=digest)) is not None:
            return False
        _publish(tx, package, definitions, "Tenon")
        tx.execute(
            installed_package.insert().values(
                package=package.code,
                digest=digest,
                version=package.version,
                epoch=publish.current_epoch(tx),
                at=clock.wall(),
            )
        )
    return True


def roll_back(hub: Hub, package: str, epoch: int, by: str) -> Proposal:
    """Publish a package again as it stood after publish number `epoch`."""
    with hub.write() as tx:
        _one_at_a_time(tx)
        definitions = publish.at_epoch(tx, epoch, package)
        own = next((d for d in definitions if isinstance(d, Package)), None)
        if own is None:
            raise Config("no_package", _NO_PACKAGE, package=package)
        return _publish(tx, own, definitions, by)


def _publish(
    tx: Connection, package: Package, definitions: tuple[Definition, ...], by: str
) -> Proposal:
    proposal = propose(tx, package, definitions)
    publish.publish(tx, proposal.plan, by, _apply)
    return proposal


def _apply(tx: Connection, before: Catalogue, after: Catalogue) -> None:
    apply_schema(tx, after, plan_schema(tx, before, after))


def _check_roles(definitions: tuple[Definition, ...]) -> None:
    known = {*CAPABILITIES, "*"}
    for role in (d for d in definitions if isinstance(d, Role)):
        for capability in role.can:
            if capability not in known:
                raise Config(
                    "unknown_capability", _UNKNOWN_CAPABILITY, role=role.code,
                    capability=capability, allowed=", ".join(CAPABILITIES),
                )  # fmt: skip


def _digest(definitions: tuple[Definition, ...]) -> str:
    bodies = sorted(to_json(publish.body(d)) for d in definitions)
    return hashlib.sha256("\n".join(bodies).encode()).hexdigest()


def _one_at_a_time(tx: Connection) -> None:
    if tx.dialect.name == "postgresql":
        # Two servers starting together must not both publish.
        tx.exec_driver_sql("SELECT pg_advisory_xact_lock(843623)")

"""Which version of a definition held when something was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.define.catalogue import parse
from tenon.define.models import Definition
from tenon.define.tables import definition


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a definition; `exact` unless it was found by a time alone."""

    code: str
    version: int
    epoch: int
    package: str
    package_version: str
    published_at: datetime
    published_by: str
    current: bool
    exact: bool
    body: Any

    def definition(self) -> Definition:
        """What it said."""
        return parse(self.body, f"{self.body['kind']} {self.code}")


def at(
    connection: Connection, kind: str, code: str, epoch: int | None, moment: datetime
) -> Version | None:
    """The version that held after publish `epoch`; by the moment, where no epoch is known."""
    d = definition.c
    held = d.published_at <= moment
    if epoch is not None:
        held = sa.and_(d.epoch <= epoch, sa.or_(d.retired_epoch.is_(None), d.retired_epoch > epoch))
    row = connection.execute(
        sa.select(definition)
        .where(d.kind == kind, d.code == code, held)
        .order_by(d.version.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return Version(
        code, row.version, row.epoch, row.package, row.package_version, row.published_at,
        row.published_by, row.state == "published", epoch is not None, row.body,
    )  # fmt: skip

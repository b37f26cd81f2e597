"""Which flows are switched on in this installation."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.automate.tables import flow_switch
from tenon.define.models import Flow
from tenon.kernel import clock
from tenon.store import announce
from tenon.store.upsert import insert_or_change


def set_enabled(tx: Connection, code: str, enabled: bool, by: str) -> None:
    """Switch a flow on or off; runs under way go on to their end."""
    values = {"flow": code, "enabled": enabled, "by": by, "at": clock.wall()}
    tx.execute(insert_or_change(tx, flow_switch, ("enabled", "by", "at")), [values])
    announce(tx, "flow_run")


def decided(connection: Connection) -> set[str]:
    """The codes of the flows that somebody has switched on or off here."""
    return set(connection.scalars(sa.select(flow_switch.c.flow)))


def enabled(connection: Connection, flows: Iterable[Flow]) -> dict[str, bool]:
    """Whether each of these flows is switched on, by its code."""
    known = {flow.code: flow.enabled for flow in flows}
    said = connection.execute(
        sa.select(flow_switch.c.flow, flow_switch.c.enabled).where(
            flow_switch.c.flow.in_(known.keys())
        )
    )
    return known | {row.flow: row.enabled for row in said}

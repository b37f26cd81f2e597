"""The runs of flows that are about a record."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.automate.tables import flow_run
from tenon.define.catalogue import Catalogue
from tenon.kernel.errors import NotFound
from tenon.kernel.text import Text

_MOST: Final = 20


def runs_about(
    connection: Connection, catalogue: Catalogue, entity: str, record_id: str
) -> list[dict[str, Any]]:
    """The newest runs of flows that a record started."""
    r = flow_run.c
    rows = connection.execute(
        sa.select(r.id, r.flow, r.state, r.started_at, r.ended_at)
        .where(r.entity == entity, r.record_id == record_id)
        .order_by(r.id.desc())
        .limit(_MOST)
    )
    return [
        {"id": row.id, "label": _label(catalogue, row.flow), "state": row.state,
         "started_at": row.started_at, "ended_at": row.ended_at}
        for row in rows
    ]  # fmt: skip


def _label(catalogue: Catalogue, flow: str) -> Text:
    try:
        return catalogue.flow(flow).label.text()
    except NotFound:
        return Text(flow, flow)

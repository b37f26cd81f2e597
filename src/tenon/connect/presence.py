"""Whether an optional stream is there at all."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.tables import sync_state
from tenon.define.models import Sync


def is_absent(tx: Connection, sync: Sync) -> bool:
    """Whether the source was asked for the stream and does not have it."""
    return bool(
        tx.scalar(
            sa.select(sync_state.c.absent).where(
                sync_state.c.source == sync.source, sync_state.c.stream == sync.stream.name
            )
        )
    )

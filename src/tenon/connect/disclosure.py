"""What is read of a source, to be shown to those who look after it: login, statements, rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.contract import Connector, Explains
from tenon.connect.deps import ConnectDeps
from tenon.connect.tables import sync_run, sync_state
from tenon.define.models import StreamDef, Sync
from tenon.kernel.errors import TenonError
from tenon.kernel.text import Text

_UNSEEN = Text(
    "语句要连上来源才能显示：{zh}", "The statement can be shown once the source answers: {en}"
)


def disclosure(deps: ConnectDeps, reading: Connection, code: str) -> dict[str, Any]:
    """Who reads the source, what is read and how, and what may be written."""
    catalogue = deps.catalogue()
    source = catalogue.source(code)
    connector = deps.connections.open(source)
    try:
        tables = [_table(reading, connector, sync) for sync in catalogue.syncs_of(code)]
        address = connector.address
    finally:
        connector.close()
    writes = deps.connections.writes(code)
    return {
        "address": address, "login": _login(deps.connections.values(code) or {}),
        "ledger": source.ledger, "tables": tables,
        "writes": [{"table": t, "actions": sorted(a)} for t, a in sorted(writes.items()) if a],
    }  # fmt: skip


def _login(values: Mapping[str, Any]) -> str | None:
    named = urlsplit(str(values.get("url", ""))).username or values.get("user")
    return unquote(str(named)) if named else None


def _table(reading: Connection, connector: Connector, sync: Sync) -> dict[str, Any]:
    statement, problem = _statement(connector, sync.stream)
    state = reading.execute(
        sa.select(sync_state.c.rows).where(
            sync_state.c.source == sync.source, sync_state.c.stream == sync.stream.name
        )
    ).first()
    r = sync_run.c
    run = reading.execute(
        sa.select(sync_run)
        .where(r.sync == sync.code, r.state == "succeeded", r.kind.in_(("full", "incremental")))
        .order_by(r.id.desc())
        .limit(1)
    ).first()
    return {
        "sync": sync.code, "label": sync.label.text(), "every_seconds": sync.every_seconds,
        "table": sync.stream.table or sync.stream.path or sync.stream.name,
        "statement": statement, "problem": problem, "rows": state.rows if state else 0,
        "read": run.read if run else 0, "last_at": run.started_at if run else None,
        "seconds": (run.ended_at - run.started_at).total_seconds() if run else None,
    }  # fmt: skip


def _statement(connector: Connector, stream: StreamDef) -> tuple[str | None, Text | None]:
    """What the source is asked; where it does not answer, why that cannot be said."""
    if stream.path is not None:
        return f"GET {stream.path}", None
    if not isinstance(connector, Explains):
        return stream.table or stream.name, None  # the pattern of the names of files
    try:
        return connector.statement(stream), None
    except TenonError as error:
        return None, _UNSEEN.format(zh=error.text.zh, en=error.text.en)

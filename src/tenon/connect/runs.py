"""Runs as people see them."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect import backfill
from tenon.connect.service import reason_figure, shown
from tenon.connect.tables import sync_batch, sync_run
from tenon.define import versions
from tenon.define.catalogue import Catalogue
from tenon.kernel import clock
from tenon.kernel.errors import NotFound
from tenon.kernel.text import Text

_SOON: Final = 0.5  # seconds; what is read in less says nothing of the pace

_NO_RUN = Text("没有这次运行：{id}。", "There is no such run: {id}.")


def runs(
    connection: Connection,
    catalogue: Catalogue,
    *,
    source: str | None = None,
    state: str | None = None,
    changed: bool = False,
    page: int = 1,
    page_size: int = 50,
) -> dict[str, Any]:
    """A page of runs, newest first; `changed` leaves out those that wrote nothing."""
    r = sync_run.c
    where: list[Any] = []
    if source:
        where.append(r.source == source)
    if state:
        where.append(r.state == state)
    if changed:
        where.append(sa.or_(r.applied > 0, r.set_aside > 0))
    total = connection.scalar(sa.select(sa.func.count()).select_from(sync_run).where(*where))
    rows = connection.execute(
        sa.select(sync_run)
        .where(*where)
        .order_by(r.id.desc())
        .limit(page_size)
        .offset((page - 1) * page_size)
    )
    return {
        "rows": [run_row(catalogue, row) for row in rows],
        "total": total or 0, "page": page, "page_size": page_size,
    }  # fmt: skip


def latest(connection: Connection, catalogue: Catalogue, source: str) -> list[dict[str, Any]]:
    """The newest run of each sync of a source."""
    r = sync_run.c
    newest = sa.select(sa.func.max(sa.cast(r.id, sa.String))).where(r.source == source)
    ids = list(connection.scalars(newest.group_by(r.sync)))
    rows = connection.execute(sa.select(sync_run).where(r.id.in_(ids)).order_by(r.id))
    return [run_row(catalogue, row) for row in rows]


def run_page(connection: Connection, catalogue: Catalogue, id_: str) -> dict[str, Any]:
    """A run with its batches and the reasons rows were set aside."""
    row = connection.execute(
        sa.select(sync_run).where(sa.cast(sync_run.c.id, sa.String) == id_)
    ).first()
    if row is None:
        raise NotFound("no_run", _NO_RUN, id=id_[:80])
    batches = connection.execute(
        sa.select(sync_batch).where(sync_batch.c.run_id == row.id).order_by(sync_batch.c.number)
    )
    return {
        "run": run_row(catalogue, row),
        "stream": row.stream,
        "stream_label": _sync_label(catalogue, row.sync),
        "mapping": versions.at(connection, "sync", row.sync, row.epoch, row.started_at),
        "watermark_before": shown(row.watermark_before),
        "watermark_after": shown(row.watermark_after),
        "resumed_from": row.resumed_from,
        "backfill": backfill.of_run(connection, row.id) if row.kind == "backfill" else None,
        "batches": [
            {"at": b.at, "read": b.read, "applied": b.applied, "unchanged": b.unchanged,
             "set_aside": b.set_aside, "watermark": shown(b.watermark), "keys": b.row_keys or []}
            for b in batches
        ],
        "reasons": [
            reason_figure(code, count)
            for code, count in sorted(row.reasons.items(), key=lambda item: -item[1])
        ],
    }  # fmt: skip


def run_row(catalogue: Catalogue, row: Any) -> dict[str, Any]:
    """A run as a line of the list."""
    try:
        label = catalogue.source(row.source).label.text()
    except NotFound:
        label = Text(row.source, row.source)
    return {
        "id": row.id, "source": row.source, "source_label": label, "sync": row.sync,
        "kind": row.kind, "state": row.state, "started_at": row.started_at,
        "ended_at": row.ended_at, "read": row.read, "applied": row.applied,
        "unchanged": row.unchanged, "set_aside": row.set_aside, "message": row.message,
        "expected": row.expected, **_pace(row),
    }  # fmt: skip


def _pace(row: Any) -> dict[str, Any]:
    """How fast a run that is under way goes, and how long it will still take."""
    # A demo's plant lives faster than the clock on the wall.
    took = (clock.now() - row.started_at).total_seconds() / (clock.demo_pace() or 1.0)
    if row.state != "running" or not row.read or took < _SOON:
        return {"rate": None, "seconds_left": None}
    rate = row.read / took
    left = None
    if row.expected is not None and row.expected > row.read:
        left = int((row.expected - row.read) / rate)
    return {"rate": round(rate, 1), "seconds_left": left}


def _sync_label(catalogue: Catalogue, code: str) -> Text:
    try:
        return catalogue.sync(code).label.text()
    except NotFound:
        return Text(code, code)

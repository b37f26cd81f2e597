"""Files that should have come: what a source's page says when the declared hour has passed."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.tables import source_file
from tenon.define.catalogue import Catalogue
from tenon.define.models import SourceDef, Sync
from tenon.kernel import clock
from tenon.kernel.text import Text

_LATE = Text(
    "“{label}”的文件没有按时到达：应在每天 {due} 前到达，最近一次收到是 {last}。"
    "请联系导出该文件的人；文件到达后会自动读取。",
    "The file of “{label}” is late: it is due by {due} each day and came last {last}. Ask who "
    "exports it; it is read by itself once it comes.",
)
_NONE = Text(
    "“{label}”还没有收到任何文件：没有文件名符合“{pattern}”的文件。",
    "No file of “{label}” has come yet: none has a name like “{pattern}”.",
)
_NEVER = Text("（从未）", "never")


def missing_file(connection: Connection, catalogue: Catalogue, source: SourceDef) -> Text | None:
    """The first of the source's streams whose file did not come; None when all did."""
    if source.connector != "files":
        return None
    f = source_file.c
    last: dict[str, datetime] = {
        row.stream: row.at
        for row in connection.execute(
            sa.select(f.stream, sa.func.max(f.taken_at, type_=f.taken_at.type).label("at"))
            .where(f.source == source.code)
            .group_by(f.stream)
        )
    }
    said = (
        _missing(sync, last.get(sync.stream.name), source)
        for sync in catalogue.syncs_of(source.code)
    )
    return next((text for text in said if text), None)


def _missing(sync: Sync, last: datetime | None, source: SourceDef) -> Text | None:
    label, how = sync.label, sync.stream.file
    zone = ZoneInfo(source.zone)
    if how is not None and how.due is not None and is_late(how.due, last, clock.now(), zone):
        shown = last.astimezone(zone).strftime("%m-%d %H:%M") if last else None
        zh = _LATE.format(label=label.zh, due=how.due, last=shown or _NEVER.zh).zh
        return Text(zh, _LATE.format(label=label.en, due=how.due, last=shown or _NEVER.en).en)
    if last is None and not sync.stream.optional:
        pattern = sync.stream.path or sync.stream.name
        zh = _NONE.format(label=label.zh, pattern=pattern).zh
        return Text(zh, _NONE.format(label=label.en, pattern=pattern).en)
    return None


def is_late(due: str, last: datetime | None, now: datetime, zone: ZoneInfo) -> bool:
    """Whether no file came since the due hour before the one that passed last."""
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), time.fromisoformat(due), zone)
    passed = today if local >= today else today - timedelta(days=1)
    return last is None or last < passed - timedelta(days=1)

"""Files that should have come: what a source's page says when the declared hour has passed."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.contract import FILE_COLUMNS
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
_REFUSED = Text(
    "文件“{file}”已被隔离，更正后请放回原处。原因：{zh}",
    "The file “{file}” is in quarantine; put it back when it is mended. Because: {en}",
)
_NEVER = Text("（从未）", "never")


def missing_file(connection: Connection, catalogue: Catalogue, source: SourceDef) -> Text | None:
    """What is missing of the source's files: one that was refused, or did not come; else None."""
    if source.connector != "files":
        return None
    f = source_file.c
    own = sa.and_(f.source == source.code, f.refused.is_(None))
    latest = sa.func.max(f.taken_at, type_=f.taken_at.type).label("at")
    query = sa.select(f.stream, latest).where(own).group_by(f.stream)
    last: dict[str, datetime] = {row.stream: row.at for row in connection.execute(query)}
    streams = catalogue.syncs_of(source.code)
    refused = (_refused(connection, sync) for sync in streams)
    missing = (_missing(sync, last.get(sync.stream.name), source) for sync in streams)
    return next((text for text in chain(refused, missing) if text), None)


def _refused(connection: Connection, sync: Sync) -> Text | None:
    """The file in quarantine that nothing made good since: of a whole the next one does."""
    f, other = source_file.c, source_file.alias()
    better = [
        other.c.source == f.source, other.c.stream == f.stream, other.c.refused.is_(None),
        other.c.taken_at > f.taken_at,
    ]  # fmt: skip
    if sync.stream.cursor is not None and sync.stream.cursor.column in FILE_COLUMNS:
        better.append(other.c.name == f.name)  # a part is made good by itself alone
    row = connection.execute(
        sa.select(source_file)
        .where(f.source == sync.source, f.stream == sync.stream.name, f.refused.is_not(None))
        .where(~sa.exists().where(*better))
        .order_by(f.taken_at)
        .limit(1)
    ).first()
    if row is None:
        return None
    said = json.loads(row.refused)
    return _REFUSED.format(file=row.name, zh=said["zh"], en=said["en"])


def _missing(sync: Sync, last: datetime | None, source: SourceDef) -> Text | None:
    label, zone = sync.label, ZoneInfo(source.zone)
    due = sync.stream.file.expect_by if sync.stream.file else None
    if due is not None and is_late(due, last, clock.now(), zone):
        shown = last.astimezone(zone).strftime("%m-%d %H:%M") if last else None
        by = due.isoformat("minutes")
        zh = _LATE.format(label=label.zh, due=by, last=shown or _NEVER.zh).zh
        return Text(zh, _LATE.format(label=label.en, due=by, last=shown or _NEVER.en).en)
    if last is None and not sync.stream.optional:
        pattern = sync.stream.table or sync.stream.name
        zh = _NONE.format(label=label.zh, pattern=pattern).zh
        return Text(zh, _NONE.format(label=label.en, pattern=pattern).en)
    return None


def is_late(due: time, last: datetime | None, now: datetime, zone: ZoneInfo) -> bool:
    """Whether no file came since the due hour before the one that passed last."""
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), due, zone)
    passed = today if local >= today else today - timedelta(days=1)
    return last is None or last < passed - timedelta(days=1)

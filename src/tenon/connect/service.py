"""What people see of the connections: sources, runs, rows set aside, source rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect import backfill, calls, drift, report
from tenon.connect.calls import CallState
from tenon.connect.control import Hold
from tenon.connect.deps import ConnectDeps
from tenon.connect.due import Turns
from tenon.connect.listening import watches
from tenon.connect.plan import decoded
from tenon.connect.tables import (
    source_listen,
    source_row,
    source_state,
    source_wait,
    sync_run,
    sync_state,
)
from tenon.define import overview
from tenon.define.catalogue import Catalogue
from tenon.define.models import SourceDef, Sync
from tenon.kernel import clock
from tenon.kernel.errors import NotFound, TenonError
from tenon.kernel.text import Text

_CONNECTED = Text("连接正常。", "The connection works.")
_NO_ROW = Text(
    "没有这一行：{source} / {stream} / {key}。", "There is no such row: {source}/{stream}/{key}."
)
_PAUSED = Text(
    "{by}已暂停此来源（{reason}）；数据在对方系统中等待，点击“恢复”后从水位线继续，不会丢失。",
    "{by} has paused this source ({reason}). Its data waits in its own system; press Resume and it "
    "goes on from the watermark: nothing is lost.",
)
_NOT_CONNECTED = Text("尚未设置连接。", "Not connected yet.")


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source and the state of its connection, as the API shows it."""

    code: str
    label: Text
    kind: str
    system: Text
    package: str
    connected: bool
    address: str
    read_only: bool
    state: str
    message: Text | None
    last_success_at: Any
    age_seconds: int | None
    set_aside: int
    hold: Hold | None
    off_peak: list[str]
    streams: list[dict[str, Any]]
    listening: dict[str, Any] | None  # None: nobody asked for it
    calls: CallState | None


def source_states(deps: ConnectDeps, connection: Connection) -> list[SourceState]:
    """Every source of the catalogue, as it is now."""
    catalogue = deps.catalogue()
    notes = {r.source: r for r in connection.execute(sa.select(source_state))}
    streams = {(r.source, r.stream): r for r in connection.execute(sa.select(sync_state))}
    r = sync_run.c
    going = sa.select(r.sync, r.id).where(r.state == "running").order_by(r.id)
    running = {run.sync: run.id for run in connection.execute(going)}
    turns = Turns(connection, catalogue)
    shapes = drift.shown(connection)
    back = [backfill.shown(one) for one in backfill.waiting(connection)]
    connected = set(deps.connections.codes())
    packages = overview.packages_of(connection)
    listens = {r.source: r for r in connection.execute(sa.select(source_listen))}
    found: list[SourceState] = []
    for source in catalogue.of(SourceDef):
        shown = [
            _stream(s, streams.get((s.source, s.stream.name)), running.get(s.code), turns, source)
            | {
                "backfills": [b for b in back if b["sync"] == s.code],
                "drift": shapes.get((s.source, s.stream.name)),
                "package": packages.get(("sync", s.code), ""),
            }
            for s in catalogue.syncs_of(source.code)
        ]
        there = source.code in connected
        if not there and source.optional:
            continue
        place = (packages.get(("source", source.code), ""), there)
        paid = _calls(deps, connection, source)
        state = _state(deps, source, notes.get(source.code), shown, turns, place, paid)
        if state.listening is not None:
            state = replace(state, listening=_listening(listens.get(source.code)))
        found.append(state)
    return found


def source_ages(deps: ConnectDeps, connection: Connection) -> dict[str, timedelta | None]:
    """How long ago each source was last read in full; None when never."""
    rows = connection.execute(sa.select(source_state.c.source, source_state.c.last_success_at))
    last = {r.source: r.last_success_at for r in rows}
    now = clock.now()
    return {
        s.code: max(now - at, timedelta()) if (at := last.get(s.code)) else None
        for s in deps.catalogue().of(SourceDef)
    }


def check_source(deps: ConnectDeps, code: str) -> dict[str, Any]:
    """Test a connection; a source that was paused goes on when it works."""
    source = deps.catalogue().source(code)
    started = clock.monotonic()
    try:
        connector = deps.connections.open(source)
        try:
            connector.check()
        finally:
            connector.close()
    except TenonError as error:
        return _checked(False, error.text, started)
    with deps.hub.write() as tx:
        report.resume_source(tx, code)
    return _checked(True, _CONNECTED, started)


def source_page(
    connection: Connection, catalogue: Catalogue, source: str, stream: str, key: str
) -> dict[str, Any]:
    """A source row exactly as it was read; NotFound when there is none."""
    s = source_row.c
    row = connection.execute(
        sa.select(source_row).where(s.source == source, s.stream == stream, s.key == key)
    ).first()
    if row is None:
        raise NotFound("no_source_row", _NO_ROW, source=source, stream=stream, key=key)
    return {
        "source": source, "label": source_label(catalogue, source), "stream": stream, "key": key,
        "columns": list(json.loads(row.raw).items()),
        "raw_bytes": json.loads(row.raw_bytes or "{}"), "state": row.state,
        "reason_code": row.reason_code, "reason": row.reason,
        "first_seen_at": row.first_seen_at, "seen_at": row.seen_at,
        "run_id": row.run_id, "entity": row.entity, "record_id": row.record_id,
    }  # fmt: skip


def set_aside(
    connection: Connection,
    catalogue: Catalogue,
    *,
    source: str | None = None,
    reason: str | None = None,
    page: int = 1,
    page_size: int = 50,
) -> dict[str, Any]:
    """A page of rows set aside, with counts by reason."""
    s = source_row.c
    where = [s.state == "set_aside"] + ([s.source == source] if source else [])
    reasons = connection.execute(
        sa.select(s.reason_code, sa.func.count())
        .where(*where)
        .group_by(s.reason_code)
        .order_by(sa.func.count().desc())
    ).all()
    if reason:
        where.append(s.reason_code == reason)
    total = sum(r[1] for r in reasons if not reason or r[0] == reason)
    rows = connection.execute(
        sa.select(source_row)
        .where(*where)
        .order_by(s.seen_at.desc(), s.source, s.stream, s.key)
        .limit(page_size)
        .offset((page - 1) * page_size)
    )
    return {
        "rows": [
            {"source": r.source, "source_label": source_label(catalogue, r.source),
             "stream": r.stream, "key": r.key, "reason_code": r.reason_code, "reason": r.reason,
             "task_id": r.task_id, "first_seen_at": r.first_seen_at, "tries": r.tries}
            for r in rows
        ],
        "total": total, "page": page, "page_size": page_size,
        "reasons": [reason_figure(code, count) for code, count in reasons],
    }  # fmt: skip


def waiting_rows(connection: Connection, keys: Sequence[str]) -> int:
    """How many rows that are set aside name one of these documents."""
    if not keys:
        return 0
    w, s = source_wait.c, source_row.c
    named = (
        sa.select(w.source, w.stream, w.key)
        .where(w.kind.in_(("ref", "name")), w.value.in_([*keys]))
        .distinct()
        .subquery()
    )
    same = sa.and_(
        s.source == named.c.source, s.stream == named.c.stream, s.key == named.c.key,
        s.state == "set_aside",
    )  # fmt: skip
    return connection.scalar(sa.select(sa.func.count()).join_from(named, source_row, same)) or 0


def reason_figure(code: str, count: int) -> dict[str, Any]:
    """A reason with how many rows have it, as a card figure that leads to them."""
    label = REASONS.get(code, Text(code, code))
    return {
        "key": code, "label": label, "value": count, "unit": Text("行", "rows"),
        "tone": "warning", "link": f"/set-aside?reason={code}",
    }  # fmt: skip


REASONS = {
    "unknown_code": Text("编码没有对应的主数据", "Unknown code"),
    "several": Text("编码对应多条主数据", "Code matches several"),
    "code_reused": Text("编码疑似被重复使用", "Code reused"),
    "missing_ref": Text("引用的单据还不存在", "Refers to what is not there yet"),
    "no_code": Text("没有编码", "No code"),
    "no_key": Text("主键为空", "Key is empty"),
    "undecodable_text": Text("文字编码无效", "Not valid text"),
    "bad_time": Text("日期时间无效", "Not a valid time"),
    "bad_boolean": Text("是/否值无效", "Not a yes or no"),
    "not_a_number": Text("不是数字", "Not a number"),
    "does_not_fit": Text("数值超出范围", "Number out of range"),
    "below_minimum": Text("数值小于允许的最小值", "Number below the minimum"),
    "too_long": Text("文字过长", "Text too long"),
    "required": Text("缺少必填值", "Required value missing"),
    "not_a_choice": Text("不在可选值中", "Not one of the choices"),
    "refused": Text("数据库拒绝（重复或越界）", "Refused by the database"),
}


def shown(watermark: Any) -> str | None:
    """A watermark for people."""
    value = decoded(watermark)
    return None if value is None else str(value)


def _state(
    deps: ConnectDeps, source: SourceDef, note: Any, streams: list[dict[str, Any]], turns: Turns,
    place: tuple[str, bool], paid: CallState | None,
) -> SourceState:  # fmt: skip
    last = note.last_success_at if note else None
    age = max(int((clock.now() - last).total_seconds()), 0) if last else None
    message: Text | None = None
    if note and note.failure:
        message = Text(note.failure["zh"], note.failure["en"])
    listening: dict[str, Any] | None = None
    try:
        connector = deps.connections.open(source)
        address, listening = connector.address, {} if watches(connector) else None
        connector.close()
    except TenonError as error:
        address, message = "—", message or error.text
    message = message or _hook_problem(deps, source)
    message = message or next((s["failure"] for s in streams if s["failure"]), None)
    hold = turns.hold(source.code)
    if hold is not None:
        message = _PAUSED.format(by=hold.by, reason=hold.reason)
    return SourceState(
        code=source.code, label=source.label.text(), kind=source.connector,
        system=source.system.text(), package=place[0], connected=place[1],
        address=address, read_only=True,
        state=_word(source, note, age, streams, turns), message=message, last_success_at=last,
        age_seconds=age, set_aside=sum(s["set_aside"] for s in streams), hold=hold,
        off_peak=[*source.off_peak], streams=streams, listening=listening, calls=paid,
    )  # fmt: skip


def _listening(row: Any) -> dict[str, Any]:
    """Whether the source is listened to, as it was last said."""
    if row is None:
        return {"state": "starting", "message": None, "since": None}
    message = Text(row.message["zh"], row.message["en"]) if row.message else None
    return {"state": row.state, "message": message, "since": row.since}


def _calls(deps: ConnectDeps, connection: Connection, source: SourceDef) -> CallState | None:
    """How far the source's budget of calls is used, where it has one."""
    try:
        budget = deps.connections.budget(source.code)
    except TenonError:
        return None  # the message says why
    return calls.state(connection, source, budget) if budget else None


def _hook_problem(deps: ConnectDeps, source: SourceDef) -> Text | None:
    """Why webhooks of the source are not taken although somebody set a secret for them."""
    try:
        deps.connections.hook_secret(source.code)
    except TenonError as error:
        return error.text
    return None


def _word(
    source: SourceDef, note: Any, age: int | None, streams: list[dict[str, Any]], turns: Turns
) -> str:
    if turns.hold(source.code) or (note and (note.paused or calls.is_spent(note.failure))):
        return "paused"
    if note and note.failure:
        return "failing"
    if any(s["failure"] for s in streams):
        return "attention"
    if age is None:
        return "syncing" if any(s["running"] for s in streams) else "never"
    late = turns.late(source)
    return "stale" if (age > source.stale_minutes * 60 if late is None else late) else "ok"


def _stream(
    sync: Sync, state: Any, running: str | None, turns: Turns, source: SourceDef
) -> dict[str, Any]:
    schedule = sync.schedule or source.schedule
    return {
        "sync": sync.code, "stream": sync.stream.name, "label": sync.label.text(),
        "target": sync.target,
        "watermark": shown(state.watermark) if state else None,
        "last_success_at": state.last_success_at if state else None,
        "rows": state.rows if state else 0,
        "set_aside": state.set_aside if state else 0,
        "failure": Text(state.failure["zh"], state.failure["en"])
        if state and state.failure
        else None,
        "hold": turns.hold(source.code, sync.code), "waits": turns.of(sync).waits,
        "schedule": schedule.text() if schedule else None, "running": running,
        "cursor": sync.stream.cursor.column if sync.stream.cursor else None,
        "key": [*sync.stream.key],
    }  # fmt: skip


def _checked(ok: bool, message: Text, started: float) -> dict[str, Any]:
    milliseconds = int((clock.monotonic() - started) * 1000)
    return {"ok": ok, "message": message, "milliseconds": milliseconds}


def source_label(catalogue: Catalogue, source: str) -> Text:
    """The label of a source; its code when it is defined no more."""
    try:
        return catalogue.source(source).label.text()
    except NotFound:
        return Text(source, source)  # its definition is gone, its rows are not

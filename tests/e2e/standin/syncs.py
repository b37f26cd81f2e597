"""Sources, runs, rows set aside and source rows of the stand-in."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter

from tenon.server import models as m
from tenon.server import source_models as sm
from tenon.server.call_models import CallState
from tenon.server.shapes import Text
from tests.e2e.standin.data import NOW, SOURCES, text
from tests.e2e.standin.lineage import MAPPING
from tests.e2e.standin.rules import STATE, figure, need, paged

routes = APIRouter()


_LISTENING = {
    "mes": sm.Listening(state="listening", message=None, since=NOW - timedelta(hours=3)),
    "wms": sm.Listening(
        state="failing",
        message=Text(
            zh="账号没有监听 binlog 的权限；轮询照常进行。请数据库管理员执行："
            "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'tenon'@'10.%';",
            en="The account may not listen to the binlog; polling goes on as ever. Have it run: "
            "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'tenon'@'10.%';",
        ),
        since=NOW - timedelta(hours=1),
    ),
}
_HOLD = sm.Hold(reason="盘点", by="王工", at=NOW - timedelta(hours=2))


_BACKFILL = sm.Backfill(
    id="0197a0b0-0000-7000-8000-00000000000b",
    sync="mes_mes_job",
    span=sm.Span(by="cursor", low="2025-11-01", high="2025-11-07"),
    state="waiting",
    reached="2025-11-03 09:12:44",
    reason="补录",
    by="王工",
    at=NOW - timedelta(minutes=3),
    ended_at=None,
    run_id="run-0000",
    message=None,
)


_DRIFT = sm.Drift(
    state="asks",
    changes=[
        sm.DriftNote(
            text=Text(zh="列“grade”不见了", en="the column “grade” is gone"),
            at=NOW - timedelta(minutes=9),
        )
    ],
)


def _source(
    code: str, state: str, age: int | None, zh: str, en: str, streams: list[str]
) -> sm.SourceState:
    at = NOW - timedelta(seconds=age) if age is not None else None
    return sm.SourceState(
        code=code,
        label=text(SOURCES[code]),
        kind="http" if code == "crm" else "sql",
        system=Text(zh="冲压车间系统", en="Stamping shop system"),
        package="factory",
        connected=True,
        address="sqlite:///plant/mes.db (GBK)",
        read_only=True,
        state=state,
        message=Text(zh=zh, en=en) if zh else None,
        last_success_at=at,
        age_seconds=age,
        set_aside=12 if code == "wms" else 0,
        listening=_LISTENING.get(code),
        hold=None,
        off_peak=["12:00-13:00", "18:00-07:00"] if code == "kis" else [],
        calls=_calls() if code == "crm" else None,
        streams=[
            sm.StreamState(
                sync=f"{code}_{s}",
                stream=s,
                label=Text(zh=s, en=s),
                target="work_order",
                package="factory",
                watermark="2025-11-22 14:41:07" if at else None,
                last_success_at=at,
                rows=(i + 3) * 3917,
                set_aside=12 if code == "wms" and i == 0 else 0,
                hold=_HOLD if code == "wms" and i == 1 else None,
                waits=Text(zh="王工已暂停：盘点", en="paused by Wang: stock-taking")
                if code == "wms" and i == 1
                else None,
                schedule=Text(zh="每天 02:30", en="daily at 02:30") if i == 2 else None,
                cursor="update_time" if code != "kis" else None,
                key=["id"],
                failure=Text(
                    zh="来源的“wm_lot”变了：列“grade”不见了。请接受或拒绝。",
                    en="“wm_lot” has changed: the column “grade” is gone. Accept or refuse it.",
                )
                if s == "wm_lot"
                else None,
                drift=_DRIFT if s == "wm_lot" else None,
                backfills=[_BACKFILL] if code == "mes" and i == 1 else [],
                running="run-0000" if code == "mes" and i == 0 else None,
            )
            for i, s in enumerate(streams)
        ],
    )


def _calls() -> CallState:
    return CallState(
        today=812, per_day=1000, month=14204, per_month=20000, again=3, alarm=True,
        spent_at=NOW + timedelta(hours=3), free_at=None,
    )  # fmt: skip


@routes.get("/api/sources")
def sources() -> list[sm.SourceState]:
    """All sources."""
    need("sources.read")
    if STATE["bare"]:
        return []
    return [
        _source("crm", "ok", 7, "", "", ["customers", "orders", "order_changes"]),
        _source(
            "mes",
            "syncing",
            4,
            "",
            "",
            ["pro_workorder", "mes_job", "pro_feedback", "dv_state_log"],
        ),
        _source(
            "wms",
            "stale",
            2460,
            "41 分钟没有成功同步",
            "No successful sync for 41 minutes",
            ["wm_move", "wm_item", "wm_lot"],
        ),
        _source(
            "kis",
            "failing",
            None,
            "无法打开数据库文件:被另一个程序独占(Access 错误 3704)。请关闭金蝶客户端后重试。",
            "Another program holds the file (Access error 3704). Close it and retry.",
            ["t_ICItem"],
        ),
    ]


@routes.post("/api/sources/{code}/check")
def check(code: str) -> sm.CheckAnswer:
    """Test a connection."""
    need("sources.manage")
    if code == "kis":
        return sm.CheckAnswer(
            ok=False, message=Text(zh="文件被占用", en="The file is locked"), milliseconds=3004
        )
    return sm.CheckAnswer(
        ok=True,
        message=Text(zh="连接正常,可读 9 张表", en="Connected; 9 tables readable"),
        milliseconds=38,
    )


def _run(n: int) -> sm.RunRow:
    code = list(SOURCES)[n % 4]
    start = NOW - timedelta(seconds=n * 9)
    state = "running" if n == 0 else "failed" if n % 13 == 5 else "succeeded"
    applied, same, aside = (n * 7) % 40, (n * 3) % 11, 2 if n % 6 == 2 else 0
    if n == 120:
        applied, same, aside = 318204, 0, 1204
    return sm.RunRow(
        id=f"run-{n:04d}",
        source=code,
        source_label=text(SOURCES[code]),
        sync=f"{code}_moves",
        kind="full" if n > 110 else "incremental",
        state=state,
        started_at=start,
        ended_at=None if n == 0 else start + timedelta(seconds=2 + n % 5),
        read=applied + same + aside,
        applied=applied,
        unchanged=same,
        set_aside=aside,
        message=Text(zh="连接中断:服务器没有应答", en="Connection lost: no answer")
        if state == "failed"
        else None,
        expected=20_000 if n == 0 else None,
        rate=812.5 if n == 0 else None,
        seconds_left=24 if n == 0 else None,
    )


@routes.post("/api/sources/{code}/sync", status_code=202)
def sync(code: str) -> list[sm.RunRow]:
    """Start a sync."""
    need("sources.manage")
    return [_run(0)]


@routes.post("/api/sources/{code}/pause")
def pause(code: str, body: sm.Reason) -> sm.SourceState:
    """Pause a source."""
    need("sources.manage")
    found = _source(code, "paused", 60, "王工已暂停此来源", "Paused by Wang", ["customers"])
    return found.model_copy(update={"hold": _HOLD.model_copy(update={"reason": body.reason})})


@routes.get("/api/runs")
def runs(
    source: str | None = None, state: str | None = None, changed: bool = False, page: int = 1
) -> sm.RunList:
    """The list of runs."""
    need("sources.read")
    rows = [
        r
        for r in map(_run, range(140))
        if (not source or r.source == source)
        and (not state or r.state == state)
        and (not changed or r.applied or r.set_aside)
    ]
    return sm.RunList(**paged(rows, page))


@routes.get("/api/runs/{run_id}")
def run(run_id: str) -> sm.RunPage:
    """A run."""
    need("sources.read")
    row = _run(int(run_id[-4:]))
    batches = [
        sm.RunBatch(
            at=row.started_at + timedelta(seconds=i),
            read=row.read // 2,
            applied=row.applied // 2,
            unchanged=row.unchanged // 2,
            set_aside=row.set_aside // 2,
            watermark="2025-11-22 14:41:07",
            keys=[f"MV0091{n:04d}" for n in range(8)] if i == 0 else [],
        )
        for i in range(2)
    ]
    reasons = (
        [
            figure(
                "unknown_code",
                "编码在主数据中不存在",
                "Code not in master data",
                2,
                link="/set-aside?reason=unknown_code",
            )
        ]
        if row.set_aside
        else []
    )
    return sm.RunPage(
        run=row,
        stream="wm_move",
        stream_label=Text(zh="出入库流水", en="Stock moves"),
        mapping=MAPPING,
        watermark_before="2025-11-22 14:40:58",
        watermark_after="2025-11-22 14:41:07",
        resumed_from=None,
        backfill=_BACKFILL if run_id == "run-0000" else None,
        batches=batches if row.read else [],
        reasons=reasons,
    )


@routes.get("/api/set-aside")
def set_aside(
    source: str | None = None, reason: str | None = None, page: int = 1
) -> m.SetAsideList:
    """Rows set aside."""
    need("sources.read")
    rows = [
        m.SetAsideRow(
            source="wms",
            source_label=text(SOURCES["wms"]),
            stream="wm_move",
            key=f"MV009{n:05d}",
            reason_code="unknown_code" if n % 3 else "negative_quantity",
            reason=Text(
                zh="物料编码 W-RAW-00912 在主数据中不存在",
                en="Item code W-RAW-00912 is not in the master data",
            )
            if n % 3
            else Text(
                zh="数量为负:-12.5000;允许大于 0 的数。请在仓库系统中改正。",
                en="Quantity is negative: -12.5000; must be above 0. Correct it in the WMS.",
            ),
            task_id="t-1" if n % 3 else None,
            first_seen_at=NOW - timedelta(hours=n),
            tries=n % 4 + 1,
        )
        for n in range(1, 64)
    ]
    counts = [
        figure("unknown_code", "编码未对应", "Unknown code", 42),
        figure("negative_quantity", "数量为负", "Negative quantity", 21),
    ]
    rows = [r for r in rows if not reason or r.reason_code == reason]
    return m.SetAsideList(**paged(rows, page), reasons=counts)


@routes.post("/api/set-aside/retry")
def retry(source: str | None = None, reason: str | None = None) -> m.RetryAnswer:
    """Retry rows set aside."""
    need("sources.manage")
    return m.RetryAnswer(tried=63, applied=11, still_set_aside=52)


@routes.get("/api/source-rows/{source}/{stream}/{key}")
def source_row(source: str, stream: str, key: str) -> m.SourceRow:
    """A source row."""
    need("source_rows.read")
    return m.SourceRow(
        source=source,
        label=text(SOURCES[source]),
        stream=stream,
        key=key,
        state="set_aside" if key.startswith("MV009") else "applied",
        columns=[
            ("job_no", key),
            ("workorder_code", "WO-2511-00051 "),
            ("process_name", "拉深"),
            ("machinery_code", None),
            ("qty_ok", "1197.0000"),
            ("remark", ""),
            ("operator_name", "王建�"),
        ],
        raw_bytes={"operator_name": "cdf5bda8b9"},
        reason_code="unknown_code" if key.startswith("MV009") else None,
        reason=None if not key.startswith("MV009") else Text(zh="编码不存在", en="Unknown code"),
        first_seen_at=NOW - timedelta(days=2),
        seen_at=NOW - timedelta(minutes=3),
        run_id="run-0007",
        entity="work_order",
        record_id="0193-9",
    )

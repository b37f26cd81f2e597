"""Flows, their runs and notices of the stand-in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter

from tenon.server import flow_models as f
from tenon.server.shapes import Text
from tests.e2e.standin.data import NOW, ROWS
from tests.e2e.standin.rules import STATE, Refused, need, paged

routes = APIRouter()

_STEPS = (
    ("plan", "plan_work_orders", "排产", "Plan work orders"),
    ("made", "condition", "条件", "Condition"),
    ("push", "write_back", "写入 MES", "Write it into the MES"),
    ("answer", "wait", "等待 MES 答复", "Wait for the MES's answer"),
    ("came", "condition", "条件", "Condition"),
    ("tell", "notify", "通知", "Notify"),
)
_FLOWS = (
    ("new_order_line", "新订单下达", "New order to the shop floor", "order_line", _STEPS),
    (
        "order_change_accepted",
        "执行订单变更",
        "Carry out an accepted change",
        "order_change",
        _STEPS[:3],
    ),
    (
        "engineering_asked",
        "待工艺提醒",
        "A work order awaits engineering",
        "work_order",
        _STEPS[5:],
    ),
)
_ENTITIES = {
    "order_line": ("订单行", "Order line"),
    "order_change": ("订单变更", "Order change"),
    "work_order": ("工单", "Work order"),
}
_LOCKED = f.FlowFailure(
    code="conflict",
    message=Text(
        zh="“pro_workorder”中“TW-2511-00012”的列“status”现为“STARTED”，"
        "而我们要写入“CONFIRMED”；没有写入任何内容。请在该系统中核对后重试。",
        en="The column “status” of “TW-2511-00012” in “pro_workorder” holds “STARTED”, and we "
        "would write “CONFIRMED”; nothing was written. Look at it there, then try again.",
    ),
)


def _flow(code: str) -> f.FlowRow:
    _, zh, en, entity, steps = next(one for one in _FLOWS if one[0] == code)
    name = _ENTITIES[entity]
    busy = code == "new_order_line"
    return f.FlowRow(
        code=code,
        label=Text(zh=zh, en=en),
        package="factory",
        version=3,
        enabled=code in STATE["flows"],
        trigger=f.FlowTrigger(
            entity=entity,
            entity_label=Text(zh=name[0], en=name[1]),
            event="updated" if code == "order_change_accepted" else "created",
        ),
        steps=[f.FlowStepRow(id=i, step=s, label=Text(zh=z, en=e)) for i, s, z, e in steps],
        runs=f.FlowCounts(
            running=2 if busy else 0,
            waiting=14 if busy else 0,
            failed=3 if busy else 0,
            done_today=128 if busy else 0,
        ),
        last_run_at=NOW - timedelta(minutes=2) if busy else None,
    )


@routes.get("/api/flows")
def flows() -> list[f.FlowRow]:
    """All flows."""
    need("flows.read")
    return [_flow(one[0]) for one in _FLOWS]


@routes.patch("/api/flows/{code}")
def change(code: str, body: f.FlowChange) -> f.FlowRow:
    """Switch a flow."""
    need("flows.manage")
    (STATE["flows"].add if body.enabled else STATE["flows"].discard)(code)
    return _flow(code)


_TURNS: tuple[f.RunState, ...] = ("running", "waiting", "done", "failed", "done", "cancelled")


def _state(n: int) -> f.RunState:
    state: f.RunState = STATE["runs"].get(n, _TURNS[n % 6])
    return state


def _run(n: int) -> f.FlowRunRow:
    state, row = _state(n), ROWS[n]
    start = NOW - timedelta(minutes=n * 3)
    at = {"running": 2, "waiting": 3, "failed": 2, "cancelled": 3}.get(state)
    label = Text(zh="新订单下达", en="New order to the shop floor")
    return f.FlowRunRow(
        id=f"0197a0b0-0000-7000-8000-{n:012d}",
        flow="new_order_line",
        label=label,
        state=state,
        step=_STEPS[at][0] if at else None,
        step_label=Text(zh=_STEPS[at][2], en=_STEPS[at][3]) if at else None,
        subject="" if n == 4 else f"{row.order_no}-{row.line_no}",
        entity_label=Text(zh="订单行", en="Order line"),
        subject_link=f"/orders/{row.line_id}",
        started_at=start,
        ended_at=None if state in {"running", "waiting"} else start + timedelta(seconds=41),
        waits_until=NOW + timedelta(minutes=27) if state == "waiting" else None,
        failure=_LOCKED if state == "failed" else None,
    )


@routes.get("/api/flow-runs")
def runs(
    flow: str | None = None,
    state: f.RunState | None = None,
    q: str | None = None,
    page: int = 1,
    page_size: int = 50,
) -> f.FlowRunList:
    """The list of runs."""
    need("flows.read")
    rows = [
        r
        for r in map(_run, range(130))
        if (not flow or r.flow == flow)
        and (not state or r.state == state)
        and (not q or q.lower() in r.subject.lower())
    ]
    return f.FlowRunList(**paged(rows, page, page_size))


_OUTPUTS: dict[str, dict[str, Any]] = {
    "plan": {
        "planned": True,
        "engineering": False,
        "work_order": "0197a0b0-1111-7000-8000-000000000012",
        "allocations": ["0197a0b0-2222-7000-8000-000000000012"],
        "operations": [f"0197a0b0-3333-7000-8000-00000000{n:04d}" for n in range(10, 60, 10)],
    },
    "made": {"holds": True},
    "push": {
        "rows": [
            {"push": "mes_work_order", "key": "TW-2511-00012", "state": "sent"},
            {"push": "mes_job", "key": "TW-2511-00012-10", "state": "sent"},
        ]
    },
}


def _step(row: f.FlowRunRow, at: int) -> f.FlowRunStep:
    id_, step, zh, en = _STEPS[at]
    here = [one[0] for one in _STEPS].index(row.step) if row.step else len(_STEPS)
    state: f.StepState = "done" if at < here else "pending"
    if at == here:
        state = "skipped" if row.state == "cancelled" else row.state
    started = row.started_at + timedelta(seconds=at) if state != "pending" else None
    return f.FlowRunStep(
        id=id_,
        step=step,
        label=Text(zh=zh, en=en),
        state=state,
        started_at=started,
        ended_at=started + timedelta(seconds=1) if started and state == "done" else None,
        output=_OUTPUTS.get(id_) if state == "done" else None,
        failure=_LOCKED if state == "failed" else None,
        tries=3 if state in {"failed", "running"} else 0,
    )


@routes.get("/api/flow-runs/{run_id}")
def run(run_id: str) -> f.FlowRunPage:
    """A run."""
    need("flows.read")
    if not run_id[-12:].isdigit():
        raise Refused(404, "no_flow_run", "没有这个流程运行。", "There is no such run of a flow.")
    row = _run(int(run_id[-12:]))
    pushed = row.state != "failed"
    return f.FlowRunPage(
        run=row,
        trigger={
            "id": row.subject_link[8:] if row.subject_link else None,
            "line_key": row.subject,
            "qty": "1200.0000",
            "status": "open",
            "due_at": "2025-11-30T08:00:00+00:00",
            "remark": None,
        },
        steps=[_step(row, at) for at in range(len(_STEPS))],
        pushes=[
            f.PushRow(
                push=push,
                table=table,
                key=key,
                state="sent" if pushed else "intended",
                sent_at=row.started_at + timedelta(seconds=3) if pushed else None,
                echoed_at=row.started_at + timedelta(seconds=9)
                if pushed and push == "mes_work_order"
                else None,
                columns={
                    "workorder_code": "TW-2511-00012",
                    "workorder_name": "前大灯支架(左)",
                    "quantity": "1200.0000",
                    "status": "CONFIRMED",
                    "client_code": None,
                },
            )
            for push, table, key in (
                ("mes_work_order", "pro_workorder", "TW-2511-00012"),
                ("mes_allocation", "pro_workorder_source", f"TW-2511-00012|{row.subject}"),
                ("mes_job", "mes_job", "TW-2511-00012-10"),
            )
        ],
        version=3,
        can_retry=row.state == "failed",
        can_cancel=row.state in {"running", "waiting", "failed"},
    )


@routes.post("/api/flow-runs/{run_id}/retry")
def retry(run_id: str) -> f.FlowRunPage:
    """Try a run again."""
    need("flows.manage")
    if _state(int(run_id[-12:])) != "failed":
        raise Refused(
            409, "run_not_failed", "只有失败的运行才能重试。", "Only a failed run can be."
        )
    STATE["runs"][int(run_id[-12:])] = "running"
    return run(run_id)


@routes.post("/api/flow-runs/{run_id}/cancel")
def cancel(run_id: str) -> f.FlowRunPage:
    """Cancel a run."""
    need("flows.manage")
    STATE["runs"][int(run_id[-12:])] = "cancelled"
    return run(run_id)


def _notice(n: int) -> f.Notice:
    kinds = (
        (
            "MES 未接收订单行 SO-2511-0033-1 的工单",
            "The MES has not taken the work order of SO-2511-0033-1",
            "三十分钟内没有答复，或被拒绝；订单页上有 MES 的答复。",
            "It refused, or did not answer within half an hour; the order page shows its answer.",
            "/orders/0193-0065",
        ),
        (
            "客户变更 SO-2511-0018-V2 待确认",
            "The customer's change SO-2511-0018-V2 waits for a decision",
            None,
            None,
            "/order-changes",
        ),
        ("今晚 22:00 起停机维护", "Down for maintenance tonight from 22:00", None, None, None),
        (
            "不该打开的链接",
            "A link that is not to be followed",
            None,
            None,
            "//evil.example/steal",
        ),
    )
    zh, en, body_zh, body_en, link = kinds[n % 4]
    read = n >= 3 or f"n-{n}" in STATE["read"] or "all" in STATE["read"]
    return f.Notice(
        id=f"n-{n}",
        at=NOW - timedelta(minutes=7 + n * 50),
        title=Text(zh=zh, en=en),
        body=Text(zh=body_zh, en=body_en or "") if body_zh else None,
        link=link,
        read_at=NOW if read else None,
    )


@routes.get("/api/notices")
def notices(unread: bool = False, page: int = 1, page_size: int = 50) -> f.NoticeList:
    """Notices."""
    need("orders.read")
    every = [_notice(n) for n in range(STATE["notices"])]
    new = [one for one in every if one.read_at is None]
    return f.NoticeList(**paged(new if unread else every, page, page_size), unread=len(new))


@routes.post("/api/notices/read")
def read(body: f.NoticesRead) -> f.NoticesLeft:
    """Mark notices as read."""
    STATE["read"] |= {"all"} if body.ids is None else set(body.ids)
    return f.NoticesLeft(unread=notices(unread=True).total)

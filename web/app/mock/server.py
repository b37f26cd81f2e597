"""A stand-in for the server while the browser app is developed.

Run it with `python -m uvicorn mock.server:app --port 8000`. It answers every route of
docs/reference/api.md from invented data, keeps changes in memory, and can be told to fail:
a search for `500`, `busy` or `slow` does what it says.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from mock import data
from mock.data import NOW, ROWS, SOURCES, STAGES, source, text
from tenon.server import models as m

app = FastAPI(title="Tenon", openapi_url="/api/openapi.json")
STATE: dict[str, Any] = {"user": None, "changed": set()}
CAN = {
    "admin": ["orders.read", "boards.read", "sources.read", "sources.manage", "source_rows.read",
              "masters.read", "masters.manage", "users.manage", "definitions.read"],
    "planner": ["orders.read", "boards.read", "sources.read", "source_rows.read", "masters.read",
                "masters.manage", "definitions.read"],
    "manager": ["orders.read", "boards.read", "sources.read", "source_rows.read", "masters.read"],
    "sales": ["orders.read"],
    "worker": ["orders.read"],
}  # fmt: skip
NAMES = {"admin": "系统管理员", "planner": "计划员", "manager": "生产经理", "sales": "业务员", "worker": "操作工"}


class Refused(Exception):
    """An error answer."""

    def __init__(self, status: int, code: str, zh: str, en: str) -> None:
        super().__init__(code)
        self.status, self.code, self.zh, self.en = status, code, zh, en


@app.exception_handler(Refused)
async def _refused(request: Request, error: Refused) -> JSONResponse:
    body = {"code": error.code, "message": {"zh": error.zh, "en": error.en}, "params": {}, "request_id": "req-7f3a"}
    return JSONResponse({"error": body}, error.status, {"Retry-After": "5"} if error.status == 503 else None)


def need(capability: str) -> None:
    """Refuse when nobody is signed in, or the role lacks the capability."""
    if STATE["user"] is None:
        raise Refused(401, "not_signed_in", "请先登录", "Sign in first")
    if capability not in CAN[STATE["user"]]:
        raise Refused(403, "forbidden", "您的角色不能查看此页", "Your role may not see this")


def paged(rows: list[Any], page: int, size: int = 50) -> dict[str, Any]:
    """The page of rows with its totals."""
    return {"rows": rows[(page - 1) * size : page * size], "total": len(rows), "page": page, "page_size": size}


@app.get("/api/settings")
def settings() -> m.Settings:
    """Public facts."""
    return m.Settings(product="Tenon", version="0.1.0", zone="Asia/Shanghai", now=NOW, demo_pace=60,
                      plant=m.Text(zh="华榫汽车冲压件厂(模拟)", en="Huasun Stamping (simulated)"))


@app.get("/api/health")
def health() -> dict[str, str]:
    """Alive."""
    return {"status": "ok"}


def _session() -> m.Session:
    role = STATE["user"]
    return m.Session(user_id=f"u-{role}", username=role, display_name=NAMES[role], role=role, can=CAN[role],
                     must_change_password=role == "sales" and role not in STATE["changed"], csrf_token="c")


@app.post("/api/session")
def sign_in(body: m.SignIn) -> m.Session:
    """Any password but `wrong` will do."""
    if body.username not in CAN or body.password == "wrong":
        raise Refused(401, "wrong_credentials", "用户名或密码不对", "Wrong name or password")
    STATE["user"] = body.username
    return _session()


@app.get("/api/session")
def session() -> m.Session:
    """Who is signed in."""
    need("orders.read")
    return _session()


@app.delete("/api/session", status_code=204)
def sign_out() -> None:
    """Sign out."""
    STATE["user"] = None


@app.post("/api/session/password")
def password(body: m.PasswordChange) -> m.Session:
    """Change the password."""
    if body.old == "wrong":
        raise Refused(422, "wrong_password", "原密码不对", "The old password is wrong")
    STATE["changed"].add(STATE["user"])
    return _session()


@app.get("/api/orders/search")
async def search(q: str) -> m.SearchAnswer:
    """Search hits."""
    need("orders.read")
    if q == "500":
        raise Refused(500, "bug", "系统出错", "Something broke")
    if q == "busy":
        raise Refused(503, "busy", "系统忙", "Busy")
    if q == "slow":
        await asyncio.sleep(4)
    hits = []
    for r in ROWS:
        for matched, value in (("order", r.order_no), ("customer", r.customer), ("customer_po", r.customer_po or ""),
                               ("item", r.item), ("work_order", f"WO-2511-{int(r.line_id[-4:]) * 3:05d}")):
            if q.lower() in value.lower():
                hits.append(m.SearchHit(line_id=r.line_id, order_no=r.order_no, line_no=r.line_no, matched=matched,  # type: ignore[arg-type]
                                        matched_text=value, customer=r.customer, item=r.item, qty=r.qty,
                                        unit=r.unit, due_at=r.due_at, stage=r.stage, late=r.late))
                break
    return m.SearchAnswer(query=q, hits=hits[:20], more=len(hits) > 20)


@app.get("/api/orders")
def orders(stage: str | None = None, op: str | None = None, late: bool | None = None, confirmed: bool | None = None,
           customer: str | None = None, q: str | None = None, state: str = "open", page: int = 1,
           page_size: int = 50) -> m.OrderList:
    """The order list."""
    need("orders.read")
    rows = [r for r in ROWS
            if (stage is None or r.stage.code == stage) and (late is None or r.late == late)
            and (confirmed is None or r.stage.confirmed == confirmed)
            and (not customer or customer in r.customer)
            and (state == "all" or r.stage.code not in ("shipped", "closed", "cancelled"))]
    return m.OrderList(**paged(rows, page, page_size))


@app.get("/api/orders/{line_id}")
def order(line_id: str) -> m.OrderPage:
    """The order page."""
    need("orders.read")
    for row in ROWS:
        if row.line_id == line_id:
            return data.order_page(row)
    raise Refused(404, "not_found", "没有这个订单行", "No such order line")


@app.get("/api/orders/by-number/{order_no}")
def order_by_number(order_no: str) -> m.OrderPage:
    """The order page of the first line."""
    need("orders.read")
    return data.order_page(next(r for r in ROWS if r.order_no == order_no))


def figure(key: str, zh: str, en: str, value: Any, **more: Any) -> m.CardFigure:
    """A figure of a card."""
    return m.CardFigure(key=key, label=m.Text(zh=zh, en=en), value=None if value is None else Decimal(value),
                        unit=more.pop("unit", None), **more)


@app.get("/api/boards/{code}")
def board(code: str) -> m.Board:
    """The production board."""
    need("boards.read")
    stages = []
    for c in ("engineering", "accepted", "planned", "released", "in_process", "outside", "finished", "stocked"):
        rows = [r for r in ROWS if r.stage.code == c]
        link = f"/orders?stage={c}"
        stages.append(figure(c, *STAGES[c], len(rows), link=link))
        for key, n in (("unconfirmed", sum(not r.stage.confirmed for r in rows)), ("late", sum(r.late for r in rows))):
            stages.append(figure(f"{c}.{key}", *(("未确认", "Unconfirmed") if key == "unconfirmed" else ("逾期", "Late")),
                                 n, tone="warning" if n else "normal",
                                 link=f"{link}&{'confirmed=false' if key == 'unconfirmed' else 'late=true'}"))
    pieces = m.Text(zh="件", en="pcs")
    late = [r for r in ROWS if r.late][:12]
    return m.Board(code=code, title=m.Text(zh="生产看板", en="Production board"), cards=[
        m.Card(code="stages", kind="stages", title=m.Text(zh="在制订单", en="Orders in progress"), figures=stages,
               hint=m.Text(zh="按阶段统计未完成的订单行", en="Open order lines by stage"), as_of=NOW),
        m.Card(code="reports", kind="figures", title=m.Text(zh="昨日报工", en="Yesterday's reports"), as_of=NOW,
               hint=m.Text(zh="11-21 00:00 至 24:00(厂内时间)", en="21 Nov 00:00 to 24:00, plant time"), figures=[
                   figure("reports", "报工笔数", "Reports", 412), figure("good", "合格数", "Good", "38214", unit=pieces),
                   figure("scrap", "报废数", "Scrap", "611", unit=pieces, tone="warning",
                          note=m.Text(zh="报废率 1.6 %", en="Scrap rate 1.6 %")),
                   figure("late_reports", "迟报 2 小时以上", "Over 2 h late", 49, tone="bad"),
                   figure("hours", "工时", "Hours", "318.5", unit=m.Text(zh="小时", en="h")),
                   figure("rework", "返工数", "Rework", None, unit=pieces)]),
        m.Card(code="late", kind="orders", title=m.Text(zh="逾期订单", en="Late orders"), hint=None, as_of=NOW,
               figures=[figure("late", "逾期", "Late", sum(r.late for r in ROWS), link="/orders?late=true")], orders=late),
        m.Card(code="sources", kind="sources", title=m.Text(zh="数据新旧", en="Age of the data"), hint=None, as_of=NOW,
               figures=[figure("mes", *SOURCES["mes"], 4, unit=m.Text(zh="秒前", en="s"), tone="good", link="/sources"),
                        figure("wms", *SOURCES["wms"], 2460, unit=m.Text(zh="秒", en="s"), tone="warning", link="/sources"),
                        figure("crm", *SOURCES["crm"], 7, unit=m.Text(zh="秒", en="s"), tone="good", link="/sources"),
                        figure("kis", *SOURCES["kis"], None, unit=m.Text(zh="秒", en="s"), tone="bad", link="/sources",
                               note=m.Text(zh="数据库文件被锁", en="The file is locked"))]),
    ])  # fmt: skip


def _source(code: str, state: str, age: int | None, zh: str, en: str, streams: list[str]) -> m.SourceState:
    at = NOW - timedelta(seconds=age) if age is not None else None
    return m.SourceState(
        code=code, label=text(SOURCES[code]), kind="http" if code == "crm" else "sql",
        system=m.Text(zh="冲压车间系统", en="Stamping shop system"), address="sqlite:///plant/mes.db (GBK)",
        read_only=True, state=state, message=m.Text(zh=zh, en=en) if zh else None, last_success_at=at,  # type: ignore[arg-type]
        age_seconds=age, set_aside=12 if code == "wms" else 0,
        streams=[m.StreamState(sync=f"{code}_{s}", stream=s, label=m.Text(zh=s, en=s), target="work_order",
                               watermark="2025-11-22 14:41:07" if at else None, last_success_at=at,
                               rows=(i + 3) * 3917, set_aside=12 if code == "wms" and i == 0 else 0)
                 for i, s in enumerate(streams)])  # fmt: skip


@app.get("/api/sources")
def sources() -> list[m.SourceState]:
    """All sources."""
    need("sources.read")
    return [
        _source("crm", "ok", 7, "", "", ["customers", "orders", "order_changes"]),
        _source("mes", "syncing", 4, "", "", ["pro_workorder", "mes_job", "pro_feedback", "dv_state_log"]),
        _source("wms", "stale", 2460, "41 分钟没有成功同步", "No successful sync for 41 minutes", ["wm_move", "wm_item", "wm_lot"]),
        _source("kis", "failing", None, "无法打开数据库文件:被另一个程序独占(Access 错误 3704)。请关闭金蝶客户端后重试。",
                "Cannot open the database file: another program has it open exclusively (Access error 3704). Close the Kingdee client and retry.", ["t_ICItem"]),
    ]  # fmt: skip


@app.post("/api/sources/{code}/check")
def check(code: str) -> m.CheckAnswer:
    """Test a connection."""
    need("sources.manage")
    if code == "kis":
        return m.CheckAnswer(ok=False, message=m.Text(zh="文件被占用", en="The file is locked"), milliseconds=3004)
    return m.CheckAnswer(ok=True, message=m.Text(zh="连接正常,可读 9 张表", en="Connected; 9 tables readable"), milliseconds=38)


def _run(n: int) -> m.RunRow:
    code = list(SOURCES)[n % 4]
    start = NOW - timedelta(seconds=n * 9)
    state = "running" if n == 0 else "failed" if n % 13 == 5 else "succeeded"
    applied, same, aside = (n * 7) % 40, (n * 3) % 11, 2 if n % 6 == 2 else 0
    if n == 120:
        applied, same, aside = 318204, 0, 1204
    return m.RunRow(id=f"run-{n:04d}", source=code, source_label=text(SOURCES[code]), sync=f"{code}_moves",
                    kind="full" if n > 110 else "incremental", state=state, started_at=start,  # type: ignore[arg-type]
                    ended_at=None if n == 0 else start + timedelta(seconds=2 + n % 5), read=applied + same + aside,
                    applied=applied, unchanged=same, set_aside=aside,
                    message=m.Text(zh="连接中断:服务器没有应答", en="Connection lost: no answer") if state == "failed" else None)  # fmt: skip


@app.post("/api/sources/{code}/sync", status_code=202)
def sync(code: str) -> list[m.RunRow]:
    """Start a sync."""
    need("sources.manage")
    return [_run(0)]


@app.get("/api/runs")
def runs(source: str | None = None, state: str | None = None, changed: bool = False, page: int = 1) -> m.RunList:
    """The list of runs."""
    need("sources.read")
    rows = [r for r in map(_run, range(140)) if (not source or r.source == source) and (not state or r.state == state)
            and (not changed or r.applied or r.set_aside)]
    return m.RunList(**paged(rows, page))


@app.get("/api/runs/{id}")
def run(id: str) -> m.RunPage:
    """A run."""
    need("sources.read")
    row = _run(int(id[-4:]))
    batches = [m.RunBatch(at=row.started_at + timedelta(seconds=i), read=row.read // 2, applied=row.applied // 2,
                          unchanged=row.unchanged // 2, set_aside=row.set_aside // 2, watermark="2025-11-22 14:41:07")
               for i in range(2)]
    reasons = [figure("unknown_code", "编码在主数据中不存在", "Code not in master data", 2,
                      link="/set-aside?reason=unknown_code")] if row.set_aside else []
    return m.RunPage(run=row, stream_label=m.Text(zh="出入库流水", en="Stock moves"),
                     watermark_before="2025-11-22 14:40:58", watermark_after="2025-11-22 14:41:07",
                     resumed_from=None, batches=batches if row.read else [], reasons=reasons)  # fmt: skip


@app.get("/api/set-aside")
def set_aside(source: str | None = None, reason: str | None = None, page: int = 1) -> m.SetAsideList:
    """Rows set aside."""
    need("sources.read")
    rows = [m.SetAsideRow(source="wms", source_label=text(SOURCES["wms"]), stream="wm_move", key=f"MV009{n:05d}",
                          reason_code="unknown_code" if n % 3 else "negative_quantity",
                          reason=m.Text(zh="物料编码 W-RAW-00912 在主数据中不存在", en="Item code W-RAW-00912 is not in the master data")
                          if n % 3 else m.Text(zh="数量为负:-12.5000;允许大于 0 的数。请在仓库系统中改正。", en="Quantity is negative: -12.5000; must be above 0. Correct it in the WMS."),
                          task_id="t-1" if n % 3 else None, first_seen_at=NOW - timedelta(hours=n), tries=n % 4 + 1)
            for n in range(1, 64)]
    counts = [figure("unknown_code", "编码未对应", "Unknown code", 42), figure("negative_quantity", "数量为负", "Negative quantity", 21)]
    rows = [r for r in rows if not reason or r.reason_code == reason]
    return m.SetAsideList(**paged(rows, page), reasons=counts)


@app.post("/api/set-aside/retry")
def retry(source: str | None = None) -> m.RetryAnswer:
    """Retry rows set aside."""
    need("sources.manage")
    return m.RetryAnswer(tried=63, applied=11, still_set_aside=52)


@app.get("/api/source-rows/{source}/{stream}/{key}")
def source_row(source: str, stream: str, key: str) -> m.SourceRow:
    """A source row."""
    need("source_rows.read")
    return m.SourceRow(source=source, label=text(SOURCES[source]), stream=stream, key=key, state="set_aside" if key.startswith("MV009") else "applied",
                       columns=[("job_no", key), ("workorder_code", "WO-2511-00051 "), ("process_name", "拉深"), ("machinery_code", None),
                                ("qty_ok", "1197.0000"), ("remark", ""), ("operator_name", "王建�")],
                       raw_bytes={"operator_name": "cdf5bda8b9"}, reason=None if not key.startswith("MV009") else m.Text(zh="编码不存在", en="Unknown code"),
                       first_seen_at=NOW - timedelta(days=2), seen_at=NOW - timedelta(minutes=3), run_id="run-0007", entity="work_order", record_id="0193-9")  # fmt: skip


TASKS = [m.UnknownCodeTask(id=f"t-{n}", entity="customer" if n % 2 else "item", source="mes", source_label=text(SOURCES["mes"]),
                           code=f"C-{n:03d}", name="恒立汽配" if n % 2 else None, seen=[("client_name", "恒立汽配 "), ("phone", None)],
                           waiting_rows=n * 3, state="open", created_at=NOW - timedelta(hours=n), done_at=None, done_by=None, outcome=None)
         for n in range(1, 9)]  # fmt: skip


@app.get("/api/tasks")
def tasks(state: str = "open", entity: str | None = None, page: int = 1) -> m.TaskList:
    """Unknown codes."""
    need("masters.read")
    return m.TaskList(**paged([t for t in TASKS if t.state == state and (not entity or t.entity == entity)], page))


@app.post("/api/tasks/{id}/resolve")
def resolve(id: str, body: m.TaskResolution) -> m.UnknownCodeTask:
    """Settle a task."""
    need("masters.manage")
    index = next(i for i, t in enumerate(TASKS) if t.id == id)
    if TASKS[index].state != "open":
        raise Refused(409, "already_settled", "这个任务已经有人处理", "Somebody has settled this task")
    done = {"state": "ignored" if body.action == "ignore" else "done", "done_at": NOW, "done_by": "系统管理员",
            "outcome": m.Text(zh="已对应到 01.0023", en="Linked to 01.0023")}
    TASKS[index] = TASKS[index].model_copy(update=done)
    return TASKS[index]


def _master(entity: Any, n: int) -> m.MasterRow:
    return m.MasterRow(id=f"m-{n}", entity=entity, code=f"01.{n:04d}", name=data.CUSTOMERS[n % 10],
                       detail="税号 91320505MA1X0000" + str(n) if n % 3 else None, systems=["crm", "kis", "mes"][: n % 3 + 1])  # fmt: skip


@app.get("/api/masters/{entity}")
def masters(entity: m.MasterCode, q: str | None = None, page: int = 1) -> m.MasterList:
    """Golden records."""
    need("masters.read")
    rows = [_master(entity, n) for n in range(1, 130)]
    return m.MasterList(**paged([r for r in rows if not q or q in r.name or q in r.code], page))


@app.get("/api/masters/{entity}/{id}")
def master(entity: m.MasterCode, id: str) -> m.MasterPage:
    """A golden record."""
    need("masters.read")
    codes = [m.Code(source=s, source_label=text(SOURCES[s]), code=c, name=n, how=h, matched_on=on, confirmed_by=by,  # type: ignore[arg-type]
                    valid_from=NOW - timedelta(days=90), sources=[source(s, "customers", c)])
             for s, c, n, h, on, by in (("crm", "ACC-000123", "苏州恒立汽车零部件有限公司", "founding", None, None),
                                        ("kis", "01.0023", "苏州恒立汽车零部件有限公司", "exact", "91320505MA1X00001", None),
                                        ("mes", "C-017", "恒立汽配", "confirmed", None, "计划员"))]  # fmt: skip
    fields = [m.Fact(label=m.Text(zh="税号", en="Tax id"), value="91320505MA1X00001", sources=[source("kis", "t_Organization", "23")]),
              m.Fact(label=m.Text(zh="区域", en="Region"), value=None, sources=[])]  # fmt: skip
    return m.MasterPage(record=_master(entity, int(id[2:])), fields=fields, codes=codes)


USERS = [m.User(id=f"u-{r}", username=r, display_name=NAMES[r], role=r, active=r != "worker", must_change_password=r == "sales",
                created_at=NOW - timedelta(days=30), last_seen_at=NOW - timedelta(minutes=9) if r != "sales" else None) for r in CAN]  # fmt: skip


@app.get("/api/users")
def users() -> list[m.User]:
    """Accounts."""
    need("users.manage")
    return USERS


@app.post("/api/users")
def add_user(body: m.NewUser) -> m.UserCreated:
    """Add an account."""
    need("users.manage")
    if any(u.username == body.username for u in USERS):
        raise Refused(409, "username_taken", f"用户名 {body.username} 已被使用", f"The name {body.username} is taken")
    user = m.User(id=f"u-{body.username}", **body.model_dump(), active=True, must_change_password=True, created_at=NOW, last_seen_at=None)
    USERS.append(user)
    return m.UserCreated(user=user, password="quiet-brass-lathe-41")


@app.patch("/api/users/{id}")
def change_user(id: str, body: m.UserChange) -> m.UserCreated:
    """Change an account."""
    need("users.manage")
    index = next(i for i, u in enumerate(USERS) if u.id == id)
    change = {k: v for k, v in body.model_dump(exclude={"reset_password"}).items() if v is not None}
    USERS[index] = USERS[index].model_copy(update=change)
    return m.UserCreated(user=USERS[index], password="calm-press-coil-77" if body.reset_password else None)


@app.get("/api/definitions")
def definitions() -> list[m.DefinitionRow]:
    """Published definitions."""
    need("definitions.read")
    kinds = (("entity", "work_order", "工单", "Work order"), ("source", "mes", "车间执行 MES", "MES"), ("sync", "mes_jobs", "工序任务", "Jobs"),
             ("board", "production", "生产看板", "Production board"), ("role", "planner", "计划员", "Planner"))  # fmt: skip
    return [m.DefinitionRow(kind=k, code=c, label=m.Text(zh=z, en=e), version=n + 1, package="factory",
                            published_at=datetime.fromisoformat("2025-11-20T01:00:00+00:00"), published_by="system")
            for n, (k, c, z, e) in enumerate(kinds)]  # fmt: skip


@app.get("/{path:path}", include_in_schema=False)
def page(path: str) -> Response:
    """The built app, with history fallback."""
    from pathlib import Path

    from fastapi.responses import FileResponse

    root = Path(__file__).parents[3] / "src/tenon/server/static"
    target = root / path
    return FileResponse(target if path and target.is_file() else root / "index.html")

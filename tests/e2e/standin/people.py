"""Golden records, unknown codes, accounts and definitions of the stand-in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter

from tenon.server import models as m
from tenon.server.shapes import Text
from tests.e2e.standin import data
from tests.e2e.standin.data import NOW, SOURCES, source, text
from tests.e2e.standin.rules import CAN, NAMES, Refused, need, paged

routes = APIRouter()


TASKS = [
    m.UnknownCodeTask(
        id=f"t-{n}",
        entity="customer" if n % 2 else "item",
        source="mes",
        source_label=text(SOURCES["mes"]),
        code=f"C-{n:03d}",
        name="恒立汽配" if n % 2 else None,
        seen=[("client_name", "恒立汽配 "), ("phone", None)],
        waiting_rows=n * 3,
        state="open",
        created_at=NOW - timedelta(hours=n),
        done_at=None,
        done_by=None,
        outcome=None,
    )
    for n in range(1, 9)
]


@routes.get("/api/tasks")
def tasks(state: str = "open", entity: str | None = None, page: int = 1) -> m.TaskList:
    """Unknown codes."""
    need("masters.read")
    return m.TaskList(
        **paged([t for t in TASKS if t.state == state and (not entity or t.entity == entity)], page)
    )


@routes.post("/api/tasks/{task_id}/resolve")
def resolve(task_id: str, body: m.TaskResolution) -> m.UnknownCodeTask:
    """Settle a task."""
    need("masters.manage")
    index = next(i for i, t in enumerate(TASKS) if t.id == task_id)
    if TASKS[index].state != "open":
        raise Refused(
            409, "already_settled", "这个任务已经有人处理", "Somebody has settled this task"
        )
    done = {
        "state": "ignored" if body.action == "ignore" else "done",
        "done_at": NOW,
        "done_by": "系统管理员",
        "outcome": Text(zh="已对应到 01.0023", en="Linked to 01.0023"),
    }
    TASKS[index] = TASKS[index].model_copy(update=done)
    return TASKS[index]


def _master(entity: Any, n: int) -> m.MasterRow:
    return m.MasterRow(
        id=f"m-{n}",
        entity=entity,
        code=f"01.{n:04d}",
        name=data.CUSTOMERS[n % 10],
        detail="税号 91320505MA1X0000" + str(n) if n % 3 else None,
        systems=["crm", "kis", "mes"][: n % 3 + 1],
    )


@routes.get("/api/masters/{entity}")
def masters(entity: m.MasterCode, q: str | None = None, page: int = 1) -> m.MasterList:
    """Golden records."""
    need("masters.read")
    rows = [_master(entity, n) for n in range(1, 130)]
    return m.MasterList(**paged([r for r in rows if not q or q in r.name or q in r.code], page))


@routes.get("/api/masters/{entity}/{record_id}")
def master(entity: m.MasterCode, record_id: str) -> m.MasterPage:
    """A golden record."""
    need("masters.read")
    codes = [
        m.Code(
            source=s,
            source_label=text(SOURCES[s]),
            code=c,
            name=n,
            how=h,
            matched_on=on,
            confirmed_by=by,
            valid_from=NOW - timedelta(days=90),
            sources=[source(s, "customers", c)],
        )
        for s, c, n, h, on, by in (
            ("crm", "ACC-000123", "苏州恒立汽车零部件有限公司", "founding", None, None),
            ("kis", "01.0023", "苏州恒立汽车零部件有限公司", "exact", "91320505MA1X00001", None),
            ("mes", "C-017", "恒立汽配", "confirmed", None, "计划员"),
        )
    ]
    fields = [
        m.Fact(
            label=Text(zh="税号", en="Tax id"),
            value="91320505MA1X00001",
            sources=[source("kis", "t_Organization", "23")],
        ),
        m.Fact(label=Text(zh="区域", en="Region"), value=None, sources=[]),
    ]
    return m.MasterPage(record=_master(entity, int(record_id[2:])), fields=fields, codes=codes)


USERS = [
    m.User(
        id=f"u-{r}",
        username=r,
        display_name=NAMES[r],
        role=r,
        active=r != "worker",
        must_change_password=r == "sales",
        created_at=NOW - timedelta(days=30),
        last_seen_at=NOW - timedelta(minutes=9) if r != "sales" else None,
    )
    for r in CAN
]


@routes.get("/api/users")
def users() -> list[m.User]:
    """Accounts."""
    need("users.manage")
    return USERS


@routes.post("/api/users")
def add_user(body: m.NewUser) -> m.UserCreated:
    """Add an account."""
    need("users.manage")
    if any(u.username == body.username for u in USERS):
        raise Refused(
            409,
            "username_taken",
            f"用户名 {body.username} 已被使用",
            f"The name {body.username} is taken",
        )
    user = m.User(
        id=f"u-{body.username}",
        **body.model_dump(),
        active=True,
        must_change_password=True,
        created_at=NOW,
        last_seen_at=None,
    )
    USERS.append(user)
    return m.UserCreated(user=user, password="quiet-brass-lathe-41")


@routes.patch("/api/users/{user_id}")
def change_user(user_id: str, body: m.UserChange) -> m.UserCreated:
    """Change an account."""
    need("users.manage")
    index = next(i for i, u in enumerate(USERS) if u.id == user_id)
    change = {k: v for k, v in body.model_dump(exclude={"reset_password"}).items() if v is not None}
    USERS[index] = USERS[index].model_copy(update=change)
    return m.UserCreated(
        user=USERS[index], password="calm-press-coil-77" if body.reset_password else None
    )


@routes.get("/api/definitions")
def definitions() -> list[m.DefinitionRow]:
    """Published definitions."""
    need("definitions.read")
    kinds = (
        ("entity", "work_order", "工单", "Work order"),
        ("source", "mes", "车间执行 MES", "MES"),
        ("sync", "mes_jobs", "工序任务", "Jobs"),
        ("board", "production", "生产看板", "Production board"),
        ("role", "planner", "计划员", "Planner"),
    )
    return [
        m.DefinitionRow(
            kind=k,
            code=c,
            label=Text(zh=z, en=e),
            version=n + 1,
            package="factory",
            published_at=datetime.fromisoformat("2025-11-20T01:00:00+00:00"),
            published_by="system",
        )
        for n, (k, c, z, e) in enumerate(kinds)
    ]

"""Who is signed in to the stand-in, what they may do, and what answers have in common."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tenon.server import models as m
from tenon.server.shapes import Text

STATE: dict[str, Any] = {}


def forget() -> None:
    """Begin again: nobody is signed in and nothing was changed."""
    STATE.update(
        user=None, bare=False, changed=set(), mute=False, flows={"new_order_line"}, runs={},
        read=set(), notices=9, decided={}, taken=set(), raced=set(), renewed=0, stages={},
        public="https://tenon.huasun.example",
    )  # fmt: skip


forget()
CAN = {
    "admin": [
        "orders.read",
        "orders.manage",
        "travelers.print",
        "flows.read",
        "flows.manage",
        "boards.read",
        "sources.read",
        "sources.manage",
        "source_rows.read",
        "masters.read",
        "masters.manage",
        "users.manage",
        "definitions.read",
    ],
    "planner": [
        "orders.read",
        "orders.manage",
        "travelers.print",
        "flows.read",
        "boards.read",
        "sources.read",
        "source_rows.read",
        "masters.read",
        "masters.manage",
        "definitions.read",
    ],
    "manager": [
        "orders.read",
        "travelers.print",
        "flows.read",
        "boards.read",
        "sources.read",
        "source_rows.read",
        "masters.read",
    ],
    "sales": ["orders.read"],
    "worker": ["orders.read"],
}
NAMES = {
    "admin": "系统管理员",
    "planner": "计划员",
    "manager": "生产经理",
    "sales": "业务员",
    "worker": "操作工",
}


class Refused(Exception):
    """An error answer."""

    def __init__(self, status: int, code: str, zh: str, en: str) -> None:
        super().__init__(code)
        self.status, self.code, self.zh, self.en = status, code, zh, en


def need(capability: str) -> None:
    """Refuse when nobody is signed in, or the role lacks the capability."""
    if STATE["user"] is None:
        raise Refused(401, "not_signed_in", "请先登录", "Sign in first")
    if capability not in CAN[STATE["user"]]:
        raise Refused(403, "forbidden", "您的角色不能查看此页", "Your role may not see this")


def paged(rows: list[Any], page: int, size: int = 50) -> dict[str, Any]:
    """The page of rows with its totals."""
    return {
        "rows": rows[(page - 1) * size : page * size],
        "total": len(rows),
        "page": page,
        "page_size": size,
    }


def figure(key: str, zh: str, en: str, value: Any, **more: Any) -> m.CardFigure:
    """A figure of a card."""
    return m.CardFigure(
        key=key,
        label=Text(zh=zh, en=en),
        value=None if value is None else Decimal(value),
        unit=more.pop("unit", None),
        **more,
    )

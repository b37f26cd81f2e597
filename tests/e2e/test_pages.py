"""Every page, on both screens and in both languages: it fits, works for everyone, complains not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import DESKTOP, Reader
from tests.e2e.shop import PHONE

AXE = Path(__file__).parents[2] / "web/app/node_modules/axe-core/axe.min.js"
PAGES = {
    "login": ("/login", None),
    "first password": ("/orders", "sales"),
    "orders": ("/orders", "admin"),
    "search": ("/orders?q=SO-2511-003", "admin"),
    "nothing found": ("/orders?q=nowhere", "admin"),
    "order in process, unconfirmed": ("/orders/0193-0068", "admin"),
    "order without work order": ("/orders/0193-0001", "admin"),
    "order unknown": ("/orders/0193-9999", "admin"),
    "source rows": ("/orders/0193-0068?row=mes/mes_job/WO-1-20&row=wms/wm_move/MV0091", "admin"),
    "board": ("/board", "admin"),
    "sources": ("/sources", "admin"),
    "connect": ("/sources/connect", "admin"),
    "connect, settings": ("/sources/connect?way=mysql", "admin"),
    "connect, not an administrator": ("/sources/connect", "planner"),
    "connection": ("/sources/wms/connection", "admin"),
    "tables": ("/sources/wms/tables?new=1", "admin"),
    "tables of a ledger": ("/sources/kis/tables?q=wm", "manager"),
    "tables that cannot be seen": ("/sources/kis/tables", "admin"),
    "table": ("/sources/wms/tables?table=wm_item", "admin"),
    "mapping": ("/sources/wms/map?table=wm_item&then=wm_balance", "admin"),
    "mapping, something missing": ("/sources/wms/map?table=wm_balance", "admin"),
    "mapping of no table": ("/sources/wms/map", "admin"),
    "mapping that is published": ("/syncs/wms_items", "admin"),
    "mapping of a package": ("/syncs/crm_customer", "manager"),
    "what is read": ("/sources/wms/access", "admin"),
    "runs": ("/runs", "admin"),
    "run": ("/runs/run-0120", "admin"),
    "order planned by Tenon": ("/orders/0193-0037", "admin"),
    "order that awaits engineering": ("/orders/0193-0004", "planner"),
    "order changes": ("/order-changes", "planner"),
    "order change": ("/order-changes?change=0198-0000", "planner"),
    "order changes all": ("/order-changes?decision=all", "manager"),
    "engineering": ("/engineering", "planner"),
    "engineering, routing": ("/engineering?work_order=0195-0001", "planner"),
    "engineering, nothing near": ("/engineering?work_order=0195-0020", "planner"),
    "reports to check": ("/reviews", "planner"),
    "report to check": ("/reviews?report=0199-0001", "planner"),
    "reports that were checked": ("/reviews?state=recorded&report=0199-0006", "planner"),
    "webhooks": ("/webhooks", "admin"),
    "webhook": ("/webhooks?event=0197a0b0-0000-7000-8000-000000000002", "admin"),
    "webhook that is gone": ("/webhooks?event=nothing", "manager"),
    "webhooks that failed": ("/webhooks?state=failed", "manager"),
    "traveler": ("/work-orders/0195-0037/traveler", "planner"),
    "flows": ("/flows", "admin"),
    "flow runs": ("/flows/runs", "admin"),
    "flow run that failed": ("/flows/runs/0197a0b0-0000-7000-8000-000000000003", "admin"),
    "flow run that waits": ("/flows/runs/0197a0b0-0000-7000-8000-000000000001", "manager"),
    "where a record comes from": ("/lineage/records/order_line/0193-0068", "admin"),
    "a record made in Tenon": ("/lineage/records/order_line/none", "planner"),
    "what a source row became": ("/lineage/rows/crm/order_lines/SO-2511-0068%7C10", "manager"),
    "a source row set aside": ("/lineage/rows/wms/wm_move/MV00912345", "admin"),
    "set aside": ("/set-aside", "admin"),
    "masters": ("/masters/customer", "admin"),
    "master": ("/masters/customer/m-2", "admin"),
    "tasks": ("/tasks", "admin"),
    "task": ("/tasks?task=t-3", "admin"),
    "users": ("/users", "admin"),
    "definitions": ("/definitions", "admin"),
    "forbidden": ("/board", "worker"),
    "not found": ("/nowhere", "admin"),
}
# What the browser itself says of an answer that is no success.
EXPECTED = {
    "order unknown": "404",
    "webhook that is gone": "404",
    "tables that cannot be seen": "503",
}
Look = Callable[..., Reader]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_page_fits_and_is_for_everyone(
    look: Look, name: str, screen: tuple[int, int], language: str
) -> None:
    path, role = PAGES[name]
    reader = look(role, screen, language)
    reader.open(path)
    page = reader.page
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    expected = EXPECTED.get(name)
    assert page.locator("h1").count() == (0 if name == "order unknown" else 1)
    assert [text for text in reader.complaints if expected is None or expected not in text] == []
    assert _barriers(reader) == []


def _barriers(reader: Reader) -> list[str]:
    """What axe finds that keeps people with bad eyes, or without a mouse, out."""
    # The page's policy lets no foreign script in; what a debugger evaluates is not bound by it.
    reader.page.evaluate(AXE.read_text("utf-8"))
    found = reader.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
    ]

"""A served home with a released work order, its traveler, and phones that report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from tenon.kernel import clock
from tenon.kernel.ids import uuid7
from tenon.records.ports import SYSTEM
from tenon.records.write import RowKey
from tests.serving import Serving, serving

PHONE = "phone-0001"


@dataclass
class ReportWorld:
    """A work order with two operations."""

    served: Serving
    order: str
    operations: list[str]
    tokens: list[str]

    def write(self, entity: str, **values: Any) -> str:
        tenon = self.served.tenon
        with tenon.hub.write() as tx:
            id_ = values.pop("id", None)
            (row,) = tenon.writer.write(tx, SYSTEM, entity, [(RowKey(id=id_), values)])
        return row.id

    def rows(self, entity: str, **values: Any) -> list[Any]:
        table = self.served.tenon.reader(SYSTEM).table(entity)
        with self.served.tenon.hub.read() as connection:
            return list(connection.execute(sa.select(table).filter_by(**values)))

    def total(self, kind: str = "good") -> Decimal:
        """What was reported, all rows added up."""
        return sum((r.qty for r in self.rows("op_quantity", quantity=kind)), Decimal(0))

    def traveler(self, **body: Any) -> dict[str, Any]:
        client = self.served.signed_in("planner")
        answer = client.post(f"/api/work-orders/{self.order}/traveler", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def post(self, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        return self.served.client(**headers).post(f"/api/report{path}", json=body)

    def send(self, body: dict[str, Any]) -> httpx.Response:
        return self.post("", body)


def body(world: ReportWorld, qty: str = "10", **more: Any) -> dict[str, Any]:
    """A finished quantity, reported now."""
    now = datetime.now(UTC)
    at = more.pop("at", now).isoformat()
    return {
        "token": world.tokens[0], "device": PHONE, "sent_at": now.isoformat(),
        "report_id": uuid7(), "employee_no": "E0001", "machine_id": None,
        "events": [{"id": uuid7(), "kind": "finish", "at": at}],
        "quantities": [{"id": uuid7(), "kind": "good", "qty": qty, "at": at}],
    } | more  # fmt: skip


@contextmanager
def report_world(folder: Path, hub_url: str | None = None, **more: Any) -> Iterator[ReportWorld]:
    """A served home with one released work order of two operations."""
    url = hub_url if hub_url and hub_url.startswith("postgresql") else None
    with serving(folder / "home", url, **more) as served:
        served.tenon.connect.connections.secrets.init()
        world = ReportWorld(served, "", [], [])
        item = world.write("item", code="P001", name="支架", drawing_no="DW-1", unit="件")
        world.write("employee", code="E0001", name="操作工甲")
        world.write("machine", code="P160-1", name="冲床 1", work_centre="P160")
        world.order = world.write(
            "work_order", work_order_no="TW-2611-00001", item=item, qty="100", status="released",
            released_at=clock.now(), due_at=clock.now() + timedelta(days=7),
        )  # fmt: skip
        world.operations = [
            world.write(
                "operation", job_no=f"TW-2611-00001-{seq}", work_order=world.order, seq=seq,
                name=name, work_centre="P160", outside=False, qty_plan="100", state="wait",
                setup_min="30", run_min="60",
            )
            for seq, name in ((10, "冲压"), (20, "包装"))
        ]  # fmt: skip
        answer = world.traveler()
        world.tokens = [op["url"].split("#")[1].split("&")[0] for op in answer["operations"]]
        yield world

"""F2: kill -9 at every point of a write-back; the other system sees one effect."""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from plant.legacy import mes
from tenon.assembly import open_tenon
from tenon.automate import switch
from tenon.automate.tables import flow_run
from tenon.connect.runner import Runner
from tenon.connect.tables import push_row
from tenon.define.models import Flow
from tenon.kernel import faults
from tenon.records.ports import SYSTEM
from tests.faults.rig import Rig, rig
from tests.faults.small_plant import ROUTE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")

ORDERS = 3
ARRIVAL = ("crm_item", "crm_order", "crm_order_line")
READ_BACK = ("mes_work_order", "mes_allocation", "mes_operation")


def sync(one: Rig, *codes: str) -> None:
    with open_tenon(one.home) as tenon:
        for code in codes:
            outcome = Runner(tenon.connect).sync(code)
            assert outcome.error is None, (code, outcome.error)


def arrive(one: Rig) -> None:
    """Orders come in while nobody works; of the flows only the one that pushes is on."""
    with open_tenon(one.home) as tenon, tenon.hub.write() as tx:
        for flow in tenon.catalogue.of(Flow):
            switch.set_enabled(tx, flow.code, flow.code == "new_order_line", "test")
    for number in range(1, ORDERS + 1):
        one.plant.order(number)
    sync(one, *ARRIVAL)


def in_mes(one: Rig, table: sa.Table) -> list[Any]:
    engine = one.plant.mes()
    with engine.connect() as connection:
        found = list(connection.execute(sa.select(table)))
    engine.dispose()
    return found


def states(one: Rig) -> Counter[str]:
    """The runs' states, read beside a server that is alive."""
    url = one.hub_url
    if url.startswith("sqlite"):
        url = f"{url}?mode=ro&uri=true".replace("sqlite:///", "sqlite:///file:")
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = Counter(connection.scalars(sa.select(flow_run.c.state)))
    engine.dispose()
    return found


def killed_at(one: Rig, point: str) -> None:
    """A server that dies there, once, with the work half done."""
    pid = one.zygote.start("server", f"{point}:kill:1", sync=False, lease=1.0)
    assert one.zygote.died(pid, 30) == -signal.SIGKILL, (one.home / "server.log").read_text("utf-8")


def worked_off(one: Rig) -> None:
    """Another that works off what is left."""
    pid = one.zygote.start("server", sync=False, lease=1.0)
    until = time.monotonic() + 60
    while states(one) != {"waiting": ORDERS}:
        assert time.monotonic() < until, states(one)
        assert one.zygote.died(pid, 0.1) is None, (one.home / "server.log").read_text("utf-8")
    one.zygote.kill(pid)


def check(one: Rig) -> None:
    """Each order is there once, in both systems, and read back as itself."""
    orders, jobs = in_mes(one, mes.WORKORDER), in_mes(one, mes.JOB)
    assert Counter(o.workorder_code for o in orders) == Counter(
        {o.workorder_code: 1 for o in orders}
    )
    assert len(orders) == len(in_mes(one, mes.WORKORDER_SOURCE)) == ORDERS
    assert len(jobs) == ORDERS * len(ROUTE)
    sync(one, *READ_BACK)
    with open_tenon(one.home) as tenon, tenon.hub.read() as connection:
        found = Counter(connection.scalars(sa.select(push_row.c.state)))
        assert set(found) <= {"sent", "same"}
        assert sum(found.values()) == 2 * ORDERS + len(jobs)
        assert connection.scalar(
            sa.select(sa.func.count()).where(push_row.c.echoed_at.is_(None))
        ) == 0  # fmt: skip
        reader = tenon.reader(SYSTEM)
        for entity, count in (("work_order", ORDERS), ("operation", len(jobs))):
            rows = reader.select(connection, entity, limit=1000)
            assert [r["source"] for r in rows] == ["mes"] * count


# The two between the call and its note on every run, the others with the deep tests.
BETWEEN = {"push.call.after", "push.record.before"}
AT = [
    pytest.param(point, marks=() if point in BETWEEN else pytest.mark.deep)
    for point in faults.PUSH_POINTS
]


@pytest.mark.parametrize("point", AT)
def test_killed_at_a_point_of_a_push(point: str, tmp_path: Path) -> None:
    with rig(tmp_path, "sqlite", answers=False) as one:
        arrive(one)
        killed_at(one, point)
        worked_off(one)
        check(one)


def test_the_other_system_went_on_before_we_came_back(tmp_path: Path) -> None:
    """The call was made and never noted; by the next try the MES has begun the work."""
    with rig(tmp_path, "sqlite", answers=False) as one:
        arrive(one)
        killed_at(one, "push.call.after")
        engine = one.plant.mes()
        with engine.begin() as tx:
            tx.execute(mes.WORKORDER.update().values(status="STARTED", quantity_produced=3))
            tx.execute(mes.JOB.update().values(state="RUN", qty_ok=3, machinery_code="P160-1"))
        engine.dispose()
        worked_off(one)
        assert {o.status for o in in_mes(one, mes.WORKORDER)} == {"STARTED"}
        assert {(j.state, j.qty_ok) for j in in_mes(one, mes.JOB)} == {("RUN", 3)}
        sync(one, *READ_BACK)
        with open_tenon(one.home) as tenon, tenon.hub.read() as connection:
            rows = tenon.reader(SYSTEM).select(connection, "work_order", limit=10)
            assert [r["status"] for r in rows] == ["started"] * ORDERS


@pytest.mark.deep
@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", faults.PUSH_POINTS)
def test_killed_with_hub_and_mes_on_postgresql(
    point: str, tmp_path: Path, pg_url: str, other_pg_url: str
) -> None:
    with rig(tmp_path, pg_url, other_pg_url, answers=False) as one:
        arrive(one)
        killed_at(one, point)
        worked_off(one)
        check(one)

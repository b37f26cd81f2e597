"""A small plant made by hand: a MES that can be written to and answers, and a CRM with orders."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from plant.legacy import crm, mes
from plant.service.crm_data import CrmData
from plant.service.crm_http import CrmServer
from tenon.connect.settings import Connections

ZONE: Final = ZoneInfo("Asia/Shanghai")
ITEMS: Final = 12
ROUTE: Final = (
    (10, "CY", "冲压", "P160", 30.0, 0.12),
    (20, "QMC", "去毛刺", "QMC", 5.0, 0.05),
    (30, "BZ", "包装", "PACK", 5.0, 0.02),
)
HOOK_SECRET: Final = "a secret of forty characters for webhooks"
TOKEN: Final = "a token of the small CRM"


@dataclass
class SmallPlant:
    """A MES in a database, a CRM over HTTP, and what was ordered."""

    folder: Path
    mes_url: str
    crm_port: int = 0
    encoding: str = "utf-8"  # gb18030: the MES is a file with GBK bytes in its texts
    answers: bool = True  # whether the MES takes over by itself what is pushed
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    turn: threading.Lock = field(default_factory=threading.Lock)  # held while the MES answers
    _stop: threading.Event = field(default_factory=threading.Event)

    def make(self) -> None:
        """Make both systems with machines, products, routings, a customer; no orders."""
        self.folder.mkdir(parents=True, exist_ok=True)
        at = datetime.now(ZONE).replace(tzinfo=None, microsecond=0) - timedelta(days=1)
        engine = self.mes()
        mes.METADATA.create_all(engine)
        with engine.begin() as tx:
            for code in sorted({step[3] for step in ROUTE}):
                tx.execute(mes.WORKCENTER.insert().values(
                    workcenter_code=code, workcenter_name=code, workshop_code="WS1",
                    calendar_code="TWO", hours_per_day=19.5,
                ))  # fmt: skip
                tx.execute(mes.MACHINERY.insert().values(
                    machinery_code=f"{code}-1", machinery_name=f"{code} 一号", workcenter_code=code,
                    tonnage=160, asset_no=f"A-{code}", has_plc=int(code == "P160"),
                    status="NORMAL", update_time=at,
                ))  # fmt: skip
            tx.execute(mes.OPERATOR.insert().values(
                operator_no="E0001", operator_name="操作工甲", team="A", update_time=at
            ))  # fmt: skip
            tx.execute(mes.CLIENT.insert().values(
                client_code="K1", client_name="北仑", update_time=at
            ))  # fmt: skip
            for n in range(1, ITEMS + 1):
                tx.execute(mes.PRODUCT.insert().values(
                    product_code=f"P{n:03}", product_name=f"支架 {n}", drawing_no=f"DW-{n:03}",
                    drawing_rev="A", unit="件", is_standard=1, update_time=at,
                ))  # fmt: skip
                for seq, code, name, centre, setup, run in ROUTE:
                    tx.execute(mes.ROUTE.insert().values(
                        product_code=f"P{n:03}", route_version=1, seq=seq, process_code=code,
                        process_name=name, workcenter_code=centre, setup_min=setup,
                        run_min_per_piece=run, is_outside=0,
                    ))  # fmt: skip
        engine.dispose()
        if self.encoding != "utf-8":
            self._recode()
        with self._crm().begin() as tx:
            crm.METADATA.create_all(tx)
            tx.execute(crm.CUSTOMER.insert().values(
                id="CUS-1", name="宁波北仑汽配有限公司", short_name="北仑", tax_id="91330200X",
                region="宁波", level="A", owner="销售", updated_at=_iso(datetime.now(UTC)),
            ))  # fmt: skip

    def connect(self, home: Path) -> None:
        """Write the connections of a Tenon home that is joined to it."""
        connections = Connections(home)
        connections.secrets.init()
        connections.secrets.set("crm", TOKEN)
        connections.secrets.set("crm-hook", HOOK_SECRET)
        writes = {
            "pro_workorder": ["insert", "update"],
            "pro_workorder_source": ["insert"],
            "mes_job": ["insert", "update"],
        }
        connections.save({
            "mes": {"url": self.mes_url, "encoding": self.encoding, "writes": writes},
            "crm": {
                "url": f"http://127.0.0.1:{self.crm_port}", "token": "secret:crm",
                "hook_secret": "secret:crm-hook",
            },
        })  # fmt: skip

    @contextmanager
    def living(self) -> Iterator[None]:
        """Serve the CRM and let the MES answer for the block."""
        server = CrmServer(self.crm_port, CrmData(self.folder / "crm.db"), TOKEN)
        self.crm_port = server.server_address[1]
        threads = [
            threading.Thread(target=server.serve_forever, daemon=True),
            threading.Thread(target=self._answer, daemon=True),
        ]
        for thread in threads if self.answers else threads[:1]:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            server.shutdown()
            server.server_close()
            if self.answers:
                threads[1].join(10)

    def order(self, number: int, *, lines: int = 1) -> dict[str, Any]:
        """Enter an order into the CRM; it as the CRM's API gives it."""
        no, now = f"SO-2611-{number:04}", datetime.now(UTC)
        due = _iso(now + timedelta(days=7))
        rows = [
            {
                "order_id": no, "line": line, "item_no": f"C{line}",
                "item_name": f"支架 {(number + line) % ITEMS + 1}",
                "drawing_no": f"DW-{(number + line) % ITEMS + 1:03}", "drawing_rev": "A",
                "standard": 1, "qty": 100 + number % 50, "unit": "件", "price": 1.25,
                "requested_date": due, "promised_at": due, "status": "open",
            }
            for line in range(1, lines + 1)
        ]  # fmt: skip
        head = {
            "id": no, "customer_id": "CUS-1", "customer_po": f"PO{number}",
            "ordered_at": _iso(now), "requested_date": due, "promised_at": due, "currency": "CNY",
            "amount": 100, "status": "open", "rush": 0, "revision": 0, "remark": "",
            "updated_at": _iso(now),
        }  # fmt: skip
        with self._crm().begin() as tx:
            tx.execute(crm.ORDER.insert().values(head))
            tx.execute(crm.ORDER_LINE.insert(), rows)
        order = CrmData(self.folder / "crm.db").order(no)
        assert order is not None
        self.orders[no] = order
        return order

    def told(self, order: dict[str, Any], *, fat: bool) -> dict[str, Any]:
        """The body of the webhook that tells of an order."""
        body = {
            "id": f"evt-{order['id']}-{order['revision']}", "type": "order.created",
            "order_id": order["id"], "revision": order["revision"], "at": order["updated_at"],
        }  # fmt: skip
        return body | {"order": order} if fat else body

    def mes(self) -> sa.Engine:
        """The MES's database."""
        wait = {"timeout": 30} if self.mes_url.startswith("sqlite") else {}
        engine = sa.create_engine(self.mes_url, poolclass=NullPool, connect_args=wait)
        if self.encoding != "utf-8":
            sa.event.listen(engine, "connect", self._decode)
        return engine

    def _decode(self, dbapi: Any, _record: Any) -> None:
        dbapi.text_factory = lambda raw: raw.decode(self.encoding)

    def _recode(self) -> None:
        """Put the texts of the MES's file into its encoding, as TEXT."""
        with sqlite3.connect(self.mes_url.removeprefix("sqlite:///")) as db:
            for table in mes.METADATA.sorted_tables:
                for column in table.c:
                    if not isinstance(column.type, sa.String):
                        continue
                    name = f'"{column.name}"'
                    texts = db.execute(f'SELECT DISTINCT {name} FROM "{table.name}"').fetchall()
                    db.executemany(
                        f'UPDATE "{table.name}" SET {name} = CAST(? AS TEXT) WHERE {name} = ?',
                        [(t.encode(self.encoding), t) for (t,) in texts if t and not t.isascii()],
                    )
        db.close()

    def _crm(self) -> sa.Engine:
        path = self.folder / "crm.db"
        return sa.create_engine(
            f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": 30}
        )

    def _answer(self) -> None:
        """Take pushed work orders over, as a MES does: late, and one part at a time."""
        table, chance = mes.WORKORDER, random.Random(7)
        waiting = sa.and_(table.c.order_source == "TENON", table.c.remark.is_(None))
        while not self._stop.wait(0.2 + chance.random() / 2):
            engine = self.mes()
            try:
                with self.turn, engine.begin() as tx:
                    codes = list(tx.scalars(sa.select(table.c.workorder_code).where(waiting)))
                    now = datetime.now(ZONE).replace(tzinfo=None, microsecond=0)
                    if codes:
                        tx.execute(
                            table.update()
                            .where(table.c.workorder_code.in_(codes))
                            .values(remark="已接收", update_time=now)
                        )
            except SQLAlchemyError:
                time.sleep(0.1)  # somebody else is writing
            finally:
                engine.dispose()


def signed(body: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """A webhook's raw body and its headers, signed now."""
    raw, stamp = json.dumps(body, ensure_ascii=False).encode(), str(int(time.time()))
    proof = hmac.new(HOOK_SECRET.encode(), f"{stamp}.".encode() + raw, hashlib.sha256)
    return raw, {
        "Content-Type": "application/json",
        "X-CRM-Timestamp": stamp,
        "X-CRM-Signature": f"sha256={proof.hexdigest()}",
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(ZONE).replace(microsecond=0).isoformat()

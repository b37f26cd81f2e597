"""The floor: the same journey with bare drivers and nothing else, `floor HUB MES PORT`.

One asyncio server (aiohttp). A webhook is checked, kept durably (those that come meanwhile share
a commit) and answered; a thread then writes the order with its work order and operations into the
hub, and the five rows into the MES. No rules, no roles, no history, no crosswalk, no recovery.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import importlib
import json
import queue
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any, Final

import psycopg

from tenon.kernel.ids import uuid7
from tests.faults.small_plant import HOOK_SECRET, ROUTE

web: Any = importlib.import_module("aiohttp.web")

_TABLES: Final = (
    "CREATE TABLE hook_event (id text PRIMARY KEY, body text NOT NULL)",
    "CREATE TABLE e_sales_order (id text PRIMARY KEY, order_no text UNIQUE)",
    "CREATE TABLE e_order_line (id text PRIMARY KEY, sales_order text, item text, qty text)",
    "CREATE TABLE e_work_order (id text PRIMARY KEY, work_order_no text UNIQUE)",
    "CREATE TABLE e_allocation (id text PRIMARY KEY, order_line text, work_order text)",
    "CREATE TABLE e_operation (id text PRIMARY KEY, work_order text, seq int, job_no text UNIQUE)",
)
Told = tuple[str, str, "asyncio.Future[None]"]


class Floor:
    """What the server and its two threads share."""

    def __init__(self, hub: str, mes: str) -> None:
        self.hub, self.mes = hub, mes
        self.to_keep: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self.to_do: queue.SimpleQueue[str] = queue.SimpleQueue()
        connection = _opened(hub)
        for statement in _TABLES:
            connection.execute(statement)
        connection.commit()
        connection.close()

    async def hook(self, request: Any) -> Any:
        """Check, keep, answer."""
        raw = await request.read()
        stamp = request.headers["X-CRM-Timestamp"]
        proof = hmac.new(HOOK_SECRET.encode(), f"{stamp}.".encode() + raw, hashlib.sha256)
        given = request.headers["X-CRM-Signature"].removeprefix("sha256=")
        if not hmac.compare_digest(proof.hexdigest(), given):
            return web.Response(status=401)
        body = json.loads(raw)
        kept = asyncio.get_running_loop().create_future()
        self.to_keep.put((body["id"], raw.decode(), kept))
        await kept
        return web.json_response({"event": body["id"], "state": "received"}, status=202)

    def keep(self) -> None:
        """Keep what waits in one transaction, again and again."""
        connection = _opened(self.hub)
        insert = _marked(connection, "INSERT INTO hook_event VALUES (?, ?) ON CONFLICT DO NOTHING")
        while True:
            told = _waiting(self.to_keep)
            connection.cursor().executemany(insert, [one[:2] for one in told])
            connection.commit()
            for _id, raw, kept in told:
                kept.get_loop().call_soon_threadsafe(kept.set_result, None)
                self.to_do.put(raw)

    def do(self) -> None:
        """Work off what waits: the hub in one transaction, then the MES in one."""
        hub, mes = _opened(self.hub), _opened(f"sqlite:///{self.mes}")
        number = 0
        while True:
            orders = [json.loads(raw)["order"] for raw in _waiting(self.to_do)]
            numbers = [f"TW-{number + at:06}" for at in range(1, len(orders) + 1)]
            number += len(orders)
            self._into_hub(hub, orders, numbers)
            self._into_mes(mes, orders, numbers, number)

    def _into_hub(self, hub: Any, orders: list[Any], numbers: list[str]) -> None:
        rows: dict[str, list[tuple[Any, ...]]] = {}
        for order, no in zip(orders, numbers, strict=True):
            head, line, work = uuid7(), uuid7(), uuid7()
            first = order["lines"][0]
            rows.setdefault("e_sales_order", []).append((head, order["id"]))
            rows.setdefault("e_order_line", []).append(
                (line, head, first["drawing_no"], str(first["qty"]))
            )
            rows.setdefault("e_work_order", []).append((work, no))
            rows.setdefault("e_allocation", []).append((uuid7(), line, work))
            rows.setdefault("e_operation", []).extend(
                (uuid7(), work, step[0], f"{no}-{step[0]}") for step in ROUTE
            )
        for table, found in rows.items():
            marks = ", ".join("?" * len(found[0]))
            hub.cursor().executemany(_marked(hub, f"INSERT INTO {table} VALUES ({marks})"), found)
        hub.commit()

    def _into_mes(self, mes: Any, orders: list[Any], numbers: list[str], last: int) -> None:
        first = last - len(orders)
        for at, (order, no) in enumerate(zip(orders, numbers, strict=True), 1):
            qty = order["lines"][0]["qty"]
            mes.execute(
                "INSERT INTO pro_workorder (workorder_code, workorder_name, quantity, status) "
                "VALUES (?, ?, ?, 'CONFIRMED')", (no, order["lines"][0]["item_name"], qty),
            )  # fmt: skip
            mes.executemany(
                "INSERT INTO mes_job (job_no, workorder_code, op_seq, process_code, qty_plan) "
                "VALUES (?, ?, ?, ?, ?)",
                [(f"{no}-{step[0]}", no, step[0], step[1], qty) for step in ROUTE],
            )
            mes.execute(
                "INSERT INTO pro_workorder_source (id, workorder_code, order_no, order_line, "
                "quantity) VALUES (?, ?, ?, 1, ?)", (first + at, no, order["id"], qty),
            )  # fmt: skip
        mes.commit()


def _opened(url: str) -> Any:
    if not url.startswith("sqlite"):
        return psycopg.connect(url)
    path = url.removeprefix("sqlite:///")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    made = sqlite3.connect(path, timeout=30, check_same_thread=False)
    made.execute("PRAGMA journal_mode=WAL")
    made.execute("PRAGMA synchronous=FULL")
    return made


def _marked(connection: Any, statement: str) -> str:
    return statement if isinstance(connection, sqlite3.Connection) else statement.replace("?", "%s")


def _waiting(from_: queue.SimpleQueue[Any]) -> list[Any]:
    found = [from_.get()]
    while len(found) < 64 and not from_.empty():
        found.append(from_.get())
    return found


async def _ping(_request: Any) -> Any:
    return web.Response(text="ok")


def main(hub: str, mes: str, port: str) -> None:
    """Serve until ended."""
    floor = Floor(hub, mes)
    for work in (floor.keep, floor.do):
        threading.Thread(target=work, daemon=True).start()
    app = web.Application()
    app.router.add_post("/api/hooks/crm_orders", floor.hook)
    app.router.add_post("/ping", _ping)
    app.router.add_get("/api/health", _ping)
    web.run_app(app, host="127.0.0.1", port=int(port), print=None, access_log=None)


if __name__ == "__main__":
    main(*sys.argv[1:])

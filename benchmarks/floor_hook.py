"""The floor of `webhook_to_job`: the same rows with the bare drivers, and nothing else.

A bare ASGI application that checks the signature, writes order, line, work order, allocation and
three operations durably, writes the rows of the MES, and answers. No limits, no rules, no
look-ups, no retry, no page that shows what happened: what the machine can do at most.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sqlite3
import sys
from typing import Any

import psycopg
import uvicorn

from tests.faults.small_plant import HOOK_SECRET, ROUTE

TABLES = {"sales_order": 4, "order_line": 8, "work_order": 10, "allocation": 3, "operation": 12}

_WORK_ORDER = "INSERT INTO pro_workorder (workorder_code, quantity, status) VALUES (?, ?, ?)"
_SOURCE = (
    "INSERT INTO pro_workorder_source (id, workorder_code, order_no) VALUES "
    "((SELECT coalesce(max(id), 0) + 1 FROM pro_workorder_source), ?, ?)"
)
_JOB = "INSERT INTO mes_job (job_no, workorder_code, op_seq) VALUES (?, ?, ?)"


class Floor:
    """One process, one connection to each database."""

    def __init__(self, hub: str, mes: str) -> None:
        self._mes = sqlite3.connect(mes, isolation_level=None, timeout=30, check_same_thread=False)
        self._postgres = hub.startswith("postgresql")
        self._hub: Any = psycopg.connect(hub) if self._postgres else sqlite3.connect(hub)
        mark = "%s" if self._postgres else "?"
        if not self._postgres:
            self._hub.execute("PRAGMA journal_mode=WAL")
            self._hub.execute("PRAGMA synchronous=FULL")
        self._inserts = {}
        for name, columns in TABLES.items():
            listed = ", ".join(f"c{n} TEXT" for n in range(columns))
            self._hub.execute(f"CREATE TABLE floor_{name} (id TEXT PRIMARY KEY, {listed})")
            marks = ", ".join([mark] * (columns + 1))
            self._inserts[name] = f"INSERT INTO floor_{name} VALUES ({marks})"
        self._hub.commit()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Take one webhook."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = dict(scope["headers"])
        proof = hmac.new(
            HOOK_SECRET.encode(), headers[b"x-crm-timestamp"] + b"." + body, hashlib.sha256
        )
        good = hmac.compare_digest(
            f"sha256={proof.hexdigest()}".encode(), headers[b"x-crm-signature"]
        )
        if good:
            self._write(json.loads(body)["order"])
        await send({"type": "http.response.start", "status": 200 if good else 401, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    def _write(self, order: dict[str, Any]) -> None:
        cursor, no = self._hub.cursor(), order["id"]
        line = order["lines"][0]
        rows = {"sales_order": 1, "order_line": 1, "work_order": 1, "allocation": 1, "operation": 3}
        for name, count in rows.items():
            values = [no, line["drawing_no"], str(line["qty"])] * 4
            for n in range(count):
                cursor.execute(self._inserts[name], [f"{no}-{n}", *values[: TABLES[name]]])
        self._hub.commit()
        mes = self._mes
        mes.execute("BEGIN IMMEDIATE")
        mes.execute(_WORK_ORDER, (no, line["qty"], "CONFIRMED"))
        mes.execute(_SOURCE, (no, no))
        mes.executemany(_JOB, [(f"{no}-{step[0]}", no, step[0]) for step in ROUTE])
        mes.execute("COMMIT")


def main() -> None:
    """Serve on the port given."""
    floor = Floor(os.environ["FLOOR_HUB"], os.environ["FLOOR_MES"])
    uvicorn.run(floor, port=int(sys.argv[1]), log_level="error", access_log=False, lifespan="off")


if __name__ == "__main__":
    main()

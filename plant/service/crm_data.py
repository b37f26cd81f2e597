"""What the CRM service reads from its file: pages of customers, contacts, orders, changes."""

import base64
import binascii
import re
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from plant.calendar import ZONE

Json = dict[str, Any]
MAX_LIMIT, DEFAULT_LIMIT = 500, 100


class BadRequest(Exception):
    """A request the CRM cannot understand; the message says why."""


def cursor_of(updated_at: str, ident: Any) -> str:
    """Return the cursor that continues after a row."""
    return base64.urlsafe_b64encode(f"{updated_at}|{ident}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[str, str] | None:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    updated_at, mark, ident = text.partition("|")
    return (updated_at, ident) if mark else None


def _plant_iso(text: str) -> str:
    """Return an ISO instant in plant time, also when its plus sign came as a space."""
    text = re.sub(r" (\d\d:\d\d)$", r"+\1", text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(
            f"updated_since is {text!r}; an ISO 8601 instant such as "
            "2026-11-03T10:30:00+08:00 is needed (its + written as %2B)."
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZONE)
    return moment.astimezone(ZONE).replace(microsecond=0).isoformat()


class CrmData:
    """Read access to the CRM's file; one connection for each call, so threads may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kinds: dict[str, tuple[str, Callable[[sqlite3.Connection, sqlite3.Row], Json]]] = {
            "customers": ("crm_customer", _plain),
            "contacts": ("crm_contact", _plain),
            "orders": ("crm_order", _order),
            "order_changes": ("crm_order_change", _plain),
        }

    def connect(self) -> sqlite3.Connection:
        """Open the file."""
        db = sqlite3.connect(self._path, timeout=10)
        db.row_factory = sqlite3.Row
        return db

    def kinds(self) -> list[str]:
        """Return the names of the lists there are."""
        return list(self._kinds)

    def page(self, kind: str, query: dict[str, str]) -> Json:
        """Return one page of a list, ordered by (updated_at, id), with the next cursor."""
        table, shape = self._kinds[kind]
        limit = _limit(query.get("limit"))
        wheres, values = ["1 = 1"], list[Any]()
        if since := query.get("updated_since"):
            wheres.append("updated_at >= ?")
            values.append(_plant_iso(since))
        db = self.connect()
        try:
            if after := query.get("after"):
                place = _read_cursor(after) or self._place_of(db, table, after)
                wheres.append("(updated_at, id) > (?, ?)")
                values += [place[0], int(place[1]) if kind == "order_changes" else place[1]]
            rows = db.execute(
                f"SELECT * FROM {table} WHERE {' AND '.join(wheres)} "
                "ORDER BY updated_at, id LIMIT ?",
                [*values, limit + 1],
            ).fetchall()
            items = [shape(db, row) for row in rows[:limit]]
        finally:
            db.close()
        more = len(rows) > limit
        last = rows[limit - 1] if more else None
        return {"items": items, "next": cursor_of(last["updated_at"], last["id"]) if last else None}

    def _place_of(self, db: sqlite3.Connection, table: str, ident: str) -> tuple[str, str]:
        row = db.execute(f"SELECT updated_at FROM {table} WHERE id = ?", (ident,)).fetchone()
        if row is None:
            raise BadRequest(
                f"after is {ident!r}; it must be the `next` of an earlier page or the id of a row "
                "there is. Ask again without `after` to start from the beginning."
            )
        return row["updated_at"], ident

    def order(self, ident: str) -> Json | None:
        """Return one order, or nothing when there is none with this id."""
        db = self.connect()
        try:
            row = db.execute("SELECT * FROM crm_order WHERE id = ?", (ident,)).fetchone()
            return _order(db, row) if row else None
        finally:
            db.close()


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_LIMIT:
        raise BadRequest(f"limit is {text!r}; a whole number from 1 to {MAX_LIMIT} is needed.")
    return int(text)


def _plain(_: sqlite3.Connection, row: sqlite3.Row) -> Json:
    return dict(row)


def _order(db: sqlite3.Connection, row: sqlite3.Row) -> Json:
    order = dict(row)
    order["rush"] = bool(order["rush"])
    order["amount"] = f"{order['amount']:.4f}"
    lines = db.execute(
        "SELECT * FROM crm_order_line WHERE order_id = ? ORDER BY line", (row["id"],)
    )
    order["lines"] = [_line(dict(line)) for line in lines]
    return order


def _line(line: Json) -> Json:
    del line["order_id"]
    line["standard"] = bool(line["standard"])
    line["qty"] = f"{line['qty']:.4f}"
    line["price"] = f"{line['price']:.6f}"
    return line

"""Asks a running Tenon, as a person would over HTTP, where every order is and what was issued."""

import json
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.request import HTTPCookieProcessor, Request, build_opener

PAGE = 200


class Asking:
    """A signed-in reader of one Tenon's API."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self._url = url.rstrip("/")
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))
        body = json.dumps({"username": username, "password": password}).encode()
        headers = {"Content-Type": "application/json", "Origin": self._url}
        self._opener.open(Request(f"{self._url}/api/session", body, headers), timeout=60).close()

    def lines(self) -> Iterator[dict[str, Any]]:
        """Every order line with the stage shown."""
        for row in self._rows("/api/orders?state=all"):
            stage = row["stage"]
            placed = stage["code"] in ("in_process", "outside")
            yield {
                "order_no": row["order_no"],
                "line_no": row["line_no"],
                "stage": stage["code"],
                "op_seq": stage["op_seq"] if placed else None,
                "confirmed": stage["confirmed"],
            }

    def issued(self) -> dict[str, dict[str, str]]:
        """The net quantity issued to each work order, by the warehouse's item code."""
        found: dict[str, dict[str, str]] = {}
        for row in self._rows("/api/work-orders/materials?"):
            # A golden record may have several codes in the warehouse; the sum is of all of them.
            for code in row["source_codes"][:1]:
                found.setdefault(row["work_order_no"], {})[code] = row["issued_qty"]
        return found

    def _rows(self, path: str) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            address = f"{self._url}{path}&page={page}&page_size={PAGE}"
            with self._opener.open(address, timeout=120) as answer:
                found = json.load(answer)
            yield from found["rows"]
            if page * PAGE >= found["total"]:
                return
            page += 1


def ask(url: str, accounts: Path) -> Asking:
    """A reader signed in as the administrator of an accounts file `[{username, password}, …]`."""
    listed = json.loads(accounts.read_text("utf-8"))
    if isinstance(listed, dict):
        listed = listed["accounts"]
    admin = next(a for a in listed if a["username"] == "admin")
    return Asking(url, admin["username"], admin["password"])

"""The HTTP connector.

A page is `GET path?updated_since=…&after=…&limit=…` → `{"items": […], "next": null | "cursor"}`,
ordered by (cursor, key); `next` is given back as `after`. Nested objects and lists that are not
exploded travel as JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from tenon.connect.batches import batch_of
from tenon.connect.connectors.http.client import Client
from tenon.connect.connectors.http.discovery import found_at
from tenon.connect.contract import (
    Capabilities,
    ColumnAbsent,
    ConnectorSettings,
    CursorValue,
    Found,
)
from tenon.define.models import StreamDef

CAPABILITIES: Final = Capabilities(
    kind="http", detects=frozenset({"watermark", "full"}), page_rows=500
)


class HttpConnector:
    """One REST system."""

    capabilities = CAPABILITIES

    def __init__(self, settings: ConnectorSettings) -> None:
        self._source = settings.source
        self._client = Client(settings)
        self._check_path = str(settings.values.get("check_path", "/api/customers"))
        self._page_rows = int(settings.values.get("page_rows", CAPABILITIES.page_rows))
        self._paths = [str(path) for path in settings.values.get("paths") or ()]
        self.address = self._client.address

    def check(self) -> None:
        """Ask for one row of a stream that every installation has."""
        self._items(self._check_path, {"limit": 1})

    def discover(self) -> list[Found]:
        """What the paths named in the settings hold: such systems do not describe themselves."""
        found: list[Found] = []
        for path in self._paths:
            first = next(self.read(StreamDef(name="sample", path=path, key=()), None), None)
            found += found_at(path, first)
        return found

    def read(self, stream: StreamDef, since: CursorValue | None) -> Iterator[pa.RecordBatch]:
        """The stream's pages."""
        path = stream.path or f"/{stream.name}"
        params: dict[str, str | int] = {"limit": self._page_rows}
        if since is not None:
            params["updated_since"] = since.isoformat() if isinstance(since, datetime) else since
        while True:
            items, after = self._items(path, params)
            rows = [row for item in items for row in _rows(stream, item)]
            if rows:
                yield self._batch(stream, path, rows)
            if after is None:
                return
            if after == params.get("after"):
                raise self._client.garbage()  # it would ask for the same page for ever
            params["after"] = after

    def fetch(self, path: str) -> dict[str, Any]:
        """The item at a path."""
        item = self._client.get(path, {})
        if not isinstance(item, dict):
            raise self._client.garbage()
        return item

    def batch(self, stream: StreamDef, item: Mapping[str, Any]) -> pa.RecordBatch | None:
        """The item's rows as `read` gives them."""
        rows = list(_rows(stream, item))
        return self._batch(stream, stream.path or f"/{stream.name}", rows) if rows else None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _items(
        self, path: str, params: Mapping[str, str | int]
    ) -> tuple[list[dict[str, Any]], str | int | None]:
        answer = self._client.get(path, params)
        items = answer.get("items") if isinstance(answer, dict) else None
        if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
            raise self._client.garbage()
        after = answer.get("next")
        if after is not None and not isinstance(after, str | int):
            raise self._client.garbage()
        return items, after

    def _batch(self, stream: StreamDef, path: str, rows: list[dict[str, Any]]) -> pa.RecordBatch:
        there = {name.casefold(): name for row in rows for name in row}
        names = list(stream.columns) or list(there.values())
        needed = [*stream.key, *([stream.cursor.column] if stream.cursor else [])]
        have = {n.casefold() for n in names}
        names += [n for n in dict.fromkeys(needed) if n.casefold() not in have]
        absent = [n for n in names if n.casefold() not in there]
        if absent:
            raise ColumnAbsent(self._source, path, absent, sorted(there.values()))
        real = [there[n.casefold()] for n in names]
        return batch_of(names, [[_value(row.get(n)) for n in real] for row in rows])


def _rows(stream: StreamDef, item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for row in _exploded(stream.explode, item):
        if all(_plain(row.get(n)) in map(_plain, allowed) for n, allowed in stream.where.items()):
            yield row


def _exploded(name: str | None, item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if name is None:
        yield dict(item)
        return
    own = {k: v for k, v in item.items() if k != name}
    elements = item.get(name)
    for element in elements if isinstance(elements, list) else []:
        parts = element if isinstance(element, dict) else {"value": element}
        yield own | {f"{name}_{k}": v for k, v in parts.items()}


def _plain(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else _text(value)
    if value is None or isinstance(value, int | Decimal):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _text(value: str) -> str | bytes:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: no text, but kept
        return value.encode("utf-8", "surrogatepass")
    return value

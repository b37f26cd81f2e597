"""Rows in the order of their cursor: sorted in a file of our own, whatever their number."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from tenon.connect.contract import CursorValue

_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
_WIDTH = 20  # of the largest integer, with its sign


class Sorted:
    """Takes rows in any order and gives them by (cursor, key), those without a cursor first."""

    def __init__(
        self, path: Path, cursor: int, key: tuple[int, ...], since: CursorValue | None
    ) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16000;"
            "PRAGMA temp_store = FILE; CREATE TABLE r (c TEXT, k TEXT, n INTEGER, v TEXT); BEGIN;"
        )
        self._cursor, self._key = cursor, key
        self._since = None if since is None else sortable(_as_cursor(since))

    def add(self, rows: list[list[Any]], number: int) -> None:
        """Take rows; those before `since` are left out."""
        self._db.executemany(
            "INSERT INTO r VALUES (?, ?, ?, ?)",
            [
                (at, _key(row, self._key), number + i, _encode(row))
                for i, row in enumerate(rows)
                if (at := sortable(row[self._cursor])) is None
                or self._since is None
                or at >= self._since
            ],
        )

    def batches(self, size: int) -> Iterator[list[list[Any]]]:
        """The rows in their order."""
        found = self._db.execute("SELECT v FROM r ORDER BY c NULLS FIRST, k, n")
        while rows := found.fetchmany(size):
            yield [self._restored(json.loads(text)) for (text,) in rows]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _restored(self, row: list[Any]) -> list[Any]:
        at = row[self._cursor]
        if isinstance(at, str):
            row[self._cursor] = datetime.fromisoformat(at)
        return row


def sortable(value: Any) -> str | None:
    """A cursor value as a text that sorts as it does."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return f"{int(value) + (1 << 63):0{_WIDTH}}"


def _as_cursor(since: CursorValue) -> CursorValue:
    if not isinstance(since, str):
        return since.replace(tzinfo=None) if isinstance(since, datetime) else since
    try:
        return datetime.fromisoformat(since).replace(tzinfo=None)
    except ValueError:
        return int(since)


def _key(row: list[Any], at: tuple[int, ...]) -> str:
    return "\x1f".join(str(row[i] or "") for i in at)

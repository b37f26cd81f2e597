"""Where a fact comes from: the source rows behind records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.engine import RowMapping

from tenon.boards.reading import Context


def sources(context: Context, rows: Iterable[RowMapping]) -> list[dict[str, Any]]:
    """The source rows of these records, once each, openable by source, stream and key."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        if row["source"] is None or row["source_key"] is None:
            continue
        stream, _, key = row["source_key"].partition(":")
        found.setdefault(
            (row["source"], row["source_key"]),
            {
                "source": row["source"],
                "label": context.catalogue.source(row["source"]).label.text().as_dict(),
                "stream": stream,
                "key": key,
                "seen_at": row["updated_at"],
            },
        )
    return list(found.values())

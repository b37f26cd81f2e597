"""Kingdee's ledgers recognised by their tables, with streams that are ready for what is there.

Installations differ: modules that were not bought have no tables, and a time of change exists in
some tables only. So each stream is fitted to the columns that were found; where it loses its
cursor it is read as a whole and compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from tenon.connect.contract import Found
from tenon.define.models import Join, StreamDef
from tenon.kernel.text import Text

_Columns = Mapping[str, Mapping[str, str]]  # of each table without case: {without case: as it is}


@dataclass(frozen=True, slots=True)
class Offer:
    """A stream: fitted to the tables that are there, or what it lacks."""

    label: Text
    stream: StreamDef
    missing: tuple[str, ...] = ()  # tables, or key columns: then it cannot be read
    left_out: tuple[str, ...] = ()  # columns that are not there


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger that was recognised."""

    code: str
    label: Text
    offers: tuple[Offer, ...]
    note: Text | None = None


def recognise(found: Sequence[Found]) -> Ledger | None:
    """Which edition these tables are of, and what can be read; None when they are no Kingdee's."""
    there = {t.name.casefold(): {c.name.casefold(): c.name for c in t.columns} for t in found}
    said = _package_data()
    for edition in said["editions"]:
        if all(table.casefold() in there for table in edition["needs"]):
            note = Text(**edition["note"]) if "note" in edition else None
            streams = () if note else said["streams"]
            offers = tuple(_fitted(Text(**s["label"]), _stream(s), there) for s in streams)
            return Ledger(edition["code"], Text(**edition["label"]), offers, note)
    return None


def streams() -> list[StreamDef]:
    """All streams as they are written, for a ledger that has everything."""
    return [_stream(said) for said in _package_data()["streams"]]


def _package_data() -> Any:
    return yaml.safe_load(
        resources.files("tenon.connect").joinpath("kingdee.yaml").read_text("utf-8")
    )


def _stream(said: Mapping[str, Any]) -> StreamDef:
    return StreamDef.model_validate(said["stream"])


def _fitted(label: Text, stream: StreamDef, there: _Columns) -> Offer:
    main = stream.table or stream.name
    tables = [main, *(join.table for join in stream.join)]
    missing = [table for table in tables if table.casefold() not in there]
    if not missing:
        own = there[main.casefold()]
        missing = [f"{main}.{name}" for name in stream.key if name.casefold() not in own]
    if missing:
        return Offer(label, stream, tuple(dict.fromkeys(missing)))
    columns, left = _kept(main, stream.columns, there)
    joins = []
    for join in stream.join:
        wanted, gone = _kept(join.table, join.columns, there)
        joins.append(join.model_copy(update={"columns": wanted}))
        left += gone
    fitted = stream.model_copy(update={"columns": columns, "join": tuple(joins)})
    if stream.cursor is not None and not _has(fitted, stream.cursor.column, there):
        fitted = fitted.model_copy(update={"cursor": None})
    return Offer(label, fitted, (), left)


def _kept(
    table: str, columns: Sequence[str], there: _Columns
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    own = there[table.casefold()]
    kept = tuple(name for name in columns if name.casefold() in own)
    left = tuple(f"{table}.{name}" for name in columns if name.casefold() not in own)
    return kept, left


def _has(stream: StreamDef, column: str, there: _Columns) -> bool:
    if column.casefold() in there[(stream.table or stream.name).casefold()]:
        return True
    return any(column.casefold() in _called(join, there) for join in stream.join)


def _called(join: Join, there: _Columns) -> set[str]:
    return {(join.prefix + name).casefold() for name in there[join.table.casefold()].values()}

"""Kingdee's ledgers recognised by their tables, with streams that are ready for what is there.

Installations differ: modules that were not bought have no tables, and a time of change exists in
some tables only. So each stream is fitted to the columns that were found; where it loses its
cursor it is read as a whole and compared.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

import yaml

from tenon.connect.contract import Found
from tenon.define.models import Join, StreamDef, Sync
from tenon.kernel.text import Text

_Columns = Mapping[str, Mapping[str, str]]  # of each table without case: {without case: as it is}


@dataclass(frozen=True, slots=True)
class Offer:
    """A stream with its mapping: fitted to the tables that are there, or what it lacks.

    `name` is how it is listed: its table, with a part behind it where a table is read in parts.
    """

    label: Text
    stream: StreamDef
    missing: tuple[str, ...] = ()  # tables, or key columns: then it cannot be read
    left_out: tuple[str, ...] = ()  # columns that are not there
    name: str = ""
    sync: Mapping[str, Any] = field(default_factory=dict)  # target, identity, fields


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
            offers = tuple(_offer(s, there) for s in streams)
            return Ledger(edition["code"], Text(**edition["label"]), offers, note)
    return None


def ready(found: Sequence[Found]) -> dict[str, Offer]:
    """What a recognised ledger offers and has, by the name it is listed under, without case."""
    ledger = recognise(found)
    offers = ledger.offers if ledger else ()
    return {offer.name.casefold(): offer for offer in offers if not offer.missing}


def streams() -> list[StreamDef]:
    """All streams as they are written, for a ledger that has everything."""
    return [_stream(said) for said in _package_data()["streams"]]


@cache
def _package_data() -> Any:
    return yaml.safe_load(
        resources.files("tenon.connect").joinpath("kingdee.yaml").read_text("utf-8")
    )


def _stream(said: Mapping[str, Any]) -> StreamDef:
    return StreamDef.model_validate(said["stream"])


def mappings() -> list[Sync]:
    """All mappings as they are written, as syncs of a source `kis`."""
    return [
        Sync.model_validate(
            {"code": said["stream"]["name"].lower(), "label": said["label"], "source": "kis",
             "stream": said["stream"], **said["sync"]}
        )
        for said in _package_data()["streams"]
    ]  # fmt: skip


def _offer(said: Mapping[str, Any], there: _Columns) -> Offer:
    fitted = _fitted(Text(**said["label"]), _stream(said), there)
    name = said.get("name") or fitted.stream.table or fitted.stream.name
    gone = {_called_in(fitted.stream, left) for left in fitted.left_out}
    return replace(fitted, name=name, sync=_without(said["sync"], gone))


def _called_in(stream: StreamDef, left: str) -> str:
    """What a column that is not there would be called in the stream's rows."""
    table, _, column = left.partition(".")
    prefix = next((j.prefix for j in stream.join if j.table == table), "")
    return f"{prefix}{column}".casefold()


def _without(sync: Mapping[str, Any], gone: Collection[str]) -> dict[str, Any]:
    """A mapping without the rules of columns that are not there."""
    identity = sync.get("identity")
    kept = {**sync, "fields": {f: r for f, r in sync["fields"].items() if not _uses(r, gone)}}
    if identity:
        keys = {k: c for k, c in identity["keys"].items() if c.casefold() not in gone}
        kept["identity"] = {**identity, "keys": keys}
    return kept


def _uses(rule: Any, gone: Collection[str]) -> bool:
    columns = rule.get("from", ()) if isinstance(rule, dict) else rule
    named = [columns] if isinstance(columns, str) else columns
    return any(column.casefold() in gone for column in named)


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

"""Finding golden records by their codes and keys, and writing what was found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.kernel import clock
from tenon.kernel.ids import uuid7
from tenon.master.tables import crosswalk, match_key
from tenon.store.upsert import insert_new


@dataclass(frozen=True, slots=True)
class Known:
    """A code's current golden record."""

    record_id: str
    how: str
    name: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A code of a source that belongs to a golden record."""

    entity: str
    source: str
    code: str
    record_id: str
    name: str
    how: str
    matched_on: str | None = None
    confirmed_by: str | None = None
    stream: str | None = None
    key: str | None = None


def codes(
    connection: Connection, entity: str, source: str, wanted: Collection[str]
) -> dict[str, Known]:
    """The current records of these codes."""
    rows = connection.execute(
        sa.select(
            crosswalk.c.code, crosswalk.c.record_id, crosswalk.c.how, crosswalk.c.name,
            crosswalk.c.key,
        ).where(
            crosswalk.c.entity == entity,
            crosswalk.c.source == source,
            crosswalk.c.code.in_(wanted),
            crosswalk.c.valid_to.is_(None),
        )
    )  # fmt: skip
    return {r.code: Known(r.record_id, r.how, r.name, r.key) for r in rows}


# For (key, cleaned value): the exact values and the records that have them.
Candidates = dict[tuple[str, str], set[tuple[str, str]]]


def candidates(
    connection: Connection, entity: str, wanted: Mapping[str, Collection[str]]
) -> Candidates:
    """The records that have these cleaned values of keys."""
    found: Candidates = {}
    for key, values in wanted.items():
        rows = connection.execute(
            sa.select(match_key.c.value, match_key.c.exact, match_key.c.record_id).where(
                match_key.c.entity == entity,
                match_key.c.key == key,
                match_key.c.value.in_(values),
            )
        )
        for row in rows:
            found.setdefault((key, row.value), set()).add((row.exact, row.record_id))
    return found


@dataclass(frozen=True, slots=True)
class Match:
    """What the keys say: one record and how sure, or several."""

    record_ids: tuple[str, ...]
    how: str
    key: str


def match(
    order: Iterable[str], exact: Mapping[str, str], clean: Mapping[str, str], found: Candidates
) -> Match | None:
    """The first key that any record has decides: its exact value first, then the cleaned one."""
    for key in order:
        if key not in clean or (key, clean[key]) not in found:
            continue
        pairs = found[key, clean[key]]
        same = {record for value, record in pairs if value == exact[key]}
        if len(same) == 1:
            return Match((same.pop(),), "exact", key)
        every = tuple(sorted({record for _, record in pairs}))
        return Match(every, "normalised", key)
    return None


def link(tx: Connection, links: Sequence[Link]) -> None:
    """Write new crosswalk rows; a code that has a current one keeps it."""
    if links:
        now = clock.now()
        tx.execute(insert_new(tx, crosswalk), [_row(one, now) for one in links])


def relink(tx: Connection, one: Link) -> None:
    """Give a code to another record from now on."""
    end(tx, one.entity, one.source, one.code)
    link(tx, [one])


def end(tx: Connection, entity: str, source: str, code: str) -> None:
    """End a code's current row."""
    tx.execute(
        crosswalk.update()
        .where(
            crosswalk.c.entity == entity,
            crosswalk.c.source == source,
            crosswalk.c.code == code,
            crosswalk.c.valid_to.is_(None),
        )
        .values(valid_to=clock.now())
    )


def rename(tx: Connection, entity: str, source: str, code: str, name: str) -> None:
    """Keep the name a source now gives to a code."""
    tx.execute(
        crosswalk.update()
        .where(
            crosswalk.c.entity == entity,
            crosswalk.c.source == source,
            crosswalk.c.code == code,
            crosswalk.c.valid_to.is_(None),
        )
        .values(name=name[:400])
    )


def put_keys(
    tx: Connection, entity: str, source: str, rows: Sequence[tuple[str, str, str, str, str]]
) -> None:
    """Add match keys: rows of (code, record id, key, exact value, cleaned value)."""
    if rows:
        tx.execute(
            insert_new(tx, match_key),
            [
                {"entity": entity, "source": source, "code": code, "record_id": record,
                 "key": key, "exact": exact[:400], "value": value[:400]}
                for code, record, key, exact, value in rows
            ],
        )  # fmt: skip


def drop_keys(tx: Connection, entity: str, source: str, wanted: Collection[str]) -> None:
    """Forget the keys that these codes of a source gave."""
    if wanted:
        tx.execute(
            match_key.delete().where(
                match_key.c.entity == entity,
                match_key.c.source == source,
                match_key.c.code.in_(wanted),
            )
        )


def lock(tx: Connection, entity: str) -> None:
    """Let one transaction at a time decide identities of this entity (SQLite has one anyway)."""
    if tx.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("tenon:" + entity))))


def _row(one: Link, now: Any) -> dict[str, Any]:
    return {
        "id": uuid7(), "entity": one.entity, "source": one.source, "code": one.code,
        "record_id": one.record_id, "name": one.name[:400], "how": one.how,
        "matched_on": one.matched_on, "confirmed_by": one.confirmed_by, "stream": one.stream,
        "key": one.key, "valid_from": now, "valid_to": None,
    }  # fmt: skip


def codes_of(
    connection: Connection, entity: str, record_ids: Collection[str]
) -> dict[tuple[str, str], list[str]]:
    """The current codes of golden records, by (record id, source)."""
    found: dict[tuple[str, str], list[str]] = {}
    rows = connection.execute(
        sa.select(crosswalk.c.record_id, crosswalk.c.source, crosswalk.c.code)
        .where(
            crosswalk.c.entity == entity,
            crosswalk.c.record_id.in_(record_ids),
            crosswalk.c.valid_to.is_(None),
        )
        .order_by(crosswalk.c.code)
    )
    for record_id, source, code in rows:
        found.setdefault((record_id, source), []).append(code)
    return found

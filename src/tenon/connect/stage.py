"""Staging: rows as read become rows that changed, compared by hash with what was read before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from json import JSONEncoder
from typing import Any, Final

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.batches import rows_of
from tenon.connect.mapping import Facts, Mapper, Row
from tenon.connect.tables import source_row
from tenon.connect.values import text_of
from tenon.kernel.errors import SetAside
from tenon.kernel.text import Text
from tenon.records.write import Loading
from tenon.store.bulk import Insert
from tenon.tasks.service import NewTask

_encode: Final = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
KEY_LENGTH: Final = 180

_NO_KEY = Text(
    "这一行的主键为空，无法识别；请在来源系统中补上主键。",
    "The row's key is empty, so it cannot be recognised. Give it a key in its own system.",
)

# (kind, entity, field, value): what must be there before a row can go on.
Wait = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Before:
    """What is known of a row from the last time."""

    hash: str
    state: str
    waits: bool
    tries: int
    record_id: str | None


@dataclass(slots=True)
class Work:
    """A row that is new or changed, on its way."""

    key: str
    row: Row
    hash: str
    raw: str
    raw_bytes: str | None
    before: Before | None
    values: dict[str, Any] = field(default_factory=dict)
    facts: Facts | None = None
    reason: SetAside | None = None
    poison: bool = False  # set aside for what it holds, not for what it waits for
    waits: list[Wait] = field(default_factory=list)
    names: list[Wait] = field(default_factory=list)  # documents it names while set aside
    task: NewTask | None = None
    record_id: str | None = None

    def refuse(self, reason: SetAside, *, poison: bool = True) -> None:
        """Set the row aside; its first reason stays."""
        if self.reason is None:
            self.reason, self.poison = reason, poison

    def refuse_no_key(self) -> None:
        """Set the row aside because nothing recognises it."""
        self.refuse(SetAside("no_key", _NO_KEY))


@dataclass(frozen=True, slots=True)
class Block:
    """New rows that every rule accepts, as columns."""

    batch: pa.RecordBatch  # as they were read
    keys: pa.Array
    raws: pa.Array
    columns: dict[str, pa.Array]

    def __len__(self) -> int:
        return len(self.keys)

    def rows(self) -> list[Row]:
        """The rows as the way row by row takes them."""
        return rows_of(self.batch)[1]

    def hashes(self) -> list[str]:
        """What the rows' contents are compared by."""
        raws = self.raws.cast(pa.binary()).to_pylist()
        return [blake2b(raw, digest_size=16).hexdigest() for raw in raws]

    def cut(self, change: Callable[[Any], Any]) -> Block:
        """Some of its rows: every column sliced or filtered alike."""
        columns = {code: change(column) for code, column in self.columns.items()}
        return Block(change(self.batch), change(self.keys), change(self.raws), columns)


@dataclass(frozen=True, slots=True)
class ReadyBlock:
    """A block with its records and its source rows, ready to be written."""

    block: Block
    records: Loading
    rows: Insert

    def __len__(self) -> int:
        return len(self.block)


@dataclass(slots=True)
class Prepared:
    """A part of a run, ready to be written in one short transaction."""

    read: int
    works: list[Work]
    watermark: Any = None
    told: int | None = None  # how often webhooks had written into the stream by then
    block: ReadyBlock | None = None  # new rows that go in as columns

    @property
    def changed(self) -> int:
        """Rows that are new or differ."""
        return len(self.works) + len(self.block or ())

    @property
    def unchanged(self) -> int:
        """Rows that were the same as before."""
        return self.read - self.changed

    def keys(self, most: int) -> list[str]:
        """The keys of the first rows that are new or differ."""
        block = self.block.block.keys[:most].to_pylist() if self.block else []
        return [*(work.key for work in self.works[:most]), *block][:most]


def changed(
    connection: Connection, source: str, stream: str, mapper: Mapper, rows: Sequence[Row]
) -> list[Work]:
    """The rows that differ from what was read before; of one key twice the last counts."""
    if not rows:
        return []
    works: dict[str, Work] = {}
    for row in rows:
        work = _work(mapper, row)
        works.pop(work.key, None)
        works[work.key] = work
    known = known_rows(connection, source, stream, list(works))
    found: list[Work] = []
    for key, work in works.items():
        work.before = known.get(key)
        if work.before is None or work.before.hash != work.hash or work.before.state == "gone":
            found.append(work)
    return found


def known_rows(
    connection: Connection, source: str, stream: str, keys: Sequence[str]
) -> dict[str, Before]:
    """What is known of these keys."""
    s = source_row.c
    rows = connection.execute(
        sa.select(s.key, s.hash, s.state, s.waits, s.tries, s.record_id).where(
            s.source == source, s.stream == stream, s.key.in_(keys)
        )
    )
    return {r[0]: Before(r[1], r[2], r[3], r[4], r[5]) for r in rows}


def _work(mapper: Mapper, row: Row) -> Work:
    raw, raw_bytes = _shown(*mapper.content(row))
    digest = blake2b(raw.encode(), digest_size=16)
    if raw_bytes:
        digest.update(raw_bytes.encode())
    key = mapper.key(row)
    work = Work("", row, digest.hexdigest(), raw, raw_bytes, None)
    problem = mapper.problem(row)
    if problem is not None:
        work.refuse(problem)
    if key is None:
        work.key = f"~{work.hash}"
        work.refuse_no_key()
    elif len(key) > KEY_LENGTH:
        work.key = f"{key[:120]}~{blake2b(key.encode(), digest_size=16).hexdigest()}"
    else:
        work.key = key
    return work


def _shown(names: tuple[str, ...], row: Row) -> tuple[str, str | None]:
    if bytes not in map(type, row):
        return _encode(dict(zip(names, map(text_of, row), strict=True))), None
    texts: dict[str, str | None] = {}
    hexes: dict[str, str] = {}
    for name, value in zip(names, row, strict=True):
        if isinstance(value, bytes):
            texts[name], hexes[name] = None, value.hex()
        else:
            texts[name] = text_of(value)
    return _encode(texts), _encode(hexes)

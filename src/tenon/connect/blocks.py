"""The rows of a first load as columns: nothing is there yet that they could be compared with.

A block holds the rows of a part that are new and that every rule accepts. All others, and every
row once something is there, go row by row (`stage`): a block is quicker, never different.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.engine import Connection

from tenon.connect.batches import rows_of
from tenon.connect.column_mapping import either, looked_up, map_columns, maps_columns
from tenon.connect.columns import Content, content_of, joined
from tenon.connect.mapping import Lookup, Mapper, Row
from tenon.connect.stage import Block, known_rows
from tenon.define.models import Sync
from tenon.records.columns import broken


class Answers(Protocol):
    """Finds what looked-up texts name."""

    def answers(
        self, connection: Connection, one: Lookup, values: set[str]
    ) -> Mapping[str, str | None]:
        """The record of each text that names one."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A batch as columns, and which of its rows must go row by row after all."""

    block: Block
    odd: pa.Array

    def part(self, at: int, rows: int) -> tuple[Block | None, Sequence[Row]]:
        """The block of some rows, and the others of them."""
        block = self.block.cut(lambda column: column.slice(at, rows))
        odd = self.odd.slice(at, rows)
        if not pc.any(odd).as_py():
            return block, []
        plain = block.cut(lambda column: column.filter(pc.invert(odd)))
        return (plain if len(plain) else None), rows_of(block.batch.filter(odd))[1]


@dataclass(slots=True)
class Blocks:
    """Makes blocks of a first load."""

    sync: Sync
    answers: Answers
    blank: bool  # no row of the stream is there yet
    _able: dict[tuple[str, ...], bool] = field(default_factory=dict)

    def of(self, connection: Connection, mapper: Mapper, batch: pa.RecordBatch) -> Candidate | None:
        """A batch as columns; None when all of it must go row by row."""
        content = self._content(mapper, batch)
        if content is None or not self._new(connection, content):
            return None
        columns, odd = self._columns(connection, mapper, content)
        return Candidate(Block(content.batch, content.keys, content.raws, columns), odd)

    def _content(self, mapper: Mapper, batch: pa.RecordBatch) -> Content | None:
        if mapper.names not in self._able:
            self._able[mapper.names] = maps_columns(mapper)
        return content_of(batch, mapper) if self._able[mapper.names] else None

    def _new(self, connection: Connection, content: Content) -> bool:
        """Whether every key is there once, and none of them from before."""
        keys = content.keys.drop_null()
        if len(keys) != pc.count_distinct(keys).as_py():
            return False
        source, stream = self.sync.source, self.sync.stream.name
        return self.blank or not known_rows(connection, source, stream, keys.to_pylist())

    def _columns(
        self, connection: Connection, mapper: Mapper, content: Content
    ) -> tuple[dict[str, pa.Array], pa.Array]:
        mapped = map_columns(mapper, content.batch)
        masks = [content.odd] + ([] if mapped.odd is None else [mapped.odd])
        texts = looked_up(mapper, content.batch)
        for one in mapper.lookups:
            code = one.field.code
            column, unknown = self._found(connection, one, texts[code])
            mask = broken(one.field, column)
            masks += [unknown] + ([] if mask is None else [mask])
            mapped.columns[code] = column
        return mapped.columns, either(masks)

    def _found(
        self, connection: Connection, one: Lookup, texts: pa.Array
    ) -> tuple[pa.Array, pa.Array]:
        """The record that each text names, and where a text names none."""
        wanted = set(texts.drop_null().unique().to_pylist())
        known = {
            text: record
            for text, record in self.answers.answers(connection, one, wanted).items()
            if text in wanted and record is not None
        }
        at = pc.index_in(texts, pa.array(list(known), pa.string()), skip_nulls=True)
        column = pa.array(list(known.values()), pa.string()).take(at)
        return column, pc.and_(texts.is_valid(), column.is_null())


def source_keys(sync: Sync, keys: pa.Array) -> pa.Array:
    """By what the records of a block are recognised: as `apply` writes it for one row."""
    return pc.utf8_slice_codeunits(joined(f"{sync.stream.name}:", keys), 0, 200)

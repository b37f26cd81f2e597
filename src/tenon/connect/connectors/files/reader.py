"""Fetched files as batches of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from tenon.connect.batches import batch_of, refused_batch
from tenon.connect.connectors.files.cells import Broken, Cells, kind_of
from tenon.connect.connectors.files.faults import FileRefused
from tenon.connect.connectors.files.header import Header, comes_in_parts, plain
from tenon.connect.connectors.files.order import Sorted
from tenon.connect.connectors.files.places import Entry
from tenon.connect.connectors.files.sheet import Book, SheetTable
from tenon.connect.connectors.files.text import CsvTable, Refused
from tenon.connect.connectors.files.xls import Xls
from tenon.connect.connectors.files.xlsx import Xlsx
from tenon.connect.contract import Column, CursorValue, TakenFile
from tenon.define.models import StreamDef
from tenon.kernel.errors import SetAside
from tenon.kernel.text import Text

_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SORT: Final = "sort.db"
_ANY: Final = StreamDef(name="any", key=("file_row",))  # any header will do
_LOOKED: Final = 100

_TOO_MANY: Final = Text(
    "超过 {limit} 行的上限；请拆分导出，或由管理员调整 max_rows。",
    "has more than {limit} rows. Split the export, or have an administrator change max_rows.",
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file of a source that was copied here."""

    entry: Entry
    taken: TakenFile
    path: Path


@dataclass(slots=True)
class _Page:
    """Rows and refused pieces that wait to become batches."""

    names: tuple[str, ...]
    rows: list[list[Any]]
    refused: list[tuple[str, bytes, SetAside]]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """What waits, as batches; then nothing waits."""
        rows, self.rows = self.rows, []
        refused, self.refused = self.refused, []
        if rows:
            yield batch_of(self.names, rows)
        if refused:
            yield refused_batch(refused)

    def __len__(self) -> int:
        return len(self.rows) + len(self.refused)


class Reader:
    """Reads the files of one source."""

    def __init__(self, source: str, zone: ZoneInfo, page_rows: int, most_rows: int) -> None:
        self._source, self._zone = source, zone
        self._page_rows, self._most_rows = page_rows, most_rows

    def read(
        self,
        stream: StreamDef,
        files: Sequence[Fetched],
        since: CursorValue | None,
        room: Path,
        turn: Callable[[Fetched], None],
        remarks: list[Text],
    ) -> Iterator[pa.RecordBatch]:
        """The rows of the files, one file after the other; `turn` is told which."""
        for one in files:
            turn(one)
            with self.table(stream, one) as table:
                cells = Cells(stream, table.header, one.entry.name, self._zone, table.epoch)
                pages = self._pages(stream, one, table, cells)
                at = _cursor_at(stream, table.header)
                if at is None:
                    for page in pages:
                        yield from page.batches()
                else:
                    yield from self._in_order(stream, pages, at, since, room)
                remarks += cells.remarks()

    @contextmanager
    def table(self, stream: StreamDef, one: Fetched) -> Iterator[CsvTable | SheetTable]:
        """The table in a file, whose kind its first bytes tell and not its name."""
        with one.path.open("rb") as file:
            start = file.read(8)
        book: Book
        if start.startswith(_ZIP):
            book = Xlsx(one.path, one.entry.name)
        elif start == _OLE:
            book = Xls(one.path, one.entry.name)
        else:
            yield CsvTable(self._source, one.path, one.entry.name, stream)
            return
        try:
            yield SheetTable(self._source, book, one.entry.name, stream)
        finally:
            book.close()

    def columns(self, one: Fetched) -> tuple[Column, ...]:
        """The columns found in a file, with the kind of cells that its first rows have."""
        with self.table(_ANY, one) as table:
            rows = [r[1] for r in islice(table.rows(), _LOOKED) if not isinstance(r, Refused)]
            return tuple(
                Column(name, kind_of([row[at] for row in rows if at < len(row)]), nullable=True)
                for name, at in zip(table.header.names, table.header.at, strict=True)
                if at >= 0
            )

    def _pages(
        self, stream: StreamDef, one: Fetched, table: CsvTable | SheetTable, cells: Cells
    ) -> Iterator[_Page]:
        header = table.header
        allowed = _filters(stream, header)
        page = _Page(header.names, [], [])
        for number, record in enumerate(table.rows()):
            if number >= self._most_rows:
                raise FileRefused("too_many_rows", _TOO_MANY, one.entry.name, limit=self._most_rows)
            if isinstance(record, Refused):
                place = f"{one.entry.name}:{record.line}"
                page.refused.append((place, record.content, record.why))
            else:
                self._add(page, record, one, header, cells, allowed)
            if len(page) >= self._page_rows:
                yield page
        yield page

    def _add(
        self, page: _Page, record: tuple[int, list[Any]], one: Fetched, header: Header,
        cells: Cells, allowed: dict[int, set[str]],
    ) -> None:  # fmt: skip
        line, fields = record
        try:
            row = cells.values(fields)
        except SetAside as why:
            content = "\t".join(_shown(f) for f in fields).encode("utf-8", "surrogatepass")
            page.refused.append((f"{one.entry.name}:{line}", content, why))
            return
        own = {-1: one.entry.name, -2: one.entry.modified, -3: line}
        row += [own[at] for at in header.at[len(row) :]]
        if all(str(row[at]) in values for at, values in allowed.items()):
            page.rows.append(row)

    def _in_order(
        self, stream: StreamDef, pages: Iterator[_Page], at: int, since: CursorValue | None,
        room: Path,
    ) -> Iterator[pa.RecordBatch]:  # fmt: skip
        path = room / _SORT
        path.unlink(missing_ok=True)
        names: tuple[str, ...] = ()
        number = 0
        ordered: Sorted | None = None
        try:
            for page in pages:
                names = page.names
                ordered = ordered or Sorted(path, at, _key_at(stream, names), since)
                ordered.add(page.rows, number)
                number += len(page.rows)
                page.rows = []
                yield from page.batches()
            for rows in ordered.batches(self._page_rows) if ordered else ():
                yield batch_of(names, rows)
        finally:
            if ordered is not None:
                ordered.close()


def _cursor_at(stream: StreamDef, header: Header) -> int | None:
    """Where the cursor stands, when it is a column of the rows and not the file's own."""
    if stream.cursor is None or comes_in_parts(stream):
        return None  # of parts every one is read whole, in the order of the files
    wanted = plain(stream.cursor.column)
    return next(i for i, name in enumerate(header.names) if plain(name) == wanted)


def _key_at(stream: StreamDef, names: tuple[str, ...]) -> tuple[int, ...]:
    places = {plain(name): i for i, name in enumerate(names)}
    return tuple(places[plain(name)] for name in stream.key)


def _filters(stream: StreamDef, header: Header) -> dict[int, set[str]]:
    places = {plain(name): i for i, name in enumerate(header.names)}
    return {places[plain(n)]: {str(v) for v in values} for n, values in stream.where.items()}


def _shown(cell: Any) -> str:
    return cell.shown if isinstance(cell, Broken) else str("" if cell is None else cell)

"""A sheet under its header: which sheet it is, merged header cells, rows to the last one filled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final, Protocol

from tenon.connect.connectors.files import header
from tenon.connect.connectors.files.faults import FileRefused
from tenon.connect.connectors.files.header import Header
from tenon.connect.contract import StreamAbsent
from tenon.define.models import StreamDef
from tenon.kernel.text import Text

Merged = tuple[tuple[int, int], tuple[int, int]]  # from (row, column) to (row, column)

_SHEETS: Final = Text("工作表只有 {sheets}", "it has the sheets {sheets}")
_SEVERAL: Final = Text(
    "有多个工作表（{sheets}）都有所需的表头；请在定义中用 sheet 指明要读哪一个。没有读取任何行。",
    "has several sheets with the columns needed ({sheets}). Name the one to be read (sheet) in the "
    "definition; no row was read.",
)


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows of a sheet, with their numbers from 0, and its merged cells."""

    rows: Callable[[], Iterator[tuple[int, list[Any]]]]
    merged: Sequence[Merged]

    def top(self) -> list[list[str]]:
        """The first rows as texts, a merged cell's text in each cell it covers."""
        found: list[list[str]] = []
        for number, cells in islice(self.rows(), header.SEARCHED):
            found += [[] for _ in range(number - len(found))]
            found.append([cell if isinstance(cell, str) else str(cell) for cell in cells])
        for (first, left), (last, right) in self.merged:
            if first < len(found) and left < len(found[first]):
                _fill(found, found[first][left], (first, left), (last, right))
        return found

    def header_ends(self, row: int) -> int:
        """The last row of a header: a cell merged downwards belongs to all it covers."""
        return max([row, *(end[0] for start, end in self.merged if start[0] <= row <= end[0])])


class Book(Protocol):
    """A workbook of either kind."""

    epoch: datetime
    visible: list[str]
    hidden: list[str]

    def grid(self, sheet: str) -> Grid:
        """A sheet as rows of cells."""
        ...

    def close(self) -> None:
        """Let go of the workbook."""
        ...


class SheetTable:
    """The rows of the sheet that a stream names, or of the one visible sheet that fits it."""

    def __init__(self, source: str, book: Book, name: str, stream: StreamDef) -> None:
        self.epoch: datetime | None = book.epoch
        grid, top, number = _chosen(source, book, name, stream)
        self._grid = grid
        self._body = grid.header_ends(number) + 1
        self.header: Header = header.header_of(name, stream, number, top[number])

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """Each row as its number in the sheet and its cells; empty ones are left out."""
        for number, cells in self._grid.rows():
            if number >= self._body and any(c not in {"", None} for c in cells):
                yield number + 1, cells


def _chosen(
    source: str, book: Book, name: str, stream: StreamDef
) -> tuple[Grid, list[list[str]], int]:
    found: list[tuple[str, Grid, list[list[str]], int]] = []
    likely: list[list[str]] = [[]]
    for sheet in _sheets(source, book, name, stream):
        grid = book.grid(sheet)
        top = grid.top()
        number = header.find(stream, top)
        if number is not None:
            found.append((sheet, grid, top, number))
        elif top:
            likely = top
    if not found:
        raise header.absent(source, name, stream, likely)
    if len(found) > 1:
        sheets = ", ".join(sheet for sheet, *_ in found)
        raise FileRefused("several_sheets", _SEVERAL, name, sheets=sheets)
    return found[0][1:]


def _sheets(source: str, book: Book, name: str, stream: StreamDef) -> list[str]:
    sheet = stream.file.sheet if stream.file else None
    if sheet is None:
        return book.visible  # hidden ones only by their name
    wanted = header.plain(sheet)
    named = [s for s in [*book.visible, *book.hidden] if header.plain(s) == wanted]
    if not named:
        sheets = ", ".join(book.visible)
        raise StreamAbsent(source, f"{name} / {sheet}", _SHEETS.format(sheets=sheets))
    return named[:1]


def _fill(rows: list[list[str]], text: str, start: tuple[int, int], end: tuple[int, int]) -> None:
    for row in range(start[0], min(end[0], header.SEARCHED, len(rows) - 1) + 1):
        last = min(end[1], 16383)
        rows[row] += [""] * (last + 1 - len(rows[row]))
        for column in range(start[1], last + 1):
            rows[row][column] = text

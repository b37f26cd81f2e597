"""The header row: found by the names of the columns that are needed, wherever it stands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tenon.connect.connectors.files.faults import FileRefused
from tenon.connect.contract import FILE_COLUMNS, ColumnAbsent
from tenon.define.models import StreamDef
from tenon.kernel.text import Text

VIRTUAL: Final = FILE_COLUMNS
FILE_TIME: Final = FILE_COLUMNS[1]
SEARCHED: Final = 30  # rows from the top
_SPACE: Final = re.compile(r"\s+")

_TWICE: Final = Text(
    "的表头中“{column}”出现了不止一次，无法确定该读哪一列；请在导出时改名。没有读取任何行。",
    "has the column “{column}” more than once, so it is not clear which to read. Rename one; no "
    "row was read.",
)


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header stands and which of its columns are read."""

    row: int
    width: int
    names: tuple[str, ...]  # as the definition calls them
    at: tuple[int, ...]  # where each stands; below 0 are the file's own: -1 name, -2 time, -3 row


def comes_in_parts(stream: StreamDef) -> bool:
    """Whether each file holds what is new, and not the newest everything."""
    return stream.cursor is not None and stream.cursor.column in VIRTUAL


def plain(name: str) -> str:
    """A column's name as compared: without case, full-width letters, or space within it."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", name)).casefold()


def needed(stream: StreamDef) -> list[str]:
    """The columns that a stream cannot be read without."""
    names = [*stream.columns, *stream.key, *stream.where]
    names += [stream.cursor.column] if stream.cursor else []
    names += [stream.cursor.version] if stream.cursor and stream.cursor.version else []
    lacking = {plain(n) for n in stream.may_lack}
    return [n for n in dict.fromkeys(names) if plain(n) not in lacking and n not in VIRTUAL]


def find(stream: StreamDef, rows: Sequence[Sequence[str]]) -> int | None:
    """The first row that has all the names needed."""
    wanted = {plain(n) for n in needed(stream)}
    if not wanted:  # any will do: the one with most names
        return max(range(len(rows[:SEARCHED])), key=lambda i: _filled(rows[i]), default=None)
    for number, row in enumerate(rows[:SEARCHED]):
        if wanted <= {plain(cell) for cell in row}:
            return number
    return None


def _filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def absent(
    source: str, file: str, stream: StreamDef, rows: Sequence[Sequence[str]]
) -> ColumnAbsent:
    """The error for a file without its header: what the likeliest row lacks."""
    wanted = {plain(n): n for n in needed(stream)}
    best = max(
        rows[:SEARCHED], key=lambda r: len({plain(c) for c in r} & wanted.keys()), default=()
    )
    there = {plain(cell) for cell in best}
    lacking = [name for name in wanted.values() if plain(name) not in there]
    return ColumnAbsent(source, file, lacking, [cell.strip()[:40] for cell in best if cell.strip()])


def header_of(file: str, stream: StreamDef, number: int, row: Sequence[str]) -> Header:
    """The columns to be read of a header row."""
    places: dict[str, list[int]] = {}
    for at, cell in enumerate(row):
        if cell.strip():
            places.setdefault(plain(cell), []).append(at)
    names = _names(stream, row, places)
    for name in names:
        if len(places.get(plain(name), [])) > 1:
            raise FileRefused("column_twice", _TWICE, file, column=name)
    where = tuple(_at(name, places) for name in names)
    width = max((i for i, cell in enumerate(row) if cell.strip()), default=0) + 1
    return Header(number, width, tuple(names), where)


def _names(stream: StreamDef, row: Sequence[str], places: dict[str, list[int]]) -> list[str]:
    own = [n for n in (*stream.columns, *stream.key, *stream.where) if n in VIRTUAL]
    own += [stream.cursor.column] if stream.cursor and stream.cursor.column in VIRTUAL else []
    names = needed(stream)
    names += [n for n in stream.may_lack if plain(n) in places and n not in names]
    if not stream.columns:
        have = {plain(n) for n in names}
        names += [_SPACE.sub(" ", cell.strip()) for cell in row
                  if cell.strip() and plain(cell) not in have]  # fmt: skip
    return [*dict.fromkeys(names), *dict.fromkeys(own)]


def _at(name: str, places: dict[str, list[int]]) -> int:
    return -1 - VIRTUAL.index(name) if name in VIRTUAL else places[plain(name)][0]

"""The rows of a stream out of the cells of a file: header found, codes guarded, problems named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tenon.connect.connectors.files.table import Cell, Damaged, Line, is_excel
from tenon.connect.contract import ColumnAbsent
from tenon.define.models import StreamDef
from tenon.kernel.errors import Stop
from tenon.kernel.text import Text

FILE_NAME: Final = "file_name"
FILE_TIME: Final = "file_time"
OF_FILE: Final = frozenset({FILE_NAME, FILE_TIME})
_HEADER_WITHIN: Final = 20
_SCIENTIFIC: Final = re.compile(r"[+-]?\d(\.\d+)?[eE]\+\d+")

_FIELDS = Text(
    "第 {line} 行有 {found} 个字段，表头有 {expected} 个；整行已原样保存，没有采用。",
    "Line {line} has {found} fields, the header has {expected}. The whole line is kept, nothing of "
    "it was taken.",
)
_DAMAGED = Text(
    "第 {line} 行“{column}”的值“{value}”已被 Excel 改写（科学计数、位数丢失或公式出错），"
    "整行没有采用。请改正，或把该列设为文本格式，再重新导出。",
    "“{column}” in line {line} holds “{value}”: Excel has rewritten it (scientific notation, lost "
    "digits, or a formula's error), so the row was not taken. Mend it, or format the column as "
    "text, and export again.",
)
_TWICE = Text(
    "文件“{name}”的表头中“{column}”出现了两次，不能确定读哪一列。请改名后重新导出。",
    "“{column}” stands twice in the header of the file “{name}”; it cannot be told which is meant. "
    "Rename one and export again.",
)

# The values of the stream's columns, then the problem of the row and the line as it was.
Values = list[Cell]


class Layout:
    """Where a stream's columns stand in a file."""

    def __init__(self, stream: StreamDef, source: str, name: str, header: Sequence[Cell]) -> None:
        self._width, self._ragged = len(header), is_excel(name)
        there: dict[str, int] = {}
        for at, title in enumerate(header):
            key = (title or "").casefold()
            if key and key in there and key in _wanted(stream):
                raise Stop("column_twice", _TWICE, name=name, column=title)
            there.setdefault(key, at)
        self.names = _names(stream, header)
        absent = [
            n for n in self.names
            if n.casefold() not in there and n not in OF_FILE and n not in stream.may_lack
        ]  # fmt: skip
        if absent:
            raise ColumnAbsent(source, name, absent, [t for t in header if t])
        self._at = [there.get(n.casefold()) for n in self.names]
        codes = {k.casefold() for k in stream.key}
        widths = stream.file.digits if stream.file else {}
        self._widths = {n.casefold(): w for n, w in widths.items()}
        self._codes = [n.casefold() in codes | self._widths.keys() for n in self.names]
        places = [n.casefold() for n in self.names]
        self._filters = [
            (places.index(n.casefold()), {str(one) for one in allowed})
            for n, allowed in stream.where.items()
        ]

    def values(self, line: Line) -> Values | None:
        """A row's values and its problem; None of an empty line."""
        number, cells = line
        while len(cells) > self._width and cells[-1] is None:
            cells = cells[:-1]  # Excel's trailing commas
        if not any(cells):
            return None
        if self._ragged:
            cells = [*cells, *([None] * (self._width - len(cells)))]
        if len(cells) != self._width:
            return self._refused(number, cells)
        values: Values = []
        problem = None
        for name, at, is_code in zip(self.names, self._at, self._codes, strict=True):
            value = None if at is None else cells[at]
            if value is not None:
                damaged = isinstance(value, Damaged)
                if damaged or (is_code and _SCIENTIFIC.fullmatch(value)):
                    text = _DAMAGED.format(line=number, column=name, value=value)
                    problem = problem or _told("damaged_value", text)
                width = self._widths.get(name.casefold())
                if width and value.isdecimal():
                    value = value.zfill(width)
            values.append(value)
        return [*values, problem, None]

    def matches(self, values: Values) -> bool:
        """Whether the stream's filter lets the row through."""
        return all(values[at] in allowed for at, allowed in self._filters)

    def _refused(self, number: int, cells: Sequence[Cell]) -> Values:
        problem = _FIELDS.format(line=number, found=len(cells), expected=self._width)
        line = json.dumps(list(cells), ensure_ascii=False)
        return [*([None] * len(self.names)), _told("wrong_fields", problem), line]


def laid_out(
    stream: StreamDef, source: str, name: str, lines: Iterable[Line]
) -> tuple[Layout, Iterator[Line]] | None:
    """The layout by the first line that has all the stream's columns, and the lines after it.

    None of an empty file. Titles and notes above the header, as people put there, are skipped.
    """
    rest = iter(lines)
    first: Sequence[Cell] | None = None
    wanted = _wanted(stream)
    for _, (_, cells) in zip(range(_HEADER_WITHIN), rest, strict=False):
        if not any(cells):
            continue
        while cells and cells[-1] is None:
            cells.pop()
        first = first or cells
        if wanted <= {(c or "").casefold() for c in cells}:
            return Layout(stream, source, name, cells), rest
    if first is None:
        return None
    return Layout(stream, source, name, first), rest  # it says which columns are missing


def _wanted(stream: StreamDef) -> set[str]:
    named = [*stream.key, *stream.columns, *stream.where]
    named += [stream.cursor.column] if stream.cursor else []
    return {n.casefold() for n in named if n not in OF_FILE and n not in stream.may_lack}


def _names(stream: StreamDef, header: Sequence[Cell]) -> list[str]:
    named = list(stream.columns) or [t for t in header if t]
    more = [*stream.key, *stream.where, *([stream.cursor.column] if stream.cursor else [])]
    have = {n.casefold() for n in named}
    return named + [n for n in dict.fromkeys(more) if n.casefold() not in have]


def _told(code: str, text: Text) -> str:
    return json.dumps({"code": code, **text.as_dict()}, ensure_ascii=False)

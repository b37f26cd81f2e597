"""CSV: its encoding by rule, its delimiter by the header, each record with its own lines.

The standard library's reader is used, strictly: faster ones let a stray quote swallow the rows
after it, which nobody would notice.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from tenon.connect.connectors.files import header
from tenon.connect.connectors.files.faults import FileRefused
from tenon.connect.connectors.files.header import Header
from tenon.define.models import FileDef, StreamDef
from tenon.kernel.errors import SetAside
from tenon.kernel.text import Text

_DELIMITERS: Final = (",", ";", "\t", "|")
_LONGEST: Final = 1 << 20  # characters of a line
_MOST_LINES: Final = 200  # of one record
_PIECE: Final = 1 << 20
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")
)  # fmt: skip

_ENCODING: Final = Text(
    "既不是 UTF-8 也不是 GB18030 编码（位置 {at} 的字节无效）；Tenon 不猜测编码，没有读取任何行。"
    "请以 UTF-8 或 GBK 重新导出。",
    "is neither UTF-8 nor GB18030 (a byte near {at} is valid in neither). Tenon does not guess; no "
    "row was read. Export it as UTF-8 or GBK.",
)
_DECLARED: Final = Text(
    "不是定义中声明的 {encoding} 编码（位置 {at} 的字节无效）；没有读取任何行。",
    "is not {encoding}, as its definition says (a byte near {at} is not valid); no row was read.",
)
_UTF16: Final = Text(
    "看起来是没有 BOM 的 UTF-16；请以 UTF-8 重新导出，或在定义中写 encoding: utf-16。"
    "没有读取任何行。",
    "looks like UTF-16 without its mark. Export it as UTF-8, or write encoding: utf-16 in the "
    "definition; no row was read.",
)
_MARKUP: Final = Text(
    "是网页（HTML/XML），只是名字像表格；请在 Excel 中打开，另存为 .xlsx 或 CSV。没有读取任何行。",
    "is a web page (HTML or XML) with the name of a table. Open it in Excel and save it as .xlsx "
    "or CSV; no row was read.",
)
_LONG_LINE: Final = Text(
    "第 {line} 行超过 {limit} 个字符，不是可读的 CSV；没有读取任何行。",
    "has over {limit} characters in line {line} and is no CSV; no row was read.",
)
_FIELDS: Final = Text(
    "第 {line} 行有 {found} 个字段，表头有 {width} 个；原文已保存，请在来源中更正。",
    "Line {line} has {found} fields and the header has {width}. Its text is kept; correct it at "
    "its source.",
)
_QUOTES: Final = Text(
    "第 {line} 行的引号不成对，无法确定字段；原文已保存，请在来源中更正。",
    "The quotes of line {line} do not match, so its fields cannot be told. Its text is kept; "
    "correct it at its source.",
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A piece of a file that is no row."""

    line: int
    content: bytes
    why: SetAside


def encoding_of(path: Path, name: str, declared: str | None) -> str:
    """The encoding of a text file; FileRefused when it is none that is allowed."""
    with path.open("rb") as file:
        start = file.read(4096)
        for mark, encoding in _BOMS:
            if start.startswith(mark):
                return _strict(file, name, encoding)
        if declared is not None:
            return _strict(file, name, "utf-16-le" if declared == "utf-16" else declared)
        if start.count(b"\0") * 5 > len(start):
            raise FileRefused("file_encoding", _UTF16, name)
        if start.lstrip()[:1] == b"<":
            raise FileRefused("file_markup", _MARKUP, name)
        if _invalid_at(file, "utf-8") is None:
            return "utf-8"
        at = _invalid_at(file, "gb18030")
        if at is None:
            return "gb18030"
        raise FileRefused("file_encoding", _ENCODING, name, at=at)


def _strict(file: BinaryIO, name: str, encoding: str) -> str:
    at = _invalid_at(file, encoding)
    if at is not None:
        raise FileRefused("file_encoding", _DECLARED, name, encoding=encoding, at=at)
    return encoding


def _invalid_at(file: BinaryIO, encoding: str) -> int | None:
    """About where the bytes are not of this encoding; None when all are."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    file.seek(0)
    at = 0
    try:
        while piece := file.read(_PIECE):
            decoder.decode(piece)
            at += len(piece)
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        return at + (error.start if isinstance(error, UnicodeDecodeError) else 0)
    return None


class CsvTable:
    """The records of a CSV file under its header."""

    def __init__(self, source: str, path: Path, name: str, stream: StreamDef) -> None:
        how = stream.file or FileDef()
        self._path, self._name = path, name
        self._encoding = encoding_of(path, name, how.encoding)
        top = self._top()
        read = {d: _parsed(top, d) for d in ([how.delimiter] if how.delimiter else _DELIMITERS)}
        fitting = [d for d in read if header.find(stream, read[d]) is not None]
        # Of several the one that parts the rows most: a name may hold the other's sign.
        self._delimiter = max(fitting or read, key=lambda d: max(map(len, read[d])))
        rows = read[self._delimiter]
        number = header.find(stream, rows)
        if number is None:
            raise header.absent(source, name, stream, rows)
        self.header: Header = header.header_of(name, stream, number, rows[number])
        self.epoch = None

    def rows(self) -> Iterator[tuple[int, list[str]] | Refused]:
        """Each record as its line and its fields, or as what could not be read."""
        with self._text() as text:
            lines = _Lines(text, self._name)
            for fields in islice(_records(lines, self._delimiter), self.header.row + 1, None):
                if fields is None:
                    yield self._refused(lines, SetAside("bad_quotes", _QUOTES, line=lines.first))
                elif (row := self._fitted(fields)) is None:
                    yield self._refused(lines, self._misfit(lines.first, len(fields)))
                elif any(row):
                    yield lines.first, row

    def _fitted(self, fields: list[str]) -> list[str] | None:
        width = self.header.width
        if len(fields) == width:
            return fields
        if not any(fields):
            return [""] * width
        # Excel writes as many delimiters as the widest row it ever had.
        return fields[:width] if len(fields) > width and not any(fields[width:]) else None

    def _misfit(self, line: int, found: int) -> SetAside:
        return SetAside("wrong_fields", _FIELDS, line=line, found=found, width=self.header.width)

    def _refused(self, lines: _Lines, why: SetAside) -> Refused:
        return Refused(lines.first, "".join(lines.taken).encode(self._encoding), why)

    def _text(self) -> io.TextIOWrapper:
        return self._path.open("r", encoding=self._encoding, newline="")

    def _top(self) -> list[str]:
        with self._text() as text:
            lines = _Lines(text, self._name)
            return [line for line, _ in zip(lines, range(header.SEARCHED * 4), strict=False)]


class _Runaway(Exception):
    """A record of so many lines that its quotes must be wrong."""


class _Lines:
    """The lines of a file, those of the present record kept, and given back when it was none."""

    def __init__(self, text: io.TextIOBase, name: str) -> None:
        self._text, self._name = text, name
        self._ahead: deque[str] = deque()
        self._read = 0
        self.taken: list[str] = []
        self.first = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _MOST_LINES:
            raise _Runaway
        line = self._ahead.popleft() if self._ahead else self._text.readline(_LONGEST)
        if not line:
            raise StopIteration
        self._read += 1
        if len(line) >= _LONGEST:
            raise FileRefused("line_too_long", _LONG_LINE, self._name, line=self._read,
                              limit=_LONGEST)  # fmt: skip
        self.taken.append(line)
        return line

    def begin(self) -> None:
        """The next line begins a record."""
        self.taken, self.first = [], self._read + 1

    def keep_first(self) -> None:
        """Only the first line is at fault: those after it are read again, each for itself."""
        rest = self.taken[1:]
        self._ahead.extendleft(reversed(rest))
        self._read -= len(rest)
        del self.taken[1:]


def _records(lines: _Lines, delimiter: str) -> Iterator[list[str] | None]:
    """The records; None for a line whose quotes do not match."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        try:
            yield next(reader)
        except StopIteration:
            return
        except (csv.Error, _Runaway):
            lines.keep_first()
            yield None


def _parsed(top: list[str], delimiter: str) -> list[list[str]]:
    """The first rows as this delimiter parts them."""
    lines = _Lines(io.StringIO("".join(top), newline=""), "")
    return [row or [] for row in islice(_records(lines, delimiter), header.SEARCHED)] or [[]]

"""The cells of a file: CSV by the rules of its encoding, Excel without its surprises.

Cells are texts; an empty one is no value. What cannot be read as it was meant is refused or, if
it is one row, comes with its problem: nothing is guessed that could be wrong without a sign.
"""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import python_calamine as calamine

from tenon.kernel.decimals import plain
from tenon.kernel.errors import Stop
from tenon.kernel.text import Text

_OLD_EXCEL: Final = ".xls"
_EXCEL: Final = (".xlsx", ".xlsm", _OLD_EXCEL)
_DELIMITERS: Final = ",;\t|"
_LONGEST_CELL: Final = 1024 * 1024
_MOST_SHEET_BYTES: Final = 512 * 1024 * 1024
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Excel keeps fifteen digits of a number; a longer code has lost its last ones.
_MOST_DIGITS: Final = 10**15

_ENCODING = Text(
    "文件“{name}”既不是 UTF-8 也不是 GB18030（第 {at} 个字节起）；没有读入。"
    "请让对方系统用其中之一导出。",
    "The file “{name}” is neither UTF-8 nor GB18030 (from byte {at} on), so it was not read. Let "
    "the other system export one of the two.",
)
_NOT_EXCEL = Text(
    "文件“{name}”不能作为 Excel 打开：{problem}。请在 Excel 中另存一次，或去掉密码。",
    "The file “{name}” cannot be opened as Excel: {problem}. Save it anew in Excel, or without its "
    "password.",
)
_BOMB = Text(
    "文件“{name}”解压后有 {size} MB，超过上限 {limit} MB；没有打开。",
    "The file “{name}” unpacks to {size} MB; the limit is {limit} MB. It was not opened.",
)
_NO_SHEET = Text(
    "文件“{name}”没有可见的工作表“{sheet}”；现有：{found}。",
    "The file “{name}” has no visible sheet “{sheet}”; it has {found}.",
)
_BAD_CSV = Text(
    "文件“{name}”第 {line} 行不是有效的 CSV：{problem}。",
    "Line {line} of the file “{name}” is no valid CSV: {problem}.",
)

Cell = str | None
# A row with the line it begins at.
Line = tuple[int, list[Cell]]


class Damaged(str):
    """A cell that is not what was meant: an error value, or digits that were lost."""

    __slots__ = ()


def lines(path: Path, name: str, sheet: str | None) -> Iterator[Line]:
    """The rows of a file, its header among them; Stop when it cannot be read."""
    if is_excel(name):
        return _of_excel(path, name, sheet)
    return _of_csv(path, name)


def encoding_of(path: Path, name: str) -> str:
    """The encoding by rule: a mark, else UTF-8, else GB18030, each strict; Stop when none fits.

    No statistics: detectors were seen to take GB18030 for Big5 (reference/legacy-systems.md).
    """
    with path.open("rb") as file:
        head = file.read(4)
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    at = 0
    for encoding in ("utf-8", "gb18030"):
        wrong = _wrong_at(path, encoding)
        if wrong is None:
            return encoding
        at = max(at, wrong)
    raise Stop("bad_encoding", _ENCODING, name=name, at=at)


def _wrong_at(path: Path, encoding: str) -> int | None:
    decoder, at = codecs.getincrementaldecoder(encoding)("strict"), 0
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            try:
                decoder.decode(part)
            except UnicodeDecodeError as error:
                return at + error.start
            at += len(part)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return at
    return None


def _of_csv(path: Path, name: str) -> Iterator[Line]:
    encoding = encoding_of(path, name)
    csv.field_size_limit(_LONGEST_CELL)
    with path.open("r", encoding=encoding, newline="", errors="strict") as file:
        try:
            delimiter = _delimiter(file)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            before = 0
            for row in reader:
                yield before + 1, [_text(cell) for cell in row]
                before = reader.line_num
        except csv.Error as error:
            raise Stop(
                "bad_csv", _BAD_CSV, name=name, line=before + 1, problem=str(error)
            ) from None
        except UnicodeDecodeError as error:  # a mark that promised too much
            raise Stop("bad_encoding", _ENCODING, name=name, at=error.start) from None


def _delimiter(file: io.TextIOBase) -> str:
    """The delimiter that the first line has most of, outside quotes."""
    first, quoted = file.readline(_LONGEST_CELL), False
    file.seek(0)
    counts = dict.fromkeys(_DELIMITERS, 0)
    for letter in first:
        if letter == '"':
            quoted = not quoted
        elif not quoted and letter in counts:
            counts[letter] += 1
    return max(counts, key=lambda one: counts[one])


def _text(cell: str) -> Cell:
    if cell.startswith('="') and cell.endswith('"'):
        cell = cell[2:-1]  # how programs make Excel keep a text: ="001"
    return cell.strip() or None


def is_excel(name: str) -> bool:
    """Whether a file is a workbook: its rows end where their last value is."""
    return name.casefold().endswith(_EXCEL)


def _of_excel(path: Path, name: str, sheet: str | None) -> Iterator[Line]:
    _refuse_bomb(path, name)
    # The old form by calamine, which alone reads it (a formula's error comes as no value there);
    # the new one by openpyxl, which reads a row at a time and shows errors.
    rows = _of_old if name.casefold().endswith(_OLD_EXCEL) else _of_new
    try:
        for at, row in enumerate(rows(path, name, sheet), 1):
            yield at, [_of_cell(value) for value in row]
    except _UNREADABLE as error:
        problem = " ".join(str(error).split())[:200] or type(error).__name__
        raise Stop("not_excel", _NOT_EXCEL, name=name, problem=problem) from None


_UNREADABLE: Final = (
    calamine.CalamineError, zipfile.BadZipFile, OSError, KeyError,
    ValueError, SyntaxError,  # a broken part of it, as the XML parser says
)  # fmt: skip


def _of_new(path: Path, name: str, sheet: str | None) -> Iterator[Sequence[Any]]:
    import openpyxl  # noqa: PLC0415  a third of a second that only Excel's files need

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        visible = [one.title for one in book.worksheets if one.sheet_state == "visible"]
        found = book[_chosen(name, sheet, visible)]
        found.reset_dimensions()  # programs write wrong ones
        yield from found.iter_rows(values_only=True)
    finally:
        book.close()


def _of_old(path: Path, name: str, sheet: str | None) -> Iterator[Sequence[Any]]:
    book = calamine.CalamineWorkbook.from_path(path)
    visible = [
        one.name for one in book.sheets_metadata
        if one.visible == calamine.SheetVisibleEnum.Visible
        and one.typ == calamine.SheetTypeEnum.WorkSheet
    ]  # fmt: skip
    found = book.get_sheet_by_name(_chosen(name, sheet, visible))
    yield from found.to_python(skip_empty_area=False)


def _chosen(name: str, sheet: str | None, visible: Sequence[str]) -> str:
    wanted = sheet or (visible[0] if visible else "")
    if wanted not in visible:
        found = ", ".join(visible) or "—"
        raise Stop("no_sheet", _NO_SHEET, name=name, sheet=wanted, found=found)
    return wanted


def _refuse_bomb(path: Path, name: str) -> None:
    """Refuse a file that unpacks to more than a plant ever exports (a zip bomb)."""
    if not zipfile.is_zipfile(path):
        return  # .xls is no archive
    with zipfile.ZipFile(path) as archive:
        size = sum(one.file_size for one in archive.infolist())
    if size > _MOST_SHEET_BYTES:
        raise Stop("zip_bomb", _BOMB, name=name, size=size >> 20, limit=_MOST_SHEET_BYTES >> 20)


def _of_cell(value: Any) -> Cell:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        text = value.strip()
        return Damaged(text) if text.startswith("#") and text.endswith(("!", "?", "A")) else text
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return _of_number(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)


def _of_number(value: float) -> Cell:
    text = plain(Decimal(repr(value)))
    return Damaged(text) if abs(value) >= _MOST_DIGITS else text

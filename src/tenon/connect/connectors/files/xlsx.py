"""Workbooks (.xlsx): looked over by a strict XML parser first, then read.

The reader holds a sheet as one rectangle and gives error cells as empty ones. So the sheet's own
XML is gone through first: how large it is, whether it declares entities, which cells are errors.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

import python_calamine

from tenon.connect.connectors.files.cells import EPOCH_1900, EPOCH_1904, Broken
from tenon.connect.connectors.files.faults import FileRefused
from tenon.connect.connectors.files.sheet import Grid, Merged
from tenon.connect.connectors.files.zipguard import Members
from tenon.kernel.text import Text

MOST_CELLS: Final = 6_000_000
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"

_ENTITIES: Final = Text(
    "含有 XML 实体声明（DTD），正常的 Excel 文件没有；没有读取任何行。",
    "declares XML entities (a DTD), which no workbook of Excel does; no row was read.",
)
_TOO_MANY: Final = Text(
    "的工作表范围有 {cells} 个单元格（上限 {limit}），通常是很远处有一个多余的单元格；"
    "请删除多余的行和列，或改用 CSV。没有读取任何行。",
    "has a sheet that spans {cells} cells (the limit is {limit}), mostly because of a stray cell "
    "far away. Delete the rows and columns not used, or use CSV; no row was read.",
)


@dataclass(slots=True)
class _Facts:
    """What a sheet's XML says of its cells."""

    first: tuple[int, int] | None = None
    last: tuple[int, int] = (0, 0)
    broken: dict[tuple[int, int], str] = field(default_factory=dict)


class Xlsx:
    """A workbook."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._members = Members(path, name)
        if _WORKBOOK not in self._members:
            raise self._members.damaged()
        self.epoch = EPOCH_1900
        self._parts: dict[str, str] = {}
        self.visible: list[str] = []
        self.hidden: list[str] = []
        self._outline()
        for member in self._members.names():
            if member.casefold().endswith((".xml", ".rels")):
                _parse(self._members, member, self._name)  # what it declares, and how large it is
        try:
            self._book = python_calamine.CalamineWorkbook.from_path(str(path))
        except (python_calamine.CalamineError, OSError, ValueError):
            raise self._members.damaged() from None

    def grid(self, sheet: str) -> Grid:
        """A sheet as rows of cells."""
        facts = self._looked_over(self._parts[sheet])
        try:
            found = self._book.get_sheet_by_name(sheet)
        except (python_calamine.CalamineError, ValueError):
            raise self._members.damaged() from None
        merged: list[Merged] = found.merged_cell_ranges or []
        return Grid(lambda: _rows(found, facts), merged)

    def close(self) -> None:
        """Let go of the workbook."""
        self._book.close()

    def _outline(self) -> None:
        targets: dict[str, str] = {}
        sheets: list[dict[str, str]] = []

        def relation(tag: str, attributes: dict[str, str]) -> None:
            if tag == "Relationship":
                targets[attributes.get("Id", "")] = attributes.get("Target", "")

        def part(tag: str, attributes: dict[str, str]) -> None:
            if tag == "sheet":
                sheets.append(attributes)
            elif tag == "workbookPr" and attributes.get("date1904") in {"1", "true"}:
                self.epoch = EPOCH_1904

        _parse(self._members, _RELATIONS, self._name, relation)
        _parse(self._members, _WORKBOOK, self._name, part)
        for sheet in sheets:
            target = targets.get(sheet.get("id", ""), "")
            member = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
            if member not in self._members or "/worksheets/" not in f"/{member}":
                continue  # a chart, say
            self._parts[sheet.get("name", "")] = member
            shown = sheet.get("state", "visible") == "visible"
            (self.visible if shown else self.hidden).append(sheet.get("name", ""))

    def _looked_over(self, member: str) -> _Facts:
        look = _Look()
        _parse(self._members, member, self._name, look.start, look.end)
        facts = look.facts
        if facts.first is not None:
            (top, left), (bottom, right) = facts.first, facts.last
            cells = (bottom - top + 1) * (right - left + 1)
            if cells > MOST_CELLS:
                raise FileRefused(
                    "sheet_too_large", _TOO_MANY, self._name, cells=cells, limit=MOST_CELLS
                )
        return facts


class _Look:
    """Goes over the cells of a sheet."""

    def __init__(self) -> None:
        self.facts = _Facts()
        self._row = self._column = -1
        self._error = self._formula = self._value = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if tag == "c":
            self._cell(attributes)
        elif tag == "row":
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._column = -1
        elif tag == "f":
            self._formula = True
        elif tag in {"v", "is"}:
            self._value = True

    def end(self, tag: str) -> None:
        """An element ends: after a cell it is known what was in it."""
        if tag != "c":
            return
        at = (self._row, self._column)
        if self._error:
            self.facts.broken[at] = "#N/A"
        elif self._formula and not self._value:
            self.facts.broken[at] = "="

    def _cell(self, attributes: dict[str, str]) -> None:
        found = _REFERENCE.fullmatch(attributes.get("r", ""))
        if found is not None:
            self._row, self._column = int(found[2]) - 1, _number(found[1])
        else:
            self._column += 1
        self._error = attributes.get("t") == "e"
        self._formula = self._value = False
        facts, (row, column) = self.facts, (self._row, self._column)
        top, left = facts.first or (row, column)
        facts.first = (min(top, row), min(left, column))
        facts.last = (max(facts.last[0], row), max(facts.last[1], column))


def _parse(members: Members, member: str, name: str, start: Any = None, end: Any = None) -> None:
    """Go through a member; FileRefused when it declares entities or is no XML."""
    parser = expat.ParserCreate(namespace_separator=" ")

    def refuse(*_args: Any) -> None:
        raise FileRefused("xml_entities", _ENTITIES, name)

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    if start is not None:
        parser.StartElementHandler = lambda tag, found: start(
            _local(tag), {_local(key): value for key, value in found.items()}
        )
    if end is not None:
        parser.EndElementHandler = lambda tag: end(_local(tag))
    try:
        for piece in members.pieces(member):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError):
        raise members.damaged() from None


def _local(tag: str) -> str:
    return tag.rpartition(" ")[2]


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _rows(sheet: python_calamine.CalamineSheet, facts: _Facts) -> Iterator[tuple[int, list[Any]]]:
    """The rows with their numbers from 0, broken cells put in."""
    broken: dict[int, list[tuple[int, str]]] = {}
    for (row, column), shown in facts.broken.items():
        broken.setdefault(row, []).append((column, shown))
    before = [""] * (sheet.start[1] if sheet.start else 0)
    for number, found in enumerate(sheet.iter_rows()):
        # The reader leaves out the columns before the first that is filled, but no rows.
        cells: list[Any] = [*before, *found]
        for column, shown in broken.get(number, ()):
            cells += [""] * (column + 1 - len(cells))
            cells[column] = Broken(shown)
        yield number, cells

"""Old workbooks (.xls), read by the reader that tells their error cells and their calendar."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import xlrd

from tenon.connect.connectors.files.cells import EPOCH_1900, EPOCH_1904, Broken
from tenon.connect.connectors.files.faults import FileRefused
from tenon.connect.connectors.files.sheet import Grid, Merged
from tenon.connect.connectors.files.zipguard import DAMAGED
from tenon.kernel.text import Text

_MOST_BYTES: Final = 25 * 1024 * 1024
_TOO_LARGE: Final = Text(
    "超过 {limit} MB 的上限（.xls 要整个放进内存）；请另存为 .xlsx 或 CSV。没有读取任何行。",
    "passes {limit} MB, the limit for .xls, which is held in memory. Save it as .xlsx or CSV; no "
    "row was read.",
)


class Xls:
    """An old workbook."""

    def __init__(self, path: Path, name: str) -> None:
        if path.stat().st_size > _MOST_BYTES:
            limit = _MOST_BYTES // 1024**2
            raise FileRefused("file_too_large", _TOO_LARGE, name, limit=limit)
        try:
            self._book = xlrd.open_workbook(
                str(path), logfile=io.StringIO(), formatting_info=True, on_demand=True,
                ragged_rows=True,
            )  # fmt: skip
            sheets = [self._book.sheet_by_index(i) for i in range(self._book.nsheets)]
        except Exception:  # noqa: BLE001  damaged bytes break the reader in any way there is
            raise FileRefused("file_damaged", DAMAGED, name) from None
        self.epoch = EPOCH_1904 if self._book.datemode else EPOCH_1900
        self.visible = [s.name for s in sheets if not s.visibility]
        self.hidden = [s.name for s in sheets if s.visibility]

    def grid(self, sheet: str) -> Grid:
        """A sheet as rows of cells."""
        found = self._book.sheet_by_name(sheet)
        merged: list[Merged] = [
            ((top, left), (bottom - 1, right - 1))
            for top, bottom, left, right in found.merged_cells
        ]
        return Grid(lambda: self._rows(found), merged)

    def close(self) -> None:
        """Let go of the workbook."""
        self._book.release_resources()

    def _rows(self, sheet: xlrd.sheet.Sheet) -> Iterator[tuple[int, list[Any]]]:
        for number in range(sheet.nrows):
            cells = zip(sheet.row_types(number), sheet.row_values(number), strict=True)
            yield number, [self._cell(kind, value) for kind, value in cells]

    def _cell(self, kind: int, value: Any) -> Any:
        if kind == xlrd.XL_CELL_ERROR:
            return Broken(xlrd.error_text_from_code.get(int(value), "#N/A"))
        if kind == xlrd.XL_CELL_BOOLEAN:
            return bool(value)
        if kind == xlrd.XL_CELL_DATE:
            return self._date(value)
        return value

    def _date(self, value: float) -> datetime | float:
        try:
            moment: datetime = xlrd.xldate_as_datetime(value, self._book.datemode)
        except (ValueError, OverflowError, xlrd.XLDateError):
            return value
        return moment if value >= 1 else value

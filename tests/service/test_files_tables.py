"""What is in files: encodings, delimiters, what Excel does to values, and files made to harm.

S7, S8 (bombs, entities, memory) and F10 (poison rows keep their bytes and stop no others).
"""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
import textwrap
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from tenon.connect.batches import REFUSED, rows_of
from tenon.connect.connectors.files import zipguard
from tenon.define.models import CursorDef, FileDef, StreamDef
from tenon.kernel.errors import Stop, TenonError
from tests.service.file_servers import open_files

NOW = FileDef()


def stream(**changes: Any) -> StreamDef:
    how = NOW.model_copy(update=changes.pop("file", {}))
    return StreamDef(**({"name": "s", "table": "f.*", "key": ("code",), "file": how} | changes))


def at(*parts: int) -> datetime:
    """A local moment, as sheets have them."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


class Read:
    """What came of reading one file."""

    def __init__(self, folder: Path, definition: StreamDef, **values: Any) -> None:
        self.rows: list[dict[str, Any]] = []
        self.refused: list[tuple[str, str, bytes]] = []
        self.error: TenonError | None = None
        connector = open_files(folder.as_uri(), **values)
        try:
            for batch in connector.read(definition, None):
                names, found = rows_of(batch)
                for row in found:
                    self._take(names, row)
        except TenonError as error:
            self.error = error
        self.remarks = [t.zh for t in connector.remarks(definition)]
        connector.close()

    def _take(self, names: tuple[str, ...], row: tuple[Any, ...]) -> None:
        if names[0] == REFUSED:
            self.refused.append((row[0], row[1], row[2]))
        else:
            self.rows.append(dict(zip(names, row, strict=True)))

    def codes(self) -> list[Any]:
        return [row["code"] for row in self.rows]

    def reasons(self) -> list[str]:
        import json  # noqa: PLC0415

        return [json.loads(why)["code"] for why, _, _ in self.refused]


def read(folder: Path, content: bytes | str, name: str = "f.csv", **changes: Any) -> Read:
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    return Read(folder, stream(**changes))


def book(folder: Path, rows: list[list[Any]], name: str = "f.xlsx", **options: Any) -> Path:
    made = xlsxwriter.Workbook(str(folder / name), options)
    sheet = made.add_worksheet("表")
    dated = made.add_format({"num_format": "yyyy-mm-dd"})
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if isinstance(cell, datetime):
                sheet.write_datetime(r, c, cell, dated)
            elif isinstance(cell, tuple):
                sheet.write_formula(r, c, cell[0], None, cell[1])
            else:
                sheet.write(r, c, cell)
    made.close()
    return folder / name


# --- CSV -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-be-bom"]
)
def test_encodings_by_rule(encoding: str, tmp_path: Path) -> None:
    text = "code,名称\r\nK1,零件㎡\r\n" if encoding != "gbk" else "code,名称\r\nK1,零件\r\n"
    if encoding == "utf-16-be-bom":
        data = b"\xfe\xff" + text.encode("utf-16-be")
    else:
        data = text.encode(encoding)
    found = read(tmp_path, data)
    assert found.error is None
    assert found.rows[0]["名称"].startswith("零件")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"code,n\nK1,\xff\xfe\xff\n", "file_encoding"),
        (b"code,n\nK1," + "零".encode("gb18030")[:1], "file_encoding"),
        ("code,n\nK1,x\n".encode("utf-16-le"), "file_encoding"),
        (b"<html><table><tr><td>code</td></tr></table>", "file_markup"),
        (b"PK\x03\x04 this is no archive", "file_damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "file_damaged"),
        (b"code,code\n1,2\n", "column_twice"),
        (b"no,header\n1,2\n", "column_absent"),
        (b"code,n~bytes\nK1,x\n", "reserved_column"),
    ],
)
def test_files_that_are_refused_as_a_whole(data: bytes, code: str, tmp_path: Path) -> None:
    found = read(tmp_path, data)
    assert isinstance(found.error, Stop)
    assert found.error.code == code
    assert (found.rows, found.refused) == ([], [])
    assert found.error.text.zh != found.error.text.en


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_gives_the_header(delimiter: str, tmp_path: Path) -> None:
    other = "," if delimiter == ";" else ";"
    lines = [["库存报表", "", ""], ["code", "名称", "qty"], ["K1", f'"a{other}b{delimiter}c"', "1"]]
    found = read(tmp_path, "\n".join(delimiter.join(line) for line in lines))
    assert found.rows == [{"code": "K1", "名称": f"a{other}b{delimiter}c", "qty": "1"}]


def test_the_header_is_found_by_its_names_in_any_writing(tmp_path: Path) -> None:
    text = "单位：某厂,,\n\n 物料 编码 ,ＱＴＹ\nK1,5\n"
    found = read(tmp_path, text, columns=("物料编码", "Qty"), key=("物料编码",))
    assert found.rows == [{"物料编码": "K1", "Qty": "5"}]


def test_rows_with_other_numbers_of_fields_keep_their_bytes(tmp_path: Path) -> None:
    data = "code,n\nK1,零\nK2\nK3,a,b\nK4,x,,\n,\n\nK5,y\n".encode("gb18030")
    found = read(tmp_path, data)
    assert found.codes() == ["K1", "K4", "K5"]
    assert found.reasons() == ["wrong_fields", "wrong_fields"]
    assert [(p, b) for _, p, b in found.refused] == [("f.csv:3", b"K2\n"), ("f.csv:4", b"K3,a,b\n")]


def test_a_stray_quote_swallows_no_rows(tmp_path: Path) -> None:
    text = 'code,n\nK1,"a\nb"\nK2,"stray\n' + "".join(f"K{i},x\n" for i in range(3, 900))
    found = read(tmp_path, text + 'K900,"a"b\nK901,z\n')
    assert found.rows[0] == {"code": "K1", "n": "a\nb"}
    assert found.codes()[1:] == [f"K{i}" for i in range(3, 900)] + ["K901"]
    assert [b for _, _, b in found.refused] == [b'K2,"stray\n', b'K900,"a"b\n']
    assert found.reasons() == ["bad_quotes"] * 2


def test_hostile_values_travel_as_they_are(tmp_path: Path) -> None:
    values = ["a\x00b", "'; DROP TABLE x;--", "{0.__class__}", "=cmd|'/c calc'!A1", "𠮷", "9" * 60]
    text = "code,n\n" + "".join(f'K{i},"{v}"\n' for i, v in enumerate(values))
    found = read(tmp_path, text)
    assert [r["n"] for r in found.rows] == values


_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\r\n")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8), max_size=8
    )
)
def test_every_row_comes_or_is_refused(cells: list[str]) -> None:
    """Nothing that is written by the rules is lost, whatever is in it."""
    import csv  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    text = io.StringIO()
    csv.writer(text).writerows([("code", "n"), *((f"K{i}", v) for i, v in enumerate(cells))])
    with tempfile.TemporaryDirectory() as folder:
        found = read(Path(folder), text.getvalue(), file={"encoding": "utf-8"})
    assert found.error is None
    assert len(found.rows) + len(found.refused) == len(cells)
    assert all(r["n"] in {cells[int(r["code"][1:])], None} or r["n"] for r in found.rows)


# --- what Excel does -----------------------------------------------------------------------------


def test_what_excel_does_to_codes_in_csv(tmp_path: Path) -> None:
    text = (
        'code,n\n="00123",a\n1.23E+11,b\n00456,c\n789,d\n#N/A,e\n########,f\n'
        '"2026/1/3",g\n000777,1.23E+11\n000778,#REF!\n000779,1E5\n'
    )
    found = read(tmp_path, text, file={"digits": {"code": 5}})
    assert found.codes() == ["00123", "00456", "2026/1/3", "000779"]
    assert found.reasons() == [
        "abbreviated_number", "lost_zeros", "excel_error", "column_too_narrow",
        "abbreviated_number", "excel_error",
    ]  # fmt: skip
    why = found.refused[0][0]
    assert "1.23E+11" in why
    assert "Excel" in why


def test_zeros_are_put_back_only_where_that_is_allowed(tmp_path: Path) -> None:
    found = read(tmp_path, "code\n12\n123456\n", file={"digits": {"code": 5}, "fill_zeros": True})
    assert found.codes() == ["00012", "123456"]


def test_declared_numbers_may_be_scientific_and_never_floats(tmp_path: Path) -> None:
    text = "code,qty\nK1,1.5E-05\nK2,1.23E+11\nK3,0.1\nK4,12345678901234567890.12\nK5,1E+999999\n"
    found = read(tmp_path, text, file={"types": {"QTY": "number"}})
    assert [r["qty"] for r in found.rows] == [
        "0.000015", "123000000000", "0.1", "12345678901234567890.12",
    ]  # fmt: skip
    assert found.reasons() == ["not_a_number"]


def test_cells_of_a_workbook(tmp_path: Path) -> None:
    book(tmp_path, [
        ["code", "qty", "on", "n"],
        ["K1", 0.1, at(2026, 1, 3), "x"],
        ["K2", 5, 44000, True],
        ["K3", ("=1/0", "#DIV/0!"), at(2026, 1, 3), "x"],
        ["K4", ("=1+1", 2), at(2026, 1, 3), "x"],
        ["K5", 1, -7, "x"],
        [at(2026, 3, 4), 1, at(2026, 1, 3), "x"],
        [1234567890123456, 1, at(2026, 1, 3), "x"],
        ["1.23E+11", 1, at(2026, 1, 3), "x"],
        ["", "", "", ""],
        [123.0, 1e-7, at(2026, 1, 3, 8, 30), "x"],
        ["K6", 1, at(2026, 1, 3), 1234567890123456],
    ])  # fmt: skip
    found = Read(tmp_path, stream(file={"types": {"qty": "number", "on": "date"}}))
    assert found.error is None
    assert [(r["code"], r["qty"], r["on"], r["n"]) for r in found.rows] == [
        ("K1", "0.1", "2026-01-03", "x"), ("K2", "5", "2020-06-18", "TRUE"),
        ("K4", "2", "2026-01-03", "x"), ("123", "0.0000001", "2026-01-03", "x"),
    ]  # fmt: skip
    assert found.reasons() == [
        "excel_error",
        "bad_time",
        "became_date",
        "digits_lost",
        "abbreviated_number",
        "digits_lost",
    ]
    assert "前导零" in found.remarks[0]


def test_a_formula_that_was_never_worked_out_is_no_empty_value(tmp_path: Path) -> None:
    path = book(tmp_path, [["code", "n"], ["K1", ("=A2", "x")], ["K2", "y"]])
    edit(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<v>x</v>", b""))
    found = Read(tmp_path, stream())
    assert (found.codes(), found.reasons()) == (["K2"], ["excel_error"])


@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_serial_dates_of_both_calendars(kind: str, tmp_path: Path) -> None:
    moment = at(2026, 1, 3, 8, 30)
    if kind == "xlsx":
        path = tmp_path / "f.xlsx"
        book(tmp_path, [["code", "on", "serial"], ["K1", moment, 40000]], date_1904=True)
    else:
        path = tmp_path / "f.xls"
        old = xlwt.Workbook()
        old.dates_1904 = True
        sheet = old.add_sheet("表")
        for c, name in enumerate(["code", "on", "serial"]):
            sheet.write(0, c, name)
        sheet.write(1, 0, "K1")
        serial = (moment - at(1904, 1, 1)).total_seconds() / 86400
        sheet.write(1, 1, serial, xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm"))
        sheet.write(1, 2, 40000)
        old.save(str(path))
    found = Read(tmp_path, stream(file={"types": {"on": "time", "serial": "date"}}))
    assert path.exists()
    assert found.rows[0]["on"].startswith("2026-01-03 08:30")
    assert found.rows[0]["serial"] == "2013-07-07"


def test_merged_headers_and_sheets_that_are_hidden(tmp_path: Path) -> None:
    made = xlsxwriter.Workbook(str(tmp_path / "f.xlsx"))
    hidden = made.add_worksheet("旧")
    hidden.write_row(0, 0, ["编码", "计划", "实际"])
    hidden.write_row(1, 0, ["OLD", 1, 2])
    sheet = made.add_worksheet("新")
    sheet.activate()
    sheet.set_first_sheet()
    sheet.merge_range("B2:F2", "生产日报")
    sheet.merge_range("B3:B4", "编码")
    sheet.merge_range("C3:D3", "数量")
    sheet.write_row("C4", ["计划", "实际"])
    sheet.write_row("B5", ["K1", 10, 9])
    sheet.write_row("B6", ["K2", 10, 8])
    hidden.hide()
    made.close()
    definition = stream(columns=("编码", "计划", "实际"), key=("编码",))
    found = Read(tmp_path, definition)
    assert found.rows == [
        {"编码": "K1", "计划": "10", "实际": "9"}, {"编码": "K2", "计划": "10", "实际": "8"},
    ]  # fmt: skip
    only = Read(tmp_path, stream(columns=("编码",), key=("编码",), file={"sheet": "旧"}))
    assert only.rows == [{"编码": "OLD"}]
    none = Read(tmp_path, stream(columns=("编码",), key=("编码",), file={"sheet": "没有"}))
    assert none.error is not None
    assert none.error.code == "stream_absent"


def test_two_sheets_that_fit_are_asked_about(tmp_path: Path) -> None:
    made = xlsxwriter.Workbook(str(tmp_path / "f.xlsx"))
    for name in ("一月", "二月"):
        made.add_worksheet(name).write_column(0, 0, ["code", "K1"])
    made.close()
    error = Read(tmp_path, stream()).error
    assert error is not None
    assert error.code == "several_sheets"
    assert "一月, 二月" in error.text.zh


def test_errors_and_merges_of_an_old_workbook(tmp_path: Path) -> None:
    old = xlwt.Workbook()
    sheet = old.add_sheet("表")
    sheet.write_merge(0, 1, 0, 0, "code")
    sheet.write_merge(0, 0, 1, 2, "数量")
    sheet.write(1, 1, "计划")
    sheet.write(1, 2, "实际")
    sheet.write(2, 0, "K1")
    sheet.row(2).set_cell_error(1, "#DIV/0!")
    sheet.write(3, 0, "K2")
    sheet.write(3, 1, 5)
    sheet.write(40, 5, "")
    old.save(str(tmp_path / "f.xls"))
    found = Read(tmp_path, stream(columns=("code", "计划", "实际")))
    assert found.rows == [{"code": "K2", "计划": "5", "实际": None}]
    assert found.reasons() == ["excel_error"]


def test_the_rows_own_columns_exist_where_they_are_declared(tmp_path: Path) -> None:
    found = read(tmp_path, "n\na\nb\n", columns=("n", "file_name"), key=("file_name", "file_row"))
    assert [(r["file_name"], r["file_row"], r["n"]) for r in found.rows] == [
        ("f.csv", 2, "a"), ("f.csv", 3, "b"),
    ]  # fmt: skip


def test_filters_and_columns_that_may_lack(tmp_path: Path) -> None:
    text = "code,kind\nK1,1\nK2,2\nK3,1\n"
    found = read(tmp_path, text, columns=("code", "gone"), may_lack=("gone",), where={"Kind": (1,)})
    assert found.codes() == ["K1", "K3"]


# --- cursors -------------------------------------------------------------------------------------


def test_rows_come_in_the_order_of_their_cursor(tmp_path: Path) -> None:
    text = "code,changed\nA,2026/1/3 8:00:00\nB,\nC,2026-01-01\nD,2026-01-02 07:00:00\nE,soon\n"
    (tmp_path / "f.csv").write_text(text.replace(" 8:", " 08:"), "utf-8")
    found = Read(tmp_path, stream(cursor=CursorDef(column="changed")))
    assert found.codes() == ["B", "C", "D", "A"]
    assert found.rows[1]["changed"] == at(2026, 1, 1)
    assert found.reasons() == ["bad_time"]


def test_integer_cursors_sort_as_numbers(tmp_path: Path) -> None:
    text = "code,v\nA,10\nB,9\nC,-3\nD,9223372036854775808\nE,1.0\n"
    found = read(tmp_path, text, cursor=CursorDef(column="v", type="integer"))
    assert found.codes() == ["C", "E", "B", "A"]
    assert found.reasons() == ["not_a_number"]


# --- files made to harm (S8) ---------------------------------------------------------------------


def edit(path: Path, member: str, change: Any, more: dict[str, bytes] | None = None) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[member] = change(parts.get(member, b""))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (parts | (more or {})).items():
            archive.writestr(name, content)


SHEET = "xl/worksheets/sheet1.xml"
FAR = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'


@pytest.mark.parametrize(
    ("member", "change", "code"),
    [
        (SHEET, lambda x: x.replace(b"</sheetData>", FAR), "sheet_too_large"),
        (SHEET, lambda x: x.replace(b"<worksheet", b'<!DOCTYPE w [<!ENTITY a "x">]><worksheet', 1),
         "xml_entities"),
        ("xl/workbook.xml", lambda x: x.replace(b"<workbook", b"<!DOCTYPE w><workbook", 1),
         "xml_entities"),
        ("xl/sharedStrings.xml",
         lambda x: x.replace(b"<sst", b'<!DOCTYPE s SYSTEM "file:///etc/passwd"><sst', 1),
         "xml_entities"),
        (SHEET, lambda x: x[:200], "file_damaged"),
        (SHEET, lambda _x: b"", "file_damaged"),
        ("xl/workbook.xml", lambda x: x.replace(b"<sheets>", b"<sheets><sheets>"), "file_damaged"),
        ("xl/media/image1.png", lambda _x: b"\0" * 50_000_000, "zip_bomb"),
    ],
)  # fmt: skip
def test_workbooks_made_to_harm(member: str, change: Any, code: str, tmp_path: Path) -> None:
    path = book(tmp_path, [["code", "n"], ["K1", "x"]])
    edit(path, member, change)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = Read(tmp_path, stream())
    assert found.error is not None
    assert (found.error.recovery, found.error.code) == ("stop", code)
    assert found.rows == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def test_an_archive_that_lies_about_its_size_is_not_believed(tmp_path: Path) -> None:
    path = book(tmp_path, [["code"], ["K1"]])
    edit(path, SHEET, lambda x: x.replace(b"</sheetData>", b" " * 3_000_000 + b"</sheetData>"))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo(SHEET).file_size
    said = size.to_bytes(4, "little")
    data = data.replace(said, (5000).to_bytes(4, "little"))
    path.write_bytes(data)
    error = Read(tmp_path, stream()).error
    assert error is not None
    assert error.code == "zip_bomb"


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path, [["code"], ["K1"]])
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(data)
    error = Read(tmp_path, stream()).error
    assert error is not None
    assert error.code == "file_damaged"


def test_limits_of_size_and_rows(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("code\n" + "K\n" * 600_000, "utf-8")
    assert Read(tmp_path, stream(), max_mb=1).error.code == "file_too_large"  # type: ignore[union-attr]
    many = Read(tmp_path, stream(), max_rows=100)
    assert many.error is not None
    assert many.error.code == "too_many_rows"


def test_one_endless_line_is_refused_without_being_held(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes(b"code,n\nK1," + b"x" * 60_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    error = Read(tmp_path, stream()).error
    assert error is not None
    assert error.code == "line_too_long"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def test_the_guard_knows_a_bomb_by_its_directory_alone(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(3):
            with archive.open(f"xl/{n}.xml", "w", force_zip64=True) as member:
                for _ in range(150):
                    member.write(b" " * 1_000_000)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(Stop, match="zip_bomb"):
        zipguard.Members(path, "f.xlsx")


LARGE = """
import resource, sys
from datetime import datetime
from pathlib import Path
from tests.service.test_files_tables import open_files, stream
from tenon.define.models import CursorDef
cursor = CursorDef(column="changed") if sys.argv[2] == "cursor" else None
import pyarrow
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
connector = open_files(Path(sys.argv[1]).as_uri(), page_rows=5000)
count = largest = 0
for batch in connector.read(stream(cursor=cursor), None):
    count += batch.num_rows
    largest = max(largest, batch.num_rows)
connector.close()
print(count, largest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("order", ["plain", "cursor"])
def test_a_million_rows_are_read_in_bounded_memory(order: str, tmp_path: Path) -> None:
    """F19: the memory does not grow with the file."""
    with (tmp_path / "f.csv").open("w", encoding="utf-8") as file:
        file.write("code,name,qty,changed\n")
        for n in range(1_000_000):
            file.write(f"K{n:07},零件 {n},{n}.25,2026-01-{n % 28 + 1:02} 08:00:00\n")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LARGE), str(tmp_path), order],
        check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2],
        env=os.environ,
    )  # fmt: skip
    count, largest, grown = map(int, done.stdout.split())
    assert (count, largest) == (1_000_000, 5000)
    assert grown < 120 * 1024, "kilobytes"

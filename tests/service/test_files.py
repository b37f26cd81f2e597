"""The files connector on real servers: the conformance suite, hostile files, files that move."""

from __future__ import annotations

import os
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from tenon.connect.batches import LINE, PROBLEM, rows_of
from tenon.connect.connectors.files import FilesConnector
from tenon.connect.contract import ConnectorSettings, StreamTrouble
from tenon.connect.egress import guard
from tenon.define.models import CursorDef, FileDef, StreamDef
from tenon.kernel import clock
from tenon.kernel.errors import Config, NeedsUser, Retry, Stop, TenonError
from tenon.testkit import connector as suite
from tests.service.file_servers import PASSWORD, USER, certificate, ftp_server, sftp_server

STREAM = StreamDef(
    name="stock", table="stock*.csv", columns=("code", "part name", "qty"), key=("code",),
    cursor=CursorDef(column="file_time"),
)  # fmt: skip
WHOLE = STREAM.model_copy(update={"cursor": None})
HEAD = "code,part name,qty\n"
OLD = datetime(2026, 1, 1, 8, tzinfo=UTC)


@dataclass
class Folder:
    """A folder and how a connector reaches it."""

    path: Path
    values: dict[str, Any]

    def put(self, name: str, content: str | bytes, minutes: int = 0) -> Path:
        """A file that was written so many minutes after OLD."""
        file = self.path / name
        raw = content.encode() if isinstance(content, str) else content
        file.write_bytes(raw)
        at = (OLD + timedelta(minutes=minutes)).timestamp()
        os.utime(file, (at, at))
        return file

    def names(self, below: str = "") -> set[str]:
        folder = self.path / below
        return {f.name for f in folder.iterdir() if f.is_file()} if folder.is_dir() else set()

    def open(self, page_rows: int = 33, **more: Any) -> FilesConnector:
        values = {"stable_seconds": 0, **self.values, **more}
        port = values.pop("port", None)
        listed = [("localhost", port)] if port else []
        return FilesConnector(ConnectorSettings("wms", values, guard("wms", listed)), page_rows)

    def rows(
        self, stream: StreamDef = STREAM, since: Any = None, *, finish: bool = False, **more: Any
    ) -> list[dict[str, Any]]:
        connector, found = self.open(**more), []
        try:
            for batch in connector.read(stream, since):
                names, values = rows_of(batch)
                found += [dict(zip(names, row, strict=True)) for row in values]
            if finish:
                connector.finish(stream)
        finally:
            connector.close()
        return found

    def refusal(self, stream: StreamDef = STREAM, **more: Any) -> TenonError:
        with pytest.raises(TenonError) as caught:
            self.rows(stream, finish=True, **more)
        assert PASSWORD not in str(caught.value)  # S31
        return caught.value


@pytest.fixture
def local(tmp_path: Path) -> Folder:
    folder = tmp_path / "export"
    folder.mkdir()
    return Folder(folder, {"url": f"file://{folder}"})


@pytest.fixture(params=["local", "ftp", "ftps", "sftp"])
def folder(request: pytest.FixtureRequest, local: Folder, tmp_path: Path) -> Iterator[Folder]:
    """The same folder, on this machine and behind each kind of server."""
    with ExitStack() as stack:
        values: dict[str, Any] = {"password": PASSWORD}
        if request.param == "local":
            values = local.values
        elif request.param == "sftp":
            port, key = stack.enter_context(sftp_server(local.path))
            values |= {"url": f"sftp://{USER}@localhost:{port}/", "host_key": key, "port": port}
        else:
            file = certificate(tmp_path) if request.param == "ftps" else None
            port = stack.enter_context(ftp_server(local.path, file))
            values |= {"url": f"{request.param}://{USER}@localhost:{port}/", "port": port}
            values |= {"ca_file": str(file)} if file else {}
        yield Folder(local.path, values)


def fill(folder: Folder) -> None:
    """The suite's rows in four files, a minute apart."""
    for part in range(4):
        lines = [
            f"{code},{name},{qty},{at.isoformat(sep=' ')}"
            for code, name, qty, at in suite.ROWS[part * 25 : part * 25 + 25]
        ]
        folder.put(f"parts_{part}.csv", "\n".join(["code,part name,qty,changed", *lines]), part)


@pytest.mark.parametrize("check", suite.CHECKS, ids=lambda check: check.__name__)
def test_conformance(folder: Folder, check: Callable[[suite.Subject], None]) -> None:
    fill(folder)
    columns = ("code", "part name", "qty", "changed")
    stream = STREAM.model_copy(update={"table": "parts_*.csv", "columns": columns})
    absent = WHOLE.model_copy(update={"table": "nothing_*.csv"})
    check(suite.Subject(folder.open, stream, absent))


def test_files_are_archived_once_their_rows_are_written(folder: Folder) -> None:
    """And not before: a run that dies in between reads them again (F1)."""
    folder.put("stock_1.csv", HEAD + "A1,支架,5\n")
    folder.put("stock_2.csv", HEAD + "A2,支架,6\n", 1)
    assert [r["code"] for r in folder.rows(archive="done")] == ["A1", "A2"]
    assert folder.names() == {"stock_1.csv", "stock_2.csv"}
    folder.rows(archive="done", finish=True)
    assert (folder.names(), folder.names("done")) == (set(), {"stock_1.csv", "stock_2.csv"})
    folder.put("stock_1.csv", HEAD + "A3,支架,7\n", -60)  # the same name, and an old time
    assert [r["code"] for r in folder.rows(archive="done", since="2026-02-01", finish=True)] == [
        "A3"
    ]
    assert (folder.path / "done" / "stock_1.csv").read_text("utf-8").endswith("A3,支架,7\n")


def test_nothing_is_moved_unless_a_folder_is_named(folder: Folder) -> None:
    folder.put("stock_1.csv", HEAD + "A1,支架,5\n")
    folder.rows(finish=True)
    assert folder.names() == {"stock_1.csv"}


def test_a_file_that_cannot_be_read_is_set_apart_with_the_reason(folder: Folder) -> None:
    folder.put("stock_1.csv", b"code,part name,qty\nA1,\xff\xff\xff,5\n")
    folder.put("stock_2.csv", HEAD + "A2,支架,6\n", 1)
    refused = folder.refusal(quarantine="bad", archive="done")
    assert isinstance(refused, StreamTrouble)
    assert (refused.code, folder.names()) == ("file_quarantined", set())
    assert folder.names("bad") == {"stock_1.csv", "stock_1.csv.reason.txt"}
    assert "GB18030" in (folder.path / "bad" / "stock_1.csv.reason.txt").read_text("utf-8")
    assert folder.names("done") == {"stock_2.csv"}, "the others were read"


def test_without_a_quarantine_it_stops_and_the_file_stays(folder: Folder) -> None:
    folder.put("stock_1.csv", b"code,part name,qty\nA1,\xff\xff\xff,5\n")
    assert isinstance(folder.refusal(), Stop)
    assert folder.names() == {"stock_1.csv"}


def test_the_newest_file_is_the_whole(folder: Folder) -> None:
    folder.put("stock_b.csv", HEAD + "OLD,支架,5\n")
    folder.put("stock_a.csv", HEAD + "NEW,支架,5\n", 5)
    assert [r["code"] for r in folder.rows(WHOLE)] == ["NEW"]


def test_a_mark_says_that_a_file_is_whole(folder: Folder) -> None:
    folder.put("stock_1.csv", HEAD + "A1,支架,5\n")
    assert folder.rows(done=".ok", archive="done", finish=True) == []
    folder.put("stock_1.csv.ok", "")
    assert len(folder.rows(done=".ok", archive="done", finish=True)) == 1
    assert folder.names("done") == {"stock_1.csv", "stock_1.csv.ok"}


def test_a_file_that_still_grows_is_left(folder: Folder) -> None:
    file = folder.put("stock_1.csv", HEAD + "A1,支架,5\n")
    growing = threading.Event()

    def grow() -> None:
        while not growing.wait(0.05):
            with file.open("a") as more:
                more.write("A2,支架,5\n")

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        assert folder.rows(stable_seconds=0.5) == []
    finally:
        growing.set()
        thread.join()
    assert folder.rows(stable_seconds=0.1)


def test_names_while_writing_are_never_read(folder: Folder) -> None:
    for name in ("~$stock.csv", ".stock.csv", "stock.csv.part", "stock_1.csv.tmp"):
        folder.put(name, HEAD + "A1,支架,5\n")
    if "ftp:" not in folder.values["url"] and "ftps:" not in folder.values["url"]:
        # No way out by a link (S11); what an FTP server shows of its links is its own matter.
        (folder.path / "stock_link.csv").symlink_to("/etc/passwd")
    (folder.path / "stock_folder.csv").mkdir()
    assert folder.rows(STREAM.model_copy(update={"table": "*stock*"})) == []


@pytest.mark.parametrize("folder", ["ftp", "ftps", "sftp"], indirect=True)
def test_a_wrong_password_is_told_and_not_shown(folder: Folder) -> None:
    folder.values["password"] = "the-wrong-word"
    refused = folder.refusal()
    assert isinstance(refused, NeedsUser)
    assert refused.code == "login_refused"
    assert "the-wrong-word" not in str(refused)


@pytest.mark.parametrize("folder", ["ftp", "ftps", "sftp"], indirect=True)
def test_a_host_that_is_not_listed_is_not_asked(folder: Folder) -> None:
    folder.values["port"] = 9
    assert folder.refusal().code == "egress_refused"


@pytest.mark.parametrize("folder", ["ftp", "ftps", "sftp"], indirect=True)
def test_a_dead_server_is_tried_again_later(folder: Folder) -> None:
    folder.values["url"] = folder.values["url"].replace(str(folder.values["port"]), "9")
    folder.values["port"] = 9
    refused = folder.refusal()
    assert (refused.code, isinstance(refused, Retry)) == ("unreachable", True)


@pytest.mark.parametrize("folder", ["sftp"], indirect=True)
@pytest.mark.parametrize("key", [None, "SHA256:AAAA"])
def test_another_host_key_gets_no_password(folder: Folder, key: str | None) -> None:
    right = folder.values["host_key"]
    refused = folder.refusal(host_key=key)
    assert refused.code == "host_key"
    assert right in refused.text.zh, "so that it can be compared and written down"


@pytest.mark.parametrize("folder", ["ftps"], indirect=True)
def test_a_certificate_nobody_vouches_for_is_refused(folder: Folder) -> None:
    assert folder.refusal(ca_file=None).code == "certificate"


def test_a_folder_that_is_not_there(local: Folder) -> None:
    local.values["url"] += "/nowhere"
    assert local.refusal().code == "no_folder"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"url": "file://host/x"}, "bad_url"), ({"url": "file:relative"}, "bad_url"),
        ({"url": "gopher://x/"}, "bad_url"), ({"url": "ftp:///x"}, "bad_url"),
        ({"url": "sftp://h:99999/"}, "bad_url"), ({"archive": "../out"}, "bad_setting"),
        ({"archive": "a/b"}, "bad_setting"), ({"quarantine": ".."}, "bad_setting"),
        ({"stable_seconds": "soon"}, "bad_setting"), ({"stable_seconds": 1e9}, "bad_setting"),
        ({"done": "/ok"}, "bad_setting"), ({"names": "big5"}, "bad_setting"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(local: Folder, values: dict[str, Any], code: str) -> None:
    with pytest.raises(Config) as caught:
        local.open(**values)
    assert caught.value.code == code


# --- what is in the files -------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters_are_recognised(
    local: Folder, encoding: str, delimiter: str
) -> None:
    text = "code,part name,qty\nA1,前大灯支架（左）,5\nA2,㐂龘,6\n".replace(",", delimiter)
    local.put("stock.csv", text.encode(encoding))
    assert [(r["code"], r["part name"]) for r in local.rows()] == [
        ("A1", "前大灯支架（左）"), ("A2", "㐂龘"),
    ]  # fmt: skip


def test_a_long_file_that_turns_out_not_to_be_utf8_late(local: Folder) -> None:
    body = "".join(f"A{n},plain,5\n" for n in range(200_000)) + "Z,支架,5\n"
    local.put("stock.csv", (HEAD + body).encode("gb18030"))
    found = local.rows(page_rows=5000)
    assert (len(found), found[-1]["part name"]) == (200_001, "支架")


def test_a_header_below_a_title_and_quoted_newlines(local: Folder) -> None:
    head = "库存表 2026-01-31,,\n,,\n料号,code,part name,qty,\n"
    local.put("stock.csv", head + '1,A1,"支架\n左",5,\n\n2,="007",x,"1,5",\n')
    found = local.rows()
    assert [(r["code"], r["part name"], r["qty"]) for r in found] == [
        ("A1", "支架\n左", "5"), ("007", "x", "1,5"),
    ]  # fmt: skip


def test_a_broken_line_is_kept_and_the_others_are_read(local: Folder) -> None:
    local.put("stock.csv", HEAD + "A1,支架,5\nA2,支架,左,6\nA3\nA4,支架,7\n")
    found = local.rows()
    assert [r["code"] for r in found if r[PROBLEM] is None] == ["A1", "A4"]
    broken = [r for r in found if r[PROBLEM]]
    assert [r[LINE] for r in broken] == ['["A2", "支架", "左", "6"]', '["A3"]']
    assert "4 个字段" in broken[0][PROBLEM]


@pytest.mark.parametrize("code", ["1.23E+11", "2E+05", "1.0e+10"])
def test_codes_that_excel_rewrote_are_refused(local: Folder, code: str) -> None:
    local.put("stock.csv", HEAD + f"{code},支架,1.5E+3\n")
    (row,) = local.rows()
    assert "科学计数" in row[PROBLEM]
    assert row["qty"] == "1.5E+3", "a quantity may be written so"


def test_lost_zeros_are_filled_up_where_the_width_is_declared(local: Folder) -> None:
    stream = STREAM.model_copy(update={"file": FileDef(digits={"code": 6})})
    local.put("stock.csv", HEAD + "123,支架,5\nAB1,支架,5\n0001234567,支架,5\n")
    assert [r["code"] for r in local.rows(stream)] == ["000123", "AB1", "0001234567"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'code,part name,qty\nA1,"never closed,5\n', "bad_csv"),
        (b"code,part name,qty,code\nA1,x,5,A2\n", "column_twice"),
        (b"code,qty\nA1,5\n", "column_absent"),
        (b"\xef\xbb\xbfcode,part name,qty\nA1,\xff,5\n", "bad_encoding"),
        (b"code,part name,qty\nA1," + b"x" * 1_100_000 + b",5\n", "bad_csv"),
    ],
    ids=["unclosed quote", "column twice", "no column", "false mark", "endless cell"],
)
def test_files_that_are_refused(local: Folder, content: bytes, code: str) -> None:
    local.put("stock.csv", content)
    assert local.refusal().code == code


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", HEAD, HEAD + ",,\n,,\n"])
def test_empty_files_have_no_rows(local: Folder, content: str) -> None:
    local.put("stock.csv", content)
    assert local.rows() == []


def workbook(folder: Folder, *rows: list[Any], name: str = "stock.xlsx", **more: Any) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if more.get("hidden_first"):
        other = book.create_sheet("说明", 0)
        other.append(["code", "part name", "qty"])
        other.append(["HIDDEN", "x", 1])
        other.sheet_state = "hidden"
    book.save(folder.path / name)


EXCEL = STREAM.model_copy(update={"table": "stock*.xlsx"})


def test_excel_numbers_dates_and_errors(local: Folder) -> None:
    workbook(
        local, ["库存", None, None], ["code", "part name", "qty"],
        ["007", "支架", 1.5], [123456, datetime(2026, 1, 31, 8, 30), 3],  # noqa: DTZ001
        [True, None, 0.1],
        [1234567890123456, "long", 1], [None, None, None], ["A9", "#N/A", 5],
        hidden_first=True,
    )  # fmt: skip
    found = local.rows(EXCEL)
    good = [(r["code"], r["part name"], r["qty"]) for r in found if not r[PROBLEM]]
    assert good == [
        ("007", "支架", "1.5"), ("123456", "2026-01-31 08:30:00", "3"), ("1", None, "0.1"),
    ]  # fmt: skip
    assert [r["code"] for r in found if r[PROBLEM]] == ["1234567890123456", "A9"]


def test_a_named_sheet_and_one_that_is_not_there(local: Folder) -> None:
    workbook(local, ["code", "part name", "qty"], ["A1", "x", 1])
    named = EXCEL.model_copy(update={"file": FileDef(sheet="Sheet")})
    assert [r["code"] for r in local.rows(named)] == ["A1"]
    missing = EXCEL.model_copy(update={"file": FileDef(sheet="月报")})
    refused = local.refusal(missing)
    assert (refused.code, "Sheet" in refused.text.zh) == ("no_sheet", True)


def test_what_only_calls_itself_excel(local: Folder) -> None:
    local.put("stock_1.xlsx", "<html>not a workbook</html>")
    assert local.refusal(EXCEL).code == "not_excel"


def test_a_zip_bomb_is_not_opened(local: Folder) -> None:
    with zipfile.ZipFile(local.path / "stock.xlsx", "w", zipfile.ZIP_DEFLATED) as bomb:
        for n in range(6):
            bomb.writestr(f"xl/worksheets/sheet{n}.xml", b"\0" * (100 << 20))
    begun = time.monotonic()
    assert local.refusal(EXCEL).code == "zip_bomb"
    assert time.monotonic() - begun < 20


def test_discovery_shows_files_and_their_columns(local: Folder) -> None:
    local.put("stock.csv", HEAD)
    workbook(local, ["code", "part name"])
    found = local.open().discover()
    assert {f.name: [c.name for c in f.columns] for f in found} == {
        "stock.csv": ["code", "part name", "qty"], "stock.xlsx": ["code", "part name"],
    }  # fmt: skip


def test_a_time_without_quotes_is_refused() -> None:
    assert FileDef.model_validate({"expect_by": "18:30"}).expect_by is not None
    with pytest.raises(ValueError, match="in quotes"):
        FileDef.model_validate(yaml.safe_load("expect_by: 18:30"))


def test_a_late_file_is_told_after_what_is_there_was_read(
    local: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 1, 2, 1, 0, tzinfo=UTC)  # nine o'clock in Shanghai
    monkeypatch.setattr(clock, "now", lambda: now)
    local.put("stock_1.csv", HEAD + "A1,支架,5\n")
    at_eight = STREAM.model_copy(update={"file": FileDef.model_validate({"expect_by": "08:00"})})
    at_ten = STREAM.model_copy(update={"file": FileDef.model_validate({"expect_by": "10:00"})})
    local.rows(at_ten, finish=True)
    assert local.refusal(at_eight).code == "file_late"
    assert local.refusal(at_eight, archive="done").code == "file_late"
    assert local.names("done") == {"stock_1.csv"}
    assert local.refusal(at_eight, archive="done").code == "file_late", "it lies in the archive"
    local.put("stock_2.csv", HEAD + "A1,支架,6\n", 24 * 60)
    local.rows(at_eight, archive="done", finish=True)

"""The files connector against real servers: conformance, logins, cuts, hostile listings.

S8, S10, S12 (paths), S29; F6 to F9 of the lists of attacks and faults.
"""

from __future__ import annotations

import csv
import io
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import xlwt

from tenon.connect.batches import rows_of
from tenon.connect.connectors.files import FilesConnector, places
from tenon.connect.connectors.files.sink import Sink
from tenon.define.models import CursorDef, FileDef, StreamDef
from tenon.kernel.errors import Config, NeedsUser, Retry, Stop, TenonError
from tenon.testkit import connector as suite
from tenon.testkit.proxy import cutting_proxy
from tests.service.file_servers import PASSWORD, Served, certificate, ftp, open_files, sftp

HOW = FileDef(types={"qty": "number"})
STREAM = StreamDef(
    name="parts", table="Part List*", columns=("code", "part name", "qty", "changed"), file=HOW,
    key=("code",), cursor=CursorDef(column="changed"),
)  # fmt: skip
ABSENT = StreamDef(name="nothing", table="nothing*.csv", key=("code",), file=HOW)
HEADER = ("code", "part name", "qty", "changed")


def as_csv(encoding: str = "utf-8", rows: Any = suite.ROWS) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows((c, n, q, t.isoformat(sep=" ")) for c, n, q, t in rows)
    return text.getvalue().encode(encoding)


def write_xlsx(path: Path) -> None:
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Parts")
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet.write_row(2, 1, HEADER)
    for n, (code, name, qty, changed) in enumerate(reversed(suite.ROWS), 3):
        sheet.write_row(n, 1, (code, name, float(qty)))
        sheet.write_datetime(n, 4, changed, moment)
    book.close()


def write_xls(path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Parts")
    moment = xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm:ss")
    for column, name in enumerate(HEADER):
        sheet.write(0, column, name)
    for n, (code, name, qty, changed) in enumerate(suite.ROWS, 1):
        for column, value in enumerate((code, name, float(qty))):
            sheet.write(n, column, value)
        sheet.write(n, 3, changed, moment)
    book.save(str(path))


HOSTILE_STREAM = StreamDef(
    name="hostile", table="Bad; 'Names.*", columns=HEADER[:3], file=HOW, key=("code",)
)
SHEETS_CANNOT = frozenset({"nul"})  # in XML


def hostile_csv(encoding: str) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([HEADER[:3], *((k, *v) for k, v in suite.HOSTILE.items())])
    return text.getvalue().encode(encoding)


def _hostile() -> list[tuple[str, ...]]:
    shown = {k: v for k, v in suite.HOSTILE.items() if k not in SHEETS_CANNOT}
    return [HEADER[:3], *((k, *v) for k, v in shown.items())]


def hostile_xlsx(path: Path) -> None:
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for number, row in enumerate(_hostile()):
        for column, cell in enumerate(row):
            sheet.write_string(number, column, cell)
    book.close()


def hostile_xls(path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("x")
    for number, row in enumerate(_hostile()):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    book.save(str(path))


def rows(
    connector: FilesConnector, stream: StreamDef = STREAM, since: Any = None
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    try:
        for batch in connector.read(stream, since):
            names, values = rows_of(batch)
            found += [dict(zip(names, row, strict=True)) for row in values]
    finally:
        connector.close()
    return found


def outcome(connector: FilesConnector) -> list[dict[str, Any]] | str:
    try:
        return rows(connector)
    except TenonError as error:
        return error.recovery


def refusal(connector: FilesConnector, stream: StreamDef = STREAM) -> TenonError:
    with pytest.raises(TenonError) as caught:
        rows(connector, stream)
    return caught.value


@contextmanager
def served(kind: str, folder: Path, **traits: Any) -> Iterator[Served]:
    if kind == "local":
        yield Local("file", 0, folder, {})
        return
    made = sftp(folder, **traits) if kind == "sftp" else ftp(folder, tls=kind == "ftps", **traits)
    with made as server:
        yield server


class Local(Served):
    def connector(self, port: int | None = None, **values: Any) -> FilesConnector:
        return open_files(self.folder.as_uri(), **values)


class Nothing:
    def last(self) -> None:
        return None

    def named(self, _names: Any) -> dict[str, Any]:
        return {}

    def has(self, _digest: str) -> bool:
        return False


KINDS = ("local", "ftp", "ftps", "sftp")


@pytest.fixture(params=["csv", "csv-gbk", "xlsx", "xls", "ftp", "ftps", "sftp"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[suite.Subject]:
    kind = request.param
    path, other = tmp_path / "Part List.dat", tmp_path / "Bad; 'Names.dat"
    if kind in {"xlsx", "xls"}:
        (write_xlsx if kind == "xlsx" else write_xls)(path)
        (hostile_xlsx if kind == "xlsx" else hostile_xls)(other)
    else:
        encoding = "gb18030" if kind == "csv-gbk" else "utf-8"
        path.write_bytes(as_csv(encoding))
        other.write_bytes(hostile_csv(encoding))
    cannot = SHEETS_CANNOT if kind in {"xlsx", "xls"} else frozenset[str]()
    with served(kind if kind in KINDS else "local", tmp_path) as server:
        yield suite.Subject(server.connector, STREAM, ABSENT, HOSTILE_STREAM, cannot)


@pytest.mark.parametrize("check", suite.CHECKS, ids=lambda c: c.__name__)
def test_conformance(subject: suite.Subject, check: Callable[[suite.Subject], None]) -> None:
    check(subject)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_archived_with_its_marker_in_a_new_folder(kind: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "Part List 零件.csv").write_bytes(as_csv())
    (tmp_path / "out" / "Part List 零件.csv.done").touch()
    stream = STREAM.model_copy(update={"table": "out/Part List*.csv"})
    with served(kind, tmp_path) as server:
        connector = server.connector(archive="old/已读", done=".done")
        for _ in connector.read(stream, None):
            pass
        connector.settle(stream, None)
        connector.close()
    assert list((tmp_path / "out").iterdir()) == []
    moved = sorted(p.name.partition("_")[2] for p in (tmp_path / "old" / "已读").iterdir())
    assert moved == ["Part List 零件.csv", "Part List 零件.csv.done"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_at_fault_goes_into_quarantine_with_the_reason(kind: str, tmp_path: Path) -> None:
    (tmp_path / "Part List.csv").write_bytes(b"code,part name\nK1,x\n")
    with served(kind, tmp_path) as server:
        connector = server.connector(quarantine="bad")
        with pytest.raises(Stop) as caught:
            list(connector.read(STREAM, None))
        connector.settle(STREAM, caught.value)
        connector.close()
    names = sorted(p.name.partition("_")[2] for p in (tmp_path / "bad").iterdir())
    assert names == ["Part List.csv", "Part List.csv.reason.txt"]
    reason = next((tmp_path / "bad").glob("*.reason.txt")).read_text("utf-8-sig")
    assert "qty, changed" in reason
    assert not (tmp_path / "Part List.csv").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_moved_unless_it_is_allowed(kind: str, tmp_path: Path) -> None:
    (tmp_path / "Part List.csv").write_bytes(as_csv())
    with served(kind, tmp_path) as server:
        connector = server.connector()
        list(connector.read(STREAM, None))
        connector.settle(STREAM, None)
        connector.close()
    assert [p.name for p in tmp_path.iterdir()] == ["Part List.csv"]


@pytest.mark.parametrize("kind", ["ftp", "ftps", "sftp"])
def test_a_server_that_forbids_moving_says_so(kind: str, tmp_path: Path) -> None:
    (tmp_path / "Part List.csv").write_bytes(as_csv())
    traits: dict[str, Any] = {"read_only": True} if kind == "sftp" else {"perm": "elr"}
    with served(kind, tmp_path, **traits) as server:
        connector = server.connector(archive="old")
        list(connector.read(STREAM, None))
        with pytest.raises(NeedsUser, match="file_not_moved"):
            connector.settle(STREAM, None)
        connector.close()
    assert (tmp_path / "Part List.csv").exists()


# --- who is let in (F9), and to whom anything is told (S10, S29) ---------------------------------


@pytest.mark.parametrize("kind", ["ftp", "ftps", "sftp"])
def test_a_refused_login_is_tried_once_and_shows_no_secret(kind: str, tmp_path: Path) -> None:
    with served(kind, tmp_path) as server:
        error = refusal(server.connector(password="wrong-canary"))
    assert isinstance(error, NeedsUser)
    assert error.code == "source_login"
    assert "canary" not in f"{error!r} {error.text} {error.params} {error.__cause__}"


@pytest.mark.parametrize("kind", ["ftp", "ftps", "sftp"])
def test_an_address_that_is_not_listed_is_not_connected_to(kind: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        port = listener.getsockname()[1]
        error = refusal(open_files(f"{kind}://a@127.0.0.1:{port}/", listed=False))
        assert error.code == "egress_refused"
        with pytest.raises(TimeoutError):
            listener.accept()


@pytest.mark.parametrize("pinned", [None, "SHA256:" + "A" * 43])
def test_an_unknown_host_key_is_shown_and_no_password_sent(
    pinned: str | None, tmp_path: Path
) -> None:
    asked: list[str] = []
    with sftp(tmp_path, asked) as server:
        error = refusal(server.connector(host_key=pinned))
        assert error.code == "source_host_key"
        assert server.pin["host_key"] in error.text.zh
    assert asked == []


@pytest.mark.parametrize("pinned", [None, "sha256:" + "a" * 64])
def test_an_unknown_certificate_is_shown_and_no_password_sent(
    pinned: str | None, tmp_path: Path
) -> None:
    told: list[str] = []
    with ftp(tmp_path, tls=True, ftp_PASS=lambda _self, line: told.append(line)) as server:
        error = refusal(server.connector(certificate=pinned))
        assert error.code == "source_certificate"
        assert server.pin["certificate"] in error.text.zh
    assert told == []


def test_a_certificate_that_an_authority_vouches_for_is_trusted(tmp_path: Path) -> None:
    (tmp_path / "Part List.csv").write_bytes(as_csv())
    with ftp(tmp_path, tls=True) as server:
        ca_file = str(certificate())
        assert len(rows(server.connector(certificate=None, ca_file=ca_file))) == 100
        wrong = server.connector(certificate=None, ca_file=str(tmp_path / "Part List.csv"))
        assert refusal(wrong).code == "bad_setting"


def test_a_server_without_tls_gets_no_password(tmp_path: Path) -> None:
    told: list[str] = []
    with ftp(tmp_path, ftp_PASS=lambda _self, line: told.append(line)) as server:
        plain = server.connector(certificate="sha256:" + "a" * 64)
        plain.close()
        error = refusal(open_files(f"ftps://tenon@127.0.0.1:{server.port}/", password=PASSWORD))
    assert error.code == "source_certificate"
    assert told == []


def test_data_comes_from_the_server_itself_whatever_it_says(tmp_path: Path) -> None:
    """A PASV answer with another host is not followed there (S10)."""
    (tmp_path / "Part List.csv").write_bytes(as_csv())
    with ftp(tmp_path, masquerade_address="192.0.2.7") as server:
        assert len(rows(server.connector())) == 100


@pytest.mark.parametrize("said", ["(127,0,0,1,0,25)", "(127,0,0,1,200,1)"])
def test_data_ports_that_are_not_allowed_are_not_connected_to(said: str, tmp_path: Path) -> None:
    def passive(handler: Any, _line: str) -> None:
        handler.respond(f"227 Entering passive mode {said}.")

    with ftp(tmp_path, ftp_PASV=passive) as server:
        error = refusal(server.connector(passive_ports="40000-40100"))
    assert (error.recovery, error.code) == ("needs_user", "egress_refused")


# --- what is cut, vanishes, grows ----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ftp", "ftps", "sftp"])
@pytest.mark.parametrize("way", ["up", "down"])
def test_a_connection_cut_anywhere_gives_all_or_nothing(
    kind: str, way: str, tmp_path: Path
) -> None:
    """F8: of what is cut nothing is read; after it heals, everything."""
    (tmp_path / "Part List.csv").write_bytes(as_csv())
    with served(kind, tmp_path) as server, cutting_proxy("127.0.0.1", server.port) as proxy:
        whole = rows(server.connector(proxy.port))
        length = proxy.passed[way]
        for at in sorted({0, 1, *range(10, length, max(length // 12, 1)), length - 1}):
            proxy.cut(way, at)
            assert outcome(server.connector(proxy.port)) in (whole, "retry"), at
        proxy.heal()
        assert rows(server.connector(proxy.port)) == whole


def test_a_data_connection_that_is_cut_gives_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenon.connect.connectors.files.ftp.SECONDS", 0.5)
    (tmp_path / "Part List.csv").write_bytes(as_csv())
    for at in (0, 1, 700):

        def send(handler: Any, data: bytes, at: int = at) -> int:
            sent: int = handler.socket.send(data[:at]) if at else 0
            handler.close()
            return sent

        with ftp(tmp_path, dtp_send=send) as server:
            error = refusal(server.connector())
        assert error.code in {"source_unreachable", "stream_absent"}, at


def test_a_server_that_says_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F7: silence ends after a time, on each kind of server."""
    for module in ("ftp", "sftp"):
        monkeypatch.setattr(f"tenon.connect.connectors.files.{module}.SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for kind in ("ftp", "ftps", "sftp"):
            port = silent.getsockname()[1]
            error = refusal(open_files(f"{kind}://a@127.0.0.1:{port}/", password="x"))
            assert (error.recovery, error.code) == ("retry", "source_unreachable"), kind


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_vanishes_or_grows_is_left_for_the_next_time(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "Part List.csv"
    path.write_bytes(as_csv())
    with served(kind, tmp_path) as server:
        grown = as_csv() + b"K999,x,1,2026-01-01\n"
        for spoil in (lambda: path.write_bytes(grown), path.unlink):
            connector = server.connector()
            place: Any = connector._place
            fetch = place.fetch

            def spoiled(*args: Any, spoil: Any = spoil, fetch: Any = fetch) -> Any:
                spoil()
                return fetch(*args)

            monkeypatch.setattr(place, "fetch", spoiled)
            arrival = connector.take(STREAM, Nothing())
            assert arrival.fresh == ()
            assert "Part List.csv" in arrival.notes[0].zh
            connector.close()


def test_a_file_that_grows_while_it_is_watched_waits(tmp_path: Path) -> None:
    path = tmp_path / "Part List.csv"
    path.write_bytes(as_csv(rows=suite.ROWS[:5]))
    stream = STREAM
    connector = open_files(tmp_path.as_uri(), stable_seconds=1)
    writer = threading.Timer(0.3, lambda: path.write_bytes(as_csv()))
    writer.start()
    assert connector.take(stream, Nothing()).fresh == ()
    writer.join()
    assert len(connector.take(stream, Nothing()).fresh) == 1
    assert len(rows(connector, stream)) == 100


# --- names that lead elsewhere (S12) -------------------------------------------------------------


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "secret.csv").write_bytes(as_csv())
    (inside / "Part List.csv").symlink_to(outside / "secret.csv")
    (inside / "sub").symlink_to(outside)
    assert refusal(open_files(inside.as_uri())).code == "stream_absent"
    through = STREAM.model_copy(update={"table": "sub/*.csv"})
    assert refusal(open_files(inside.as_uri()), through).code == "source_folder"
    with sftp(inside) as server:
        assert refusal(server.connector()).code == "stream_absent"


def test_a_link_put_in_place_of_a_listed_file_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "Part List.csv"
    path.write_bytes(as_csv())
    connector = open_files(tmp_path.as_uri())
    [entry] = connector._place.list("")
    path.unlink()
    path.symlink_to("/etc/passwd")
    into = io.BytesIO()
    assert connector._place.fetch("", entry, into) is False
    assert into.getvalue() == b""


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "Part List.csv")
    assert refusal(open_files(tmp_path.as_uri())).code == "stream_absent"


HOSTILE = (
    "../Part List.csv",
    "/etc/passwd",
    "a\\..\\b.csv",
    "..",
    "Part List\x00.csv",
    "Part List\r\nDELE x.csv",
)


def test_names_that_are_paths_are_left_out_of_a_listing(tmp_path: Path) -> None:
    with sftp(tmp_path, names=HOSTILE) as server:
        connector = server.connector()
        assert connector._place.list("") == []
        connector.close()

    def listed(_self: Any, *_args: Any, **_more: Any) -> Iterator[bytes]:
        for name in HOSTILE:
            if not {"\r", "\x00"} & set(name):
                yield f"type=file;size=9;modify=20260101000000; {name}\r\n".encode()

    with ftp(tmp_path) as server:
        from pyftpdlib.filesystems import AbstractedFS  # noqa: PLC0415

        mlsx, AbstractedFS.format_mlsx = AbstractedFS.format_mlsx, listed
        try:
            connector = server.connector()
            assert connector._place.list("") == []
            connector.close()
        finally:
            AbstractedFS.format_mlsx = mlsx


@pytest.mark.parametrize("name", [*HOSTILE, "", "CON:", "a" * 300, "a\u202eb.csv", "line\n"])
def test_what_is_no_plain_name(name: str) -> None:
    assert not places.is_plain(name)


@pytest.mark.parametrize(
    "name", ["Part List.csv", "库存 2026-01-31.xlsx", "a'b;--.csv", "-rf.csv", "%2e%2e.csv"]
)
def test_what_is_a_plain_name(name: str) -> None:
    assert places.is_plain(name)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"url": "ftp://u:secret@h/x"}, "bad_address"),
        ({"url": "gopher://h/x"}, "bad_address"),
        ({"url": "file:///"}, "bad_address"),
        ({"url": "file:///srv/../etc"}, "bad_address"),
        ({"url": "sftp://u@h/../etc"}, "bad_address"),
        ({"url": "ftp://u@h:99999/"}, "bad_address"),
        ({"url": "file:///srv/x", "archive": "../y"}, "bad_setting"),
        ({"url": "file:///srv/x", "quarantine": "/y"}, "bad_setting"),
        ({"url": "ftp://u@h/", "passive_ports": "9-1"}, "bad_setting"),
        ({"url": "sftp://u@h/", "host_key": "ssh-rsa AAAA"}, "bad_setting"),
        ({"url": "ftps://u@h/", "certificate": "md5:00"}, "bad_setting"),
        ({"url": "file:///srv/x", "max_mb": 0}, "bad_setting"),
        ({"url": "file:///srv/x", "done": "../x"}, "bad_setting"),
        ({"url": "file:///srv/x", "stable_seconds": 90}, "bad_setting"),
        ({"url": "file:///srv/x", "stable_seconds": "soon"}, "bad_setting"),
        ({"url": "file:///srv/x", "max_rows": "many"}, "bad_setting"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(values: dict[str, Any], code: str) -> None:
    with pytest.raises(Config, match=code) as caught:
        open_files(**values)
    assert "secret" not in str(caught.value)


# --- servers as they are -------------------------------------------------------------------------


def test_an_old_server_without_mlsd_and_with_gbk_names(tmp_path: Path) -> None:
    (tmp_path / "old out").mkdir()
    (tmp_path / "old out" / "Part List 库存.csv").write_bytes(as_csv("gb18030"))
    (tmp_path / "old out" / "Part List folder.csv").mkdir()
    stream = STREAM.model_copy(update={"table": "old out/part list*.CSV"})

    def unknown(handler: Any, *_args: Any) -> None:
        handler.respond("500 Command not understood.")

    with ftp(tmp_path, ftp_MLSD=unknown, encoding="gb18030") as server:
        connector = server.connector(archive="done")
        assert [e.name for e in connector._place.list("old out")] == ["Part List 库存.csv"]
        assert len(list(connector.read(stream, None))) == 4
        connector.settle(stream, None)
        connector.close()
    assert [p.name[16:] for p in (tmp_path / "done").iterdir()] == ["Part List 库存.csv"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    for kind in KINDS:
        with served(kind, tmp_path) as server:
            stream = STREAM.model_copy(update={"table": "no/such/*.csv"})
            error = refusal(server.connector(), stream)
            assert error.code == "source_folder", kind
            assert "no/such" in error.text.zh


@pytest.mark.parametrize("kind", KINDS)
def test_discovery_shows_files_with_their_columns(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a b.csv").write_bytes(as_csv("gb18030"))
    write_xlsx(tmp_path / "c.xlsx")
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 no")
    (tmp_path / "readme.md").write_text("x")
    with served(kind, tmp_path) as server:
        connector = server.connector()
        connector.check()
        found = {f.name: f.columns for f in connector.discover()}
        connector.close()
    assert [c.name for c in found["a b.csv"]] == list(HEADER)
    assert [(c.name, c.type) for c in found["c.xlsx"]] == [
        ("code", "text"), ("part name", "text"), ("qty", "number"), ("changed", "date"),
    ]  # fmt: skip
    assert found["broken.xlsx"] == ()
    assert "readme.md" not in found


def test_a_full_disk_of_ours_is_retried_and_leaves_nothing(tmp_path: Path) -> None:
    """F17: the file is not taken by halves, and the next try may succeed."""
    (tmp_path / "Part List.csv").write_bytes(as_csv())
    connector = open_files(tmp_path.as_uri())
    room = connector._room()

    def full(path: Path, name: str) -> Sink:
        path.symlink_to("/dev/full")
        return Sink(path, name, 200, connector._faults)

    connector._sink = full  # type: ignore[method-assign]
    with pytest.raises(Retry, match="no_space"):
        connector.take(STREAM, Nothing())
    connector.close()
    assert not room.exists()

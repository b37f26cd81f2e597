"""Hostile systems: whatever a server sends, memory and time are bounded and the error is plain."""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tenon.connect.batches import PROBLEM
from tenon.connect.connectors.http import wire
from tenon.connect.connectors.http.answer import parsed
from tenon.define.models import HttpDef, StreamDef
from tenon.kernel.errors import NeedsUser, Stop
from tests.service.file_servers import certificate
from tests.service.http_server import Asked, Plan, Reply, serving

ONE = StreamDef(name="parts", path="/parts", key=("code",), http=HttpDef(pages="none"))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def reply(body: Any = None, **more: Any) -> Plan:
    return lambda _asked: Reply(body, **more)


def raw(*parts: bytes) -> Plan:
    return lambda _asked: Reply(raw=parts)


def read(body: bytes, **headers: str) -> list[dict[str, Any]]:
    with serving(reply(body, headers=headers)) as server:
        return server.rows(ONE)


# --- size ----------------------------------------------------------------------------------------


def test_a_gzip_bomb_is_never_unpacked_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_BYTES", 100_000)
    unpacked: list[int] = []
    real: Any = zlib.decompressobj

    class Counted:
        def __init__(self, **more: Any) -> None:
            self._one = real(**more)

        @property
        def eof(self) -> bool:
            return bool(self._one.eof)

        def decompress(self, part: bytes, most: int) -> bytes:
            found: bytes = self._one.decompress(part, most)
            unpacked.append(len(found))
            return found

    monkeypatch.setattr(zlib, "decompressobj", Counted)
    bomb = gzip.compress(b" " * 50_000_000)
    with serving(reply(bomb, headers={"Content-Encoding": "gzip"})) as server:
        error = server.refusal(ONE)
    assert (error.code, type(error)) == ("answer_too_large", Stop)
    assert sum(unpacked) <= 100_001


def test_an_answer_said_to_be_huge_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_joined", lambda *_args: pytest.fail("it was read"))
    for length in (wire.MAX_BYTES + 1, 10**18):
        with serving(raw(HEAD + b"Content-Length: %d\r\n\r\n" % length)) as server:
            assert server.refusal(ONE).code == "answer_too_large"


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_BYTES", 100_000)
    chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
    chunks = itertools.chain(
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n"], itertools.repeat(chunk)
    )
    with serving(lambda _asked: Reply(raw=chunks)) as server:
        assert server.refusal(ONE).code == "answer_too_large"


def test_headers_without_end_are_cut_off() -> None:
    lines = itertools.chain([HEAD], (b"X-%d: y\r\n" % n for n in itertools.count()))
    with serving(lambda _asked: Reply(raw=lines)) as server:
        assert server.refusal(ONE).recovery == "retry"


@pytest.mark.parametrize("packing", ["gzip", "br", "gzip, gzip", "deflate"])
def test_what_is_packed_wrongly_is_refused(packing: str) -> None:
    with serving(reply(b"\x1f\x8bnonsense", headers={"Content-Encoding": packing})) as server:
        error = server.refusal(ONE)
    assert (error.code, error.recovery) == ("source_garbage", "retry")


def test_a_packed_answer_is_read_and_a_cut_one_is_not() -> None:
    whole = gzip.compress(json.dumps({"items": [{"code": "a"}]}).encode())
    assert read(whole, **{"Content-Encoding": "gzip"}) == [{"code": "a"}]
    with serving(reply(whole[:-9], headers={"Content-Encoding": "gzip"})) as server:
        assert server.refusal(ONE).code == "source_garbage"


# --- time ----------------------------------------------------------------------------------------


def drip(text: bytes) -> Iterator[bytes]:
    """A byte now and then, for as long as somebody listens."""
    pause = threading.Event()
    for at in itertools.count():
        yield text[at : at + 1] or b" "
        pause.wait(0.02)


@pytest.mark.parametrize("within", ["headers", "body", "nothing"])
def test_a_server_that_drips_does_not_hold_us(within: str) -> None:
    """Each byte comes in time, all of them never: a limit for each read would wait for ever."""
    endless_header = HEAD + b"X-Long: " + b"x" * 100_000
    body = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 100_000
    text = {"headers": endless_header, "body": body, "nothing": b""}[within]
    with serving(lambda _asked: Reply(raw=drip(text) if text else silence())) as server:
        error = server.refusal(ONE, answer_seconds=0.3)
    assert (error.code, error.recovery) == ("source_slow", "retry")
    assert "0.3" in error.text.zh


def silence() -> Iterator[bytes]:
    threading.Event().wait(2)
    yield from ()


# --- broken off ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        (HEAD + b"Content-Length: 100\r\n\r\n", b'{"items": []}'),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b'5\r\n{"ite\r\n'),
        (b"HTTP/1.1 200 OK\r\nContent-",),
        (b"this is not HTTP at all\r\n\r\n",),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}",),
        (b"",),
    ],
)
def test_an_answer_that_breaks_off_is_not_taken(parts: tuple[bytes, ...]) -> None:
    with serving(raw(*parts)) as server:
        error = server.refusal(ONE)
    assert (error.code, error.recovery) == ("source_cut", "retry")


def test_a_body_cut_where_nobody_can_tell_is_no_json() -> None:
    with serving(raw(b"HTTP/1.0 200 OK\r\n\r\n", b'{"items": [{"code": "a"}')) as server:
        assert server.refusal(ONE).code == "source_garbage"


def test_a_connection_reset_is_a_passing_fault() -> None:
    def reset(listener: socket.socket) -> None:
        there, _ = listener.accept()
        there.recv(100)
        there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        there.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        threading.Thread(target=reset, args=(listener,), daemon=True).start()
        with serving(reply()) as server:
            error = server.refusal(ONE, url=f"http://127.0.0.1:{port}", listed=[port])
    assert error.recovery == "retry"


# --- TLS ---------------------------------------------------------------------------------------


def test_a_certificate_must_be_trusted_and_may_be_the_plants_own(tmp_path: Path) -> None:
    own = certificate(tmp_path)
    with serving(reply({"items": [{"code": "a"}]}), own) as server:
        values = {"url": f"https://localhost:{server.port}", "host": "localhost"}
        error = server.refusal(ONE, **values, token="canary")
        assert isinstance(error, NeedsUser), error
        assert error.code == "source_certificate"
        assert "ca_file" in error.text.zh
        assert server.asked == []
        assert server.rows(ONE, **values, ca_file=str(own)) == [{"code": "a"}]
        error = server.refusal(ONE, url=f"https://127.0.0.1:{server.port}", ca_file=str(own))
        assert error.code == "source_certificate", "it is a certificate of localhost"


def test_a_handshake_that_never_comes_does_not_hold_us() -> None:
    with serving(reply()) as server, socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"https://127.0.0.1:{port}"
        assert server.refusal(ONE, url=url, listed=[port], answer_seconds=0.3).recovery == "retry"


# --- status --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_refused(status: int) -> None:
    with serving(reply({"items": []})) as other:
        to = {"Location": f"{other.url}/parts"}
        with serving(reply(status=status, headers=to)) as server:
            error = server.refusal(ONE, listed=[other.port], token="canary")
        assert isinstance(error, NeedsUser)
        assert error.code == "source_redirects"
        assert other.asked == []


@pytest.mark.parametrize(
    ("status", "code", "recovery"),
    [
        (204, "source_error", "retry"), (206, "source_error", "retry"),
        (304, "source_error", "retry"), (400, "source_error", "retry"),
        (401, "source_login", "needs_user"), (402, "source_payment", "needs_user"),
        (403, "source_login", "needs_user"), (404, "stream_absent", "stop"),
        (410, "stream_absent", "stop"), (418, "source_error", "retry"),
        (500, "source_error", "retry"), (599, "source_error", "retry"),
        (999, "source_error", "retry"),
    ],
)  # fmt: skip
def test_each_status_says_what_to_do(status: int, code: str, recovery: str) -> None:
    with serving(reply({"items": []}, status=status)) as server:
        error = server.refusal(ONE)
    assert (error.code, error.recovery) == (code, recovery)


# --- what is told --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"<!DOCTYPE html><html>Please sign in</html>", "HTML"),
        (b"", "JSON"), (b"null", "结构"), (b"[1, 2]", "结构"), (b'{"items": {}}', "结构"),
        (b'{"items": [1]}', "结构"), (b'{"items": [null]}', "结构"), (b"{'items': []}", "JSON"),
        (b'{"items": []} {"items": []}', "JSON"), (b'{"items": [],}', "JSON"),
        (b"[" * 200_000, "JSON"), (b'{"items": ' + b"[" * 200_000, "JSON"),
        (b'{"items": [], "items": [{"code": "a"}]}', "结构"),
        (b'{"items": [{"code": "\xff"}]}', "UTF-8"), (b"\x00\x01\x02", "JSON"),
    ],
)  # fmt: skip
def test_what_is_not_the_data_expected_is_not_taken(body: bytes, problem: str) -> None:
    with serving(reply(body)) as server:
        error = server.refusal(ONE)
    assert (error.code, error.recovery) == ("source_garbage", "retry")
    assert problem in error.text.zh


TEXT = '{"items": [{"code": "中文"}]}'


@pytest.mark.parametrize(
    ("body", "said", "values"),
    [
        (TEXT.encode(), "application/json", {}),
        (TEXT.encode(), "application/json; charset=ISO-8859-1", {}),  # many servers' default
        (TEXT.encode(), "text/plain; charset=gbk", {}),  # it says so, and it is not
        (TEXT.encode("utf-8-sig"), "application/json", {}),
        (TEXT.encode("gbk"), "application/json;charset=GB2312", {}),
        (TEXT.encode("gbk"), 'application/json; charset="GBK"', {}),
        (TEXT.encode("gbk"), "application/json", {"encoding": "gb18030"}),
        (TEXT.encode("big5"), "application/json; charset=big5", {}),
        (TEXT.encode("utf-16"), "application/json", {}),
        (json.dumps({"items": [{"code": "中文"}]}).encode(), "nonsense; charset=x-nothing", {}),
    ],
)
def test_text_is_decoded_by_rule(body: bytes, said: str, values: dict[str, Any]) -> None:
    with serving(reply(body, headers={"Content-Type": said})) as server:
        assert server.rows(ONE, **values) == [{"code": "中文"}]


@pytest.mark.parametrize(
    "said", ["application/json", "application/json; charset=latin-1", "a/b; charset=utf-7"]
)
def test_text_in_no_encoding_that_was_named_is_never_guessed(said: str) -> None:
    with serving(reply(TEXT.encode("gbk"), headers={"Content-Type": said})) as server:
        error = server.refusal(ONE)
    assert error.code == "source_garbage"
    assert "encoding: gb18030" in error.text.zh


def test_numbers_are_exact_and_those_beyond_reach_travel_as_text() -> None:
    written = [
        "0.1", "1.10", "9007199254740993", "-0", "1e3", "1e999999999", "1E-999999999", "9" * 5000,
        "0." + "1" * 5000, "NaN", "-Infinity", "12345678901234567890123",
    ]  # fmt: skip
    items = ", ".join(f'{{"code": "{n}", "qty": {one}}}' for n, one in enumerate(written))
    found = [row["qty"] for row in read(f'{{"items": [{items}]}}'.encode())]
    # A column of mixed kinds travels as text; each is what was written, or its plain form.
    assert found[:4] == ["0.1", "1.1", "9007199254740993", "0"]
    assert Decimal(found[4]) == 1000
    assert found[5:7] == ["1e999999999", "1E-999999999"]
    assert found[7] == "9" * 5000
    assert found[9:] == ["NaN", "-Infinity", "12345678901234567890123"]


def test_a_name_that_stands_twice_spoils_its_row_alone() -> None:
    body = b'{"items": [{"code": "a", "qty": 1, "qty": 2}, {"code": "b", "qty": 3, "qty": 3}, \
            {"code": "c", "qty": 4}, {"code": "d", "qty": 5, "x": [{"y": 1, "y": 2}]}]}'
    found = read(body)
    told = {row["code"]: row[PROBLEM] for row in found}
    assert told["c"] is None
    for code in ("a", "b", "d"):
        assert json.loads(told[code])["code"] == "doubled_name"


def test_a_nested_list_knows_which_of_its_rows_is_spoilt() -> None:
    lines = StreamDef(
        name="lines", path="/parts", key=("code", "lines_n"), explode="lines",
        columns=("code", "lines_n"), http=HttpDef(pages="none"),
    )  # fmt: skip
    body = b'{"items": [{"code": "a", "lines": [{"n": 1}, {"n": 2, "n": 3}]}]}'
    with serving(reply(body)) as server:
        first, second = server.rows(lines)
    assert first[PROBLEM] is None
    assert second[PROBLEM] is not None


def test_half_a_surrogate_and_nul_are_kept() -> None:
    found = read(b'{"items": [{"code": "\\ud800"}, {"code": "a\\u0000b"}]}')
    assert found[0]["code"] == b"\xed\xa0\x80"
    assert found[1]["code"] == "a\x00b"


def test_only_the_admitted_address_is_connected_to() -> None:
    with serving(reply({"items": []})) as server:
        error = server.refusal(ONE, url="http://127.0.0.1:1")
        assert error.code == "egress_refused"
        assert server.asked == []


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '[{"b": {"a": 1, "a": 1}}]'])
def test_a_doubled_name_is_seen_wherever_it_stands(text: str) -> None:
    assert parsed(text)[1]
    assert not parsed('{"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}')[1]


def test_the_question_says_no_more_than_it_must() -> None:
    with serving(reply({"items": []})) as server:
        server.rows(ONE)
        (asked,) = server.asked
    assert asked.headers.keys() == {"Host", "Accept", "Accept-Encoding"}
    assert isinstance(asked, Asked)

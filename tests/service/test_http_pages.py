"""Every way of paging, read to its true end; and systems that lie about it, noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from tenon.define.models import CursorDef, HttpDef, StreamDef
from tenon.kernel.errors import NeedsUser, Retry, Stop
from tenon.testkit import connector as suite
from tests.service.http_server import Asked, Plan, Reply, serving

ITEMS = [{"code": f"K{n}", "at": f"2026-01-01T08:00:{n:02}"} for n in range(8)]
CODES = [one["code"] for one in ITEMS]


def stream(*, cursor: bool = False, **http: Any) -> StreamDef:
    return StreamDef(
        name="parts", path="/parts", key=("code",), http=HttpDef.model_validate(http),
        cursor=CursorDef(column="at") if cursor else None,
    )  # fmt: skip


def by_number(asked: Asked) -> Reply:
    size = int(asked.query["limit"])
    at = (int(asked.query["page"]) - 1) * size
    return Reply({"items": ITEMS[at : at + size], "count": len(ITEMS)})


def by_offset(asked: Asked) -> Reply:
    at = int(asked.query["offset"])
    return Reply({"data": {"list": ITEMS[at : at + 3]}, "count": str(len(ITEMS))})


def by_token(asked: Asked) -> Reply:
    at = int(asked.query.get("after", "t0")[1:])
    more = f"t{at + 3}" if at + 3 < len(ITEMS) else None
    return Reply({"items": ITEMS[at : at + 3], "next": more})


def by_link(asked: Asked) -> Reply:
    at = int(asked.query.get("from", 0))
    links = f'</parts?from={at + 3}&x=a%2Cb>; rel="next"; title="a, b", </parts>; rel=first'
    return Reply(ITEMS[at : at + 3], headers={"Link": links} if at + 3 < len(ITEMS) else {})


def by_url(asked: Asked) -> Reply:
    at = int(asked.query.get("from", 0))
    more = f"?from={at + 3}" if at + 3 < len(ITEMS) else ""
    return Reply({"items": ITEMS[at : at + 3], "paging": {"next": more}})


STYLES: dict[str, tuple[Plan, dict[str, Any], int]] = {
    "number": (by_number, {"pages": "number"}, 4),
    "number, total": (by_number, {"pages": "number", "total": "count"}, 3),
    "number, short": (by_number, {"pages": "number", "ends": "short", "size": 3}, 3),
    "number, whole pages": (by_number, {"pages": "number", "ends": "short", "size": 4}, 3),
    "number, total, whole": (by_number, {"pages": "number", "total": "count", "size": 4}, 2),
    "offset": (by_offset, {"pages": "offset", "items": "data.list"}, 4),
    "offset, capped": (by_offset, {"pages": "offset", "items": "data.list", "size": 500}, 4),
    "offset, total": (by_offset, {"pages": "offset", "items": "data.list", "total": "count"}, 3),
    "token": (by_token, {}, 3),
    "link": (by_link, {"pages": "link", "items": ""}, 3),
    "url": (by_url, {"pages": "url", "next": "paging.next"}, 3),
    "none": (lambda _asked: Reply({"items": ITEMS}), {"pages": "none"}, 1),
}


@pytest.mark.parametrize("style", STYLES)
def test_every_style_reads_all_of_it_once(style: str) -> None:
    plan, http, calls = STYLES[style]
    with serving(plan) as server:
        found = server.rows(stream(**http))
        assert [row["code"] for row in found] == CODES
        assert len(server.asked) == calls


def test_parameters_are_called_as_the_definition_says() -> None:
    http = {
        "pages": "number", "page_param": "pageNo", "first": 0, "size_param": "pageSize", "size": 7,
        "since_param": "changedFrom", "params": {"org": "01", "deleted": 0},
    }  # fmt: skip
    with serving(lambda _asked: Reply({"items": []})) as server:
        server.rows(stream(cursor=True, **http), "2026-01-01T07:58:00")
        (asked,) = server.asked
    assert asked.query == {
        "pageNo": "0", "pageSize": "7", "changedFrom": "2026-01-01T07:58:00", "org": "01",
        "deleted": "0",
    }  # fmt: skip


def test_a_parameter_that_is_left_out_is_not_sent() -> None:
    with serving(lambda _asked: Reply([])) as server:
        server.rows(stream(pages="none", items="", size_param=None, since_param=None))
        assert server.asked[0].query == {}


def test_an_address_with_its_own_path_and_parameters_keeps_them() -> None:
    with serving(by_token) as server:
        server.rows(stream(), url=f"{server.url}/v2/?tenant=3")
        assert {(a.path, a.query["tenant"]) for a in server.asked} == {("/v2/parts", "3")}


def endless(asked: Asked) -> Reply:
    page = int(asked.query["page"])
    return Reply({"items": [{"code": f"P{page}"}]})


def always_the_first(_asked: Asked) -> Reply:
    return Reply({"items": ITEMS[:3], "next": "more", "served": _asked.query.get("after")})


def ever_empty(asked: Asked) -> Reply:
    return Reply({"items": [], "next": int(asked.query.get("after", 0)) + 1})


def says_nine(asked: Asked) -> Reply:
    return Reply(by_number(asked).body | {"count": 9})


def says_two(asked: Asked) -> Reply:
    return Reply(by_number(asked).body | {"count": 2})


def says_nothing(asked: Asked) -> Reply:
    return Reply(by_number(asked).body | {"count": None})


def same_token(asked: Asked) -> Reply:
    return Reply({"items": [{"code": f"x{len(asked.query)}"}], "next": "t"})


def odd_token(_asked: Asked) -> Reply:
    return Reply({"items": ITEMS, "next": {"x": 1}})


def long_token(_asked: Asked) -> Reply:
    return Reply({"items": ITEMS, "next": "x" * 5000})


LIES: dict[str, tuple[Plan, dict[str, Any], str, type[Exception], int]] = {
    "endless pages": (
        endless, {"pages": "number", "max_pages": 5}, "too_many_pages", Stop, 5),
    "ignores the page": (
        lambda _asked: Reply({"items": ITEMS}), {"pages": "number"}, "source_repeats", Stop, 2),
    "repeats with new tokens": (always_the_first, {}, "source_repeats", Stop, 2),
    "repeats its token": (same_token, {}, "source_repeats", Stop, 2),
    "empty for ever": (ever_empty, {}, "too_many_pages", Stop, 20),
    "fewer than its total": (
        says_nine, {"pages": "number", "total": "count"}, "source_incomplete", Retry, 4),
    "more than its total": (
        says_two, {"pages": "number", "total": "count"}, "source_incomplete", Retry, 1),
    "no total": (says_nothing, {"pages": "number", "total": "count"}, "source_garbage", Retry, 1),
    "an odd token": (odd_token, {}, "source_garbage", Retry, 1),
    "an endless token": (long_token, {}, "source_garbage", Retry, 1),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_system_that_lies_is_noticed(lie: str) -> None:
    plan, http, code, kind, calls = LIES[lie]
    with serving(plan) as server:
        error = server.refusal(stream(**http))
        assert (error.code, type(error)) == (code, kind)
        assert len(server.asked) == calls


def test_a_page_that_differs_only_in_what_no_key_is_made_of_is_the_same() -> None:
    """A server may stamp each answer; the keys tell that it repeats itself."""

    def stamped(asked: Asked) -> Reply:
        page = asked.query["page"]
        return Reply({"items": [one | {"served": page} for one in ITEMS[:3]]})

    with serving(stamped) as server:
        assert server.refusal(stream(pages="number")).code == "source_repeats"


def test_an_empty_page_between_others_is_not_the_end() -> None:
    pages = {"": ([], "a"), "a": (ITEMS[:2], "b"), "b": ([], "c"), "c": (ITEMS[2:], None)}

    def plan(asked: Asked) -> Reply:
        items, more = pages[asked.query.get("after", "")]
        return Reply({"items": items, "next": more})

    with serving(plan) as server:
        assert [row["code"] for row in server.rows(stream())] == CODES


@pytest.mark.parametrize(
    ("to", "refused"),
    [
        ("http://127.0.0.1:1/parts", True),  # another port
        ("http://localhost/parts", True),
        ("//evil.example/parts", True),
        ("https://evil.example/parts", True),
        ("http://a:b@127.0.0.1/parts", True),
        ("file:///etc/passwd", True),
        ("gopher://127.0.0.1/parts", True),
        ("https://127.0.0.1/last", False),  # behind a proxy a system may not know its own scheme
        ("/last", False),
    ],
)
@pytest.mark.parametrize("pages", ["link", "url"])
def test_the_next_page_is_on_the_same_host(pages: str, to: str, *, refused: bool) -> None:
    def plan(asked: Asked) -> Reply:
        if asked.path == "/last":
            return Reply({"items": ITEMS[3:]})
        return Reply({"items": ITEMS[:3], "next": to}, headers={"Link": f'<{to}>; rel="next"'})

    with serving(plan) as server:
        if refused:
            error = server.refusal(stream(pages=pages), token="canary")
            assert isinstance(error, NeedsUser), error
            assert error.code == "source_elsewhere"
            assert len(server.asked) == 1
        else:
            assert len(server.rows(stream(pages=pages))) == len(ITEMS)


def test_a_failure_that_says_200_is_a_failure() -> None:
    answer = {"code": 40001, "msg": "额度不足 {source}", "items": []}
    http: dict[str, Any] = {"ok": {"code": [0, 200]}, "error": "msg"}
    with serving(lambda _asked: Reply(answer)) as server:
        error = server.refusal(stream(**http))
    assert (error.code, error.recovery) == ("source_failed", "retry")
    assert "额度不足 {source}" in error.text.zh, "what a stranger says is not filled in"
    with serving(lambda _asked: Reply({"code": "0", "items": ITEMS})) as server:
        assert len(server.rows(stream(**http))) == len(ITEMS)


def test_rows_out_of_order_stop_unless_the_definition_says_so() -> None:
    """A watermark over rows in no order would run ahead of rows that were not read yet."""
    mixed = [*ITEMS[4:], {"code": "no time", "at": None}, *ITEMS[:4]]

    def plan(asked: Asked) -> Reply:
        at = int(asked.query.get("after", 0))
        return Reply({"items": mixed[at : at + 3], "next": at + 3 if at + 3 < len(mixed) else None})

    with serving(plan) as server:
        error = server.refusal(stream(cursor=True))
        assert (error.code, type(error)) == ("not_ordered", Stop)
        assert "ordered: false" in error.text.zh
        found = server.rows(stream(cursor=True, ordered=False))
    assert [row["code"] for row in found] == ["no time", *CODES]


def test_too_many_rows_without_order_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenon.connect.connectors.http.connector._MOST_UNORDERED", 5)
    with serving(by_token) as server:
        error = server.refusal(stream(cursor=True, ordered=False))
        assert error.code == "too_many_unordered"
        assert len(server.asked) == 2


def test_times_in_several_zones_are_in_order() -> None:
    items = [
        {"code": "a", "at": "2026-01-01T08:00:00+08:00"},
        {"code": "b", "at": "2026-01-01T00:00:00.5Z"},
        {"code": "c", "at": "2026-01-01T00:00:01Z"},
    ]
    with serving(lambda _asked: Reply({"items": items})) as server:
        assert len(server.rows(stream(cursor=True))) == 3


def test_reading_ends_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def plan(asked: Asked) -> Reply:
        now[0] += 10
        return by_token(asked)

    monkeypatch.setattr("tenon.connect.connectors.http.pages.clock.monotonic", lambda: now[0])
    with serving(plan) as server:
        error = server.refusal(stream(), read_seconds=15, answer_seconds=3600)
        assert (error.code, error.recovery) == ("read_too_long", "retry")
        assert len(server.asked) == 2


def test_names_are_matched_without_case_and_a_missing_filter_is_named() -> None:
    items = [{"Code": "a", "State": 1}, {"Code": "b", "State": 2}]
    one = StreamDef(name="s", path="/s", key=("CODE",), columns=("code",), where={"state": (2,)})
    with serving(lambda _asked: Reply({"items": items})) as server:
        assert server.rows(one) == [{"code": "b"}]
        error = server.refusal(one.model_copy(update={"where": {"stat": (2,)}}))
    assert error.code == "column_absent", "a filter on nothing would let nothing through, silently"


def legacy(asked: Asked) -> Reply:
    """The suite's rows, paged in every way at once, as far as what is asked for says so."""
    if asked.path != "/parts":
        return Reply(status=404)
    since = asked.query.get("since", "")
    rows: list[dict[str, Any]] = [
        {"code": c, "part name": n, "qty": str(q), "changed": t.isoformat()}
        for c, n, q, t in suite.ROWS
    ]
    rows = [row for row in rows if row["changed"] >= since]
    size, page = int(asked.query.get("size", 1000)), int(asked.query.get("page", 1))
    start = int(asked.query.get("from", (page - 1) * size))
    further = f"/parts?from={start + size}&size={size}&since={since}"
    more = further if start + size < len(rows) else None
    found = {"rows": rows[start : start + size], "count": len(rows), "more": more}
    return Reply(found, headers={"Link": f'<{more}>; rel="next"'} if more else {})


CONFORMING: dict[str, dict[str, Any]] = {
    "number": {"pages": "number"},
    "number, total": {"pages": "number", "total": "count"},
    "offset": {"pages": "offset", "page_param": "from"},
    "link": {"pages": "link"},
    "url": {"pages": "url", "next": "more"},
    "unordered": {"pages": "url", "next": "more", "ordered": False},
}


@pytest.mark.parametrize("check", suite.CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("style", CONFORMING)
def test_conformance(style: str, check: Callable[[suite.Subject], None]) -> None:
    http = HttpDef(items="rows", size_param="size", since_param="since", **CONFORMING[style])
    parts = StreamDef(
        name="parts", path="/parts", columns=("code", "part name", "qty", "changed"),
        key=("code",), cursor=CursorDef(column="changed"), http=http,
    )  # fmt: skip
    absent = StreamDef(name="nothing", path="/nothing", key=("code",), http=http)
    with serving(legacy) as server:
        check(suite.Subject(lambda: server.connector(page_rows=33), parts, absent))


WRONG: list[Callable[[], HttpDef]] = [
    lambda: HttpDef.model_validate({"pages": "sideways"}),
    lambda: HttpDef.model_validate({"pages": "token", "total": "count"}),
    lambda: HttpDef.model_validate({"pages": "number", "ends": "short"}),
    lambda: HttpDef.model_validate({"pages": "link", "ends": "short", "size": 5}),
    lambda: HttpDef.model_validate({"size": 0}),
    lambda: HttpDef.model_validate({"max_pages": 0}),
    lambda: HttpDef.model_validate({"items": "a..b"}),
    lambda: HttpDef.model_validate({"page_param": "a b"}),
    lambda: HttpDef.model_validate({"page_param": "a&b=c"}),
    lambda: HttpDef.model_validate({"size_param": "n", "params": {"n": 3}}),
    lambda: HttpDef.model_validate({"unknown": 1}),
]


@pytest.mark.parametrize("make", WRONG)
def test_a_definition_that_cannot_be_is_refused(make: Callable[[], HttpDef]) -> None:
    with pytest.raises(ValidationError):
        make()

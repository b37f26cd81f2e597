"""Rows as columns are the same as rows one by one: keys, contents, values, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tenon.connect.batches import batch_of, names_of, rows_of
from tenon.connect.blocks import Blocks, Candidate
from tenon.connect.mapping import Lookup, Mapper
from tenon.connect.stage import _work
from tenon.define.catalogue import Catalogue, check, parse
from tenon.define.models import Sync
from tenon.kernel.errors import SetAside
from tenon.kernel.ids import uuid7, uuid7s

NAMES = ("id", "part", "doc", "name", "kind", "qty", "count", "price", "at", "day", "open", "times")
ENTITY = {
    "kind": "entity", "code": "thing", "label": {"zh": "物", "en": "Thing"},
    "fields": [
        {"code": code, "label": {"zh": code, "en": code}, "type": kind, **more}
        for code, kind, more in (
            ("part", "ref", {"target": "thing"}),
            ("must", "ref", {"target": "thing", "required": True}),
            ("doc", "text", {"length": 12, "required": True}),
            ("name", "text", {"length": 20}),
            ("both", "text", {"length": 40}),
            ("kind", "choice", {"choices": [
                {"code": c, "label": {"zh": c, "en": c}} for c in ("in", "out")]}),
            ("qty", "decimal", {"scale": 4, "minimum": 0}),
            ("count", "integer", {}),
            ("price", "decimal", {"scale": 2}),
            ("worth", "decimal", {"scale": 6}),
            ("at", "datetime", {}),
            ("day", "date", {}),
            ("open", "boolean", {}),
            ("origin", "text", {"length": 5}),
        )
    ],
}  # fmt: skip
SYNC = {
    "kind": "sync", "code": "things", "source": "s", "label": {"zh": "物", "en": "Things"},
    "target": "thing", "stream": {"name": "t", "table": "t", "key": ["id"]},
    "fields": {
        "part": {"from": "part", "ref": "thing", "by": "doc", "unknown": "leave"},
        "must": {"from": "part", "ref": "thing", "by": "doc", "clean": "code", "default": "P1"},
        "doc": {"from": "doc", "clean": "document_no"},
        "name": "name",
        "both": {"from": ["doc", "name"]},
        "kind": {"from": "kind", "choices": {"I": "in", "O": "out"}},
        "qty": "qty", "count": "count", "price": {"from": "price", "default": 0},
        "worth": {"from": "qty", "times": "times"},
        "at": "at", "day": "day", "open": "open", "origin": {"const": "file"},
    },
}  # fmt: skip
KNOWN = {text: f"id of {text}" for text in ("P1", "P2", "料3")}
SOURCE = {
    "kind": "source", "code": "s", "label": {"zh": "源", "en": "S"},
    "system": {"zh": "源", "en": "S"}, "connector": "sql",
}  # fmt: skip


class Names:
    """Texts that name something, and texts that do not."""

    def answers(self, _connection: Any, _one: Lookup, values: set[str]) -> dict[str, str | None]:
        return {value: KNOWN.get(value) for value in values}


def catalogue() -> tuple[Catalogue, Sync]:
    found = tuple(parse(data, "test") for data in (ENTITY, SOURCE, SYNC))
    check(found)
    whole = Catalogue(1, found)
    return whole, whole.sync("things")


CATALOGUE, THINGS = catalogue()
WORDS = st.one_of(
    st.sampled_from([
        "", " ", "A-1", " a b ", "WO 12", "料3", "P1", "p1 ", "“引”", 'say "x"', "back\\slash",
        "tab\there", "line\nfeed", "\x00nul\x00", "Ａ１", "x" * 30, "é", "\u3000宽\u3000", "①",
        "\x1f", "😀", "~", "NULL", "a|b",
    ]),
    st.text(max_size=8),
)  # fmt: skip
NUMBERS = st.one_of(
    st.decimals(-(10**9), 10**9, places=4, allow_nan=False),
    st.integers(-(10**18), 10**18),
    st.sampled_from([Decimal("0.00000001"), Decimal("1.10"), Decimal(0), Decimal("-0.0000")]),
)
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001  local
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "part": st.sampled_from(["P1", "P2", "料3", "unknown", "", None]),
    "doc": WORDS,
    "name": WORDS,
    "kind": st.sampled_from(["I", "O", "in", "?", "", None]),
    "qty": NUMBERS,
    "count": st.one_of(st.integers(-(10**18), 10**18), st.sampled_from([5, 0])),
    "price": st.one_of(NUMBERS, st.sampled_from(["12.50", "1,200", "x", ""])),
    "at": st.one_of(TIMES, st.sampled_from(["2026-01-31 08:00:00", "2026/1/3", "0000-00-00"])),
    "day": st.one_of(TIMES, st.just("2026-02-30"), st.just("2026-02-28")),
    "open": st.sampled_from([0, 1, "Y", "maybe", None]),
    "times": st.sampled_from([1, -1, None]),
}  # fmt: skip
KEYS = st.one_of(st.integers(0, 10**6), st.sampled_from(["k1", " k2 ", "", None, "长" * 200]))


@st.composite
def rows(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """Rows whose columns each hold values of one kind, sometimes of several, sometimes bytes."""
    count = draw(st.integers(1, 8))
    keys = draw(st.lists(KEYS, min_size=count, max_size=count, unique_by=str))
    columns = [keys]
    for name in NAMES[1:]:
        cell = CELLS[name]
        if draw(st.booleans()):
            cell = st.one_of(st.none(), cell)
        if name == "name" and draw(st.integers(0, 9)) == 0:
            cell = st.one_of(cell, st.just(b"\xff\xfe"))
        columns.append(draw(st.lists(cell, min_size=count, max_size=count)))
    return list(zip(*columns, strict=True))


def one_by_one(mapper: Mapper, row: tuple[Any, ...]) -> tuple[str, str, str, dict[str, Any]] | None:
    """A row's key, content, hash and values; None when it is refused or waits."""
    work = _work(mapper, row)
    if work.reason is not None or "~" in work.key:
        return None
    try:
        values = mapper.values(row)
        for one in mapper.lookups:
            text = one.read(row)
            found = KNOWN.get(text) if text else None
            if found is None and (text or one.field.required):
                return None
            values[one.field.code] = found
    except SetAside:
        return None
    return work.key, work.raw, work.hash, values


def typed(value: Any) -> Any:
    """A value as it is compared: moments in UTC, numbers by their worth."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return value


def as_columns(candidate: Candidate) -> list[tuple[str, str, str, dict[str, Any]]]:
    block, _ = candidate.part(0, len(candidate.block))
    if block is None:
        return []
    columns = {code: column.to_pylist() for code, column in block.columns.items()}
    return [
        (key, raw, digest, {code: values[at] for code, values in columns.items()})
        for at, (key, raw, digest) in enumerate(
            zip(block.keys.to_pylist(), block.raws.to_pylist(), block.hashes(), strict=True)
        )
    ]


@settings(max_examples=150, deadline=None)
@given(rows())
def test_columns_say_what_rows_say(given_rows: list[tuple[Any, ...]]) -> None:
    batch = batch_of(NAMES, given_rows)
    names, back = rows_of(batch)
    assert names == names_of(batch) == NAMES
    mapper = Mapper(CATALOGUE, THINGS, names, ZoneInfo("Asia/Shanghai"))
    wanted = [found for row in back if (found := one_by_one(mapper, row)) is not None]
    candidate = Blocks(THINGS, Names(), blank=True).of(None, mapper, batch)  # type: ignore[arg-type]
    keys = [mapper.key(row) for row in back if mapper.key(row) is not None]
    if candidate is None:
        assert len(set(keys)) < len(keys)
        return
    made = as_columns(candidate)
    assert [m[:3] for m in made] == [w[:3] for w in wanted]
    for (_, _, _, ours), (_, _, _, theirs) in zip(made, wanted, strict=True):
        assert {k: typed(v) for k, v in ours.items()} == {k: typed(v) for k, v in theirs.items()}


def test_clean_rows_go_as_columns() -> None:
    good = [
        (n, "P1", f"WO-{n}", f"件 {n}", "I", Decimal("1.5000"), n, Decimal("2.50"),
         datetime(2026, 1, 31, 8, n), datetime(2026, 1, 31), "Y", -1)  # noqa: DTZ001  local
        for n in range(30)
    ]  # fmt: skip
    batch = batch_of(NAMES, good)
    mapper = Mapper(CATALOGUE, THINGS, NAMES, ZoneInfo("Asia/Shanghai"))
    candidate = Blocks(THINGS, Names(), blank=True).of(None, mapper, batch)  # type: ignore[arg-type]
    assert candidate is not None
    block, others = candidate.part(10, 5)
    assert block is not None
    assert (len(block), others) == (5, [])
    assert block.columns["doc"].to_pylist() == [f"WO-{n}" for n in range(10, 15)]
    assert block.columns["at"][0].as_py() == datetime(2026, 1, 31, 0, 10, tzinfo=UTC)
    assert block.columns["day"][0].as_py() == date(2026, 1, 31)
    assert block.columns["worth"].type == pa.decimal128(18, 6)


def test_many_ids_lie_between_single_ones() -> None:
    before, many, after = uuid7(), uuid7s(5000), uuid7()
    assert [before, *many, after] == sorted({before, *many, after})

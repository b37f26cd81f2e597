"""The vocabulary: ids, decimals, texts, clock, fault points."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenon.kernel import clock, faults
from tenon.kernel.decimals import fit, from_scaled, plain, to_scaled
from tenon.kernel.errors import BadInput, SetAside
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text, normal_code, normal_document_no, normal_name

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_ids_are_uuid7_and_sort_by_time() -> None:
    ids = [uuid7() for _ in range(5000)]
    assert ids == sorted(set(ids))
    assert {UUID(i).version for i in ids} == {7}
    assert {UUID(i).variant for i in ids} == {"specified in RFC 4122"}


@given(st.decimals(min_value=-(10**13), max_value=10**13, places=4))
def test_scaled_integers_keep_decimals_exact(value: Decimal) -> None:
    assert from_scaled(to_scaled(fit(value, 18, 4), 4), 4) == value


@pytest.mark.parametrize(
    "value", ["1.00001", "NaN", "Infinity", "1e30", "abc", "", "1,000", 10**15]
)
def test_a_value_that_does_not_fit_is_refused_never_rounded(value: object) -> None:
    with pytest.raises(SetAside) as refused:
        fit(value, 18, 4)
    assert refused.value.code in {"does_not_fit", "not_a_number"}


def test_plain_numbers_for_people() -> None:
    assert plain(Decimal("120.0000")) == "120"
    assert plain(Decimal(1200)) == "1200"
    assert plain(Decimal("0.5000")) == "0.5"


@pytest.mark.parametrize(
    ("typed", "code", "document"),
    [
        (" dwg-a1023 ", "DWGA1023", "DWG-A1023"),
        ("ＤＷＧ－Ａ１０２３", "DWGA1023", "DWG-A1023"),
        ("so-2511-0123　", "SO25110123", "SO-2511-0123"),
    ],
)
def test_codes_compare_without_noise(typed: str, code: str, document: str) -> None:
    assert normal_code(typed) == code
    assert normal_document_no(typed) == document


def test_names_compare_without_brackets() -> None:
    assert normal_name("宁波（华强） 精密") == normal_name("宁波(华强)精密")


def test_text_placeholders_are_data_not_code() -> None:
    text = Text("{a}{b.__class__}{{7*7}}", "{a}").format(a="{b}", b=1)
    assert text == Text("{b}{b.__class__}{{7*7}}", "{b}")


def test_error_carries_code_and_params() -> None:
    error = BadInput("too_big", Text("太大：{n}", "Too big: {n}"), n=3)
    assert (error.code, error.params, error.text.en) == ("too_big", {"n": 3}, "Too big: 3")


def test_demo_clock_follows_its_file(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    wall = datetime.now(UTC) - timedelta(minutes=2)
    mapping = {"sim": "2026-11-03T10:30:00+08:00", "wall": wall.isoformat(), "pace": 60}
    file.write_text(json.dumps(mapping))
    shown = clock.DemoClock(file)()
    start = datetime(2026, 11, 3, 2, 30, tzinfo=UTC)
    assert timedelta(minutes=119) < shown - start < timedelta(minutes=125)


def test_day_starts_at_midnight_of_the_plant() -> None:
    late_evening = datetime(2026, 11, 2, 17, 30, tzinfo=UTC)  # 01:30 on the 3rd in Shanghai
    assert clock.day_start(late_evening, SHANGHAI) == datetime(2026, 11, 2, 16, tzinfo=UTC)
    assert clock.day_start(late_evening, SHANGHAI, -1) == datetime(2026, 11, 1, 16, tzinfo=UTC)


def test_fault_point_acts_on_the_nth_passage() -> None:
    faults.arm("sync.read.after:raise:2")
    try:
        faults.point("sync.read.after")
        faults.point("sync.apply.before")
        with pytest.raises(faults.InjectedFault):
            faults.point("sync.read.after")
    finally:
        faults.arm(None)
    with pytest.raises(ValueError, match="unknown fault"):
        faults.arm("no.such.point:kill:1")

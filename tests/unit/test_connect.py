"""Connect, without servers: values, batches, cursors, egress, secrets, settings, schedules."""

from __future__ import annotations

import stat
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenon.connect import egress, values
from tenon.connect.batches import batch_of, rows_of
from tenon.connect.contract import rewind
from tenon.connect.pace import Pace
from tenon.connect.plan import decoded, encoded, further
from tenon.connect.secrets import Secrets
from tenon.connect.settings import Connections
from tenon.define.models import Label, MapRule, SourceDef
from tenon.jobs.schedule import Schedule
from tenon.kernel import clock
from tenon.kernel.errors import Config, NeedsUser, Retry, SetAside


def naive(text: str) -> datetime:
    """A time without a zone, as legacy systems keep it."""
    return datetime.fromisoformat(text)


SHANGHAI = ZoneInfo("Asia/Shanghai")
LABEL = Label(zh="来源", en="Source")


def parse(kind: Any, value: Any, **rule: Any) -> Any:
    given_rule = MapRule.model_validate({"from": "x"} | rule)
    return values.parser(kind, given_rule, SHANGHAI)(value)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-01-31 08:30:00", datetime(2026, 1, 31, 0, 30, tzinfo=UTC)),
        ("2026-01-31T08:30:00+08:00", datetime(2026, 1, 31, 0, 30, tzinfo=UTC)),
        ("2026/1/3 08:30", datetime(2026, 1, 3, 0, 30, tzinfo=UTC)),
        ("２０２６-０１-３１", datetime(2026, 1, 30, 16, 0, tzinfo=UTC)),
        (naive("2024-02-29 08:00"), datetime(2024, 2, 29, tzinfo=UTC)),
        (date(2026, 1, 31), datetime(2026, 1, 30, 16, 0, tzinfo=UTC)),
        ("0000-00-00 00:00:00", None),
        ("  ", None),
        (None, None),
    ],
)
def test_times_of_legacy_systems_become_utc(written: Any, expected: datetime | None) -> None:
    assert parse("datetime", written) == expected


@pytest.mark.parametrize("written", ["2026-02-29", "31.12.2026", "08:30", "soon", 20260131])
def test_a_time_that_is_none_is_refused(written: Any) -> None:
    with pytest.raises(SetAside, match="bad_time"):
        parse("datetime", written)


def test_a_time_on_a_clock_change_is_the_first_of_two() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    read = values.parser("datetime", MapRule.model_validate({"from": "x"}), berlin)
    assert read("2026-10-25 02:30:00") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "written", "rule", "expected"),
    [
        ("decimal", " 1,234.50 ", {}, "1234.50"),
        ("decimal", "１２．５", {}, "12.5"),
        ("decimal", "", {}, None),
        ("boolean", "是", {}, True),
        ("boolean", 0, {}, False),
        ("boolean", "VOID", {"choices": {"DONE": False, "VOID": True}}, True),
        ("choice", " WAIT ", {"choices": {"WAIT": "wait"}}, "wait"),
        ("choice", "ODD", {"choices": {"WAIT": "wait"}, "otherwise": "other"}, "other"),
        ("text", "a\x00b  ", {}, "ab"),
        ("text", "ｗｏ－１ ", {"clean": "document_no"}, "WO-1"),
        ("text", Decimal("120.0000"), {}, "120"),
        ("date", "2026-01-31 23:59:00", {}, date(2026, 1, 31)),
    ],
)
def test_values_of_legacy_systems_are_tidied(
    kind: Any, written: Any, rule: dict[str, Any], expected: Any
) -> None:
    assert parse(kind, written, **rule) == expected


CELLS = st.one_of(
    st.none(), st.text(max_size=8), st.integers(-(2**70), 2**70), st.binary(max_size=4),
    st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=4),
    st.datetimes(naive("1970-01-01"), naive("2100-01-01")),
)  # fmt: skip


@given(st.lists(st.tuples(CELLS, CELLS), max_size=8))
def test_what_goes_into_a_batch_comes_out_with_the_same_meaning(
    rows: list[tuple[Any, Any]],
) -> None:
    names, back = rows_of(batch_of(["a", "b"], rows))
    assert names == ("a", "b")
    for before, after in zip(rows, back, strict=True):
        for one, other in zip(before, after, strict=True):
            if isinstance(one, bytes | type(None)):
                assert other == one
            else:
                assert values.text_of(other) == values.text_of(one)


def test_floats_and_numbers_out_of_reach_stay_exact() -> None:
    _, rows = rows_of(batch_of(["a"], [(0.1,), (float("nan"),), (3,)]))
    assert [r[0] for r in rows] == ["0.1", "NaN", "3"]
    _, rows = rows_of(batch_of(["a"], [(0.1,), (3,)]))
    assert [r[0] for r in rows] == [Decimal("0.1"), Decimal(3)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-31 08:00:00", "2026-01-31 07:58:00"),
        ("2026-01-31T08:00:00.500+08:00", "2026-01-31T07:58:00+08:00"),
        ("2026-01-31", "2026-01-30"),
        ("no time", "no time"),
        (17, 17),
        (naive("2026-01-31 08:00"), naive("2026-01-31 07:58")),
    ],
)
def test_a_cursor_goes_back_in_its_own_form(value: Any, expected: Any) -> None:
    assert rewind(value, 120) == expected
    assert decoded(encoded(value)) == value


def test_a_watermark_never_goes_back() -> None:
    assert further("2026-01-02", "2026-01-01") == "2026-01-02"
    assert further(None, "2026-01-01") == "2026-01-01"
    assert further("2026-01-01", None) == "2026-01-01"
    assert further(3, Decimal(7)) == 7
    assert further("x", b"\xff") == "x"


HOSTILE = [
    "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "169.254.169.254", "0.0.0.0", "224.0.0.1",
    "0x7f.1", "2130706433", "0177.0.0.1", "localhost.", "localhost",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTILE)
def test_an_address_that_is_not_listed_is_refused(host: str) -> None:
    guard = egress.guard("mes", [("10.0.0.8", 3306)])
    with pytest.raises(NeedsUser, match="egress_refused"):
        guard.admit(host, 3306)
    with pytest.raises(NeedsUser, match="egress_refused"):
        guard.admit("10.0.0.8", 3307)


def test_a_listed_address_is_admitted() -> None:
    assert egress.guard("mes", [("10.0.0.8", 3306)]).admit("10.0.0.8", 3306) == "10.0.0.8"
    local = egress.guard("mes", [("localhost", 80)]).admit("LOCALHOST.", 80)
    assert local in {"127.0.0.1", "::1"}


@pytest.mark.parametrize("found", ["127.0.0.1", "::1", "169.254.169.254", "0.0.0.0", "224.0.0.1"])
def test_a_listed_name_may_not_lead_to_this_machine(
    found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress, "_resolve", lambda _name, _port: [found])
    with pytest.raises(NeedsUser, match="egress_refused"):
        egress.guard("crm", [("crm.example.com", 443)]).admit("crm.example.com", 443)


def test_a_name_nobody_knows_is_retried() -> None:
    with pytest.raises(Retry, match="host_unknown"):
        egress.guard("crm", [("no-such-host.invalid", 80)]).admit("no-such-host.invalid", 80)


def test_secrets_are_kept_encrypted_and_for_their_owner(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    secrets.set("wms", "canary-密码")
    assert secrets.get("wms") == "canary-密码"
    assert secrets.names() == ["wms"]
    for file in tmp_path.iterdir():
        assert b"canary" not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(Config, match="no_secret"):
        secrets.get("other")


def test_a_lost_or_foreign_key_says_so(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    secrets.set("wms", "x")
    key = (tmp_path / "secret.key").read_bytes()
    (tmp_path / "secret.key").unlink()
    with pytest.raises(Config, match="key_lost"):
        secrets.get("wms")
    with pytest.raises(Config, match="key_lost"):
        secrets.init()
    (tmp_path / "secret.key").write_bytes(key[:-5] + b"AAAA=")
    with pytest.raises(Config, match="wrong_key"):
        secrets.get("wms")


def source(connector: str = "sql") -> SourceDef:
    return SourceDef(code="wms", label=LABEL, system=LABEL, connector=connector)


def test_a_connection_opens_its_secret_and_shows_none(tmp_path: Path) -> None:
    connections = Connections(tmp_path)
    connections.secrets.set("wms", "canary")
    url = "mysql://tenon@10.0.0.8:3307/wms"
    connections.save({"wms": {"url": url, "password": "secret:wms"}})
    connector = connections.open(source())
    assert connector.address == "10.0.0.8:3307/wms"
    assert "canary" not in (tmp_path / "connections.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "no_connection"),
        ("wms: {url: 'nonsense'}", "bad_address"),
        ("wms: {url: 'nosuch://x/y'}", "bad_address"),
        ("wms: {url: 'sqlite:///x.db', encoding: ebcdic}", "bad_encoding"),
        ("wms: [1, 2", "bad_connections"),
        ("- wms", "bad_connections"),
        ("wms: {url: 'sqlite:///x.db', password: 'secret:none'}", "no_secret"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "connections.yaml").write_text(text, "utf-8")
    with pytest.raises(Config, match=code):
        Connections(tmp_path).open(source())


def test_an_unknown_connector_is_named(tmp_path: Path) -> None:
    Connections(tmp_path).save({"wms": {"url": "sqlite:///x.db"}})
    with pytest.raises(Config, match="no_connector"):
        Connections(tmp_path).open(source("telepathy"))


def test_the_size_of_a_part_follows_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.thread_time", lambda: now[0])
    pace = Pace()
    for _ in range(20):
        with pace.timed(pace.size):
            now[0] += pace.size * 0.0001
    assert 285 <= pace.size <= 315, "30 ms at 0.1 ms a row"
    for _ in range(20):
        with pace.timed(pace.size):
            now[0] += 1.0
    assert pace.size == 50


def test_scheduled_work_outlives_its_faults_and_stops(caplog: pytest.LogCaptureFixture) -> None:
    ran: list[int] = []
    enough = threading.Event()

    def work() -> None:
        ran.append(1)
        if len(ran) >= 4:
            enough.set()
        raise ValueError("broken")

    schedule = Schedule()
    schedule.add("work", 0.01, work)
    with pytest.raises(ValueError, match="scheduled already"):
        schedule.add("work", 1, work)
    schedule.start()
    assert enough.wait(5)
    schedule.stop()
    after = len(ran)
    assert len([r for r in caplog.records if "work failed" in r.message]) == 1
    threading.Event().wait(0.05)
    assert len(ran) == after


def _wait(event: threading.Event) -> None:
    event.wait(5)


def test_a_hanging_source_holds_up_no_other() -> None:
    hang, other = threading.Event(), threading.Event()
    schedule = Schedule()
    schedule.add("hangs", 0.01, lambda: _wait(hang))
    schedule.add("runs", 0.01, other.set)
    started = clock.monotonic()
    schedule.start()
    assert other.wait(2)
    hang.set()
    schedule.stop()
    assert timedelta(seconds=clock.monotonic() - started) < timedelta(seconds=4)

"""Calls that cost money: counted before they are made, told of in time, stopped when spent."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tenon.assembly import open_tenon
from tenon.assembly.home import HomeSettings, write_settings
from tenon.automate.tables import notice
from tenon.connect import calls, linking, service, trying
from tenon.connect.calls import Budget, CallBook
from tenon.connect.connectors.http import pace as http_pace
from tenon.connect.settings import Connections
from tenon.connect.tables import source_call
from tenon.kernel import clock
from tenon.kernel.errors import Config, Retry
from tenon.kernel.ids import uuid7
from tenon.store import open_hub
from tenon.store.migrate import migrate
from tests.service.http_server import Asked, Reply, serving
from tests.service.http_world import NOON, PAID, Paid, one_parcel, shop


@pytest.fixture
def paid(tmp_path: Path) -> Iterator[Paid]:
    with shop(tmp_path, one_parcel) as one:
        yield one


def test_calls_are_counted_and_stopped_and_others_go_on(hub_url: str, tmp_path: Path) -> None:
    with shop(tmp_path, one_parcel, hub_url) as paid:
        counted_told_of_and_stopped(paid)


def counted_told_of_and_stopped(paid: Paid) -> None:
    cycle = paid.setting(calls_per_day=5, calls_alarm=0.8)
    with clock.fixed(NOON):
        for _ in range(3):
            assert paid.one(cycle).error is None
        assert paid.told == []
        assert paid.one(cycle).error is None
        (alarm,) = paid.told
        assert "快用完" in alarm[0].zh
        assert "4 / 5" in alarm[1].zh
        assert "2026-03-10 15:00" in alarm[1].zh, "four in twelve hours: the fifth in three"
        assert alarm[2] == "/sources?source=paid"
        assert paid.one(cycle).error is None
        assert "已用完" in paid.told[1][0].zh
        error = paid.one(cycle).error
        assert isinstance(error, Retry)
        assert error.code == "calls_spent"
        assert len(paid.server.asked) == 5, "the sixth was not made"
        state = paid.state()
        assert state.state == "paused"
        assert state.message is not None
        assert "5 / 5" in state.message.zh
        assert "2026-03-11 00:00" in state.message.zh
        assert state.calls is not None
        assert (state.calls.today, state.calls.month, state.calls.alarm) == (5, 5, True)
        assert state.calls.free_at == datetime(2026, 3, 10, 16, tzinfo=UTC)
        assert [o.state for o in cycle.run_source("kis")] == ["succeeded"]
    with clock.fixed(NOON + timedelta(hours=12)):  # midnight there: it goes on by itself
        assert paid.one(cycle).error is None
        again = paid.state()
        assert again.state != "paused"
        assert again.message is None
        assert again.calls is not None
        assert (again.calls.today, again.calls.month) == (1, 6)
    assert len(paid.told) == 2


def test_a_month_is_counted_over_its_days(paid: Paid) -> None:
    cycle = paid.setting(calls_per_month=3)
    for day in (28, 29, 30):
        with clock.fixed(datetime(2026, 3, day, 4, tzinfo=UTC)):
            assert paid.one(cycle).error is None
    with clock.fixed(datetime(2026, 3, 31, 15, 59, tzinfo=UTC)):
        error = paid.one(cycle).error
        assert error is not None
        assert error.code == "calls_spent"
        assert "2026-04-01 00:00" in error.text.zh
        assert [title.zh for title, _, _ in paid.told] == ["快递：付费调用已用完，已停止请求"]
    with clock.fixed(datetime(2026, 3, 31, 16, tzinfo=UTC)):
        assert paid.one(cycle).error is None
    assert len(paid.server.asked) == 4


def test_each_repeat_is_counted_and_shown(tmp_path: Path) -> None:
    left = [503, 429, 429]

    def busy(_asked: Asked) -> Reply:
        status = left.pop() if left else 200
        return Reply({"items": []}, status=status, headers={"Retry-After": "0"})

    with shop(tmp_path, busy) as paid:
        cycle = paid.setting(calls_per_day=100)
        assert paid.one(cycle).error is None
        state = paid.state().calls
        assert state is not None
        assert (state.today, state.again) == (len(paid.server.asked), 3) == (4, 3)


def test_repeats_end_where_the_budget_ends(tmp_path: Path) -> None:
    plan = Reply({}, status=429, headers={"Retry-After": "0"})
    with shop(tmp_path, lambda _asked: plan) as paid:
        error = paid.one(paid.setting(calls_per_day=2)).error
        assert error is not None
        assert error.code == "calls_spent"
        assert len(paid.server.asked) == 2


def test_the_check_and_a_webhooks_question_are_counted_too(paid: Paid) -> None:
    paid.setting(calls_per_day=2, check_path="/parcels")
    deps = paid.world.deps
    assert service.check_source(deps, "paid")["ok"]
    connector: Any = deps.connections.open(PAID)
    connector.fetch("/parcels")
    with pytest.raises(Retry, match="calls_spent"):
        connector.fetch("/parcels")
    connector.close()
    assert len(paid.server.asked) == 2
    assert not service.check_source(deps, "paid")["ok"]


def test_without_a_place_to_count_nothing_is_asked(tmp_path: Path) -> None:
    with serving(lambda _asked: Reply({})) as server:
        connections = Connections(tmp_path)
        connections.save({"paid": {"url": server.url, "calls_per_day": 5}})
        uncounted = connections.open(PAID)
        with pytest.raises(Config, match="calls_uncounted"):
            uncounted.check()
        connections.save({"paid": {"url": server.url}})
        with closing(connections.open(PAID)) as connector:
            connector.check()
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"calls_per_day": 0}, {"calls_per_day": -1}, {"calls_per_day": "5"},
        {"calls_per_month": True}, {"calls_per_month": 1.5}, {"calls_per_day": 5, "calls_alarm": 0},
        {"calls_per_day": 5, "calls_alarm": 80}, {"calls_per_day": 5, "calls_alarm": float("nan")},
    ],
)  # fmt: skip
def test_a_budget_that_cannot_be_asks_nothing(values: dict[str, Any], tmp_path: Path) -> None:
    """A budget that is misunderstood must not be no budget."""
    connections = Connections(tmp_path)
    connections.save({"paid": {"url": "http://127.0.0.1:1"} | values})
    with pytest.raises(Config, match="bad_setting"):
        connections.open(PAID)
    with pytest.raises(Config, match="bad_setting"):
        connections.budget("paid")


def test_a_person_sets_the_budget_on_the_page_and_a_try_is_counted(paid: Paid) -> None:
    paid.setting()
    connections = paid.world.deps.connections
    settings = {"url": paid.server.url, "paths": "/parcels", "calls_per_day": 2}
    linking.save(connections, PAID, settings)
    assert connections.budget("paid") == Budget(2, None, 0.8)
    assert linking.shown(connections, PAID) == settings
    values = linking.opened(connections, linking.manifest_of("http"), "paid", settings)
    steps = trying.try_out(connections, linking.manifest_of("http"), values, "paid")
    assert [step.ok for step in steps] == [True] * 4
    assert len(paid.server.asked) == 2
    again = trying.try_out(connections, linking.manifest_of("http"), values, "paid")
    assert "2 / 2" in again[2].message.zh
    assert len(paid.server.asked) == 2


def test_many_at_once_never_make_one_too_many(hub_url: str) -> None:
    hub = open_hub(hub_url)
    migrate(hub)
    told: list[str] = []
    book = CallBook(hub, lambda _tx, title, *_more: told.append(title.zh))
    made: list[int] = []

    def work() -> None:
        one = book.of(PAID, Budget(20, None, 0.5))
        for _ in range(10):
            try:
                one.count()
            except Retry:
                continue
            made.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with hub.read() as connection:
        assert connection.scalar(sa.select(sa.func.sum(source_call.c.calls))) == len(made) == 20
    hub.close()
    assert told == ["快递：付费调用快用完了", "快递：付费调用已用完，已停止请求"]


CALLING = """
import sys
from pathlib import Path
from tenon.connect.calls import CallBook
from tenon.connect.settings import Connections
from tenon.store import open_hub
from tenon.define.models import Label, SourceDef

LABEL = Label(zh="快递", en="Courier")
PAID = SourceDef(code="paid", label=LABEL, system=LABEL, connector="http")
hub = open_hub(sys.argv[2])
connector = Connections(Path(sys.argv[1]), CallBook(hub)).open(PAID)
while True:
    connector.check()
"""


def test_no_call_is_made_that_a_kill_could_uncount(tmp_path: Path) -> None:
    """Killed while its third call is on the way: three are counted, and a fourth is not made."""
    third, go = threading.Event(), threading.Event()
    hub_url = f"sqlite:///{tmp_path / 'hub.db'}"
    hub = open_hub(hub_url)
    migrate(hub)

    def plan(_asked: Asked) -> Reply:
        if len(server.asked) == 3:
            third.set()
            go.wait(30)
        return Reply({})

    with serving(plan) as server:
        Connections(tmp_path).save({"paid": {"url": server.url, "calls_per_day": 3}})
        command = [sys.executable, "-c", CALLING, str(tmp_path), hub_url]
        with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as process:
            assert third.wait(60)
            process.kill()
        go.set()
        if sys.platform != "win32":
            assert process.returncode == -signal.SIGKILL
        connector = Connections(tmp_path, CallBook(hub)).open(PAID)
        with closing(connector), pytest.raises(Retry, match="calls_spent"):
            connector.check()
        assert len(server.asked) == 3
    hub.close()


def forecast(home: Path, rows: dict[int, int], **limits: Any) -> datetime | None:
    """What is foretold at noon of the 10th, after so many calls on these days of March."""
    hub = open_hub(f"sqlite:///{home / uuid7()}.db")
    migrate(hub)
    with clock.fixed(NOON), hub.write() as tx:
        for day, made in rows.items():
            at = datetime(2026, 3, day, tzinfo=UTC).date()
            row = {"source": "paid", "day": at, "calls": made, "again": 0}
            tx.execute(source_call.insert().values(row))
        budget = Budget(limits.get("day"), limits.get("month"), 0.8)
        found = calls.state(tx, PAID, budget).spent_at
    hub.close()
    return found


def test_the_forecast_follows_the_pace(tmp_path: Path) -> None:
    foretold = partial(forecast, tmp_path)
    # 50 in twelve hours: the other 50 last twelve more, to midnight: it is enough.
    assert foretold({10: 50}, day=100) is None
    assert foretold({10: 60}, day=100) == NOON + timedelta(hours=8)
    assert foretold({}, day=100) is None
    # 65 in six and a half days is ten a day: the 100 that are left last ten days.
    assert foretold({4: 30, 10: 35}, month=165) == NOON + timedelta(days=10)
    assert foretold({4: 30, 10: 35}, month=1000) is None
    assert foretold({10: 60}, day=100, month=61) == NOON + timedelta(minutes=12)
    assert foretold({10: 100}, day=100) is None, "it is spent already"
    assert foretold({10: 1}, day=10**12) is None


def test_a_dead_server_does_not_use_up_the_budget(
    paid: Paid, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked each minute it would have spent a day's budget of 500 by the evening."""
    now = [1e6]
    monkeypatch.setattr(f"{http_pace.__name__}.clock.monotonic", lambda: now[0])
    paid.server.plan = lambda _asked: Reply(status=500)
    cycle = paid.setting(calls_per_day=500)
    found = set()
    for _ in range(24 * 60):
        now[0] += 60.5
        connector: Any = paid.world.deps.connections.open(PAID)
        with pytest.raises(Retry) as failed:
            connector.fetch("/parcels")
        connector.close()
        found.add(failed.value.code)
    assert found == {"source_error", "source_rests"}
    state = paid.state().calls
    assert state is not None
    assert state.today == len(paid.server.asked) < 60
    assert state.again == state.today - 1, "they are shown for what they are"
    paid.server.plan = one_parcel
    error = paid.one(cycle).error
    assert error is not None
    assert error.code == "source_rests"
    assert service.check_source(paid.world.deps, "paid")["ok"], "a person asks at once"
    assert paid.one(cycle).error is None


def test_the_administrators_are_told_and_a_second_process_asks_nothing(tmp_path: Path) -> None:
    write_settings(tmp_path, HomeSettings())
    with serving(lambda _asked: Reply({})) as server:
        with open_tenon(tmp_path) as tenon:
            tenon.connect.connections.save({"crm": {"url": server.url, "calls_per_day": 1}})
            assert service.check_source(tenon.connect, "crm")["ok"]
            answer = service.check_source(tenon.connect, "crm")
            assert not answer["ok"]
            assert "1 / 1" in answer["message"].zh
            with tenon.hub.read() as connection:
                (told,) = connection.execute(
                    sa.select(notice.c.role, notice.c.title, notice.c.link)
                )
        assert (told.role, told.link) == ("admin", "/sources?source=crm")
        assert told.title["zh"].endswith("付费调用已用完，已停止请求")
        with open_tenon(tmp_path, write=False) as reading:
            connector = reading.connect.connections.open(reading.catalogue.source("crm"))
            with closing(connector), pytest.raises(Config, match="calls_uncounted"):
                connector.check()
        assert len(server.asked) == 1

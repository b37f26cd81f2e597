"""Calls that cost money: counted before they are made, told of in time, stopped when spent."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from tenon.assembly import open_tenon
from tenon.assembly.home import HomeSettings, write_settings
from tenon.automate.tables import notice
from tenon.connect import calls, service
from tenon.connect.calls import Budget, CallBook
from tenon.connect.connectors.http import pace as http_pace
from tenon.connect.cycle import SyncCycle
from tenon.connect.report import Outcome
from tenon.connect.settings import Connections
from tenon.connect.tables import source_call, source_row, source_version, sync_run
from tenon.define.catalogue import check, parse
from tenon.define.models import Label, SourceDef
from tenon.kernel import clock
from tenon.kernel.errors import Config, Retry
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text
from tenon.server.source_models import SourceState
from tenon.store import open_hub
from tenon.store.migrate import migrate
from tests.service.http_server import Asked, OddServer, Reply, serving
from tests.service.sync_world import World, world_at
from tests.service.test_sync_cycle import publish_more

LABEL = Label(zh="快递", en="Courier")
PAID = SourceDef(code="paid", label=LABEL, system=LABEL, connector="http")
NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)  # 12:00 in Shanghai
DEFINITIONS = """
{kind: source, code: paid, label: {zh: 快递, en: Courier}, system: {zh: 快递, en: Courier},
 connector: http}
---
kind: entity
code: parcel
label: {zh: 包裹, en: Parcel}
fields:
  - {code: code, label: {zh: 编码, en: Code}, type: text, required: true}
  - {code: qty, label: {zh: 数量, en: Quantity}, type: decimal, scale: 4}
---
kind: sync
code: paid_parcel
source: paid
label: {zh: 包裹, en: Parcels}
target: parcel
stream: {name: parcels, path: /parcels, key: [code], http: {pages: none}}
fields: {code: code, qty: qty}
"""


@dataclass
class Paid:
    """A world with a source whose calls cost money."""

    world: World
    server: OddServer
    told: list[tuple[Text, Text, str]] = field(default_factory=list)

    def setting(self, **values: Any) -> SyncCycle:
        """The source with these settings, and a cycle that syncs it."""
        deps = self.world.deps
        book = CallBook(self.world.hub, lambda _tx, *told: self.told.append(told))
        connections = Connections(deps.connections.home, book)
        others = {c: {"url": f"sqlite:///{self.world.home / c}.db"} for c in ("mes", "kis")}
        connections.save(others | {"paid": {"url": self.server.url} | values})
        self.world.deps = replace(
            deps, connections=connections, catalogue=lambda _tx=None: self.world.catalogue
        )
        return SyncCycle(self.world.deps)

    def state(self) -> SourceState:
        with self.world.hub.read() as connection:
            states = service.source_states(self.world.deps, connection)
        return SourceState.model_validate(next(s for s in states if s.code == "paid"))

    def one(self, cycle: SyncCycle) -> Outcome:
        (outcome,) = cycle.run_source("paid")
        return outcome


def one_parcel(_asked: Asked) -> Reply:
    return Reply({"items": [{"code": "a", "qty": 1}]})


@pytest.fixture
def paid(tmp_path: Path) -> Iterator[Paid]:
    with shop(tmp_path, one_parcel) as one:
        yield one


@contextmanager
def shop(home: Path, plan: Any, hub_url: str | None = None) -> Iterator[Paid]:
    with (
        world_at(home, hub_url or f"sqlite:///{home / 'hub.db'}") as world,
        serving(plan) as server,
    ):
        found = tuple(parse(d, "test") for d in yaml.safe_load_all(DEFINITIONS))
        check(found)
        world.catalogue = publish_more(world, found)
        yield Paid(world, server)


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


# --- versions ------------------------------------------------------------------------------------


@dataclass
class Versioned:
    """A list with a version."""

    items: list[dict[str, Any]]
    version: str = '"v1"'
    honest: bool = True
    again: int = 0

    def __call__(self, asked: Asked) -> Reply:
        if self.honest and asked.headers.get("If-None-Match") == self.version:
            self.again += 1
            return Reply(status=304)
        return Reply({"items": self.items}, headers={"ETag": self.version})


def test_a_list_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    plan = Versioned([{"code": "a", "qty": 1}, {"code": "b", "qty": 2}])
    with shop(tmp_path, plan) as paid:
        cycle = paid.setting(calls_per_day=100)
        assert paid.one(cycle).counts.applied == 2
        outcome = paid.one(cycle)
        assert (outcome.state, outcome.counts.read, plan.again) == ("succeeded", 0, 1)
        assert {r.state for r in paid.world.rows("parcels").values()} == {"applied"}
        assert "304" in [r.message["zh"] for r in runs(paid)][-1]
        state = paid.state().calls
        assert state is not None
        assert state.today == 2, "a 304 is a call as well, and nothing more is asked"
        plan.items, plan.version = [{"code": "a", "qty": 5}], '"v2"'
        assert paid.one(cycle).counts.applied == 1
        assert {k: r.state for k, r in paid.world.rows("parcels").items()} == {
            "a": "applied", "b": "gone",
        }  # fmt: skip


def runs(paid: Paid) -> list[Any]:
    """The runs of the source that said something, in their order."""
    found = [r for r in paid.world.all(sync_run) if r.sync == "paid_parcel" and r.message]
    return sorted(found, key=lambda r: str(r.id))


def test_a_version_counts_only_once_its_rows_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a run that dies in between would never see those rows again."""
    plan = Versioned([{"code": "a", "qty": 1}])
    with shop(tmp_path, plan) as paid:
        cycle = paid.setting()
        with monkeypatch.context() as patched:
            patched.setattr("tenon.connect.runner.Run.commit", _dies)
            assert paid.one(cycle).state == "failed"
        assert paid.world.all(source_version) == []
        assert paid.one(cycle).counts.applied == 1
        assert paid.world.all(source_version) != []


def _dies(*_args: Any) -> None:
    raise Retry("broken", Text("坏了", "broken"))


def test_another_definition_is_not_answered_from_memory(tmp_path: Path) -> None:
    plan = Versioned([{"code": "a", "qty": 1}, {"code": "b", "qty": 2}])
    with shop(tmp_path, plan) as paid:
        cycle = paid.setting()
        assert paid.one(cycle).counts.applied == 2
        narrower = DEFINITIONS.replace("key: [code]", "key: [code], where: {qty: [2]}")
        paid.world.catalogue = publish_more(
            paid.world, tuple(parse(d, "test") for d in yaml.safe_load_all(narrower))
        )
        assert paid.one(cycle).counts.read == 1
        assert plan.again == 0


def test_a_version_of_one_page_among_several_says_nothing(paid: Paid) -> None:
    def plan(asked: Asked) -> Reply:
        more = None if "after" in asked.query else "x"
        code = asked.query.get("after", "first")
        return Reply(
            {"items": [{"code": code, "qty": 1}], "next": more}, headers={"ETag": '"same"'}
        )

    paid.server.plan = plan
    several = DEFINITIONS.replace(", http: {pages: none}", "")
    paid.world.catalogue = publish_more(
        paid.world, tuple(parse(d, "test") for d in yaml.safe_load_all(several))
    )
    cycle = paid.setting()
    assert paid.one(cycle).counts.read == 2
    assert paid.one(cycle).counts.read == 2
    assert paid.world.all(source_version) == []
    assert all("If-None-Match" not in asked.headers for asked in paid.server.asked)


def test_when_much_is_gone_the_list_is_looked_at_each_time(tmp_path: Path) -> None:
    plan = Versioned([{"code": f"K{n}", "qty": n} for n in range(100)])
    with shop(tmp_path, plan) as paid:
        cycle = paid.setting()
        paid.one(cycle)
        plan.items, plan.version = plan.items[:10], '"v2"'
        for _ in range(2):
            assert paid.one(cycle).counts.read == 10
            assert "90" in runs(paid)[-1].message["zh"], "it is said each time"
        assert plan.again == 0


@pytest.mark.parametrize(
    ("changed", "asked"),
    [("Tue, 10 Mar 2026 03:00:00 GMT", True), ("Tue, 10 Mar 2026 03:59:30 GMT", False),
     ("yesterday", False), ("", False)],
)  # fmt: skip
def test_a_time_counts_only_when_nothing_can_have_changed_since(
    changed: str,
    asked: bool,
    paid: Paid,
) -> None:
    headers = {"Last-Modified": changed, "Date": "Tue, 10 Mar 2026 04:00:00 GMT"}

    def plan(one: Asked) -> Reply:
        if one.headers.get("If-Modified-Since") == changed:
            return Reply(status=304)
        body = b'{"items": [{"code": "a", "qty": 1}]}'
        head = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        return Reply(
            raw=[f"HTTP/1.1 200 OK\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode(), body]
        )

    paid.server.plan = plan
    cycle = paid.setting()
    assert [paid.one(cycle).counts.read for _ in range(2)] == [1, 0 if asked else 1]


# --- poison, through a whole sync ----------------------------------------------------------------


def test_poison_rows_are_set_aside_and_the_others_are_applied(paid: Paid) -> None:
    body = b"""{"items": [{"code": "a", "qty": NaN}, {"code": "b", "qty": 1e999999999},
        {"code": "c", "qty": 2, "qty": 3}, {"code": "d", "qty": 1.5},
        {"code": "e", "qty": 123456789012345678901234567890}]}"""
    paid.server.plan = lambda _asked: Reply(body)
    outcome = paid.one(paid.setting())
    assert (outcome.counts.read, outcome.counts.applied) == (5, 1)
    with paid.world.hub.read() as connection:
        reasons = connection.execute(
            sa.select(source_row.c.key, source_row.c.reason_code).where(
                source_row.c.stream == "parcels", source_row.c.state == "set_aside"
            )
        )
        assert dict(map(tuple, reasons)) == {
            "a": "not_a_number", "b": "does_not_fit", "c": "doubled_name", "e": "does_not_fit",
        }  # fmt: skip


# --- pace ----------------------------------------------------------------------------------------


def test_calls_keep_their_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = [100.0], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(f"{http_pace.__name__}.clock.monotonic", lambda: now[0])
    monkeypatch.setattr(f"{http_pace.__name__}.time.sleep", sleep)
    one = http_pace.Pace(4)
    assert [one.turn() for _ in range(5)] == [0] * 5
    assert slept == [0.25] * 4
    one.hold(10)
    assert one.turn() == 0
    assert slept[-1] == 10
    one.hold(1e300)
    assert one.turn() == 3600, "nobody waits so long, and no longer than an hour is believed"
    assert http_pace.pace_of("a", "h:1", 4) is http_pace.pace_of("a", "h:1", 4)


@pytest.mark.parametrize(
    ("said", "least"),
    [("7", 7), ("0", 0.05), ("-3", 0.05), ("nan", 2), ("inf", 2), ("soon", 2), ("", 2),
     ("Tue, 10 Mar 2026 04:00:20 GMT", 20), ("Tue, 10 Mar 2020 04:00:20 GMT", 0.05),
     ("9" * 400, 2)],
)  # fmt: skip
def test_a_server_says_how_long_to_wait(said: str, least: float) -> None:
    with clock.fixed(NOON):
        waits = {http_pace.asked_to_wait({"Retry-After": said}, 2) for _ in range(20)}
    assert all(least <= wait <= least * 1.25 for wait in waits)
    assert len(waits) > 1, "not all at the same moment"


def test_a_server_that_says_wait_long_is_left_alone(paid: Paid) -> None:
    paid.server.plan = lambda _asked: Reply(status=503, headers={"Retry-After": "900"})
    cycle = paid.setting()
    for _ in range(3):
        error = paid.one(cycle).error
        assert error is not None
        assert (error.code, error.recovery) == ("source_busy", "retry")
    assert len(paid.server.asked) == 1

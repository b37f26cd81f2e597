"""Live events: what changed, to whom, over several processes, and no longer than one may hear."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tenon.assembly import open_tenon
from tenon.assembly.home import HomeSettings, write_settings
from tenon.automate import switch
from tenon.records.ports import SYSTEM
from tenon.records.write import RowKey
from tenon.server import live
from tenon.store.signals import EVERYTHING
from tests.serving import Serving, serving


@pytest.fixture
def served(tmp_path: Path, hub_url: str) -> Iterator[Serving]:
    url = hub_url if hub_url.startswith("postgresql") else None
    with serving(tmp_path / "home", url) as found:
        yield found


class Ear:
    """A page that listens on a thread."""

    def __init__(self, client: httpx.Client) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.over = threading.Event()
        self._client = client
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        self.until(lambda: any(name == "hello" for name, _ in self.events))

    def _listen(self) -> None:
        name = ""
        try:
            with self._client.stream("GET", "/api/live", timeout=30) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                for line in answer.iter_lines():
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        self.events.append((name, json.loads(line.removeprefix("data: "))))
                    if self._leave.is_set():
                        return
        except httpx.HTTPError:
            pass
        finally:
            self.over.set()

    @property
    def topics(self) -> set[str]:
        """Every topic heard so far."""
        return {topic for _, data in list(self.events) for topic in data.get("topics", [])}

    def until(self, condition: Any, seconds: float = 15) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not heard: {self.events}"
            time.sleep(0.01)


@contextmanager
def ear(served: Serving, role: str) -> Iterator[Ear]:
    client = served.signed_in(role)
    one = Ear(client)
    try:
        yield one
    finally:
        one._leave.set()
        # A last word lets the reader look at whether it should leave.
        touch(served)
        one.over.wait(10)


def touch(served: Serving) -> None:
    with served.tenon.hub.write() as tx:
        switch.set_enabled(tx, "new_order_line", False, "test")


def write(served: Serving, entity: str, **values: Any) -> None:
    tenon = served.tenon
    with tenon.hub.write() as tx:
        tenon.writer.write(tx, SYSTEM, entity, [(RowKey(), values)])


def test_a_change_is_heard_within_moments(served: Serving) -> None:
    with ear(served, "planner") as one:
        write(served, "item", code="P1", name="支架")
        one.until(lambda: "record:item" in one.topics)
        touch(served)
        one.until(lambda: "flow_run" in one.topics)


def test_what_is_rolled_back_is_not_heard(served: Serving) -> None:
    with ear(served, "planner") as one:
        tenon = served.tenon
        with suppress(ZeroDivisionError), tenon.hub.write() as tx:
            tenon.writer.write(tx, SYSTEM, "item", [(RowKey(), {"code": "P1", "name": "支架"})])
            raise ZeroDivisionError
        touch(served)
        one.until(lambda: "flow_run" in one.topics)
        assert "record:item" not in one.topics


def test_a_burst_is_told_together(served: Serving) -> None:
    with ear(served, "planner") as one:
        for number in range(50):
            write(served, "item", code=f"P{number}", name="支架")
        touch(served)
        one.until(lambda: "flow_run" in one.topics)
        assert len([1 for name, _ in one.events if name == "changed"]) < 25


def test_hidden_entities_are_not_named(served: Serving) -> None:
    """A worker's role reads no bills of materials: that there are any is not told either."""
    with ear(served, "worker") as worker, ear(served, "planner") as planner:
        tenon = served.tenon
        with tenon.hub.write() as tx:
            (item,) = tenon.writer.write(
                tx, SYSTEM, "item", [(RowKey(), {"code": "P1", "name": "支架"})]
            )
        write(served, "bom_line", item=item.id, component=item.id, bom_version=1)
        planner.until(lambda: "record:bom_line" in planner.topics)
        worker.until(lambda: "record:item" in worker.topics)
        touch(served)
        worker.until(lambda: "flow_run" in worker.topics)
        assert "record:bom_line" not in worker.topics


def signed_out(served: Serving, client: httpx.Client) -> httpx.Response:
    return client.delete("/api/session")


def suspended(served: Serving, _client: httpx.Client) -> httpx.Response:
    return change(served, {"active": False})


def another_role(served: Serving, _client: httpx.Client) -> httpx.Response:
    return change(served, {"role": "worker"})


def change(served: Serving, body: dict[str, Any]) -> httpx.Response:
    admin = served.signed_in("admin")
    users = {u["username"]: u["id"] for u in admin.get("/api/users").json()}
    return admin.patch(f"/api/users/{users['manager']}", json=body)


@pytest.mark.parametrize("ending", [signed_out, suspended, another_role])
def test_a_stream_ends_with_its_session(served: Serving, ending: Any) -> None:
    """S19: whoever is signed out, suspended or given another role hears no more."""
    client = served.signed_in("manager")
    one = Ear(client)
    assert ending(served, client).status_code < 300
    assert one.over.wait(5)


def test_nobody_listens_without_signing_in(served: Serving) -> None:
    assert served.client().get("/api/live").status_code == 401


def test_there_are_not_too_many(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "OF_USER", 1)
    with ear(served, "planner"):
        answer = served.signed_in("planner").get("/api/live")
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        with ear(served, "manager"):
            pass


def test_another_process_of_the_same_hub_is_heard(tmp_path: Path, pg_url: str) -> None:
    with serving(tmp_path / "one", pg_url) as one:
        one.tenon.hub.listen()
        listener = one.tenon.hub._listener
        assert listener is not None
        assert listener.heard.wait(10)
        write_settings(tmp_path / "two", HomeSettings(hub=pg_url))
        with open_tenon(tmp_path / "two") as two, ear(one, "planner") as heard:
            with two.hub.write() as tx:
                two.writer.write(tx, SYSTEM, "item", [(RowKey(), {"code": "P1", "name": "支架"})])
            heard.until(lambda: "record:item" in heard.topics)


def test_after_a_broken_line_everything_may_have_changed(tmp_path: Path, pg_url: str) -> None:
    with serving(tmp_path / "one", pg_url) as one:
        hub = one.tenon.hub
        hub.listen()
        heard: list[frozenset[str]] = []
        hub.signals.subscribe(heard.append)
        listener = hub._listener
        assert listener is not None
        assert listener.heard.wait(10)
        with hub.write() as tx:
            tx.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE left(query, 6) = 'LISTEN' AND datname = current_database()"
            )
        end = time.monotonic() + 15
        while not any(EVERYTHING in topics for topics in heard):
            assert time.monotonic() < end
            time.sleep(0.02)

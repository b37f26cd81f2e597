"""A shop floor for the worker's page: a server that can be stopped, and phones."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tenon.server.app import create_app
from tests.service.report_world import ReportWorld, report_world

PHONE = (390, 844)
# Puts as many reports as asked into the phone's store, as a shift without a network would.
FILL = """async ([token, count]) => {
  const db = await new Promise(done => {
    const asked = indexedDB.open('tenon-report', 1)
    asked.onsuccess = () => done(asked.result)
  })
  const tx = db.transaction('reports', 'readwrite')
  for (let n = 0; n < count; n++) {
    const id = () => crypto.randomUUID()
    const at = new Date(Date.now() - 8 * 3600e3 + n * 60e3).toISOString(), report = id()
    tx.objectStore('reports').put({
      id: report, made: Date.now() - count + n, label: `job ${n}`, token, state: 'waiting',
      body: { report_id: report, employee_no: 'E0001', machine_id: null,
        events: [{ id: id(), kind: 'finish', at }],
        quantities: [{ id: id(), kind: 'good', qty: '1', at }] },
    })
  }
  await new Promise(done => (tx.oncomplete = done))
}"""


@dataclass
class Shop:
    """A home whose server can be stopped and started again at the same address."""

    world: ReportWorld
    port: int
    url: str
    links: list[str] = field(default_factory=list)
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the server."""
        config = uvicorn.Config(
            create_app(self.world.served.tenon), port=self.port, log_level="error", lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server ended before it began"
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop it: whoever connects is refused."""
        assert self._server is not None
        assert self._thread is not None
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", self.port)) != 0


@contextmanager
def phone(browser: Browser, language: str = "zh-CN") -> Iterator[BrowserContext]:
    width, height = PHONE
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale=language, has_touch=True
    )
    try:
        yield context
    finally:
        context.close()


def opened(context: BrowserContext, link: str, *, person: str | None = "E0001") -> Page:
    """A page on which somebody has entered their number."""
    page = context.new_page()
    page.goto(link)
    if person is not None:
        page.get_by_label("请输入您的工号").fill(person)
        page.get_by_role("button", name="保存").click()
        expect(page.get_by_role("button", name="完工")).to_be_visible()
    return page


def until(condition: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    """A shop whose server runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with report_world(folder, public_url=url) as world:
        found = Shop(world, port, url)
        found.links = [op["url"] for op in world.traveler()["operations"]]
        found.start()
        yield found
        found.stop()

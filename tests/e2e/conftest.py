"""A browser, and the stand-in server it looks at."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tenon.server.pages import STATIC
from tests.e2e.shop import Shop, open_shop
from tests.e2e.standin.rules import STATE, forget
from tests.e2e.standin.server import app

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DESKTOP = (1440, 900)
# The pages ask again every few seconds, and the machine that tests may be busy.
expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e/" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.deep)


def _missing(what: str) -> None:
    if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(f"CI=true and {what}", pytrace=False)
    pytest.skip(what)


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The address of the stand-in, which serves the built pages."""
    if not (STATIC / "index.html").is_file():
        _missing("the browser app is not built")
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server ended before it began"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        _missing("no Chromium here")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    if not (STATIC / "r" / "index.html").is_file():
        _missing("the worker's page is not built")
    with open_shop(tmp_path) as found:
        yield found


@dataclass
class Reader:
    """Somebody who looks at the app, and what the browser complained of meanwhile."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str, *, until: str | None = None) -> None:
        """Open an address of the app and wait until it has stopped loading."""
        self.page.goto(self.url + path)
        if until:
            self.page.locator(until).first.wait_for()
        self.page.wait_for_load_state("networkidle")
        self.page.locator("h1, .failure").first.wait_for()
        expect(self.page.locator(".ant-skeleton-active")).to_have_count(0)

    def listen(self, kind: str, text: str) -> None:
        # The app asks who is there before anybody is, and that is no fault.
        if kind in {"error", "warning"} and "401" not in text:
            self.complaints.append(text)


@pytest.fixture
def look(browser: Browser, url: str) -> Iterator[object]:
    """Give a function that seats a reader with a role, a screen and a language."""
    opened: list[BrowserContext] = []

    def seat(
        role: str | None = "admin", screen: tuple[int, int] = DESKTOP, language: str = "zh"
    ) -> Reader:
        forget()
        STATE["user"] = role
        width, height = screen
        context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        context.set_default_timeout(15_000)
        context.add_init_script(f"localStorage.setItem('tenon.language', '{language}')")
        opened.append(context)
        reader = Reader(context.new_page(), url)
        reader.page.on("console", lambda said: reader.listen(said.type, said.text))
        reader.page.on("pageerror", lambda error: reader.complaints.append(str(error)))
        return reader

    yield seat
    for context in opened:
        context.close()

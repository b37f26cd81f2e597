"""Takes the pictures of the README from a running demo, on a desktop and on a phone, zh and en.

Ends with status 1 when a page logs an error or is wider than its screen.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from tools.sources import ROOT

LANGUAGES = ("zh", "en")
BUSY = ".ant-spin-spinning, .ant-skeleton-active"

_ONLY_ROLE = "manager"  # sees orders, board and runs
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SETTLE_MS = 400


@dataclass(frozen=True)
class Device:
    """A screen to look through."""

    name: str
    size: ViewportSize
    phone: bool


DEVICES = (
    Device("desktop", {"width": 1440, "height": 900}, phone=False),
    Device("phone", {"width": 390, "height": 844}, phone=True),
)


class Photographer:
    """Goes through the app with one screen in one language."""

    def __init__(self, context: BrowserContext, url: str, folder: Path, suffix: str) -> None:
        self.context = context
        self._url = url
        self._folder = folder
        self._suffix = suffix
        self.complaints: list[str] = []

    def sign_in(self, username: str, password: str) -> None:
        """Open a session the way the sign-in page does."""
        answer = self.context.request.post(
            f"{self._url}/api/session", data={"username": username, "password": password}
        )
        if not answer.ok:
            raise SystemExit(f"{username} cannot sign in: {answer.status} {answer.text()}")

    def answer(self, path: str) -> Any:
        """Ask the API for what a picture should show."""
        return self.context.request.get(f"{self._url}{path}").json()

    def take(self, name: str, path: str) -> None:
        """Take one picture of one page once it has stopped loading."""
        page = self.context.new_page()
        where = f"{name}{self._suffix}"
        page.on("pageerror", lambda error: self.complaints.append(f"{where}: {error}"))
        page.on("console", lambda message: self._listen(where, message.type, message.text))
        page.goto(f"{self._url}{path}")
        self._settle(page)
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            self.complaints.append(f"{where}: wider than the screen")
        page.screenshot(path=self._folder / f"{where}.png", animations="disabled")
        page.close()

    def _listen(self, where: str, kind: str, text: str) -> None:
        if kind == "error" and "401" not in text:  # the sign-in page asks who is there
            self.complaints.append(f"{where}: {text}")

    @staticmethod
    def _settle(page: Page) -> None:
        page.wait_for_load_state("networkidle")
        # By locator: the page's security policy refuses a string to be evaluated again and again.
        page.locator("h1").first.wait_for()
        expect(page.locator(BUSY)).to_have_count(0)
        page.evaluate("document.fonts.ready")
        page.wait_for_timeout(_SETTLE_MS)


def choose_order(listed: dict[str, Any], page_of: Any) -> tuple[str, str]:
    """Return (line id, customer) of the open order with the most to see."""

    def richness(row: dict[str, Any]) -> tuple[bool, int]:
        stations = page_of(row["line_id"])
        return row["stage"]["confirmed"], len(json.dumps(stations.get("work_orders", [])))

    best = max(listed["rows"][:15], key=richness)
    return best["line_id"], best["customer"]


def photograph(
    browser: Browser, url: str, accounts: list[dict[str, str]], folder: Path
) -> list[str]:
    """Take every picture; return what was found wrong on the way."""
    account = next(one for one in accounts if one["role"] == _ONLY_ROLE)
    complaints: list[str] = []
    chosen: tuple[str, str] | None = None
    for device in DEVICES:
        for language in LANGUAGES:
            context = _context(browser, device, language)
            camera = Photographer(context, url, folder, f"-{device.name}-{language}")
            camera.take("login", "/login")
            camera.sign_in(account["username"], account["password"])
            chosen = chosen or choose_order(
                camera.answer("/api/orders?state=open&stage=in_process&page=1"),
                lambda line_id, ask=camera.answer: ask(f"/api/orders/{line_id}"),
            )
            line_id, customer = chosen
            camera.take("search", f"/orders?q={quote(customer)}")
            camera.take("order", f"/orders/{line_id}")
            camera.take("runs", "/runs")
            camera.take("board", "/board")
            complaints += camera.complaints
            context.close()
    return complaints


def _context(browser: Browser, device: Device, language: str) -> BrowserContext:
    context = browser.new_context(
        viewport=device.size,
        is_mobile=device.phone,
        has_touch=device.phone,
        device_scale_factor=1,
        reduced_motion="reduce",
        locale="zh-CN" if language == "zh" else "en-GB",
        timezone_id="Asia/Shanghai",
    )
    context.add_init_script(f"localStorage.setItem('tenon.language', '{language}')")
    return context


def main() -> int:
    """Take the pictures of a running demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--accounts", required=True, type=Path)
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "screenshots")
    options = parser.parse_args()
    accounts = json.loads(options.accounts.read_text("utf-8"))["accounts"]
    chromium = os.environ.get("TENON_CHROMIUM") or next(filter(None, map(shutil.which, _BROWSERS)))
    options.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        # Root has no sandbox of its own to give the browser; it opens our own pages only.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        complaints = photograph(browser, options.url.rstrip("/"), accounts, options.folder)
        browser.close()
    print("\n".join(complaints) or f"the pictures are in {options.folder}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())

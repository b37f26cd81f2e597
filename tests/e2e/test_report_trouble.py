"""The worker's page when things go wrong: tabs, storage, gateways, clocks, engines, servers.

F27: whatever stands between the phone and the server, a report is neither lost nor counted twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.shop import FILL, Shop, opened, phone

REPORTS = "**/api/report"


def report(page: Page, qty: str = "100") -> None:
    page.get_by_role("button", name="完工").tap()
    page.get_by_label("合格数", exact=True).fill(qty)
    page.get_by_role("button", name="确认").tap()


def ready(page: Page) -> None:
    """Until the page opens without a network."""
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")


def kept(page: Page) -> list[dict[str, Any]]:
    """The reports in the phone's store."""
    found: list[dict[str, Any]] = page.evaluate(
        """() => new Promise(done => {
          const asked = indexedDB.open('tenon-report', 1)
          asked.onsuccess = () => {
            const all = asked.result.transaction('reports').objectStore('reports').getAll()
            all.onsuccess = () => done(all.result)
          }
        })"""
    )
    return found


class Held:
    """The reports that a page sends, held until a test lets them through."""

    def __init__(self, page: Page) -> None:
        self.page, self.routes, self.open = page, list[Route](), False
        page.route(REPORTS, self._take)

    def _take(self, route: Route) -> None:
        if self.open:
            route.continue_()
        else:
            self.routes.append(route)

    def wait(self) -> None:
        """Until one is held."""
        come(self.page, lambda: bool(self.routes))

    def release(self) -> None:
        """Let the last one through, and those to come."""
        self.open = True
        self.routes[-1].continue_()


def come(page: Page, condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Until something comes about, while this test answers the page's requests."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        page.wait_for_timeout(50)


def test_undone_in_one_tab_while_another_sends_it(shop: Shop, browser: Browser) -> None:
    with phone(browser) as context:
        one = opened(context, shop.links[0])
        ready(one)
        shop.stop()
        report(one)
        expect(one.get_by_text("已保存在手机")).to_be_visible()
        one.route(REPORTS, lambda route: route.abort())
        other = context.new_page()
        held = Held(other)
        other.goto(shop.links[1])
        shop.start()
        held.wait()
        one.get_by_role("button", name="撤销").tap()
        expect(one.get_by_text("已撤销")).to_be_visible()
        assert shop.world.rows("op_event") == []
        held.release()
        come(one, lambda: len(shop.world.rows("op_event")) == 2)
        expect(one.get_by_text("已撤销")).to_be_visible()
        assert shop.world.total() == 0
        come(one, lambda: [row["state"] for row in kept(one)] == ["undone"])
        assert not kept(one)[0].get("undo")


def test_undone_in_one_tab_before_another_gets_to_it(shop: Shop, browser: Browser) -> None:
    """What another tab saw waiting a moment ago is looked at again before it is sent."""
    with phone(browser) as context:
        one = opened(context, shop.links[0])
        ready(one)
        shop.stop()
        report(one, "30")
        one.get_by_role("button", name="再报一次").tap()
        report(one, "40")
        one.route(REPORTS, lambda route: route.abort())
        other = context.new_page()
        held = Held(other)
        other.goto(shop.links[1])
        shop.start()
        held.wait()
        one.get_by_role("button", name="撤销").tap()
        expect(one.get_by_text("已撤销")).to_be_visible()
        held.release()
        come(one, lambda: shop.world.total() == 30)
        expect(other.get_by_text("等待发送")).to_have_count(0)
        assert len(shop.world.rows("op_event")) == 1
        assert [row["state"] for row in kept(one)].count("undone") == 1


_BROKEN = {
    "open": "IDBFactory.prototype.open = () => { throw new DOMException('', 'SecurityError') }",
    "silent": "IDBFactory.prototype.open = () => ({})",
    "full": "IDBObjectStore.prototype.put = () => {"
    " throw new DOMException('', 'QuotaExceededError') }",
    "nothing at all": "for (const name of ['getItem', 'setItem'])"
    " Storage.prototype[name] = () => { throw new DOMException('', 'SecurityError') };"
    " Object.defineProperty(window, 'indexedDB', { get: () => undefined })",
}


@pytest.mark.parametrize("how", _BROKEN)
def test_a_phone_that_keeps_nothing_still_reports(shop: Shop, browser: Browser, how: str) -> None:
    with phone(browser) as context:
        context.add_init_script(_BROKEN[how])
        page = opened(context, shop.links[0])
        report(page, "60")
        expect(page.get_by_text("已报工")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        assert shop.world.total() == 60
        page.get_by_role("button", name="撤销").tap()
        expect(page.get_by_text("已撤销")).to_be_visible()
        assert shop.world.total() == 0
        shop.stop()
        page.get_by_role("button", name="再报一次").tap()
        report(page, "40")
        expect(page.get_by_role("alert")).to_contain_text("手机无法保存报工")
        expect(page.get_by_text("还没有保存")).to_be_visible()
        expect(page.get_by_text("已保存在手机")).to_have_count(0)
        shop.start()
        expect(page.get_by_text("已报工", exact=True)).to_be_visible(timeout=30_000)
        expect(page.get_by_role("alert")).to_have_count(0)
        assert shop.world.total() == 40


@pytest.mark.parametrize("status", [200, 403, 404, 502])
def test_a_page_of_a_gateway_is_no_refusal(shop: Shop, browser: Browser, status: int) -> None:
    with phone(browser) as context:
        page = opened(context, shop.links[0])
        page.route(
            "**/api/report**",
            lambda route: route.fulfill(
                status=status, content_type="text/html", body="<h1>nginx</h1>"
            ),
        )
        page.route(
            "**/api/report/open",
            lambda route: route.fulfill(
                status=status, content_type="text/html", body="<h1>nginx</h1>"
            ),
        )
        page.reload()
        report(page)
        expect(page.get_by_text("已保存在手机")).to_be_visible()
        page.wait_for_timeout(500)
        assert [row["state"] for row in kept(page)] == ["waiting"]
        page.unroute("**/api/report**")
        page.unroute("**/api/report/open")
        expect(page.get_by_text("已报工")).to_be_visible(timeout=30_000)
        assert shop.world.total() == 100


def test_the_servers_own_no_is_final(shop: Shop, browser: Browser) -> None:
    with phone(browser) as context:
        page = opened(context, shop.links[0])
        page.get_by_role("button", name="完工").tap()
        shop.world.traveler(renew=True)
        page.get_by_role("button", name="确认").tap()
        expect(page.get_by_text("未被接收")).to_be_visible()
        assert [row["state"] for row in kept(page)] == ["refused"]


@pytest.mark.parametrize("off", [-86_400, 86_400])
def test_undo_on_a_phone_whose_clock_is_off(shop: Shop, browser: Browser, off: int) -> None:
    with phone(browser) as context:
        page = opened(context, shop.links[0])
        page.clock.set_fixed_time(time.time() + off)
        report(page)
        expect(page.get_by_text("10 分钟内可撤销")).to_be_visible()
        page.clock.set_fixed_time(time.time())  # somebody puts it right
        for name in ("English", "中文"):  # each shows the page anew
            page.get_by_role("button", name=name).tap()
        expect(page.get_by_text("10 分钟内可撤销")).to_be_visible()
        page.get_by_role("button", name="撤销").tap()
        expect(page.get_by_text("已撤销")).to_be_visible()
        assert shop.world.total() == 0


def test_an_engine_without_time_limits_for_requests(shop: Shop, browser: Browser) -> None:
    """As in older apps' built-in browsers: a request that hangs is still given up and repeated."""
    with phone(browser) as context:
        context.add_init_script(
            "delete AbortSignal.timeout; delete Element.prototype.replaceChildren"
        )
        page = opened(context, shop.links[0])
        held = Held(page)
        report(page)
        held.wait()
        held.open = True  # the first one gets no answer, ever
        expect(page.get_by_text("已报工")).to_be_visible(timeout=30_000)
        assert shop.world.total() == 100


def test_one_report_that_the_server_fails_over_does_not_hold_up_the_rest(
    shop: Shop, browser: Browser
) -> None:
    with phone(browser) as context:
        page = opened(context, shop.links[0])
        page.evaluate(FILL, [shop.world.tokens[0], 5])
        poisoned = kept(page)
        first = min(poisoned, key=lambda one: one["made"])["id"]
        page.route(REPORTS, lambda route: _fail(route, {first}))
        page.reload()
        come(page, lambda: shop.world.total() == 4)
        expect(page.get_by_text("服务器暂时处理不了，会自动再试")).to_be_visible()
        expect(page.get_by_text("1 份报工等待发送")).to_be_visible()
        report(page, "7")
        expect(page.get_by_text("已报工")).to_be_visible()
        page.unroute(REPORTS)
        come(page, lambda: shop.world.total() == 12, 60)
        assert len(shop.world.rows("op_event")) == 6


def test_a_server_that_fails_over_everything_is_not_asked_for_everything(
    shop: Shop, browser: Browser
) -> None:
    with phone(browser) as context:
        page = opened(context, shop.links[0])
        page.evaluate(FILL, [shop.world.tokens[0], 20])
        asked: list[str] = []
        page.route(REPORTS, lambda route: _fail(route, None, asked))
        page.reload()
        expect(page.get_by_text("服务器暂时处理不了，会自动再试")).to_have_count(3)
        assert len(asked) == 3
        page.unroute(REPORTS)
        come(page, lambda: shop.world.total() == 20, 60)


def _fail(route: Route, ids: set[str] | None, asked: list[str] | None = None) -> None:
    """The server's answer 500 to these reports, or to all."""
    found = json.loads(route.request.post_data or "{}")["report_id"]
    if asked is not None:
        asked.append(found)
    if ids is not None and found not in ids:
        return route.continue_()
    error = {"code": "bug", "message": {"zh": "出错", "en": "Wrong"}, "params": {}}
    return route.fulfill(
        status=500, content_type="application/json", body=json.dumps({"error": error})
    )

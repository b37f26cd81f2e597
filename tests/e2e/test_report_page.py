"""The worker's page in a browser at phone size, against a real server that is really stopped."""

from __future__ import annotations

import gzip
import time

from playwright.sync_api import Browser, Page, expect

from tenon.server.pages import STATIC
from tests.e2e.shop import FILL, PHONE, Shop, opened, phone, until
from tests.e2e.test_pages import AXE

R = STATIC / "r"


def violations(page: Page) -> list[str]:
    """What axe finds."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{v['id']}: {v['help']}" for v in found["violations"]]


def test_the_page_is_small() -> None:
    """The first screen at most 10 KB gzip, all of it at most 40."""
    sizes = {p.name: len(gzip.compress(p.read_bytes(), 9)) for p in R.iterdir()}
    assert sizes["index.html"] + sizes["main.js"] + sizes["style.css"] <= 10_240, sizes
    assert sum(sizes.values()) <= 40_960


def test_scan_finish_confirm(shop: Shop, browser: Browser) -> None:
    with phone(browser) as context:
        page = opened(context, shop.links[0])
        expect(page.get_by_role("heading", name="冲压")).to_be_visible()
        page.get_by_role("button", name="完工").tap()
        expect(page.get_by_label("合格数", exact=True)).to_have_value("100")
        page.get_by_role("button", name="确认").tap()
        expect(page.get_by_text("已报工")).to_be_visible()
        assert shop.world.total() == 100
        page.get_by_role("button", name="撤销").tap()
        expect(page.get_by_text("已撤销")).to_be_visible()
        assert shop.world.total() == 0
        # The next time the number is known: the code and two taps.
        page.goto("about:blank")
        page.goto(shop.links[1])
        expect(page.get_by_role("heading", name="包装")).to_be_visible()
        page.get_by_role("button", name="完工").tap()
        page.get_by_role("button", name="确认").tap()
        expect(page.get_by_text("已报工")).to_be_visible()
        assert shop.world.total() == 100


def test_scrap_rework_and_machine(shop: Shop, browser: Browser) -> None:
    with phone(browser) as context:
        page = opened(context, shop.links[0])
        page.get_by_role("button", name="完工").tap()
        page.get_by_role("button", name="废品、返工、设备").tap()
        page.get_by_label("合格数", exact=True).fill("90")
        page.get_by_role("button", name="工废 增加").tap()
        page.get_by_label("料废", exact=True).fill("2.5")
        page.get_by_label("设备").select_option(label="P160-1 冲床 1")
        page.get_by_role("button", name="确认").tap()
        expect(page.get_by_text("已报工")).to_be_visible()
        totals = {k: shop.world.total(k) for k in ("good", "scrap_work", "scrap_material")}
        assert {k: float(v) for k, v in totals.items()} == {
            "good": 90, "scrap_work": 1, "scrap_material": 2.5,
        }  # fmt: skip
        assert all(row.machine for row in shop.world.rows("op_event"))


def test_a_double_tap_is_one_report(shop: Shop, browser: Browser) -> None:
    with phone(browser) as context:
        page = opened(context, shop.links[0])
        page.get_by_role("button", name="完工").tap()
        page.evaluate(
            "() => { for (const _ of 'abc') document.getElementById('confirm')?.click() }"
        )
        expect(page.get_by_text("已报工")).to_be_visible()
        assert shop.world.total() == 100
        assert len(shop.world.rows("op_event")) == 1


def test_two_phones_report_the_same_job(shop: Shop, browser: Browser) -> None:
    with phone(browser) as one, phone(browser) as other:
        pages = [opened(one, shop.links[0]), opened(other, shop.links[0])]
        for page, qty in zip(pages, ("30", "40"), strict=True):
            page.get_by_role("button", name="完工").tap()
            page.get_by_label("合格数", exact=True).fill(qty)
        for page in pages:
            page.get_by_role("button", name="确认").tap()
            expect(page.get_by_text("已报工")).to_be_visible()
        assert shop.world.total() == 70


def test_the_server_is_stopped_and_nothing_is_lost(shop: Shop, browser: Browser) -> None:
    """F27: a code never seen before opens, reports wait, the page is closed, all arrive once."""
    with phone(browser) as context:
        page = opened(context, shop.links[0])
        page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        shop.stop()
        page.close()
        page = context.new_page()
        page.goto(shop.links[1])  # never opened while there was a network
        expect(page.get_by_role("heading", name="包装")).to_be_visible()
        expect(page.get_by_text("离线打开")).to_be_visible()
        page.get_by_role("button", name="完工").tap()
        page.get_by_label("合格数", exact=True).fill("60")
        page.get_by_role("button", name="确认").tap()
        expect(page.get_by_text("已保存在手机")).to_be_visible()
        page.close()
        page = context.new_page()
        page.goto(shop.links[0])
        expect(page.get_by_text("1 份报工等待发送")).to_be_visible()
        assert shop.world.total() == 0
        shop.start()
        until(lambda: shop.world.total() == 60)
        expect(page.get_by_text("等待发送")).to_have_count(0)
        assert len(shop.world.rows("op_event")) == 1


def test_two_hundred_reports_of_a_shift_without_network(shop: Shop, browser: Browser) -> None:
    with phone(browser) as context:
        page = opened(context, shop.links[0])
        page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        shop.stop()
        page.evaluate(FILL, [shop.world.tokens[0], 200])
        page.reload()
        expect(page.get_by_text("200 份报工等待发送")).to_be_visible()
        shop.start()
        until(lambda: shop.world.total() == 200, 60)
        assert len(shop.world.rows("op_quantity")) == 200
        times = [row.at for row in sorted(shop.world.rows("op_event"), key=lambda r: r.id)]
        assert times == sorted(times)


def test_undone_before_it_was_sent(shop: Shop, browser: Browser) -> None:
    with phone(browser) as context:
        page = opened(context, shop.links[0])
        page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        shop.stop()
        page.get_by_role("button", name="完工").tap()
        page.get_by_role("button", name="确认").tap()
        expect(page.get_by_text("已保存在手机")).to_be_visible()
        page.get_by_role("button", name="撤销").tap()
        expect(page.get_by_text("已撤销")).to_be_visible()
        shop.start()
        page.reload()
        # The request that found no answer may have arrived: so it is sent, and taken back there.
        until(lambda: len(shop.world.rows("op_event")) == 2)
        expect(page.get_by_text("等待发送")).to_have_count(0)
        assert shop.world.total() == 0


def test_a_phone_whose_clock_is_a_day_off(shop: Shop, browser: Browser) -> None:
    with phone(browser) as context:
        page = opened(context, shop.links[0])
        page.clock.set_fixed_time(time.time() + 86_400)
        page.get_by_role("button", name="完工").tap()
        page.get_by_role("button", name="确认").tap()
        expect(page.get_by_text("已报工")).to_be_visible()
        (event,) = shop.world.rows("op_event")
        assert abs((event.server_at - event.at).total_seconds()) < 60
        assert 86_000 < (event.device_at - event.server_at).total_seconds() < 87_000


def test_a_closed_job_says_so(shop: Shop, browser: Browser) -> None:
    shop.world.write("work_order", id=shop.world.order, status="closed")
    with phone(browser) as context:
        page = opened(context, shop.links[0], person=None)
        expect(page.get_by_text("这道工序已结束")).to_be_visible()
        expect(page.get_by_role("button", name="完工")).to_have_count(0)


def test_a_job_that_closes_after_the_report_keeps_its_undo(shop: Shop, browser: Browser) -> None:
    with phone(browser) as context:
        page = opened(context, shop.links[0])
        page.get_by_role("button", name="完工").tap()
        page.get_by_role("button", name="确认").tap()
        expect(page.get_by_text("已报工")).to_be_visible()
        shop.world.write("work_order", id=shop.world.order, status="finished")
        page.evaluate("() => dispatchEvent(new Event('online'))")
        expect(page.get_by_text("这道工序已结束")).to_be_visible()
        expect(page.get_by_text("已报工")).to_be_visible()
        page.get_by_role("button", name="撤销").tap()
        expect(page.get_by_text("已撤销")).to_be_visible()
        assert shop.world.total() == 0


def test_a_void_code_says_so(shop: Shop, browser: Browser) -> None:
    shop.world.traveler(renew=True)
    with phone(browser) as context:
        page = opened(context, shop.links[0], person=None)
        expect(page.get_by_text("此流转卡已作废")).to_be_visible()


def test_an_unknown_number_may_go_on(shop: Shop, browser: Browser) -> None:
    with phone(browser) as context:
        page = opened(context, shop.links[0], person=None)
        page.get_by_label("请输入您的工号").fill("E99")
        page.get_by_role("button", name="保存").tap()
        expect(page.get_by_text("没有这个工号")).to_be_visible()
        page.get_by_role("button", name="仍用此工号").tap()
        page.get_by_role("button", name="完工").tap()
        page.get_by_role("button", name="确认").tap()
        expect(page.get_by_text("由计划员确认")).to_be_visible()
        assert shop.world.total() == 0


def test_without_a_code_it_says_what_to_do(shop: Shop, browser: Browser) -> None:
    with phone(browser, "en-US") as context:
        page = context.new_page()
        page.goto(f"{shop.url}/r/")
        expect(page.get_by_text("Scan the QR code on the traveler")).to_be_visible()
        page.get_by_role("button", name="中文").tap()
        expect(page.get_by_text("请扫描流转卡上的二维码")).to_be_visible()


def test_every_screen_is_accessible(shop: Shop, browser: Browser) -> None:
    with phone(browser) as context:
        page = opened(context, shop.links[0], person=None)
        assert violations(page) == []
        page.get_by_label("请输入您的工号").fill("E0001")
        page.get_by_role("button", name="保存").tap()
        expect(page.get_by_role("button", name="完工")).to_be_visible()
        assert violations(page) == []
        page.get_by_role("button", name="完工").tap()
        page.get_by_role("button", name="废品、返工、设备").tap()
        assert violations(page) == []
        page.get_by_role("button", name="确认").tap()
        expect(page.get_by_text("已报工")).to_be_visible()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]

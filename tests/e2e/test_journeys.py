"""What people do with the app, step by step."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Reader
from tests.e2e.shop import PHONE
from tests.e2e.standin.rules import STATE

Look = Callable[..., Reader]


def test_sign_in_leads_to_the_page_that_was_wanted(look: Look) -> None:
    reader = look(None)
    page = reader.page
    reader.open("/board")
    expect(page).to_have_url(re.compile(r"/login\?next=%2Fboard$"))
    page.get_by_label("用户名").fill("admin")
    page.get_by_label("密码", exact=True).fill("wrong")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_have_text("用户名或密码不对")
    page.get_by_label("密码", exact=True).fill("right")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/board$"))


@pytest.mark.parametrize("evil", ["//evil.example/", "https://evil.example/", "/%09/evil.example"])
def test_sign_in_never_leads_to_another_site(look: Look, evil: str) -> None:
    reader = look("admin")
    reader.open(f"/login?next={evil}")
    expect(reader.page).to_have_url(f"{reader.url}/orders")


def test_the_first_password_is_replaced_first(look: Look) -> None:
    reader = look("sales")
    page = reader.page
    reader.open("/orders")
    page.get_by_label("当前密码").fill("first")
    page.get_by_label("新密码", exact=True).fill("short")
    page.get_by_label("再输一次新密码").fill("short")
    page.get_by_role("button", name="保存新密码").click()
    expect(page.get_by_text("新密码至少要 10 个字符")).to_be_visible()
    page.get_by_label("新密码", exact=True).fill("a longer sentence")
    page.get_by_label("再输一次新密码").fill("a longer sentence")
    page.get_by_role("button", name="保存新密码").click()
    expect(page.get_by_role("heading", name="我的订单到哪了")).to_be_visible()


def test_search_with_the_keyboard_alone(look: Look) -> None:
    reader = look()
    page = reader.page
    reader.open("/orders")
    page.locator("h1").click()
    page.keyboard.press("/")
    page.keyboard.type("so-2511-003")
    hits = page.locator(".hit")
    expect(hits.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    expect(hits.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/orders/0193-"))
    page.go_back()
    expect(page.get_by_label("查订单")).to_have_value("so-2511-003")
    page.get_by_label("查订单").fill("")
    expect(page.get_by_role("button", name="so-2511-003")).to_be_visible()


@pytest.mark.parametrize("text", ["'; DROP TABLE orders;--", "<img src=x onerror=alert(1)>", "\\"])
def test_odd_searches_find_nothing_and_break_nothing(look: Look, text: str) -> None:
    reader = look()
    reader.open("/orders")
    reader.page.get_by_label("查订单").fill(text)
    expect(reader.page.get_by_text(f"没有找到“{text.strip()}”")).to_be_visible()
    assert reader.complaints == []


def test_a_failing_search_says_so_and_can_be_tried_again(look: Look) -> None:
    reader = look()
    reader.open("/orders")
    reader.page.get_by_label("查订单").fill("500")
    alert = reader.page.get_by_role("alert")
    expect(alert).to_contain_text("系统出错")
    expect(alert).to_contain_text("req-7f3a")
    expect(alert.get_by_role("button", name="重试")).to_be_visible()


@pytest.mark.parametrize("screen", [(1440, 900), PHONE])
def test_a_fact_opens_to_its_source_row(look: Look, screen: tuple[int, int]) -> None:
    reader = look("admin", screen)
    page = reader.page
    reader.open("/orders/0193-0068")
    page.locator(".stop .source").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("workorder_code")
    expect(page).to_have_url(re.compile(r"row=mes"))
    address = page.url
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile(r"row="))
    page.goto(address)
    expect(page.get_by_role("dialog")).to_contain_text("workorder_code")


def test_a_worker_is_not_offered_source_rows(look: Look) -> None:
    reader = look("worker")
    reader.open("/orders/0193-0068")
    expect(reader.page.locator(".stop").first).to_be_visible()
    expect(reader.page.locator("button.source")).to_have_count(0)
    expect(reader.page.get_by_role("link", name="用户")).to_have_count(0)


def test_an_unconfirmed_stage_says_why_and_since_when(look: Look) -> None:
    reader = look()
    reader.open("/orders/0193-0068")
    band = reader.page.locator(".band")
    expect(band).to_contain_text("未确认")
    expect(band).to_contain_text("已停机 47 分钟")
    expect(band).to_contain_text(re.compile(r"最后证据\s+\d\d-\d\d \d\d:\d\d"))


def test_a_tile_of_the_board_opens_to_its_orders(look: Look) -> None:
    reader = look()
    page = reader.page
    reader.open("/board")
    page.locator(".tile", has_text="在制").get_by_role("link", name="未确认").click()
    expect(page).to_have_url(re.compile(r"stage=in_process&confirmed=false"))
    expect(page.locator(".table .stage--unconfirmed").first).to_be_visible()
    assert page.locator(".table tbody tr").count() == page.locator(".stage--unconfirmed").count()


def test_an_unknown_code_is_linked_to_a_record(look: Look) -> None:
    reader = look()
    page = reader.page
    reader.open("/tasks")
    page.locator(".task__open", has_text="恒立").first.click()
    page.locator(".picker__row").first.click()
    page.get_by_role("button", name="对应并放行").click()
    expect(page.locator(".ant-message")).to_contain_text("已对应到 01.0023")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_first_password_is_shown_once(look: Look) -> None:
    reader = look()
    page = reader.page
    reader.open("/users")
    page.get_by_role("button", name="新增用户").click()
    page.get_by_label("用户名").fill("Not Allowed")
    page.get_by_label("姓名").fill("李娜")
    page.locator("form").get_by_role("button", name="新增用户").click()
    expect(page.locator(".ant-form-item-explain-error")).to_be_visible()
    page.get_by_label("用户名").fill("li.na")
    page.locator("form").get_by_role("button", name="新增用户").click()
    expect(page.get_by_text("quiet-brass-lathe-41")).to_be_visible()
    page.get_by_role("button", name="已记下").click()
    expect(page.get_by_text("quiet-brass-lathe-41")).to_have_count(0)
    expect(page.get_by_role("cell", name="李娜 li.na")).to_be_visible()


def test_who_is_signed_out_elsewhere_signs_in_again(look: Look) -> None:
    reader = look()
    reader.open("/sources", until=".source-card")
    STATE["user"] = None
    expect(reader.page).to_have_url(re.compile(r"/login\?next=%2Fsources$"), timeout=40_000)


def test_a_server_away_is_said_and_waited_for(look: Look) -> None:
    reader = look()
    page = reader.page
    reader.open("/sources", until=".source-card")
    page.context.set_offline(offline=True)
    banner = page.locator(".away")
    expect(banner).to_be_visible()
    expect(page.locator(".source-card").first).to_be_visible()
    page.context.set_offline(offline=False)
    expect(banner).to_have_count(0)


def test_a_report_in_doubt_is_put_right_and_taken(look: Look) -> None:
    page = (reader := look("planner")).page
    reader.open("/reviews")
    expect(page.get_by_role("status").filter(has_text="共 6 份")).to_be_visible()
    page.get_by_role("button", name="处理 TW-2511-00013 · 20").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("正确的工号").fill("404")
    drawer.get_by_role("button", name="采用", exact=True).click()
    expect(drawer.get_by_role("alert")).to_contain_text("没有工号“404”")
    drawer.get_by_label("正确的工号").fill("E0107")
    page.keyboard.press("Enter")
    expect(drawer).to_be_hidden()
    expect(page.get_by_role("status").filter(has_text="共 5 份")).to_be_visible()


def test_what_was_decided_of_reports_stays_to_be_seen(look: Look) -> None:
    page = (reader := look("planner")).page
    reader.open("/reviews?report=0199-0000")
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("button", name="不采用").click()
    expect(drawer).to_be_hidden()
    page.locator(".ant-segmented-item", has_text="未采用").click()
    expect(page).to_have_url(re.compile(r"state=rejected"))
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(drawer).to_contain_text("计划员")
    expect(drawer.get_by_role("button", name="采用", exact=True)).to_have_count(0)


def test_opening_a_row_keeps_the_page_of_its_list(look: Look) -> None:
    page = (reader := look("admin")).page
    reader.open("/webhooks?page=2")
    page.get_by_role("button", name="SO-2511-0052").click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("没有给出")
    expect(drawer.get_by_label("消息内容", exact=True)).to_contain_text('"qty": 1200.0000')
    expect(page).to_have_url(re.compile(r"page=2&event="))
    drawer.get_by_role("button", name="重试").click()
    expect(drawer).to_contain_text("处理中")
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"\?page=2$"))


def test_a_webhook_that_failed_is_tried_again(look: Look) -> None:
    page = (reader := look("admin")).page
    reader.open("/webhooks?state=failed")
    rows = page.get_by_role("row").filter(has_text="SO-2511-0002")
    rows.get_by_role("button", name="重试").click()
    expect(page.get_by_text("已重新处理")).to_be_visible()
    expect(rows).to_have_count(0)
    expect(page.get_by_text("192.168.10.31")).to_be_visible()

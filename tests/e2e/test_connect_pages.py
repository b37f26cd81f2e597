"""Connecting and mapping, step by step, where things go wrong or are changed back."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Reader
from tests.e2e.standin.rules import STATE

Look = Callable[..., Reader]
MAP = "/sources/wms/map?table=wm_item&then=wm_balance"


def _describe(page: Page, password: str) -> None:
    page.get_by_label("主机").fill("10.0.0.8")
    page.get_by_label("数据库", exact=True).fill("wms")
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="测试连接").click()


def test_without_a_source_the_page_invites_to_connect_one(look: Look) -> None:
    page = (reader := look()).page
    STATE["bare"] = True
    reader.open("/sources")
    page.get_by_role("button", name="接入第一个系统").click()
    expect(page.get_by_role("heading", name="接入一个系统")).to_be_visible()
    expect(page.get_by_text("恢复一份备份")).to_be_visible()
    page.get_by_role("link").filter(has_text="SQLite 文件").click()
    expect(
        page.get_by_label("数据库文件").or_(page.get_by_label("文件", exact=True))
    ).to_be_visible()
    expect(page.get_by_label("主机")).to_have_count(0)


def test_a_refused_login_shows_the_drivers_words_and_nothing_can_be_saved(look: Look) -> None:
    page = (reader := look()).page
    reader.open("/sources/connect?way=mysql")
    page.get_by_role("button", name="测试连接").click()
    expect(page.get_by_text("请填写主机")).to_be_visible()
    _describe(page, "wrong")
    expect(page.get_by_text("(1045, \"Access denied for user 'tenon'")).to_be_visible()
    expect(page.get_by_label("给它起个名字")).to_have_count(0)
    _describe(page, "right")
    name = page.get_by_label("给它起个名字")
    expect(name).to_be_focused()
    expect(name).to_have_value("wms")
    page.get_by_label("主机").fill("10.0.0.9")
    expect(name).to_have_count(0)  # what was tested is not what would be saved
    _describe(page, "right")
    name.fill("仓库系统")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/sources/wms/tables\?new=1$"))


def test_a_kept_password_is_not_shown(look: Look) -> None:
    page = (reader := look()).page
    reader.open("/sources/wms/connection")
    expect(page.get_by_label("密码")).to_have_value("")
    expect(page.get_by_placeholder("已保存；不改请留空")).to_be_visible()
    page.get_by_role("button", name="移除来源").click()
    page.get_by_role("dialog").get_by_role("button", name="移除来源").click()
    expect(page.get_by_text("从它已经读进 31,204 行")).to_be_visible()


def test_chosen_tables_are_kept_through_a_search(look: Look) -> None:
    page = (reader := look()).page
    reader.open("/sources/wms/tables")
    page.get_by_label("选择 wm_balance").check()
    page.get_by_label("按表名或说明查找").fill("item")
    expect(page.get_by_text("共 1 张表")).to_be_visible()
    page.get_by_label("选择 wm_item").check()
    page.get_by_role("button", name="对应选中的 2 张表").click()
    expect(page).to_have_url(re.compile(r"table=wm_item&then=wm_balance$"))  # masters first


def test_suggestions_are_confirmed_before_anything_is_published(look: Look) -> None:
    page = (reader := look()).page
    reader.open(MAP)
    publish = page.get_by_role("button", name="发布并开始读取")
    expect(publish).to_be_disabled()
    page.get_by_role("button", name="采用“名称”的建议").click()
    page.get_by_role("button", name="不要“标准件”的建议").click()
    expect(page.get_by_text("还有 3 条建议没有确认")).to_be_visible()
    page.get_by_role("button", name=re.compile("全部采用")).click()
    expect(publish).to_be_enabled()
    page.get_by_role("button", name="不要", exact=False).first.wait_for(state="detached")
    publish.click()
    expect(page.get_by_role("button", name="下一张：wm_balance（还有 1 张）")).to_be_visible()


def test_unpublished_changes_outlive_the_page_and_can_be_undone(look: Look) -> None:
    page = (reader := look()).page
    reader.open(MAP)
    page.get_by_role("button", name="不要“规格”的建议").click()
    refused = page.get_by_role("button", name="不要“规格”的建议")
    expect(refused).to_have_count(0)
    page.locator("h1").click()
    page.keyboard.press("Control+z")
    expect(refused).to_be_visible()
    page.keyboard.press("Control+y")
    expect(refused).to_have_count(0)
    reader.open(MAP)
    expect(page.get_by_text("接着上次没有发布的修改")).to_be_visible()
    expect(refused).to_have_count(0)
    page.get_by_role("button", name="放弃这些修改").click()
    expect(refused).to_be_visible()


def test_a_required_field_that_nothing_fills_holds_up_publishing(look: Look) -> None:
    page = (reader := look()).page
    reader.open("/sources/wms/map?table=wm_balance")
    page.get_by_role("button", name=re.compile("全部采用")).click()
    expect(page.get_by_text("还有 1 个必填项没有内容")).to_be_visible()
    expect(page.get_by_role("button", name="发布并开始读取")).to_be_disabled()
    page.get_by_role("combobox", name="“数量”取自哪一列").click()
    page.keyboard.type("erp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="发布并开始读取")).to_be_enabled()


def test_a_row_that_would_be_set_aside_says_why(look: Look) -> None:
    page = (reader := look()).page
    reader.open(MAP)
    page.locator("h1").click()
    for _ in range(3):
        page.keyboard.press("j")
    expect(page.locator(".pre__note--bad")).to_contain_text("规格过长：46 个字符，最多 40 个")


def test_a_manager_looks_at_a_mapping_and_changes_nothing(look: Look) -> None:
    page = (reader := look("manager")).page
    reader.open("/syncs/wms_items")
    expect(page.get_by_role("button", name="发布修改")).to_have_count(0)
    expect(page.get_by_role("combobox", name="“名称”取自哪一列")).to_have_count(0)


def test_the_page_for_the_supplier_prints_without_its_buttons(look: Look) -> None:
    page = (reader := look("manager")).page
    reader.open("/sources/wms/access")
    expect(page.get_by_text("SELECT item_code").first).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="打印")).to_be_hidden()
    expect(page.get_by_text("不写入任何内容")).to_be_visible()

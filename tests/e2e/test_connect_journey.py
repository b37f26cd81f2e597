"""From an empty Tenon to unified customers, items, orders and stock, by visible labels alone.

Nothing is prepared but the four systems themselves: a CRM behind HTTP, a MES in a file of GBK, a
WMS on MariaDB, a Kingdee ledger in a file. The person knows where each is and what it is called.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from startup.paths import ROOT, program
from tests.e2e.hand import Hand

pytestmark = [pytest.mark.deep, pytest.mark.timeout(900)]

MINUTES: Final = 30
WAIT: Final = 60_000
PASSWORD: Final = "a sentence of my own"
COUNTED: Final = {
    "customer": ("crm", "SELECT id FROM crm_customer"),
    "sales_order": ("crm", "SELECT id FROM crm_order"),
    "order_line": ("crm", "SELECT line FROM crm_order_line"),
    "work_order": ("mes", "SELECT workorder_code FROM pro_workorder"),
    "stock_move": ("wms", "SELECT move_no FROM wm_move"),
    "stock_balance": ("wms", "SELECT item_code FROM wm_balance"),
}
CRM, MES, WMS, KIS = "客户系统", "车间系统", "仓库系统", "金蝶财务"


@dataclass
class Plant:
    """The four systems, as those who look after them would describe them."""

    systems: dict[str, Any]
    crm: str

    @property
    def token(self) -> str:
        return Path(self.systems["crm"]["token_file"]).read_text("utf-8").strip()

    def rows(self, system: str, query: str) -> list[tuple[Any, ...]]:
        """What a legacy system itself answers."""
        where = self.systems[system]
        if not where.get("path"):
            engine = sa.create_engine(where["url"])
            with engine.connect() as connection:
                found = [tuple(row) for row in connection.execute(sa.text(query))]
            engine.dispose()
            return found
        with closing(sqlite3.connect(where["path"])) as db:
            db.text_factory = lambda raw: raw.decode(where.get("encoding", "utf-8"), "replace")
            return db.execute(query).fetchall()

    def customers(self) -> dict[str, tuple[str, str]]:
        """The MES's customer codes, each with the CRM's number and short name, by their orders."""
        owner = dict(self.rows("crm", "SELECT id, customer_id FROM crm_order"))
        names = dict(self.rows("crm", "SELECT id, short_name FROM crm_customer"))
        made = self.rows(
            "mes",
            "SELECT w.client_code, s.order_no FROM pro_workorder w "
            "JOIN pro_workorder_source s ON s.workorder_code = w.workorder_code",
        )
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        for code, order in made:  # some order numbers are badly typed: those say nothing
            if order in owner:
                votes[code][owner[order]] += 1
        sure = {code: found.most_common(1)[0][0] for code, found in votes.items()}
        return {code: (number, names[number]) for code, number in sure.items()}


def test_from_nothing_to_one_picture(tmp_path: Path, browser: Browser, mariadb_url: str) -> None:
    with _plant(tmp_path, mariadb_url) as plant, _tenon(tmp_path) as (url, first):
        context = browser.new_context(
            viewport={"width": 1280, "height": 800}, reduced_motion="reduce", locale="zh-CN"
        )
        context.set_default_timeout(WAIT)
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        hand = Hand(page)
        _sign_in(hand, first)
        _connect_crm(hand, plant)
        _connect_kis(hand, plant)
        _connect_mes(hand, plant)
        _connect_wms(hand, plant)
        _settle(hand, plant)
        print(f"\n{hand.said()}")
        assert complaints == []
        assert hand.seconds() < MINUTES * 60
        context.close()
        _agrees(tmp_path / "tenon", plant)


def _sign_in(hand: Hand, first: str) -> None:
    hand.fill("用户名", "admin")
    hand.press("Tab")
    hand.type(first)
    hand.press("Enter")
    hand.fill("当前密码", first)
    for label in ("新密码", "再输一次新密码"):
        hand.fill(label, PASSWORD)
    hand.press("Enter")
    hand.click(hand.page.get_by_role("link", name="数据来源", exact=True))


def _connect_crm(hand: Hand, plant: Plant) -> None:
    hand.click(hand.page.get_by_role("button", name="接入第一个系统"))
    hand.click(hand.page.get_by_role("link", name=re.compile("网页接口")))
    hand.fill("地址", plant.crm)
    hand.press("Tab")
    hand.type(plant.token)
    hand.fill("要读取的接口", "/api/customers, /api/orders")
    _test_and_name(hand, CRM)
    _read(hand, ["/api/customers"])
    # What is ordered stands in the lines of the orders: they know items too.
    _map_elsewhere(hand, "/api/orders#lines", "物料")
    _read(hand, ["/api/orders", "/api/orders#lines"])


def _connect_mes(hand: Hand, plant: Plant) -> None:
    _another(hand, "SQLite 文件")
    hand.fill("数据库文件", plant.systems["mes"]["path"])
    hand.click(hand.page.get_by_text("更多设置（一般不用改）"))
    hand.click(hand.page.get_by_label("文字编码", exact=True))
    hand.type("gb18030")
    hand.press("Enter")
    _test_and_name(hand, MES)
    _read(hand, ["md_client", "md_product", "pro_workorder"])


def _connect_wms(hand: Hand, plant: Plant) -> None:
    at = sa.make_url(plant.systems["wms"]["url"])
    _another(hand, "MySQL / MariaDB")
    hand.fill("主机", str(at.host))
    hand.press("Tab")
    hand.type(str(at.port))
    hand.press("Tab")
    hand.type(str(at.database))
    hand.press("Tab")
    hand.type(str(at.username))
    hand.press("Tab")
    hand.type(str(at.password or ""))
    _test_and_name(hand, WMS)
    _read(hand, ["wm_item", "wm_vendor", "wm_move", "wm_balance"])


def _connect_kis(hand: Hand, plant: Plant) -> None:
    _another(hand, "SQLite 文件")
    hand.fill("数据库文件", plant.systems["kis"]["path"])
    _test_and_name(hand, KIS)
    expect(hand.page.get_by_role("status").filter(has_text="金蝶 KIS")).to_be_visible()
    _read(hand, ["t_Organization", "t_ICItem:purchased", "t_ICItem:made"])


def _another(hand: Hand, way: str) -> None:
    hand.click(hand.page.get_by_role("link", name="数据来源", exact=True))
    hand.click(hand.page.get_by_role("button", name="接入系统"))
    hand.click(hand.page.get_by_role("link").filter(has_text=way))


def _test_and_name(hand: Hand, name: str) -> None:
    hand.click(hand.page.get_by_role("button", name="测试连接"))
    expect(hand.page.get_by_label("给它起个名字")).to_be_focused()
    hand.type(name)
    hand.press("Enter")
    expect(hand.page.get_by_text(f"已接入“{name}”")).to_be_visible()


def _read(hand: Hand, tables: list[str]) -> None:
    """Choose tables, look at each mapping, and start."""
    for table in tables:
        hand.click(hand.page.get_by_label(f"选择 {table}", exact=True))
    hand.click(hand.page.get_by_role("button", name=f"对应选中的 {len(tables)} 张表"))
    for left in range(len(tables) - 1, -1, -1):
        _publish(hand)
        if left:
            hand.click(hand.page.get_by_role("button", name=re.compile("^下一张")))
    hand.click(hand.page.get_by_role("link", name=re.compile("^← ")))


def _map_elsewhere(hand: Hand, table: str, target: str) -> None:
    hand.click(hand.page.get_by_role("button", name=table, exact=True))
    hand.click(hand.page.get_by_role("link", name="对应这张表"))
    hand.click(hand.page.get_by_label("写入", exact=True))
    hand.type(target)
    hand.press("Enter")
    expect(hand.page.get_by_role("heading", name=f"逐项对应到{target}")).to_be_visible()
    _publish(hand)
    hand.click(hand.page.get_by_role("link", name=re.compile("^← ")))


def _publish(hand: Hand) -> None:
    accept = hand.page.get_by_role("button", name=re.compile("^全部采用"))
    publish = hand.page.get_by_role("button", name="发布并开始读取")
    expect(accept.or_(publish).first).to_be_visible()
    expect(hand.page.get_by_text(re.compile("^试读"))).to_be_visible()
    if accept.is_visible():
        hand.click(accept)
    hand.click(publish)
    expect(hand.page.get_by_role("heading", name="已发布，已读完")).to_be_visible()


def _settle(hand: Hand, plant: Plant) -> None:
    """Customers of the MES whose names nobody else has: whoever knows the orders knows them."""
    hand.click(hand.page.get_by_role("link", name="搁置的行", exact=True))
    known = plant.customers()
    waiting = hand.page.get_by_role("button", name=re.compile("^处理 KH"))
    expect(waiting.first).to_be_visible()
    for label in [str(one.get_attribute("aria-label")) for one in waiting.all()]:
        hand.click(hand.page.get_by_role("button", name=label))
        drawer = hand.page.get_by_role("dialog")
        hand.click(drawer.get_by_role("radio", name=re.compile(known[label.split()[1]][1])))
        hand.click(drawer.get_by_role("button", name="对应并放行"))
        expect(drawer).to_be_hidden()
    expect(hand.page.get_by_text("没有搁置的行")).to_be_visible()


def _agrees(home: Path, plant: Plant) -> None:
    """What Tenon holds now is what the four systems hold, and whose is whose is the truth."""
    with closing(sqlite3.connect(f"file:{home / 'hub.db'}?mode=ro", uri=True)) as hub:
        held = {
            table: hub.execute(f"SELECT count(*) FROM e_{table}").fetchone()[0] for table in COUNTED
        }
        assert held == {table: len(plant.rows(*asked)) for table, asked in COUNTED.items()}
        (stock,) = hub.execute("SELECT sum(qty) FROM e_stock_balance").fetchone()
        ((there,),) = plant.rows("wms", "SELECT sum(qty) FROM wm_balance")
        assert Decimal(stock).scaleb(-4) == Decimal(str(there))
        links = hub.execute(
            "SELECT c.entity, s.label, c.code, c.record_id FROM crosswalk c JOIN "
            "(SELECT code, json_extract(body, '$.label.zh') AS label FROM definition "
            "WHERE kind = 'source' AND state = 'published') s ON s.code = c.source "
            "WHERE c.valid_to IS NULL"
        )
        whose = {(entity, label, _plain(code)): record for entity, label, code, record in links}
        (loose,) = hub.execute("SELECT count(*) FROM e_order_line WHERE item IS NULL").fetchone()
        (aside,) = hub.execute(
            "SELECT count(*) FROM source_row WHERE state = 'set_aside'"
        ).fetchone()
    assert (loose, aside) == (0, 0)
    for code, (number, _) in plant.customers().items():
        assert whose["customer", MES, code] == whose["customer", CRM, number], code
    pairs = plant.rows("wms", "SELECT item_code, erp_code FROM wm_item WHERE erp_code IS NOT NULL")
    # Some finance numbers are badly typed in the WMS: those name nothing.
    pairs = [(c, n) for c, n in pairs if ("item", KIS, _plain(n)) in whose]
    for code, number in pairs:
        assert whose["item", WMS, _plain(code)] == whose["item", KIS, _plain(number)], code
    ordered = {
        _plain(r[0]) for r in plant.rows("crm", "SELECT DISTINCT drawing_no FROM crm_order_line")
    }
    made = {
        _plain(drawing): _plain(code)
        for drawing, code in plant.rows("mes", "SELECT drawing_no, product_code FROM md_product")
    }
    both = ordered & made.keys()
    for drawing in both:
        assert whose["item", CRM, drawing] == whose["item", MES, made[drawing]], drawing
    assert (len(pairs) > 500, len(both) > 200) == (True, True)


def _plain(code: str) -> str:
    """A code without what only its typing put there."""
    return "".join(unicodedata.normalize("NFKC", code).split()).upper()


@contextmanager
def _plant(folder: Path, wms: str) -> Iterator[Plant]:
    home, port = folder / "plant", _free()
    made = [sys.executable, "-m", "plant", "make", "--home", str(home), "--days", "21"]
    subprocess.run([*made, "--wms", wms], cwd=ROOT, check=True, capture_output=True)
    systems = json.loads((home / "plant.json").read_text("utf-8"))["systems"]
    serve = [sys.executable, "-m", "plant", "crm", "--home", str(home), "--port", str(port)]
    with _running(serve, folder / "crm.log", f"http://127.0.0.1:{port}/api/customers"):
        yield Plant(systems, f"http://127.0.0.1:{port}")


@contextmanager
def _tenon(folder: Path) -> Iterator[tuple[str, str]]:
    """A Tenon that nothing is connected to: its address, and the administrator's first password."""
    home, port = folder / "tenon", _free()
    made = [str(program("tenon")), "init", "--home", str(home)]
    said = subprocess.run(made, cwd=ROOT, check=True, capture_output=True, encoding="utf-8").stdout
    accounts = next(json.loads(line) for line in said.splitlines() if line.startswith("{"))
    first = next(one["password"] for one in accounts["accounts"] if one["role"] == "admin")
    url = f"http://127.0.0.1:{port}"
    serve = [str(program("tenon")), "serve", "--home", str(home), "--port", str(port)]
    clock = {"TENON_DEMO_CLOCK": str(folder / "plant" / "clock.json")}
    with _running(serve, folder / "tenon.log", f"{url}/api/health", clock):
        yield url, first


@contextmanager
def _running(
    command: list[str], log: Path, address: str, more: dict[str, str] | None = None
) -> Iterator[None]:
    environment = {**os.environ, "PYTHONUTF8": "1", **(more or {})}
    with log.open("w", encoding="utf-8") as out, subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
    ) as process:  # fmt: skip
        try:
            _answers(address, process, log)
            yield
        finally:
            process.terminate()
            process.wait(60)


def _answers(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text("utf-8")
        try:
            if httpx.get(address, trust_env=False).status_code < 500:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(log.read_text("utf-8"))


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

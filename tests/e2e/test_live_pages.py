"""Pages that change while one looks, over two processes that share one PostgreSQL."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page

from tenon.automate import switch
from tenon.records.ports import SYSTEM
from tenon.records.write import RowKey
from tenon.server.pages import STATIC
from tests.server.orders import write_orders
from tests.serving import Serving, serving

TIMES: Final = 5
# What is promised is two seconds; a machine that tests may be busy with other things.
LONGEST: Final = 10.0


def test_pages_follow_what_another_process_writes(
    browser: Browser, tmp_path: Path, pg_url: str
) -> None:
    """The order page, the board and the runs page; the seconds from commit to sight are printed."""
    if not (STATIC / "index.html").is_file():
        pytest.skip("the browser app is not built")
    with serving(tmp_path / "home", pg_url) as here, _another(tmp_path / "home") as address:
        write_orders(here.tenon, 2)
        with here.tenon.hub.write() as tx:
            switch.set_enabled(tx, "new_order_line", enabled=True, by="test")
        page = browser.new_context().new_page()
        page.set_default_timeout(LONGEST * 1000)
        _sign_in(page, address, here)
        order = _ids(here, "order_line")[0]
        seen = {
            "order": _order_page(page, address, here, order),
            "board": _board(page, address, here),
            "runs": _runs(page, address, here),
        }
    for name, seconds in seen.items():
        print(
            f"\n{name}: seen after at most {max(seconds):.2f} s of {len(seconds)} changes", end=""
        )
        assert max(seconds) < LONGEST


def _order_page(page: Page, address: str, here: Serving, order: str) -> list[float]:
    page.goto(f"{address}/orders/{order}")
    page.get_by_role("heading", level=1).wait_for()
    _await_live(page)
    return [
        _timed(page, lambda n=n: _write(here, "order_line", id=order, qty=str(7000 + n)),
               f"text=7,00{n}")
        for n in range(TIMES)
    ]  # fmt: skip


def _board(page: Page, address: str, here: Serving) -> list[float]:
    page.goto(f"{address}/board")
    page.get_by_role("heading", level=1).wait_for()
    _await_live(page)
    works = _ids(here, "work_order")
    found = []
    for n in range(TIMES):
        more = {"id": works[0], "status": ("released", "planned")[n % 2]}
        before = page.locator("main").inner_text()
        change = partial(_write, here, "work_order", **more)
        found.append(_timed(page, change, changed_from=before))
    return found


def _runs(page: Page, address: str, here: Serving) -> list[float]:
    page.goto(f"{address}/flows/runs")
    page.get_by_role("heading", level=1).wait_for()
    _await_live(page)
    first = _row(here, "order_line")
    same = {k: first[k] for k in ("sales_order", "item", "item_name", "qty", "unit", "status")}
    return [
        _timed(
            page,
            lambda n=n: _write(
                here, "order_line", line_no=10 + n, line_key=f"SO-1/{10 + n}", **same
            ),
            f"text=SO-1/{10 + n}",
        )
        for n in range(TIMES)
    ]


def _timed(
    page: Page, change: Any, sight: str | None = None, *, changed_from: str | None = None
) -> float:
    """Seconds from the commit of a change until it can be seen."""
    change()
    begun = time.perf_counter()
    if sight is not None:
        page.locator(sight).first.wait_for()
    else:
        page.wait_for_function(
            "before => document.querySelector('main').innerText !== before", arg=changed_from
        )
    return time.perf_counter() - begun


def _await_live(page: Page) -> None:
    """Until the page's stream is open: what is written before is seen by its first reading."""
    page.wait_for_load_state("load")
    page.wait_for_timeout(1500)


def _write(here: Serving, entity: str, **values: Any) -> None:
    with here.tenon.hub.write() as tx:
        key = RowKey(id=values.pop("id", None))
        here.tenon.writer.write(tx, SYSTEM, entity, [(key, values)])


def _ids(here: Serving, entity: str) -> list[str]:
    table = here.tenon.reader(SYSTEM).table(entity)
    with here.tenon.hub.read() as connection:
        return list(connection.scalars(sa.select(table.c.id).order_by(table.c.id)))


def _row(here: Serving, entity: str) -> dict[str, Any]:
    table = here.tenon.reader(SYSTEM).table(entity)
    with here.tenon.hub.read() as connection:
        return dict(
            connection.execute(sa.select(table).order_by(table.c.id)).mappings().first() or {}
        )


def _sign_in(page: Page, address: str, here: Serving) -> None:
    page.goto(f"{address}/login")
    page.get_by_label("用户名").fill("admin")
    page.get_by_label("密码", exact=True).fill(here.passwords["admin"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/orders")


@contextmanager
def _another(home: Path) -> Iterator[str]:
    """A second server over the same database, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("tenon")), "serve", "--home", str(home)]
    with subprocess.Popen(
        [*command, "--port", str(port), "--no-sync"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)

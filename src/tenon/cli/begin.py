"""`tenon init`: make a home, its hub and its first accounts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from tenon.access import accounts
from tenon.assembly import Tenon, open_tenon
from tenon.assembly.home import SETTINGS, HomeSettings, PlantName, read_settings, write_settings
from tenon.cli.joining import join, read_plant, switch_flows_on
from tenon.cli.options import HERE, Home
from tenon.cli.speech import plainly, tell
from tenon.kernel.errors import Config
from tenon.kernel.text import Text

# User name = role, as a plant would begin; more accounts are made in the browser.
FIRST_ACCOUNTS: Final = {
    "admin": "系统管理员",
    "planner": "计划员",
    "worker": "操作工",
    "manager": "经理",
    "sales": "销售",
}

_OTHER_HUB = Text(
    "{home} 已使用数据库 {found}，不能改为 {given}；请换一个目录，或用备份与恢复来迁移。",
    "{home} already uses the database {found}, not {given}. Name another home, or move by backup "
    "and restore.",
)
_READY = Text("Tenon 目录已就绪：{home}", "The Tenon home is ready: {home}")


def init(
    home: Home = HERE,
    hub: Annotated[str | None, typer.Option(help="postgresql://… ; 默认 / default: SQLite")] = None,
    from_plant: Annotated[
        Path | None, typer.Option(help="plant.json", exists=True, dir_okay=False)
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(help="用户访问的网址 / the address people use")
    ] = None,
) -> None:
    """建立 Tenon 目录与初始账号（可重复运行）/ Make a home and its first accounts."""
    with plainly():
        plant = read_plant(from_plant) if from_plant else None
        _settle(home, hub, public_url, plant)
        with open_tenon(home) as tenon:
            # A simulated plant guards nothing: its passwords need not be changed before a look.
            made = first_accounts(tenon, must_change=plant is None)
            if plant:
                join(home, plant)
                switch_flows_on(tenon)
        tell(_READY.format(home=home))
        if made:
            typer.echo(json.dumps({"accounts": made}, ensure_ascii=True))


def first_accounts(tenon: Tenon, *, must_change: bool) -> list[dict[str, str]]:
    """Make an account for each role of a new installation; nothing when there are any."""
    with tenon.hub.read() as connection:
        if accounts.accounts(connection):
            return []
    made = []
    for name, display in FIRST_ACCOUNTS.items():
        _, password = accounts.create(
            tenon.hub, tenon.catalogue, name, display, name, must_change=must_change
        )
        made.append({"username": name, "role": name, "password": password})
    return made


def _settle(
    home: Path, hub: str | None, public_url: str | None, plant: dict[str, Any] | None
) -> None:
    """Write the settings of a new home; leave those of an old one."""
    if (home / SETTINGS).exists():
        found = read_settings(home)
        if hub and found.hub != hub:
            raise Config("other_hub", _OTHER_HUB, home=home, found=found.hub or "SQLite", given=hub)
        return
    given: dict[str, Any] = {"hub": hub}
    if public_url:
        given["public_url"] = public_url.rstrip("/")
    if plant:
        given["zone"] = plant.get("zone", "Asia/Shanghai")
        given["plant"] = PlantName(zh="榫卯冲压示范工厂", en="Tenon Demo Stamping Plant")
    write_settings(home, HomeSettings(**given))

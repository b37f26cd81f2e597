"""`tenon source …`: a legacy system joined from the command line, as on the pages."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer
from rich.table import Table

from tenon.assembly import joining, open_tenon
from tenon.cli.options import HERE, Home
from tenon.cli.speech import out, plainly, say, tell
from tenon.connect import linking
from tenon.connect.manifest import Setting
from tenon.define.models import Label
from tenon.kernel.errors import BadInput
from tenon.kernel.text import Text
from tenon.records.ports import Actor

app = typer.Typer(help="来源 / legacy systems", no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="来源 / source, e.g. kis")]
Kind = Annotated[str, typer.Argument(help="sql, http, files, odbc")]
Given = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", help="设置 / setting, e.g. -s host=10.0.0.8 (密码会询问 / asked)"),
]

_BAD_PAIR = Text("请写成 名称=值，收到“{given}”。", "Write NAME=VALUE; “{given}” was given.")
_NO_SECRETS = Text(
    "“{name}”不能写在命令行上（会留在历史记录里）；去掉它，会另行询问。",
    "“{name}” cannot be given on the command line, where it stays in the history. Leave it out; "
    "it is asked for.",
)
_ASK = Text("{label}（不显示，可留空）", "{label} (not shown, may be empty)")
_ADDED = Text("已连接，来源编码：{code}", "Connected; the source is called {code}")
_REMOVED = Text("已移除“{code}”。{back}", "“{code}” was removed. {back}")
_HEADS = (Text("编码", "Code"), Text("名称", "Name"), Text("地址", "Address"),
          Text("状态", "State"), Text("包", "Package"))  # fmt: skip
_TABLES = (Text("表", "Table"), Text("列数", "Columns"), Text("主键", "Key"),
           Text("可能是", "Perhaps"), Text("同步", "Sync"))  # fmt: skip
_COUNT = Text("共 {count} 个。", "{count} in all.")
_STEPS = {"address": Text("地址", "address"), "network": Text("网络", "network"),
          "login": Text("登录", "login"), "tables": Text("表", "tables")}  # fmt: skip
_MARKS = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[dim]–[/]"}


def actor() -> Actor:
    """Who runs the command."""
    return Actor("system", getpass.getuser(), "admin", "system")


@app.command("list")
def list_sources(home: Home = HERE) -> None:
    """列出来源 / List the sources and the state of their connections."""
    with plainly(), open_tenon(home, write=False) as tenon:
        table = Table(*map(say, _HEADS), show_edge=False)
        with tenon.hub.read() as connection:
            for one in tenon.source_states(connection):
                table.add_row(one.code, say(one.label), one.address, one.state, one.package)
        out.print(table)


@app.command("add")
def add(
    label: Annotated[str, typer.Argument(help="名称 / name")],
    kind: Kind,
    given: Given = None,
    code: Annotated[str | None, typer.Option(help="编码 / code")] = None,
    home: Home = HERE,
) -> None:
    """连接一个系统 / Join a legacy system."""
    with plainly(), open_tenon(home) as tenon:
        settings = _settings(kind, given or [], {})
        made = joining.add_source(
            tenon, Label(zh=label, en=label), kind, settings, by=actor(), code=code
        )
        tell(_ADDED.format(code=made))


@app.command("try")
def try_connection(code: Code, home: Home = HERE) -> None:
    """逐步检查连接 / Try a connection step by step."""
    with plainly(), open_tenon(home, write=False) as tenon:
        source = tenon.catalogue.source(code)
        settings = linking.shown(tenon.connect.connections, source)
        steps = joining.try_connection(tenon, source.connector, settings, code)
    for step in steps:
        out.print(f"{_MARKS[step.ok]} {say(_STEPS[step.step])}  {say(step.message)}")
        if step.detail:
            out.print(f"    {step.detail}", markup=False)
    if not all(step.ok for step in steps):
        raise typer.Exit(1)


@app.command("tables")
def tables(
    code: Code,
    query: Annotated[str, typer.Option("--find", "-q", help="查找 / part of a name")] = "",
    home: Home = HERE,
) -> None:
    """列出表，以及它们可能是什么 / List the tables and what they may hold."""
    with plainly(), open_tenon(home, write=False) as tenon:
        found = joining.list_tables(tenon, code, query, 1, 200)
    table = Table(*map(say, _TABLES), show_edge=False)
    for one in found["tables"]:
        offer = one["offer"]
        likely = f"{say(offer.label)} {offer.score:.0%}" if offer else ""
        table.add_row(
            one["name"], str(len(one["columns"])), ", ".join(one["key"]), likely, one["sync"] or ""
        )
    out.print(table)
    if found["ledger"]:
        tell(found["ledger"]["label"])
    tell(_COUNT.format(count=found["total"]))


@app.command("rows")
def rows(
    code: Code,
    name: Annotated[str, typer.Argument(help="表 / table")],
    limit: Annotated[int, typer.Option(min=1, max=200)] = 10,
    home: Home = HERE,
) -> None:
    """看前几行 / Show the first rows of a table."""
    with plainly(), open_tenon(home, write=False) as tenon:
        found = joining.rows(tenon, code, name, limit)
    table = Table(*found["columns"], show_edge=False)
    for row in found["rows"]:
        table.add_row(*(cell or "" for cell in row))
    out.print(table)


@app.command("remove")
def remove(
    code: Code,
    really: Annotated[
        bool, typer.Option("--really", help="已有数据也移除 / though rows came through it")
    ] = False,
    home: Home = HERE,
) -> None:
    """移除本厂定义的来源，记录保留 / Remove a source of your own; its records stay."""
    with plainly(), open_tenon(home) as tenon:
        removed = joining.remove_source(tenon, code, actor(), really=really)
        back = removed.back
        tell(Text(_REMOVED.zh.replace("{back}", back.zh), _REMOVED.en.replace("{back}", back.en))
             .format(code=code))  # fmt: skip


def _settings(kind: str, given: list[str], before: dict[str, Any]) -> dict[str, Any]:
    """The settings given, and the secrets asked for: never as arguments."""
    manifest = linking.manifest_of(kind)
    found = dict(before)
    for pair in given:
        name, mark, value = pair.partition("=")
        if not mark:
            raise BadInput("bad_pair", _BAD_PAIR, given=pair[:60])
        if name in manifest.secrets:
            raise BadInput("secret_in_command", _NO_SECRETS, name=name)
        found[name] = value
    for setting in manifest.settings:
        if setting.type == "secret" and _asked(setting, found, manifest.settings):
            found[setting.name] = _secret(setting)
    return found


def _asked(setting: Setting, found: dict[str, Any], settings: tuple[Setting, ...]) -> bool:
    defaults = {s.name: s.default for s in settings}
    now = {name: found.get(name, default) for name, default in defaults.items()}
    return all(now.get(name) in values for name, values in (setting.when or {}).items())


def _secret(setting: Setting) -> str:
    prompt = say(_ASK.format(label=say(setting.label)))
    value: str = typer.prompt(prompt, default="", hide_input=True, show_default=False, err=True)
    return value

"""`tenon package plan|publish|rollback`: definitions from a folder of YAML files."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from tenon.assembly import open_tenon, packages
from tenon.cli.options import HERE, Home
from tenon.cli.speech import out, plainly, say, tell
from tenon.define.catalogue import read_package
from tenon.kernel.text import Text

app = typer.Typer(help="定义包 / packages of definitions", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(exists=True, file_okay=False)]

_HEADS = [Text("类型", "Kind"), Text("编码", "Code"), Text("变化", "Change"), Text("内容", "What")]
_CHANGES = {
    "added": Text("新增", "added"),
    "changed": Text("修改", "changed"),
    "removed": Text("移除", "removed"),
    "table": Text("建表", "new table"),
    "column": Text("加列", "new column"),
    "index": Text("加索引", "new index"),
}
_SAME = Text("没有变化。", "Nothing would change.")
_DONE = Text("已发布，现为第 {epoch} 次发布。", "Published; this is publish number {epoch}.")


@app.command("plan")
def plan(folder: Folder, home: Home = HERE) -> None:
    """显示发布会改变什么 / Show what publishing would change."""
    with plainly(), open_tenon(home, write=False) as tenon, tenon.hub.read() as connection:
        _show(packages.propose(connection, *read_package(folder)))


@app.command("publish")
def publish(folder: Folder, home: Home = HERE) -> None:
    """发布 / Publish."""
    with plainly(), open_tenon(home) as tenon:
        _show(packages.publish_folder(tenon.hub, folder, getpass.getuser()))
        tenon.refresh()
        tell(_DONE.format(epoch=tenon.catalogue.epoch))


@app.command("rollback")
def rollback(
    package: Annotated[str, typer.Argument(help="包 / package")],
    epoch: Annotated[int, typer.Argument(help="第几次发布 / publish number", min=1)],
    home: Home = HERE,
) -> None:
    """恢复到某次发布时的定义 / Publish a package as it stood after a publish."""
    with plainly(), open_tenon(home) as tenon:
        _show(packages.roll_back(tenon.hub, package, epoch, getpass.getuser()))
        tenon.refresh()
        tell(_DONE.format(epoch=tenon.catalogue.epoch))


def _show(proposal: packages.Proposal) -> None:
    if not proposal.plan.changes:
        tell(_SAME)
        return
    table = Table(*map(say, _HEADS))
    for change in proposal.plan.changes:
        what = ", ".join(change.fields)
        table.add_row(change.kind, change.code, say(_CHANGES[change.change]), what)
    for made in proposal.schema:
        table.add_row("", made.entity, say(_CHANGES[made.change]), made.name)
    out.print(table)

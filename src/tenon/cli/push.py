"""`tenon push CODE RECORD`: what a push would write, looked at and not written."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from tenon.assembly import Tenon, open_tenon
from tenon.cli.options import HERE, Home
from tenon.cli.speech import out, plainly, tell
from tenon.connect import writeback
from tenon.connect.pushed_values import kept
from tenon.connect.writeback import Intent
from tenon.define.models import PushDef
from tenon.kernel.errors import NotFound
from tenon.kernel.text import Text
from tenon.records.ports import SYSTEM

_NO_RECORD = Text("没有“{name}”。", "There is no “{name}”.")
_WOULD = {
    "sent": Text("将新增一行", "a row would be added"),
    "changed": Text("将修改该行", "the row would be changed"),
    "same": Text("已经一致，无需写入", "it is there already"),
    "conflict": Text(
        "冲突：列“{column}”现为“{theirs}”，我们要写“{ours}”",
        "conflict: “{column}” holds “{theirs}”, we would write “{ours}”",
    ),
}
_NOTHING_WRITTEN = Text("仅查看，未写入。", "Only looked at; nothing was written.")


def push(
    code: Annotated[str, typer.Argument(help="写出定义 / push, e.g. mes_work_order")],
    record: Annotated[str, typer.Argument(help="记录的编号或 id / its number, or its id")],
    home: Home = HERE,
    _dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只看不写（总是如此）/ only look (it always does)")
    ] = True,
) -> None:
    """试写：会写入什么 / What a push would write, without writing it."""
    with plainly(), open_tenon(home, write=False) as tenon:
        definition = tenon.catalogue.push(code)
        reader = tenon.reader(SYSTEM)
        with tenon.hub.read() as connection:
            ids = (_find(tenon, definition, record),)
            sendings = writeback.prepare(connection, reader, [Intent(definition, ids)])
        (answers,) = writeback.send(tenon.connect, [sendings], dry=True)
        table = Table("", definition.table, show_edge=False)
        for name, value in sendings[0].row.values.items():
            table.add_row(name, kept(value) or "")
        out.print(table)
        said = answers[0]
        shown = {"column": said.column, "ours": said.ours, "theirs": said.theirs}
        tell(_WOULD[said.state].format(**shown))
        tell(_NOTHING_WRITTEN)


def _find(tenon: Tenon, push_: PushDef, record: str) -> str:
    """The record's id by its title (an order's number, say), else by the id itself."""
    title = tenon.catalogue.entity(push_.entity).title
    reader = tenon.reader(SYSTEM)
    with tenon.hub.read() as connection:
        for field in (title, "id"):
            wanted = {"field": field, "op": "eq", "value": record}
            if field and (found := reader.select(connection, push_.entity, wanted, limit=1)):
                return str(found[0]["id"])
    raise NotFound("no_record", _NO_RECORD, name=record)

"""`tenon sync list|pause|resume|backfill`: steering the syncs from a terminal."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.table import Table

from tenon.assembly import open_tenon
from tenon.cli.options import HERE, Home
from tenon.cli.speech import out, plainly, say, tell
from tenon.connect import backfill, control
from tenon.connect.due import Turns
from tenon.connect.span import Span
from tenon.define.models import Sync
from tenon.kernel.text import Text

app = typer.Typer(help="同步 / syncs", no_args_is_help=True)

_SOURCE, _SYNC = Text("来源", "Source"), Text("同步", "Sync")
_WHEN, _WAITS = Text("时间", "When"), Text("等待", "Waits")
_NEXT = Text("轮到它了", "its turn")
_PAUSED = Text("已暂停“{what}”。", "“{what}” is paused.")
_RESUMED = Text("已恢复“{what}”。", "“{what}” goes on.")
_ASKED = Text("已登记补读 {id}；服务运行时开始。", "Back-fill {id} is noted; the server begins it.")

Source = Annotated[str, typer.Argument(help="来源 / source, e.g. mes")]
One = Annotated[str | None, typer.Argument(help="其中一个同步 / one of its syncs")]
Why = Annotated[str, typer.Option("--reason", help="原因 / why")]


@app.command("list")
def listed(home: Home = HERE) -> None:
    """每个同步何时读取，在等什么 / When each sync reads, and what it waits for."""
    with plainly(), open_tenon(home, write=False) as tenon:
        table = Table(*map(say, (_SOURCE, _SYNC, _WHEN, _WAITS)), show_edge=False)
        with tenon.hub.read() as connection:
            turns = Turns(connection, tenon.catalogue)
        for sync in sorted(tenon.catalogue.of(Sync), key=lambda s: (s.source, s.order, s.code)):
            turn = turns.of(sync)
            schedule = sync.schedule or tenon.catalogue.source(sync.source).schedule
            waits = say(turn.waits) if turn.waits else say(_NEXT) if turn.now else ""
            table.add_row(sync.source, sync.code, say(schedule.text()) if schedule else "", waits)
        out.print(table)


@app.command("pause")
def pause(source: Source, reason: Why, sync: One = None, home: Home = HERE) -> None:
    """暂停读取 / Read nothing of a source, or of one sync, until it is resumed."""
    with plainly(), open_tenon(home) as tenon:
        tenon.catalogue.source(source)
        if sync is not None:
            control.sync_of(tenon.catalogue, source, sync)
        with tenon.hub.write() as tx:
            control.pause(tx, source, sync or "", reason[:200], getpass.getuser())
        tell(_PAUSED.format(what=sync or source))


@app.command("resume")
def resume(source: Source, sync: One = None, home: Home = HERE) -> None:
    """恢复读取 / Let it go on from where it was left."""
    with plainly(), open_tenon(home) as tenon:
        tenon.catalogue.source(source)
        if sync is not None:
            control.sync_of(tenon.catalogue, source, sync)
        with tenon.hub.write() as tx:
            control.resume(tx, source, sync or "")
        tell(_RESUMED.format(what=sync or source))


@app.command("backfill")
def read_again(
    source: Source,
    sync: Annotated[str, typer.Argument(help="同步 / sync")],
    low: Annotated[str, typer.Argument(help="从（含）/ from, included")],
    high: Annotated[str, typer.Argument(help="到（含）/ to, included")],
    reason: Why,
    key: Annotated[bool, typer.Option("--key", help="按主键 / a range of the key")] = False,
    home: Home = HERE,
) -> None:
    """补读一段 / Have a range read again; the watermark stays."""
    with plainly(), open_tenon(home) as tenon:
        found = control.sync_of(tenon.catalogue, source, sync)
        span = Span("key" if key else "cursor", low[:80], high[:80])
        with tenon.hub.write() as tx:
            id_ = backfill.ask(tx, tenon.catalogue, found, span, reason[:200], getpass.getuser())
        tell(_ASKED.format(id=id_))

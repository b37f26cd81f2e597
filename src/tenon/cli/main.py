"""The `tenon` command."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from tenon import __version__
from tenon.cli import (
    begin,
    doctor,
    draft,
    keep,
    look,
    order,
    package,
    push,
    secret,
    serve,
    source,
    sync,
    user,
    worker,
)
from tenon.cli.speech import choose
from tenon.kernel import clock

DEMO_CLOCK = "TENON_DEMO_CLOCK"

app = typer.Typer(
    name="tenon", help="榫 Tenon", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _before(
    lang: Annotated[str | None, typer.Option(help="zh / en")] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="版本 / version")
    ] = False,
) -> None:
    choose(lang)
    if path := os.environ.get(DEMO_CLOCK):
        clock.use(clock.DemoClock(Path(path)))


app.command("init")(begin.init)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("order")(order.order)
app.command("look")(look.look)
app.command("push")(push.push)
app.command("backup")(keep.backup)
app.command("restore")(keep.restore)
app.command("release")(keep.release)
app.command("doctor")(doctor.doctor)
app.command("status")(doctor.status)
app.add_typer(package.app, name="package")
app.add_typer(secret.app, name="secret")
app.add_typer(source.app, name="source")
app.add_typer(sync.app, name="sync")
sync.app.command("suggest")(draft.suggest_sync)
sync.app.command("preview")(draft.preview_sync)
sync.app.command("add")(draft.add)
sync.app.command("run")(draft.run)
app.add_typer(user.app, name="user")

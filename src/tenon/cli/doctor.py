"""`tenon doctor` and `tenon status`: is this installation well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from tenon import __version__
from tenon.assembly import Tenon, open_tenon
from tenon.assembly.home import in_use
from tenon.cli import examine
from tenon.cli.options import HERE, Home
from tenon.cli.speech import out, plainly, say
from tenon.kernel.text import Text

_ALL_WELL = Text("一切正常。", "All is well.")
_SOME_WRONG = Text("有 {count} 项需要处理。", "{count} to mend.")
_MARKS = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]![/]"}


def doctor(home: Home = HERE) -> None:
    """检查本机与各系统 / Check this machine and the sources."""
    wrong = 0
    for finding in examine.examine(home):
        wrong += finding.well is False
        out.print(f"{_MARKS[finding.well]} ", end="")
        out.print(say(finding.text), markup=False, soft_wrap=True)
    out.print(say(_SOME_WRONG.format(count=wrong) if wrong else _ALL_WELL))
    raise typer.Exit(1 if wrong else 0)


def _sources(tenon: Tenon) -> dict[str, Any]:
    with tenon.hub.read() as connection:
        return {
            s.code: {"state": s.state, "age_seconds": s.age_seconds, "set_aside": s.set_aside}
            for s in tenon.source_states(connection)
        }


def status(
    home: Home = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
) -> None:
    """显示状态 / Show the state."""
    with plainly(), open_tenon(home, write=False) as tenon:
        facts: dict[str, Any] = {
            "version": __version__, "home": str(Path(home).resolve()),
            "hub": tenon.hub.dialect, "epoch": tenon.catalogue.epoch,
            "running": in_use(home) if tenon.hub.dialect == "sqlite" else None,
            "held": tenon.held_since is not None, "sources": _sources(tenon),
        }  # fmt: skip
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False, default=str))
        return
    for name, value in facts.items():
        out.print(f"{name}: {value}", markup=False)

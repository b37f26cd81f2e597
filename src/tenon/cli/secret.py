"""`tenon secret set|list`: the passwords and tokens of connections."""

from __future__ import annotations

from typing import Annotated

import typer

from tenon.assembly.home import read_settings
from tenon.cli.options import HERE, Home
from tenon.cli.speech import out, plainly, say, tell
from tenon.connect.settings import Connections
from tenon.kernel.text import Text

app = typer.Typer(help="连接的密码与令牌 / secrets of connections", no_args_is_help=True)

_ASK = Text("请输入“{name}”的值（不显示）", "The value of “{name}” (not shown)")
_KEPT = Text("已加密保存：{name}", "Kept, encrypted: {name}")


@app.command("set")
def set_secret(name: Annotated[str, typer.Argument(help="名称 / name")], home: Home = HERE) -> None:
    """保存一个密码或令牌（从键盘或标准输入读取）/ Keep a password or token, read as typed."""
    with plainly():
        read_settings(home)
        # Never an argument: those are in the shell's history and in the list of processes.
        value = typer.prompt(say(_ASK.format(name=name)), hide_input=True, err=True)
        Connections(home).secrets.set(name, value.strip())
        tell(_KEPT.format(name=name))


@app.command("list")
def list_secrets(home: Home = HERE) -> None:
    """列出名称（从不显示值）/ List the names, never the values."""
    with plainly():
        read_settings(home)
        for name in Connections(home).secrets.names():
            out.print(name, markup=False)

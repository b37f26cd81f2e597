"""`tenon user reset NAME`: a new first password, when no administrator can sign in."""

from __future__ import annotations

from typing import Annotated

import typer

from tenon.access import accounts
from tenon.assembly import open_tenon
from tenon.cli.options import HERE, Home
from tenon.cli.speech import out, plainly, say
from tenon.kernel.text import Text

app = typer.Typer(help="账号 / accounts", no_args_is_help=True)

_NEW = Text(
    "{username} 的新初始密码（仅显示一次）：{password}",
    "The new first password of {username}, shown this once: {password}",
)


@app.callback()
def _accounts() -> None:
    """Keep `reset` a word of its own, also while it is the only one."""


@app.command("reset")
def reset(
    username: Annotated[str, typer.Argument(help="用户名 / user name")], home: Home = HERE
) -> None:
    """重置密码，结束其所有会话 / Reset a password and end the account's sessions."""
    with plainly(), open_tenon(home) as tenon:
        with tenon.hub.read() as connection:
            found = accounts.by_name(connection, username)
        what = accounts.AccountChange(active=True, reset_password=True)
        _, password = accounts.change(tenon.hub, tenon.catalogue, found.id, what)
        out.print(say(_NEW.format(username=username, password=password)), markup=False)

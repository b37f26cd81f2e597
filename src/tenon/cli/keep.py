"""`tenon backup`, `tenon restore` and `tenon release`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenon.assembly import open_tenon
from tenon.assembly.tenon import release as release_home
from tenon.cli.backup import restore_backup, write_backup
from tenon.cli.options import HERE, Home
from tenon.cli.speech import plainly, tell
from tenon.kernel.text import Text

_BACKED_UP = Text(
    "已备份到 {file}：{tables} 张表，{rows} 行。",
    "Backed up to {file}: {tables} tables, {rows} rows.",
)
_NO_KEY = Text(
    "备份不含密钥文件 secret.key；请另行妥善保管，否则恢复后需要重新输入各系统的密码。",
    "The backup is without the key file secret.key. Keep that elsewhere, or the other systems' "
    "passwords must be set again after a restore.",
)
_RESTORED = Text(
    "已恢复并核对：{tables} 张表，{rows} 行（备份于 {at}）。该实例处于保留状态，不会同步或外发；"
    "确认无误后运行：tenon release --home {home}",
    "Restored and verified: {tables} tables, {rows} rows (backed up {at}). The instance is held: "
    "it neither syncs nor sends. When all is well, run: tenon release --home {home}",
)
_RELEASED = Text(
    "已放行：{home}。若服务正在运行，请重启它以开始同步。",
    "Released: {home}. If the server runs, restart it so that it syncs.",
)
_NOT_HELD = Text("{home} 不处于保留状态。", "{home} was not held.")


def backup(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="….zip")],
    home: Home = HERE,
    with_key: Annotated[
        bool, typer.Option("--with-key", help="包含密钥文件 / include the key file")
    ] = False,
) -> None:
    """备份（服务可照常运行）/ Back up, also while the server runs."""
    with plainly(), open_tenon(home, write=False) as tenon:
        manifest = write_backup(tenon, file, with_key=with_key)
    rows = manifest.rows
    tell(_BACKED_UP.format(file=file, tables=len(rows), rows=sum(rows.values())))
    if not with_key:
        tell(_NO_KEY)


def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    home: Annotated[Path, typer.Option("--home", help="新目录 / a new folder")],
    hub: Annotated[str | None, typer.Option(help="postgresql://… (空库 / empty)")] = None,
) -> None:
    """恢复到新目录并核对 / Restore into a new home and verify."""
    with plainly():
        restored = restore_backup(file, home, hub)
        rows, at = restored.manifest.rows, restored.manifest.made_at.isoformat(timespec="minutes")
        tell(_RESTORED.format(tables=len(rows), rows=sum(rows.values()), at=at, home=home))
        if not restored.has_key:
            tell(_NO_KEY)


def release(home: Home = HERE) -> None:
    """放行恢复的实例 / Let a restored instance talk to other systems."""
    tell((_RELEASED if release_home(home) else _NOT_HELD).format(home=home))

"""What `tenon doctor` looks at: each check gives one finding in words."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from tenon.access.tables import session
from tenon.assembly import Tenon, open_tenon
from tenon.cli.backup import KEY
from tenon.define.models import SourceDef
from tenon.kernel import clock
from tenon.kernel.errors import TenonError
from tenon.kernel.text import Text
from tenon.server.pages import Pages

_DISK_LOW, _DISK_OUT = 2_000_000_000, 200_000_000
_WAL_LARGE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: well, not well, or (None) something to know."""

    well: bool | None
    text: Text


def examine(home: Path) -> Iterator[Finding]:
    """Every check, one finding each; what needs the hub comes after the hub."""
    yield _python()
    yield _writable(home)
    yield _disk(home)
    yield from _key(home)
    yield _pages()
    try:
        tenon = open_tenon(home, write=False)
    except TenonError as error:
        yield Finding(False, error.text)
        return
    except (SQLAlchemyError, OSError) as error:
        # The class only: a driver's words may carry the address with its password.
        yield Finding(False, _HUB_AWAY.format(problem=type(error).__name__))
        return
    with tenon:
        yield _hub(tenon)
        yield from _wal(tenon)
        yield _clock(tenon)
        yield from _held(tenon)
        yield from _sources(tenon)


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding(sys.version_info >= (3, 11), _PYTHON.format(found=found))


def _writable(home: Path) -> Finding:
    try:
        with TemporaryFile(dir=home):
            return Finding(True, _HOME_FINE.format(home=home))
    except OSError as error:
        return Finding(False, _HOME_BAD.format(home=home, problem=error.strerror or "?"))


def _disk(home: Path) -> Finding:
    try:
        free = shutil.disk_usage(home).free
    except OSError as error:
        return Finding(False, _HOME_BAD.format(home=home, problem=error.strerror or "?"))
    text = _DISK.format(free=f"{free / 1e9:.1f}")
    return Finding(None if _DISK_OUT < free < _DISK_LOW else free >= _DISK_LOW, text)


def _key(home: Path) -> Iterator[Finding]:
    path = home / KEY
    if not path.exists():
        lost = (home / "secrets.json").exists()
        yield Finding(False if lost else None, _KEY_LOST if lost else _KEY_NONE)
    elif os.name == "posix":
        mode = stat.S_IMODE(path.stat().st_mode)
        text = _KEY_OPEN if mode & 0o077 else _KEY_FINE
        yield Finding(not mode & 0o077, text.format(path=path, mode=f"{mode:o}"))


def _pages() -> Finding:
    built = Pages().built
    return Finding(built, _PAGES_BUILT if built else _PAGES_MISSING)


def _hub(tenon: Tenon) -> Finding:
    with tenon.hub.read() as connection:
        query = (
            "SELECT sqlite_version()" if tenon.hub.dialect == "sqlite" else "SHOW server_version"
        )
        version = connection.exec_driver_sql(query).scalar_one()
        steps = connection.scalar(sa.text("SELECT max(number) FROM schema_migration"))
    name = f"{tenon.hub.dialect} {version}"
    return Finding(
        bool(steps), _HUB.format(name=name, step=steps or 0, epoch=tenon.catalogue.epoch)
    )


def _wal(tenon: Tenon) -> Iterator[Finding]:
    if tenon.hub.dialect != "sqlite" or not tenon.hub.url.database:
        return
    with tenon.hub.read() as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    wal = Path(tenon.hub.url.database + "-wal")
    size = wal.stat().st_size if wal.exists() else 0
    text = _WAL.format(mode=mode, size=f"{size / 1e6:.1f}")
    yield Finding(mode == "wal" and (None if size > _WAL_LARGE else True), text)


def _clock(tenon: Tenon) -> Finding:
    """The machine's clock, against the newest time anything was written here."""
    now = clock.wall()
    with tenon.hub.read() as connection:
        last = connection.scalar(sa.select(sa.func.max(session.c.seen_at)))
    known = max(last or datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
    well = now > known - timedelta(minutes=5)
    here = clock.local(now, tenon.zone).isoformat(sep=" ", timespec="minutes")
    return Finding(well, (_CLOCK_FINE if well else _CLOCK_BACK).format(now=here))


def _held(tenon: Tenon) -> Iterator[Finding]:
    if tenon.held_since:
        yield Finding(None, _HELD)


def _sources(tenon: Tenon) -> Iterator[Finding]:
    try:
        connected = set(tenon.connect.connections.codes())
    except TenonError as error:
        yield Finding(False, error.text)
        return
    for source in tenon.catalogue.of(SourceDef):
        if source.code in connected:
            yield _source(tenon, source)
        elif not source.optional:
            name = source.label.text()
            yield Finding(None, Text(f"来源“{name.zh}”尚未连接", f"“{name.en}” is not connected"))


def _source(tenon: Tenon, source: SourceDef) -> Finding:
    name = source.label.text()
    try:
        connector = tenon.connect.connections.open(source)
        try:
            connector.check()
            tenon.connect.connections.hook_secret(source.code)
        finally:
            connector.close()
    except TenonError as error:
        return Finding(
            None if error.code == "calls_uncounted" else False,
            Text(f"来源“{name.zh}”：{error.text.zh}", f"“{name.en}”: {error.text.en}"),
        )
    return Finding(True, Text(f"来源“{name.zh}”可以连接", f"“{name.en}” can be reached"))


_PYTHON = Text("Python {found}（需要 3.11 及以上）", "Python {found} (3.11 or newer is needed)")
_HOME_FINE = Text("目录可写：{home}", "The home can be written: {home}")
_HOME_BAD = Text(
    "目录不可写：{home}（{problem}）", "The home cannot be written: {home} ({problem})"
)
_DISK = Text("磁盘剩余 {free} GB", "{free} GB of disk are free")
_KEY_NONE = Text(
    "还没有密钥文件（首次保存密码时生成）", "No key file yet (made when a secret is first kept)"
)
_KEY_LOST = Text(
    "缺少密钥文件 secret.key，已保存的密码无法读取；请恢复它或重新设置各系统的密码",
    "The key file secret.key is missing, so the kept secrets cannot be read; restore it, or set "
    "the passwords again",
)
_KEY_FINE = Text("密钥文件仅所有者可读", "The key file is readable by its owner alone")
_KEY_OPEN = Text(
    "密钥文件 {path} 权限为 {mode}，其他用户可读；请运行 chmod 600",
    "The key file {path} has mode {mode}: others can read it; run chmod 600",
)
_PAGES_BUILT = Text("浏览器页面已构建", "The browser pages are built")
_PAGES_MISSING = Text(
    "浏览器页面未构建；请运行 python3 start.py demo 或安装发布版",
    "The browser pages are not built; run python3 start.py demo, or install a release",
)
_HUB = Text(
    "数据库 {name}，结构第 {step} 步，定义第 {epoch} 次发布",
    "The hub is {name}, schema step {step}, publish number {epoch}",
)
_HUB_AWAY = Text("数据库无法连接（{problem}）", "The hub cannot be reached ({problem})")
_WAL = Text("日志模式 {mode}，WAL {size} MB", "Journal mode {mode}, WAL of {size} MB")
_CLOCK_FINE = Text("本机时间 {now}", "The machine's clock says {now}")
_CLOCK_BACK = Text(
    "本机时间 {now} 早于已有的记录；请校正时钟",
    "The machine's clock says {now}, before what was already recorded; set it right",
)
_HELD = Text(
    "由备份恢复，尚未放行（tenon release）", "Restored from a backup and held (tenon release)"
)

"""Where files lie: what a folder must be able to do, wherever it is."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from tenon.kernel.errors import Config, NeedsUser, Retry, Stop
from tenon.kernel.text import Text

LONGEST_FILE: Final = 1024 * 1024 * 1024
CHUNK: Final = 256 * 1024

_UNREACHABLE = Text(
    "连接不上来源“{source}”（{address}）：{problem}。Tenon 会继续重试；请检查网络和服务。",
    "The source “{source}” ({address}) cannot be reached: {problem}. Tenon keeps trying; check the "
    "network and the service.",
)
_LOGIN = Text(
    "来源“{source}”（{address}）拒绝登录：{problem}。已停止重试；请更正用户名或密码后点击“检查连接”。",
    "The source “{source}” ({address}) refused the login: {problem}. Tenon has stopped trying; "
    "correct the user name or the password, then press Check.",
)
_NO_FOLDER = Text(
    "来源“{source}”没有文件夹“{folder}”，或无权查看：{problem}。",
    "The source “{source}” has no folder “{folder}”, or it may not be looked into: {problem}.",
)
_TOO_LARGE = Text(
    "文件“{name}”有 {size} MB，超过上限 {limit} MB；请让对方系统分成几个文件导出。",
    "The file “{name}” has {size} MB; the limit is {limit} MB. Let the other system export it in "
    "several files.",
)
_VANISHED = Text(
    "文件“{name}”读取时不见了、大小变了或无权读取；下次再读。",
    "The file “{name}” vanished or changed while it was read, or may not be read; it is tried "
    "again next time.",
)
_BAD_URL = Text(
    "来源“{source}”的地址无效；请写成 file:///文件夹、ftp://用户@主机/文件夹、ftps://… 或 sftp://…。",
    "The address of the source “{source}” is not valid; write file:///folder, "
    "ftp://user@host/folder, ftps://… or sftp://….",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as a folder lists it; `modified` is UTC."""

    name: str
    size: int
    modified: datetime


class Place(Protocol):
    """A folder."""

    @property
    def address(self) -> str:
        """Where it is, for people, without any secret."""
        ...

    def entries(self, below: str | None = None) -> list[Entry]:
        """The plain files in it, or in a folder below (which may be missing): no links."""
        ...

    def fetch(self, name: str, to: Path) -> int:
        """Copy a file here; how many bytes came. FileNotFoundError when it is gone."""
        ...

    def move(self, name: str, folder: str) -> None:
        """Move a file into a folder below this one, which is made when it is missing."""
        ...

    def put(self, folder: str, name: str, content: bytes) -> None:
        """Write a small file into a folder below this one."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


def matching(entries: Iterable[Entry], pattern: str) -> list[Entry]:
    """The entries whose names match, without case; temporary names never do."""
    wanted = pattern.casefold()
    return [
        one for one in entries
        if fnmatch.fnmatchcase(one.name.casefold(), wanted) and not _temporary(one.name)
    ]  # fmt: skip


def is_plain(name: str) -> bool:
    """Whether a listed name is a name in the folder and no way out of it (a server may lie)."""
    return name not in {"", ".", ".."} and not any(c in name for c in "/\\\x00\r\n")


def fetched(place: Place, entry: Entry, to: Path, source: str) -> None:
    """Copy a file here whole, or Retry; NeedsUser when it is larger than anything we read."""
    if entry.size > LONGEST_FILE:
        raise NeedsUser(
            "file_too_large", _TOO_LARGE, name=entry.name, size=entry.size >> 20,
            limit=LONGEST_FILE >> 20,
        )  # fmt: skip
    try:
        came = place.fetch(entry.name, to)
    except FileNotFoundError:
        came = -1
    if came != entry.size:
        raise Retry("file_changed", _VANISHED, name=entry.name, source=source)


def unreachable(source: str, address: str, problem: str) -> Retry:
    """The error of a server that does not answer."""
    return Retry("unreachable", _UNREACHABLE, source=source, address=address, problem=problem)


def login_refused(source: str, address: str, problem: str) -> NeedsUser:
    """The error of a user name or password that is wrong."""
    return NeedsUser("login_refused", _LOGIN, source=source, address=address, problem=problem)


def no_folder(source: str, folder: str, problem: str) -> Stop:
    """The error of a folder that is not there, or may not be looked into."""
    return Stop("no_folder", _NO_FOLDER, source=source, folder=folder, problem=problem)


def bad_url(source: str) -> Config:
    """The error of an address that is none."""
    return Config("bad_url", _BAD_URL, source=source)


def _temporary(name: str) -> bool:
    """Whether programs call files so while they write them."""
    return name.startswith((".", "~$")) or name.casefold().endswith(
        (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".lock")
    )

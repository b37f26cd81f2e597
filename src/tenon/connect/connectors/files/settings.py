"""What an installation says of a folder of files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import SplitResult, unquote, urlsplit

from tenon.connect.connectors.files.ftp import FtpFolder
from tenon.connect.connectors.files.local import LocalFolder
from tenon.connect.connectors.files.place import Place, bad_url, is_plain
from tenon.connect.contract import ConnectorSettings
from tenon.kernel.errors import Config
from tenon.kernel.text import Text

_STABLE_SECONDS: Final = 2.0
_LONGEST_WAIT: Final = 60.0
_ENCODINGS: Final = ("utf-8", "gb18030", "latin-1")

_BAD_SETTING = Text(
    "来源“{source}”的连接设置 {name} 不能是“{value}”；{allowed}。",
    "The setting {name} of the source “{source}” cannot be “{value}”; {allowed}.",
)
_A_FOLDER: Final = "a name of a folder below, without / (本文件夹下的名称)"


@dataclass(frozen=True, slots=True)
class FilesSettings:
    """Where the files are, when they are whole, and what becomes of them.

    `done` is the ending of the mark that says a file is whole (`.ok`: a.csv is whole once
    a.csv.ok is there); without one a file must keep its size for `stable_seconds`. Files are
    moved only into the folders named here.
    """

    url: SplitResult
    done: str | None
    stable_seconds: float
    archive: str | None
    quarantine: str | None
    names: str

    @classmethod
    def of(cls, settings: ConnectorSettings) -> Self:
        """The settings, or Config when they are wrong."""
        values, source = settings.values, settings.source
        names = str(values.get("names", "utf-8")).lower()
        if names not in _ENCODINGS:
            raise _wrong(source, "names", names, " / ".join(_ENCODINGS))
        return cls(
            urlsplit(str(values.get("url", ""))),
            _ending(source, values), _seconds(source, values),
            _folder(source, values, "archive"), _folder(source, values, "quarantine"), names,
        )  # fmt: skip

    def place(self, settings: ConnectorSettings) -> Place:
        """The folder, not yet connected."""
        make = _PLACES.get(self.url.scheme)
        try:
            port = self.url.port
        except ValueError:
            port = -1
        if make is None or port == -1:
            raise bad_url(settings.source)
        return make(self, settings, port)


def _local(of: FilesSettings, settings: ConnectorSettings, _port: int | None) -> Place:
    folder = Path(unquote(of.url.path))
    if of.url.netloc or not folder.is_absolute():
        raise bad_url(settings.source)
    return LocalFolder(settings.source, folder)


def _ftp(of: FilesSettings, settings: ConnectorSettings, port: int | None) -> Place:
    ca_file = settings.values.get("ca_file")
    return FtpFolder(
        settings.source, _host(of, settings), port or 21, _user(of), _password(settings),
        unquote(of.url.path) or "/", settings.egress, secure=of.url.scheme == "ftps",
        ca_file=str(ca_file) if ca_file else None, names=of.names,
    )  # fmt: skip


def _sftp(of: FilesSettings, settings: ConnectorSettings, port: int | None) -> Place:
    # Half a second of imports that only a source over SFTP needs.
    from tenon.connect.connectors.files.sftp import SftpFolder  # noqa: PLC0415

    host_key = settings.values.get("host_key")
    return SftpFolder(
        settings.source, _host(of, settings), port or 22, _user(of), _password(settings),
        unquote(of.url.path) or "/", settings.egress, str(host_key) if host_key else None,
    )  # fmt: skip


_PLACES: Final[Mapping[str, Callable[[FilesSettings, ConnectorSettings, int | None], Place]]] = {
    "file": _local, "ftp": _ftp, "ftps": _ftp, "sftp": _sftp,
}  # fmt: skip


def _host(of: FilesSettings, settings: ConnectorSettings) -> str:
    if not of.url.hostname:
        raise bad_url(settings.source)
    return of.url.hostname


def _user(of: FilesSettings) -> str:
    return unquote(of.url.username or "anonymous")


def _password(settings: ConnectorSettings) -> str:
    return str(settings.values.get("password", ""))


def _ending(source: str, values: Mapping[str, Any]) -> str | None:
    done = values.get("done")
    if done is None:
        return None
    if not is_plain(str(done)):
        raise _wrong(source, "done", done, ".ok / .done")
    return str(done)


def _seconds(source: str, values: Mapping[str, Any]) -> float:
    try:
        seconds = float(values.get("stable_seconds", _STABLE_SECONDS))
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST_WAIT:
        raise _wrong(source, "stable_seconds", values["stable_seconds"], f"0 … {_LONGEST_WAIT:.0f}")
    return seconds


def _folder(source: str, values: Mapping[str, Any], name: str) -> str | None:
    folder = values.get(name)
    if folder is None:
        return None
    if not isinstance(folder, str) or not is_plain(folder):
        raise _wrong(source, name, folder, _A_FOLDER)
    return folder


def _wrong(source: str, name: str, value: Any, allowed: str) -> Config:
    return Config(
        "bad_setting", _BAD_SETTING, source=source, name=name, value=str(value)[:80],
        allowed=allowed,
    )  # fmt: skip

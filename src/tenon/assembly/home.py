"""A Tenon home: the folder with the settings, the key, the connections and the SQLite hub."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tenon.kernel.errors import Config, Stop
from tenon.kernel.text import Text

SETTINGS, LOCK, HELD = "settings.yaml", "tenon.lock", "held.json"
DATABASE_VARIABLE = "TENON_DATABASE_URL"

_NO_HOME = Text(
    "{home} 不是 Tenon 目录（缺少 settings.yaml）；请先运行：tenon init --home {home}",
    "{home} is no Tenon home (it has no settings.yaml). Run first: tenon init --home {home}",
)
_BAD_SETTINGS = Text(
    "{path} 有误：{problem}。请修改后重试。", "{path} is wrong: {problem}. Mend it and try again."
)
_IN_USE = Text(
    "{home} 正被另一个 Tenon 进程（{holder}）使用；SQLite 数据库只能由一个进程写入。请先停止它，"
    "或在浏览器中完成此操作。",
    "{home} is in use by another Tenon process ({holder}); a SQLite hub is written by one process. "
    "Stop that one first, or do this in the browser.",
)


class PlantName(BaseModel):
    """The plant's name in both languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str = Field(default="我的工厂", max_length=100)
    en: str = Field(default="My plant", max_length=100)


class HomeSettings(BaseModel):
    """What `settings.yaml` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    plant: PlantName = PlantName()
    zone: str = "Asia/Shanghai"
    public_url: str = Field(default="http://127.0.0.1:8420", pattern=r"^https?://[^/\s]+$")
    hub: str | None = None

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no time zone “{zone}”; give one such as Asia/Shanghai") from error
        return zone


def with_public_url(settings: HomeSettings, url: str) -> HomeSettings:
    """The settings with another public address; Config when it is none."""
    try:
        return HomeSettings.model_validate(settings.model_dump() | {"public_url": url.rstrip("/")})
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
        raise Config("bad_settings", _BAD_SETTINGS, path="--public-url", problem=problem) from None


def read_settings(home: Path) -> HomeSettings:
    """The settings of a home; Config when it is none or they are wrong."""
    path = home / SETTINGS
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise Config("no_home", _NO_HOME, home=str(home)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Config("bad_settings", _BAD_SETTINGS, path=str(path), problem=str(error)) from error
    try:
        return HomeSettings.model_validate(data or {})
    except ValidationError as error:
        problem = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise Config("bad_settings", _BAD_SETTINGS, path=str(path), problem=problem) from error


def write_settings(home: Path, settings: HomeSettings) -> None:
    """Write the settings; only their owner may read them, for the hub's address may be secret."""
    home.mkdir(parents=True, exist_ok=True)
    data: dict[str, Any] = settings.model_dump(exclude_none=True)
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    write_private(home / SETTINGS, text)


def write_private(path: Path, text: str) -> None:
    """Put a file in place in one move, readable by its owner alone."""
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(text.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def hub_url(home: Path, settings: HomeSettings) -> str:
    """Where the hub is: the environment's, the settings', or a SQLite file in the home."""
    default = f"sqlite:///{(home / 'hub.db').resolve()}"
    return os.environ.get(DATABASE_VARIABLE) or settings.hub or default


@contextmanager
def only_writer(home: Path) -> Iterator[None]:
    """Hold the home's lock for the block; Stop when another process holds it."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK).open("a+", encoding="ascii") as file:
        if not _lock(file):
            file.seek(0)
            holder = file.read(40).strip() or "?"
            raise Stop("home_in_use", _IN_USE, home=str(home), holder=holder)
        file.seek(0)
        file.truncate()
        file.write(f"pid {os.getpid()}")
        file.flush()
        try:
            yield
        finally:
            _unlock(file)


def in_use(home: Path) -> bool:
    """Whether another process holds the home's lock."""
    try:
        with only_writer(home):
            return False
    except Stop:
        return True


# The lock's byte lies far beyond the text, so that Windows lets others read who holds it.
_LOCK_BYTE = 1 << 20

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> bool:
        file.seek(_LOCK_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[str]) -> None:
        file.seek(_LOCK_BYTE)
        with suppress(OSError):
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(file: IO[str]) -> None:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)

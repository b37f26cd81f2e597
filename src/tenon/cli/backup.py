"""Backups: one zip file with the hub, the settings and a manifest by which it is verified."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from tenon import __version__
from tenon.assembly import Tenon
from tenon.assembly.home import SETTINGS, hub_url, read_settings, write_settings
from tenon.assembly.tenon import hold
from tenon.cli.dump import POSTGRES_NAME, SQLITE_NAME, dump, load
from tenon.kernel import clock
from tenon.kernel.errors import Config, Stop
from tenon.kernel.text import Text

MANIFEST: Final = "manifest.json"
KEY: Final = "secret.key"
# Secrets are encrypted; without the key they are of no use to a thief of the backup.
_KEPT: Final = (SETTINGS, "connections.yaml", "secrets.json", "secret-places.json")
_FORMAT = 1

_NOT_A_BACKUP = Text(
    "{file} 不是完好的 Tenon 备份：{problem}。没有恢复任何内容。",
    "{file} is no sound Tenon backup: {problem}. Nothing was restored.",
)
_HOME_TAKEN = Text(
    "{home} 不是空目录；请指定一个新目录来恢复。",
    "{home} is not empty; name a new folder to restore to.",
)
_HUB_NEEDED = Text(
    "此备份来自 PostgreSQL；请用 --hub postgresql://… 指定一个空数据库。",
    "This backup is of a PostgreSQL hub; name an empty database by --hub postgresql://…",
)
_ROWS_DIFFER = Text(
    "恢复后的行数与清单不符：{problem}。", "The rows restored differ from the manifest: {problem}."
)


class Manifest(BaseModel):
    """What a backup holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    version: str
    made_at: datetime
    hub: str
    rows: dict[str, int]
    sha256: dict[str, str]


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a restore."""

    manifest: Manifest
    has_key: bool


def write_backup(tenon: Tenon, file: Path, *, with_key: bool) -> Manifest:
    """Back an open Tenon up into a zip file, put in place in one move when it is whole."""
    file = file.resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".tenon-backup-", dir=file.parent) as name:
        folder = Path(name)
        hub, rows = dump(tenon.hub, folder)
        for kept in (*_KEPT, KEY) if with_key else _KEPT:
            if (tenon.home / kept).exists():
                shutil.copyfile(tenon.home / kept, folder / kept)
        manifest = Manifest(
            format=_FORMAT, version=__version__, made_at=clock.wall(), hub=hub, rows=rows,
            sha256={p.name: _sha256(p) for p in sorted(folder.iterdir())},
        )  # fmt: skip
        (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1), "utf-8")
        fresh = folder / "backup.zip"
        with zipfile.ZipFile(fresh, "x", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
            for one in (MANIFEST, *manifest.sha256):
                archive.write(folder / one, one)
        fresh.chmod(0o600)
        fresh.replace(file)
    return manifest


def restore_backup(file: Path, home: Path, url: str | None) -> Restored:
    """Restore a backup into a new home, verified by its manifest; it is held until released."""
    if home.exists() and any(home.iterdir()):
        raise Config("home_taken", _HOME_TAKEN, home=home)
    home.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".tenon-restore-", dir=home.parent) as name:
        folder = Path(name)
        manifest = _unpack(file, folder)
        if manifest.hub == POSTGRES_NAME and url is None:
            raise Config("hub_needed", _HUB_NEEDED)
        for kept in (*_KEPT, KEY):
            if (folder / kept).exists():
                shutil.copyfile(folder / kept, home / kept)
                (home / kept).chmod(0o600)
        _point_to(home, url)
        # Held before there is anything that could talk to other systems.
        hold(home)
        rows = load(folder / manifest.hub, hub_url(home, read_settings(home)))
    _compare(manifest.rows, rows)
    return Restored(manifest, (home / KEY).exists())


def _unpack(file: Path, folder: Path) -> Manifest:
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = Manifest.model_validate_json(archive.read(MANIFEST))
            known = {SQLITE_NAME, POSTGRES_NAME, KEY, *_KEPT}
            if manifest.format != _FORMAT or not set(manifest.sha256) <= known:
                raise _not_a_backup(file, f"format {manifest.format}")
            if manifest.hub not in manifest.sha256:
                raise _not_a_backup(file, f"{manifest.hub} missing")
            for name, expected in manifest.sha256.items():
                archive.extract(name, folder)
                if _sha256(folder / name) != expected:
                    raise _not_a_backup(file, f"sha256 {name}")
    except (OSError, zipfile.BadZipFile, KeyError, ValidationError, EOFError) as error:
        raise _not_a_backup(file, type(error).__name__) from error
    return manifest


def _point_to(home: Path, url: str | None) -> None:
    """The restored instance has a hub of its own, never that of the one backed up."""
    settings = read_settings(home)
    write_settings(home, settings.model_copy(update={"hub": url}))


def _compare(expected: dict[str, int], found: dict[str, int]) -> None:
    differing = [
        f"{name}: {expected.get(name)} → {found.get(name)}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]
    if differing:
        raise Stop("rows_differ", _ROWS_DIFFER, problem="; ".join(differing[:5]))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _not_a_backup(file: Path, problem: str) -> Config:
    return Config("not_a_backup", _NOT_A_BACKUP, file=file, problem=problem)

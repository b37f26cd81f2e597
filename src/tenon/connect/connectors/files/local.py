"""A folder of this machine, or a share that is mounted on it."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from tenon.connect.connectors.files.place import Entry, no_folder


class LocalFolder:
    """A folder on a disk."""

    def __init__(self, source: str, folder: Path) -> None:
        self._source, self._folder = source, folder
        self.address = str(folder)

    def entries(self, below: str | None = None) -> list[Entry]:
        """The plain files in it; a link could lead anywhere, and is none."""
        folder = self._folder / below if below else self._folder
        if below and not folder.is_dir():
            return []
        try:
            with os.scandir(folder) as found:
                return [_entry(one) for one in found if one.is_file(follow_symlinks=False)]
        except OSError as error:
            problem = error.strerror or type(error).__name__
            raise no_folder(self._source, str(self._folder), problem) from None

    def fetch(self, name: str, to: Path) -> int:
        """Copy a file here."""
        with (self._folder / name).open("rb") as there, to.open("wb") as here:
            shutil.copyfileobj(there, here)
            return here.tell()

    def move(self, name: str, folder: str) -> None:
        """Move a file into a folder below."""
        below = self._folder / folder
        below.mkdir(exist_ok=True)
        (self._folder / name).replace(below / name)

    def put(self, folder: str, name: str, content: bytes) -> None:
        """Write a small file into a folder below."""
        below = self._folder / folder
        below.mkdir(exist_ok=True)
        (below / name).write_bytes(content)

    def close(self) -> None:
        """Nothing is open."""


def _entry(one: os.DirEntry[str]) -> Entry:
    found = one.stat(follow_symlinks=False)
    return Entry(one.name, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

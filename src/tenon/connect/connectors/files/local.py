"""A folder of this machine, or one that is mounted here."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from tenon.connect.connectors.files.faults import Faults
from tenon.connect.connectors.files.places import Entry, admitted

# Not on Windows, where making a link takes a privilege.
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)
_GONE: Final = {errno.ENOENT, errno.ELOOP}


class LocalPlace:
    """A folder by its path."""

    def __init__(self, root: Path, faults: Faults) -> None:
        self._root, self._faults = root, faults

    def list(self, folder: str) -> list[Entry]:
        """The plain files; links are not followed."""
        with self._plainly(folder), os.scandir(self._folder(folder)) as there:
            return admitted(_entries(there), folder, self._faults)

    def fetch(self, folder: str, entry: Entry, into: BinaryIO) -> bool:
        """Copy a file through a handle that follows no link."""
        path = self._folder(folder) / entry.name
        try:
            handle = os.open(path, os.O_RDONLY | _NO_FOLLOW | _BINARY)
        except OSError as error:
            if error.errno in _GONE:
                return False
            raise self._faults.folder(folder) from None
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return False
            with self._plainly(folder):
                shutil.copyfileobj(file, into, 1 << 20)
        return True

    def move(self, folder: str, entry: Entry, to: str, prefix: str) -> None:
        """Rename within the folder."""
        try:
            target = self._made(to) / (prefix + entry.name)
            (self._folder(folder) / entry.name).rename(target)
        except OSError:
            raise self._faults.no_move(entry.name, to) from None

    def put(self, folder: str, name: str, content: bytes) -> None:
        """Write a small file."""
        try:
            (self._made(folder) / name).write_bytes(content)
        except OSError:
            raise self._faults.no_move(name, folder) from None

    def close(self) -> None:
        """Nothing is open."""

    def _folder(self, folder: str) -> Path:
        """A subfolder, which must be in the folder also when links are followed."""
        path = self._root / folder
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise self._faults.folder(folder)
        return path

    def _made(self, folder: str) -> Path:
        path = self._folder(folder)
        path.mkdir(parents=True, exist_ok=True)
        return path

    @contextmanager
    def _plainly(self, folder: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            raise self._faults.folder(folder or str(self._root)) from None
        except OSError:  # a share that went away
            raise self._faults.unreachable() from None


def _entries(there: Iterator[os.DirEntry[str]]) -> Iterator[Entry]:
    for one in there:
        try:
            if not one.is_file(follow_symlinks=False):
                continue
            facts = one.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue  # it went while we looked
        yield Entry(one.name, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))

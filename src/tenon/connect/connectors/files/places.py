"""Where files lie: what every kind of place can do, and which names are let through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import BinaryIO, Final, Protocol

from tenon.connect.connectors.files.faults import Faults

MOST_ENTRIES: Final = 20_000
SECONDS: Final = 30.0  # of silence
FETCH_SECONDS: Final = 1800.0  # for one file, however slowly it comes


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a folder, as listed; `told` is its name as the server wants to hear it."""

    name: str
    size: int
    modified: datetime | None
    told: str = field(default="", compare=False)


class Place(Protocol):
    """A folder with its subfolders, here or on a server."""

    def list(self, folder: str) -> list[Entry]:
        """The plain files of a folder, links and names that lead elsewhere left out."""
        ...

    def fetch(self, folder: str, entry: Entry, into: BinaryIO) -> bool:
        """Copy a file; False when it is no longer there."""
        ...

    def move(self, folder: str, entry: Entry, to: str, prefix: str) -> None:
        """Move a file, with a prefix to its name, into a folder that is made when it is missing."""
        ...

    def put(self, folder: str, name: str, content: bytes) -> None:
        """Write a small file."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


def is_plain(name: str) -> bool:
    """Whether a listed name is a file's own name: no path, no way up, nothing unprintable."""
    return (
        bool(name)
        and len(name) <= 200
        and name not in {".", ".."}
        and name.isprintable()
        and not any(c in name for c in '/\\\0:*?"<>|')
    )


def is_inside(path: str) -> bool:
    """Whether a path of the settings stays within the folder it is relative to."""
    parts = PurePosixPath(path).parts
    return not path.startswith("/") and all(is_plain(part) for part in parts)


def admitted(entries: Iterable[Entry], folder: str, faults: Faults) -> list[Entry]:
    """The entries whose names are plain, in their order; an endless listing is cut off."""
    found: list[Entry] = []
    for entry in entries:
        if is_plain(entry.name):
            found.append(entry)
        if len(found) > MOST_ENTRIES:
            raise faults.many(folder, MOST_ENTRIES)
    return sorted(found, key=lambda e: e.name)


def joined(*parts: str) -> str:
    """Folders joined with slashes, the empty ones left out."""
    return "/".join(part for part in parts if part)

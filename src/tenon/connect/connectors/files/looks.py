"""Discovery: the newest files with the columns found in them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from tenon.connect.connectors.files.places import Entry, Place
from tenon.connect.connectors.files.reader import Fetched, Reader
from tenon.connect.connectors.files.sink import Sink
from tenon.connect.contract import Column, Found, TakenFile
from tenon.kernel.errors import Stop

_MOST: Final = 20
_TABLES: Final = (".csv", ".txt", ".tsv", ".xlsx", ".xls")


def looks(
    place: Place, reader: Reader, sink: Callable[[Path, str], Sink], room: Path
) -> list[Found]:
    """The tables of the folder; what is no table has no columns."""
    found: list[Found] = []
    tables = [e for e in place.list("") if e.name.casefold().endswith(_TABLES) and e.size]
    newest = sorted(tables, key=lambda e: (str(e.modified), e.name))[-_MOST:]
    for entry in sorted(newest, key=lambda e: e.name):
        columns: tuple[Column, ...] = ()
        with suppress(Stop):
            columns = _columns(place, reader, sink, room / "look", entry)
        found.append(Found(entry.name, columns))
    return found


def _columns(
    place: Place, reader: Reader, sink: Callable[[Path, str], Sink], path: Path, entry: Entry
) -> tuple[Column, ...]:
    with sink(path, entry.name) as into:
        place.fetch("", entry, into.as_file())
    fetched = Fetched(entry, TakenFile(entry.name, into.size, entry.modified, into.digest), path)
    try:
        return reader.columns(fetched)
    finally:
        path.unlink(missing_ok=True)

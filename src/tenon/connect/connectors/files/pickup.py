"""Which of the files in a folder are ready, in which order, and which of them are new."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final

from tenon.connect.connectors.files.header import FILE_TIME, comes_in_parts
from tenon.connect.connectors.files.places import Entry, joined
from tenon.connect.contract import FileMemory, TakenFile
from tenon.define.models import FileDef, StreamDef
from tenon.kernel.text import Text

# Programs write under such names first, and Excel locks a file by one of them.
_UNFINISHED: Final = (".part", ".tmp", ".temp", ".filepart", ".crdownload")
_HIDDEN: Final = (".", "~$")
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)

_GROWING: Final = Text(
    "文件“{file}”还在写入或刚被移走，下次再读。",
    "The file “{file}” is still being written, or was just taken away; it is read next time.",
)
_OLDER: Final = Text(
    "文件“{file}”比已读取的“{last}”旧，没有读取。",
    "The file “{file}” is older than “{last}”, which was read, and was not read.",
)
_EMPTY: Final = Text(
    "文件“{file}”是空的，等待写入。", "The file “{file}” is empty; Tenon waits for its content."
)
_UNMARKED: Final = Text(
    "文件“{file}”没有完成标记“{marker}”，尚未读取。",
    "The file “{file}” has no marker “{marker}” yet and was not read.",
)


@dataclass(slots=True)
class Found:
    """What a look into the folder came to."""

    new: list[Entry] = field(default_factory=list)
    known: list[Entry] = field(default_factory=list)  # taken before, and still there
    passed: list[Entry] = field(default_factory=list)  # older than the newest, which is the whole
    markers: dict[str, Entry] = field(default_factory=dict)  # by the name of their file
    notes: list[Text] = field(default_factory=list)
    whole: bool = True  # the newest file is all there is


class Picker:
    """The pick-up rules of one stream."""

    def __init__(
        self, stream: StreamDef, look: Callable[[str], list[Entry]], done: str | None,
        stable_seconds: float,
    ) -> None:  # fmt: skip
        folder, _, name = (stream.table or f"{stream.name}.*").strip("/").rpartition("/")
        self.folder, self._pattern, self._look = folder, name.casefold(), look
        self._done, self._stable_seconds = done, stable_seconds
        self._whole = not comes_in_parts(stream)
        how = stream.file or FileDef()
        column = stream.cursor.column if stream.cursor else ""
        self._by_time = how.newest_by == "time" if self._whole else column == FILE_TIME

    def find(self, memory: FileMemory) -> Found:
        """The files that are ready and were not taken before, in their order."""
        found = Found(whole=self._whole)
        there = self._look(self.folder)
        fitting = self._marked(self._fitting(there), there, found)
        if found.whole:
            fitting = self._newest(fitting, memory.last(), found)
        taken = memory.named([joined(self.folder, e.name) for e in fitting])
        for entry in fitting:
            known = is_known(entry, taken.get(joined(self.folder, entry.name)))
            (found.known if known else found.new).append(entry)
        if found.new and self._done is None and self._stable_seconds:
            self._settled(found)
        return found

    def unchanged(self, entries: Sequence[Entry], found: Found) -> list[Entry]:
        """Those that look as they did before they were fetched."""
        if not entries:
            return []
        now = {e.name: e for e in self._look(self.folder)}
        return _as_before(entries, now, found)

    def _fitting(self, there: list[Entry]) -> list[Entry]:
        fitting = [
            e for e in there
            if fnmatchcase(e.name.casefold(), self._pattern)
            and not e.name.casefold().endswith(_UNFINISHED)
            and not e.name.startswith(_HIDDEN)
        ]  # fmt: skip
        return sorted(fitting, key=self._place)

    def _place(self, entry: Entry) -> tuple[datetime, str]:
        moment = entry.modified or _BEGINNING
        return moment if self._by_time else _BEGINNING, entry.name

    def _marked(self, fitting: list[Entry], there: list[Entry], found: Found) -> list[Entry]:
        if self._done is None:
            return self._filled(fitting, found)
        names = {e.name: e for e in there}
        ready: list[Entry] = []
        for entry in fitting:
            marker = entry.name + self._done
            if marker in names:
                found.markers[entry.name] = names[marker]
                ready.append(entry)
            else:
                found.notes.append(_UNMARKED.format(file=entry.name, marker=marker))
        return [e for e in ready if e.name not in {m.name for m in found.markers.values()}]

    def _filled(self, fitting: list[Entry], found: Found) -> list[Entry]:
        found.notes += [_EMPTY.format(file=e.name) for e in fitting if e.size == 0]
        return [e for e in fitting if e.size != 0]

    def _newest(self, fitting: list[Entry], last: TakenFile | None, found: Found) -> list[Entry]:
        if not fitting:
            return []
        newest, found.passed = fitting[-1], fitting[:-1]
        if last is not None:
            name = last.name.rpartition("/")[2]
            if self._place(newest) < self._place(Entry(name, last.size, last.modified)):
                found.notes.append(_OLDER.format(file=newest.name, last=name))
                found.passed.append(newest)
                return []
        return [newest]

    def _settled(self, found: Found) -> None:
        """Keep those that do not change while we look twice."""
        time.sleep(self._stable_seconds)
        now = {e.name: e for e in self._look(self.folder)}
        found.new = _as_before(found.new, now, found)


def is_known(entry: Entry, taken: TakenFile | None) -> bool:
    """Whether a file is the one that was taken, as far as a listing tells."""
    if taken is None or entry.modified is None:
        return False  # without a time only its content tells
    return (entry.size, entry.modified) == (taken.size, taken.modified)


def _as_before(entries: Sequence[Entry], now: dict[str, Entry], found: Found) -> list[Entry]:
    same: list[Entry] = []
    for position, entry in enumerate(entries):
        if now.get(entry.name) == entry:
            same.append(entry)
            continue
        found.notes.append(_GROWING.format(file=entry.name))
        if position + 1 < len(entries):
            break  # later ones wait for it, so that the order stays
    return same

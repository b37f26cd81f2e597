"""The files connector: looks, fetches what is ready and new, reads it, and puts it away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from tenon.connect.connectors.files.address import Address, address_of
from tenon.connect.connectors.files.faults import Faults
from tenon.connect.connectors.files.ftp import FtpPlace
from tenon.connect.connectors.files.local import LocalPlace
from tenon.connect.connectors.files.looks import looks
from tenon.connect.connectors.files.pickup import Found, Picker
from tenon.connect.connectors.files.places import Entry, Place, joined
from tenon.connect.connectors.files.reader import Fetched, Reader
from tenon.connect.connectors.files.sink import Sink
from tenon.connect.contract import (
    Arrival,
    Capabilities,
    ConnectorSettings,
    CursorValue,
    FileMemory,
    StreamAbsent,
    TakenFile,
)
from tenon.connect.contract import Found as FoundStream
from tenon.define.models import StreamDef
from tenon.kernel import clock
from tenon.kernel.errors import TenonError
from tenon.kernel.text import Text

CAPABILITIES: Final = Capabilities(
    kind="files", detects=frozenset({"watermark", "full"}), encodings=("utf-8", "gb18030", "utf-16")
)
_FILES_AT_ONCE: Final = 500
_BYTES_AT_ONCE: Final = 1 << 30
_NO_FILE: Final = Text("没有符合的文件", "no file fits")


@dataclass(slots=True)
class _Taking:
    """What was taken of one stream and not yet put away."""

    found: Found
    fetched: list[Fetched] = field(default_factory=list)
    at: Fetched | None = None  # the one that is being read
    remarks: list[Text] = field(default_factory=list)


class _Nothing:
    """A memory of no file: whoever reads without one reads all there is."""

    def last(self) -> TakenFile | None:
        return None

    def named(self, _names: object) -> dict[str, TakenFile]:
        return {}

    def has(self, _digest: str) -> bool:
        return False


class FilesConnector:
    """One folder with its subfolders."""

    capabilities = CAPABILITIES

    def __init__(
        self, settings: ConnectorSettings, page_rows: int = CAPABILITIES.page_rows
    ) -> None:
        self._source = settings.source
        self._where: Address = address_of(settings)
        self.address = self._where.shown
        self._faults = Faults(settings.source, self.address)
        self._place = _place(self._where, settings, self._faults)
        self._reader = Reader(
            settings.source, ZoneInfo(settings.zone), page_rows, self._where.most_rows
        )
        self._taking: dict[str, _Taking] = {}
        self._spool: Path | None = None

    def check(self) -> None:
        """Reach the folder and list it."""
        self._place.close()
        self._place.list("")

    def discover(self) -> list[FoundStream]:
        """The newest files of the folder with the columns found in them."""
        return looks(self._place, self._reader, self._sink, self._room())

    def take(self, stream: StreamDef, memory: FileMemory) -> Arrival:
        """Fetch what is ready and new; a file that changes meanwhile is left for the next time."""
        picker = self._picker(stream)
        found = picker.find(memory)
        taking = self._taking[stream.name] = _Taking(found)
        fetched = self._fetched(picker, taking)
        same: list[TakenFile] = []
        for one in fetched:
            if self._is_known(one.taken, memory, taking):
                same.append(one.taken)
                found.known.append(one.entry)
                one.path.unlink()
            else:
                taking.fetched.append(one)
        fresh = tuple(one.taken for one in taking.fetched)
        return Arrival(fresh, tuple(same), tuple(found.notes))

    def read(self, stream: StreamDef, since: CursorValue | None) -> Iterator[pa.RecordBatch]:
        """The rows of the files taken (of all there are, when none was asked to be taken)."""
        if stream.name not in self._taking:
            self.take(stream, _Nothing())
        taking = self._taking[stream.name]
        if not taking.fetched:
            what = stream.table or stream.name
            raise StreamAbsent(self._source, what, _NO_FILE)

        def turn(one: Fetched) -> None:
            taking.at = one

        yield from self._reader.read(
            stream, taking.fetched, since, self._room(), turn, taking.remarks
        )

    def remarks(self, stream: StreamDef) -> list[Text]:
        """What was odd in the files read."""
        taking = self._taking.get(stream.name)
        return taking.remarks if taking else []

    def settle(self, stream: StreamDef, error: TenonError | None) -> TakenFile | None:
        """Archive what was read, or put the file at fault into quarantine with the reason."""
        taking = self._taking.pop(stream.name, None)
        if taking is None:
            return None
        try:
            if error is None:
                self._archive(stream, taking)
            elif error.recovery == "stop" and taking.at is not None:
                return self._quarantined(stream, taking, taking.at, error)
        finally:
            for one in taking.fetched:
                one.path.unlink(missing_ok=True)
        return None

    def close(self) -> None:
        """Close the connection and forget what was fetched."""
        self._place.close()
        self._taking.clear()
        spool, self._spool = self._spool, None
        if spool is not None:
            shutil.rmtree(spool, ignore_errors=True)

    def _fetched(self, picker: Picker, taking: _Taking) -> list[Fetched]:
        got: list[Fetched] = []
        for entry in taking.found.new[:_FILES_AT_ONCE]:
            if sum(one.taken.size for one in got) > _BYTES_AT_ONCE:
                break  # the rest comes with the next round
            name = joined(picker.folder, entry.name)
            path = self._room() / f"{len(got)}-{clock.monotonic()}"
            taking.at = Fetched(entry, TakenFile(name, entry.size, entry.modified, ""), path)
            got.append(self._copied(picker.folder, taking.at))
            taking.at = None
        same = picker.unchanged([one.entry for one in got], taking.found)
        return [one for one in got if one.entry in same]

    def _copied(self, folder: str, one: Fetched) -> Fetched:
        entry = one.entry
        with self._sink(one.path, entry.name) as sink:
            there = self._place.fetch(folder, entry, sink.as_file())
        if not there or sink.size != entry.size >= 0:
            entry = Entry(entry.name, -2, None)  # it is not as it was listed
        taken = TakenFile(one.taken.name, sink.size, entry.modified, sink.digest)
        return Fetched(entry, taken, one.path)

    def _is_known(self, taken: TakenFile, memory: FileMemory, taking: _Taking) -> bool:
        if taking.found.whole:
            last = memory.last()  # what was before it may come back: then it is news
            return last is not None and last.digest == taken.digest
        return memory.has(taken.digest) or any(
            one.taken.digest == taken.digest for one in taking.fetched
        )

    def _archive(self, stream: StreamDef, taking: _Taking) -> None:
        if self._where.archive is None:
            return
        found = taking.found
        done = [one.entry for one in taking.fetched] + found.known
        if done:
            done += found.passed
        for entry in done:
            self._move(stream, found, entry, self._where.archive)

    def _quarantined(
        self, stream: StreamDef, taking: _Taking, one: Fetched, error: TenonError
    ) -> TakenFile | None:
        if self._where.quarantine is None:
            return None
        prefix = self._move(stream, taking.found, one.entry, self._where.quarantine)
        reason = f"{error.text.zh}\r\n{error.text.en}\r\n".encode("utf-8-sig")
        name = f"{prefix}{one.entry.name}.reason.txt"
        self._place.put(self._where.quarantine, name, reason)
        return one.taken

    def _move(self, stream: StreamDef, found: Found, entry: Entry, to: str) -> str:
        folder = self._picker(stream).folder
        prefix = clock.now().strftime("%Y%m%d-%H%M%S_")
        self._place.move(folder, entry, to, prefix)
        marker = found.markers.get(entry.name)
        if marker is not None:
            self._place.move(folder, marker, to, prefix)
        return prefix

    def _picker(self, stream: StreamDef) -> Picker:
        where = self._where
        return Picker(stream, self._place.list, where.done, where.stable_seconds)

    def _sink(self, path: Path, name: str) -> Sink:
        return Sink(path, name, self._where.most_mb, self._faults)

    def _room(self) -> Path:
        if self._spool is None:
            self._spool = Path(tempfile.mkdtemp(prefix="tenon-files-"))
        return self._spool


def _place(where: Address, settings: ConnectorSettings, faults: Faults) -> Place:
    if where.scheme == "file":
        return LocalPlace(where.path, faults)
    if where.scheme == "sftp":
        # Half a second of imports that only a source over SFTP needs.
        from tenon.connect.connectors.files.sftp import SftpPlace  # noqa: PLC0415

        return SftpPlace(where, settings.egress, faults)
    return FtpPlace(where, settings.egress, faults)

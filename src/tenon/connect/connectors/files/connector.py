"""The files connector.

With a cursor `file_time` (or `file_name`) each file holds what is new; files are read in that
order, each whole. Without a cursor the newest file holds everything, and what it no longer has
is gone. Files are left alone unless the connection names an `archive` or a `quarantine` folder.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from tenon.connect.batches import LINE, PROBLEM, batch_of
from tenon.connect.connectors.files.place import Entry, fetched, matching
from tenon.connect.connectors.files.rows import FILE_NAME, FILE_TIME, Values, laid_out
from tenon.connect.connectors.files.settings import FilesSettings
from tenon.connect.connectors.files.table import Line, lines
from tenon.connect.contract import (
    Capabilities,
    Column,
    ConnectorSettings,
    CursorValue,
    Found,
    StreamAbsent,
    StreamTrouble,
)
from tenon.define.models import StreamDef
from tenon.kernel import clock
from tenon.kernel.errors import Config, Stop
from tenon.kernel.text import Text

CAPABILITIES: Final = Capabilities(
    kind="files", detects=frozenset({"watermark", "full"}), encodings=("utf-8", "gb18030"),
    page_rows=5000,
)  # fmt: skip

_NO_FILE = Text("没有名称符合的文件", "no file has such a name")
_CURSOR = Text(
    "文件来源“{source}”的水位只能是 file_time 或 file_name，不能是“{column}”。请修改定义。",
    "The cursor of a source of files (“{source}”) is file_time or file_name, not “{column}”. "
    "Change the definition.",
)
_QUARANTINED = Text(
    "文件“{name}”已移到隔离文件夹“{folder}”，其余文件已照常读取。原因：{zh}",
    "The file “{name}” was moved into the folder “{folder}”; the others were read. Because: {en}",
)
_LATE = Text(
    "“{pattern}”今天应在 {by} 之前到达，现在仍没有；最近一个文件是 {last}。"
    "请查看对方系统的导出任务。",
    "A file “{pattern}” was due today by {by} and has not come; the last one is of {last}. Look "
    "at the other system's export.",
)


@dataclass(slots=True)
class _Seen:
    """What became of the files of a stream that is being read."""

    whole: list[Entry] = field(default_factory=list)
    refused: list[tuple[Entry, Stop]] = field(default_factory=list)


class FilesConnector:
    """The files of one folder."""

    capabilities = CAPABILITIES

    def __init__(
        self, settings: ConnectorSettings, page_rows: int = CAPABILITIES.page_rows
    ) -> None:
        self._source = settings.source
        self._zone = ZoneInfo(settings.zone)
        self._settings = FilesSettings.of(settings)
        self._place = self._settings.place(settings)
        self._page_rows = page_rows
        self._seen: dict[str, _Seen] = {}  # by stream, until its rows are written
        self.address = self._place.address

    def check(self) -> None:
        """Reach the folder and list it."""
        self._place.close()
        self._place.entries()

    def discover(self) -> list[Found]:
        """Every file that can be read, with the columns of its first line."""
        return [
            Found(entry.name, self._columns(entry))
            for entry in matching(self._place.entries(), "*")
            if entry.name.casefold().endswith((".csv", ".txt", ".xlsx", ".xls"))
        ]

    def read(self, stream: StreamDef, since: CursorValue | None) -> Iterator[pa.RecordBatch]:
        """The rows of the files that are ready, file by file."""
        seen = self._seen[stream.name] = _Seen()
        pattern = stream.table or stream.name
        every = self._place.entries()
        mine = matching(every, pattern)
        chosen = self._chosen(stream, self._ready(mine, every), since)
        if stream.cursor is None and not chosen and not mine:
            raise StreamAbsent(self._source, pattern, _NO_FILE)
        for entry in chosen:
            try:
                yield from self._batches(stream, entry)
            except Stop as error:
                if self._settings.quarantine is None:
                    raise
                seen.refused.append((entry, error))
            else:
                seen.whole.append(entry)

    def finish(self, stream: StreamDef) -> None:
        """Move the files whose rows are written into the archive, where there is one.

        StreamTrouble when a file had to be set apart, or today's has not come in time.
        """
        seen = self._seen.pop(stream.name, _Seen())
        if self._settings.archive is not None and stream.cursor is not None:
            for entry in seen.whole:
                self._move(entry, self._settings.archive)
        for entry, error in seen.refused:
            self._set_apart(entry, error)
        if seen.refused:
            raise self._quarantined(*seen.refused[0])
        self._refuse_late(stream)

    def _move(self, entry: Entry, folder: str) -> None:
        """Move a file and its mark; one that has gone by itself is no trouble."""
        with suppress(FileNotFoundError):
            self._place.move(entry.name, folder)
            if self._settings.done is not None:
                self._place.move(entry.name + self._settings.done, folder)

    def close(self) -> None:
        """Let go of the connection."""
        self._place.close()

    def _ready(self, mine: list[Entry], every: list[Entry]) -> list[Entry]:
        """The files that are whole: their mark is there, or they have stopped growing."""
        done = self._settings.done
        if done is not None:
            marks = {one.name for one in every}
            return [one for one in mine if one.name + done in marks]
        if not mine or not self._settings.stable_seconds:
            return mine
        time.sleep(self._settings.stable_seconds)
        again = {one.name: one for one in self._place.entries()}
        return [one for one in mine if again.get(one.name) == one]

    def _chosen(
        self, stream: StreamDef, ready: list[Entry], since: CursorValue | None
    ) -> list[Entry]:
        if stream.cursor is None:
            return sorted(ready, key=lambda one: (one.modified, one.name))[-1:]
        column = stream.cursor.column
        if column not in {FILE_NAME, FILE_TIME}:
            raise Config("bad_cursor", _CURSOR, source=self._source, column=column)
        placed = sorted((self._of_file(one)[column], one.name, one) for one in ready)
        # What the archive has not taken was not read yet, however old it is.
        whole = self._settings.archive is not None or since is None
        return [one for at, _, one in placed if whole or at >= str(since)]

    def _of_file(self, entry: Entry) -> dict[str, str]:
        local = entry.modified.astimezone(self._zone).replace(tzinfo=None)
        return {
            FILE_NAME: entry.name, FILE_TIME: local.isoformat(sep=" ", timespec="seconds"),
        }  # fmt: skip

    def _batches(self, stream: StreamDef, entry: Entry) -> Iterator[pa.RecordBatch]:
        """A file's rows."""
        with self._copied(entry) as path:
            sheet = stream.file.sheet if stream.file else None
            found = laid_out(stream, self._source, entry.name, lines(path, entry.name, sheet))
            if found is None:
                return
            layout, rest = found
            names = [*layout.names, PROBLEM, LINE]
            facts = self._of_file(entry)
            given = {at: facts[n] for at, n in enumerate(layout.names) if n in facts}
            rows: list[Values] = []
            for line in rest:
                values = layout.values(line)
                if values is None:
                    continue
                for at, fact in given.items():
                    values[at] = fact
                if values[-2] is None and not layout.matches(values):
                    continue
                rows.append(values)
                if len(rows) == self._page_rows:
                    yield batch_of(names, rows)
                    rows = []
            if rows:
                yield batch_of(names, rows)

    def _set_apart(self, entry: Entry, error: Stop) -> None:
        """Move a file that cannot be read out of the way, with the reason beside it."""
        folder = self._settings.quarantine or ""
        reason = f"{error.text.zh}\n\n{error.text.en}\n"
        self._place.put(folder, entry.name + ".reason.txt", reason.encode())
        self._move(entry, folder)

    def _quarantined(self, entry: Entry, error: Stop) -> StreamTrouble:
        return StreamTrouble(
            "file_quarantined", _QUARANTINED, name=entry.name, folder=self._settings.quarantine,
            zh=error.text.zh, en=error.text.en,
        )  # fmt: skip

    def _refuse_late(self, stream: StreamDef) -> None:
        """StreamTrouble when today's file was due and has not come."""
        by = stream.file.expect_by if stream.file else None
        now = clock.now().astimezone(self._zone)
        if by is None or now.time() < by:
            return
        pattern = stream.table or stream.name
        every = matching(self._place.entries(), pattern)
        if self._settings.archive is not None:
            every += matching(self._place.entries(self._settings.archive), pattern)
        last = max((one.modified for one in every), default=None)
        if last is None or last.astimezone(self._zone).date() < now.date():
            said = "—" if last is None else f"{last.astimezone(self._zone):%Y-%m-%d %H:%M}"
            raise StreamTrouble(
                "file_late", _LATE, pattern=pattern, by=by.isoformat("minutes"), last=said
            )

    def _columns(self, entry: Entry) -> tuple[Column, ...]:
        with self._copied(entry) as path:
            first: Line = next(iter(lines(path, entry.name, None)), (1, []))
        return tuple(Column(title, "text", nullable=True) for title in first[1] if title)

    @contextmanager
    def _copied(self, entry: Entry) -> Iterator[Path]:
        """A copy of the file here, so that the other side is not held up, for the block."""
        with tempfile.TemporaryDirectory(prefix="tenon-file-") as folder:
            path = (Path(folder) / "file").with_suffix(Path(entry.name).suffix)
            fetched(self._place, entry, path, self._source)
            yield path

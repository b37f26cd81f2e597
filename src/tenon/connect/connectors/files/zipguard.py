"""Workbooks are archives: what they unpack to is counted before anything is built from it."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from tenon.connect.connectors.files.faults import FileRefused
from tenon.kernel.text import Text

MOST_UNPACKED: Final = 400 * 1024 * 1024
_MOST_SHARED: Final = 120 * 1024 * 1024  # the texts, which are held in memory
_MOST_MEMBERS: Final = 5000
_MOST_TIMES: Final = 150  # how much larger than the file what it unpacks to may be
_SMALL: Final = 20 * 1024 * 1024
_PIECE: Final = 1 << 18
_HEAD: Final = 30  # bytes of a member's own header, before its name

BOMB: Final = Text(
    "解压后会有 {size} MB（上限 {limit} MB），可能是压缩炸弹；没有解压，也没有读取任何行。",
    "would unpack to {size} MB (the limit is {limit} MB) and may be a zip bomb. It was not "
    "unpacked, and no row was read.",
)
DAMAGED: Final = Text(
    "不是有效的 Excel 工作簿，或已损坏、被加密；请在 Excel 中打开并另存为 .xlsx。没有读取任何行。",
    "is no valid Excel workbook, or damaged or encrypted. Open it in Excel and save it as .xlsx; "
    "no row was read.",
)


class Members:
    """The members of an archive, unpacked in pieces and never beyond what they declare."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        try:
            with zipfile.ZipFile(path) as archive:
                self._infos = {info.filename: info for info in archive.infolist()}
                self._check(archive.infolist())
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            raise self.damaged() from None

    def __contains__(self, member: str) -> bool:
        return member in self._infos

    def names(self) -> list[str]:
        """All members."""
        return list(self._infos)

    def pieces(self, member: str) -> Iterator[bytes]:
        """A member's content; FileRefused when it is not what the archive says it is."""
        info = self._infos.get(member)
        if info is None:
            raise self.damaged()
        unpacked = 0
        with self._path.open("rb") as file:
            for piece in self._unpacked(file, info):
                unpacked += len(piece)
                if unpacked > info.file_size:
                    raise self._bomb(unpacked)
                yield piece
        if unpacked != info.file_size:
            raise self.damaged()

    def content(self, member: str, most: int = 4 * 1024 * 1024) -> bytes:
        """A small member as a whole."""
        if member in self._infos and self._infos[member].file_size > most:
            raise self._bomb(self._infos[member].file_size)
        return b"".join(self.pieces(member))

    def damaged(self) -> FileRefused:
        """The error for what is no workbook."""
        return FileRefused("file_damaged", DAMAGED, self._name)

    def _check(self, infos: list[zipfile.ZipInfo]) -> None:
        total = sum(info.file_size for info in infos)
        packed = max(self._path.stat().st_size, 1)
        too_often = total > _SMALL and total > packed * _MOST_TIMES
        shared = max(
            (i.file_size for i in infos if i.filename.casefold().endswith("sharedstrings.xml")),
            default=0,
        )
        if total > MOST_UNPACKED or too_often or shared > _MOST_SHARED:
            raise self._bomb(total)
        if len(infos) > _MOST_MEMBERS or len(self._infos) != len(infos):
            raise self.damaged()
        if any(info.flag_bits & 1 or info.compress_type not in {0, 8} for info in infos):
            raise self.damaged()

    def _unpacked(self, file: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
        file.seek(info.header_offset)
        head = file.read(_HEAD)
        if len(head) < _HEAD or head[:4] != b"PK\3\4":
            raise self.damaged()
        name, extra = struct.unpack("<HH", head[26:30])
        file.seek(name + extra, 1)
        left = info.compress_size
        if info.compress_type == zipfile.ZIP_STORED:
            while left and (piece := file.read(min(left, _PIECE))):
                left -= len(piece)
                yield piece
            return
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            while left and not unpacker.eof:
                packed = file.read(min(left, _PIECE))
                left -= len(packed)
                if not packed:
                    return
                while packed and not unpacker.eof:
                    yield unpacker.decompress(packed, _PIECE)
                    packed = unpacker.unconsumed_tail
            yield unpacker.flush()
        except zlib.error:
            raise self.damaged() from None

    def _bomb(self, size: int) -> FileRefused:
        shown, limit = -(-size // 1024**2), MOST_UNPACKED // 1024**2
        return FileRefused("zip_bomb", BOMB, self._name, size=shown, limit=limit)

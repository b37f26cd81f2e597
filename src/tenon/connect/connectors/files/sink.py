"""Where a fetched file goes: a file of our own, bounded in size and time, hashed on the way."""

from __future__ import annotations

import errno
import io
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, cast

from tenon.connect.connectors.files.faults import Faults, FileRefused
from tenon.connect.connectors.files.places import FETCH_SECONDS
from tenon.kernel import clock
from tenon.kernel.text import Text

_TOO_LARGE = Text(
    "超过 {limit} MB 的上限，没有读取。请拆分导出，或由管理员调整 max_mb。",
    "passes the limit of {limit} MB and was not read. Split the export, or have an administrator "
    "change max_mb.",
)


class Sink(io.RawIOBase):
    """Takes the bytes of one file."""

    def __init__(self, path: Path, name: str, most_mb: int, faults: Faults) -> None:
        super().__init__()
        self._file = path.open("wb")
        self._name, self._most_mb, self._faults = name, most_mb, faults
        self._until = clock.monotonic() + FETCH_SECONDS
        self._hash = sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        """The content's hash, as far as it has come."""
        return self._hash.hexdigest()

    def as_file(self) -> BinaryIO:
        """Itself, as those who copy files want it."""
        return cast("BinaryIO", self)

    def writable(self) -> bool:
        """It is written to."""
        return True

    def write(self, data: Any) -> int:
        """Take a piece; FileRefused when it becomes too large, Retry when it takes for ever."""
        self.size += len(data)
        if self.size > self._most_mb * 1024 * 1024:
            raise FileRefused("file_too_large", _TOO_LARGE, self._name, limit=self._most_mb)
        if clock.monotonic() > self._until:
            raise self._faults.unreachable()
        self._hash.update(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise self._no_room(error) from None
        return len(data)

    def close(self) -> None:
        """Finish the file."""
        if not self.closed:
            super().close()
            try:
                self._file.close()
            except OSError as error:
                raise self._no_room(error) from None

    def _no_room(self, error: OSError) -> Exception:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        return self._faults.no_space(self._name) if full else error

"""Group commit on SQLite: what people are told is saved is on the disk, one flush for many.

Transactions commit into the write-ahead log without waiting for the disk (synchronous=NORMAL) and
leave the gate; then those that must survive a power cut wait for a flush of the log that began
after their commit. One of the waiters does it for all of them. Checkpoints are SQLite's own, and
it flushes the log before it copies from it.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from tenon.kernel.errors import Stop
from tenon.kernel.text import Text

_DISK = Text(
    "磁盘写入失败（{error}），无法确认数据已保存。已停止写入；请检查磁盘后重新启动 Tenon。",
    "Flushing to the disk failed ({error}), so nothing can be said to be saved. Writing has "
    "stopped: look at the disk, then start Tenon again.",
)


class WalFlusher:
    """Flushes the log of one database file."""

    def __init__(self, database: Path) -> None:
        self._log = database.with_name(f"{database.name}-wal")
        self._turn = threading.Condition()
        self._begun = self._done = 0  # flushes, counted
        self._busy = False
        self._broken: BaseException | None = None

    def refuse_broken(self) -> None:
        """Raise Stop once a flush has failed: nothing more is written."""
        if self._broken is not None:
            raise Stop("disk_failed", _DISK, error=str(self._broken))

    def flush(self) -> None:
        """Return once everything committed before this call is on the disk; or raise Stop.

        After an error nothing is ever flushed again: the system may have dropped what it could
        not write, and a later flush would then succeed without it.
        """
        with self._turn:
            mine = self._begun + 1  # one under way may have begun before our commit
            while self._done < mine:
                self.refuse_broken()
                if self._busy:
                    self._turn.wait()
                    continue
                self._lead()

    def _lead(self) -> None:
        self._busy = True
        self._begun += 1
        self._turn.release()
        error: BaseException | None = None
        try:
            self._sync()
        except BaseException as problem:  # noqa: BLE001  whatever it was, nothing is sure
            error = problem
        finally:
            self._turn.acquire()
            self._busy = False
            if error is None:
                self._done = self._begun
            self._broken = error
            self._turn.notify_all()

    def _sync(self) -> None:
        try:
            log = os.open(self._log, os.O_RDWR)
        except FileNotFoundError:
            return  # nothing was written since the last connection closed
        try:
            os.fsync(log)
        finally:
            os.close(log)

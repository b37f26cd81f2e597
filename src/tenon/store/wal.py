"""Group commit on SQLite: what people are told is saved is on the disk, one flush for many.

Transactions commit into the write-ahead log without waiting for the disk (synchronous=NORMAL) and
leave the gate; then those that must survive a power cut wait for a flush of the log that began
after their commit. One of the waiters does it for all of them. Checkpoints copy the log into the
database beside the writers; SQLite flushes the log before it copies from it.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Final

from tenon.kernel.errors import Stop, TenonError
from tenon.kernel.text import Text

_log = logging.getLogger(__name__)

_DISK = Text(
    "磁盘写入失败（{error}），无法确认数据已保存。已停止写入；请检查磁盘后重新启动 Tenon。",
    "Flushing to the disk failed ({error}), so nothing can be said to be saved. Writing has "
    "stopped: look at the disk, then start Tenon again.",
)


# From here the log is copied into the database, beside the writers; and here SQLite would do it
# within a commit, should the copying ever fail.
_COPIED_BYTES: Final = 16 << 20
AUTO_PAGES: Final = 65536


class Checkpointer:
    """Copies a long log into the database on a thread of its own, so that no commit waits for it.

    Most is copied while others write; then, in a turn at the gate, the rest, and the log begins
    anew. Readers that hold it are not waited for: the next time does.
    """

    def __init__(self, database: Path, turn: Callable[[], AbstractContextManager[None]]) -> None:
        self._database, self._turn = database, turn
        self._log = database.with_name(f"{database.name}-wal")
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def consider(self) -> None:
        """Start copying when the log is long and nobody copies yet."""
        try:
            if self._log.stat().st_size < _COPIED_BYTES:
                return
        except FileNotFoundError:
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._copy, name="checkpoint", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Wait for a copying that is under way."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def _copy(self) -> None:
        try:
            with closing(sqlite3.connect(self._database, timeout=0, isolation_level=None)) as own:
                own.execute("PRAGMA wal_checkpoint(PASSIVE)")
                with self._turn():
                    own.execute("PRAGMA wal_checkpoint(RESTART)")
        except (sqlite3.Error, TenonError) as error:
            _log.warning("the log could not be copied into the database: %s", error)


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

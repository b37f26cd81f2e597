"""Hearing what other processes of one PostgreSQL announce, and telling it in this one."""

from __future__ import annotations

import logging
import threading
from typing import Final

import psycopg
import sqlalchemy as sa

from tenon.store.signals import CHANNEL, EVERYTHING, Signals

_log = logging.getLogger(__name__)
_LOOK: Final = 1.0
_LONGEST_PAUSE: Final = 10.0


class Listener:
    """A thread with one connection of its own, made again when it breaks.

    What was announced while it was broken is not known: then everything may have changed.
    """

    def __init__(self, url: sa.URL, mark: str, signals: Signals) -> None:
        self._url = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._mark, self._signals = mark, signals
        self._stop = threading.Event()
        self.heard = threading.Event()  # set once it listens
        self._thread = threading.Thread(target=self._run, name="listen", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join(2 * _LOOK)

    def _run(self) -> None:
        pause = 0.2
        while not self._stop.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, connect_timeout=10) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self.heard.set()
                    self._signals.tell(frozenset({EVERYTHING}))
                    pause = 0.2
                    self._hear(connection)
            except psycopg.Error as error:
                if self.heard.is_set():  # one line for a database that is away
                    _log.warning("announcements are not heard: %s", type(error).__name__)
                self.heard.clear()
            self._stop.wait(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)

    def _hear(self, connection: psycopg.Connection) -> None:
        while not self._stop.is_set():
            for notify in connection.notifies(timeout=_LOOK):
                mark, *topics = notify.payload.split(" ")
                if mark != self._mark:  # our own were told when they were committed
                    self._signals.tell(frozenset(topics))
                if self._stop.is_set():
                    return

"""A small TDS server over a SQLite file: real SQL Server drivers talk to it over a real wire.

It speaks TDS 7.1 to 7.4 with and without TLS (TLS 1.0 alone too), so that drivers, old versions,
encodings, logins and errors can be tested where no SQL Server may be installed. It is not SQL
Server: what T-SQL means, locks, plans and collation rules are not tested by it.
See docs/reference/tds-server.md.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Literal

from tenon.testkit.tds import tls, wire
from tenon.testkit.tds.database import Database, counter
from tenon.testkit.tds.login import Login
from tenon.testkit.tds.session import Session
from tenon.testkit.tds.tokens import SqlError

Encryption = Literal["none", "login", "required"]
# What the years' products call themselves.
_YEARS: Final = {9: 2005, 10: 2008, 11: 2012, 12: 2014, 13: 2016, 14: 2017, 15: 2019, 16: 2022}


@dataclass(slots=True)
class TdsServer:
    """A server; `with serve(...)` runs one."""

    path: str
    users: dict[str, str] = field(default_factory=lambda: {"tenon": "right"})
    database: str = "main"
    page: str = "cp936"
    product: tuple[int, int, int] = (10, 50, 6000)
    newest: int = wire.V74
    encryption: Encryption = "none"
    only_tls1: bool = False
    locked: set[str] = field(default_factory=set)  # tables that another program holds
    logins: list[Login] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    port: int = 0
    _listener: socket.socket | None = None
    _revisions: Callable[[], int] = field(default=int)

    def refusal(self, login: Login) -> SqlError | None:
        """Why this login is refused; None when it is let in."""
        if self.users.get(login.user) != login.password:
            return SqlError(18456, f"Login failed for user '{login.user}'.", 14)
        if login.database and login.database.casefold() != self.database.casefold():
            return SqlError(
                4060, f'Cannot open database "{login.database}" requested by the login.', 11
            )
        return None

    def open(self) -> Database:
        """The file, opened for one session."""
        version = "{}.{}.{}.0".format(*self.product)
        return Database(self.path, self.page, version, _YEARS[self.product[0]], self._revisions)

    def start(self) -> None:
        """Listen, each client in a thread of its own."""
        self._revisions = counter(self.path)
        context = None if self.encryption == "none" else tls.context(only_tls1=self.only_tls1)
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener, context), daemon=True).start()

    def stop(self) -> None:
        """Listen no more; clients that are there stay until they go."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(client, context), daemon=True).start()

    def _serve(self, client: socket.socket, context: ssl.SSLContext | None) -> None:
        with client, suppress(wire.Closed, OSError):
            Session(self, client, context).run()


@contextmanager
def serve(server: TdsServer) -> Iterator[TdsServer]:
    """Run a server for the block."""
    server.start()
    try:
        yield server
    finally:
        server.stop()

"""A TCP proxy that cuts a connection at a byte of one's choice.

Before, in the middle of, or after a request or its answer.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

_CHUNK: Final = 65536


class CuttingProxy:
    """Passes bytes on to a server until as many have gone one way as `cut` says."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.passed = {"up": 0, "down": 0}  # to the server, and back
        self._cut: tuple[str, int] | None = None

    def cut(self, way: str, after: int) -> None:
        """Cut the next connections once `after` bytes went this way (`up` or `down`)."""
        self._cut = (way, after)

    def heal(self) -> None:
        """Pass everything again."""
        self._cut = None

    def run(self) -> None:
        """Serve until closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.passed = {"up": 0, "down": 0}
                try:
                    server = socket.create_connection(self._target, 10)
                except OSError:
                    client.close()
                    continue
                for way, one, other in (("up", client, server), ("down", server, client)):
                    threading.Thread(target=self._pump, args=(way, one, other), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _pump(self, way: str, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(_CHUNK):
                if self._cut is not None and self._cut[0] == way:
                    data = data[: max(0, self._cut[1] - self.passed[way])]
                self.passed[way] += len(data)
                other.sendall(data)
                if self._cut is not None and self._cut == (way, self.passed[way]):
                    break
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for end in (one, other):
            end.close()


@contextmanager
def cutting_proxy(host: str, port: int) -> Iterator[CuttingProxy]:
    """A proxy in front of a server for the block."""
    proxy = CuttingProxy(host, port)
    thread = threading.Thread(target=proxy.run, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(5)

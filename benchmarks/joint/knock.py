"""Who tells of orders: webhooks over kept connections, each timed to its answer and beyond."""

from __future__ import annotations

import itertools
import socket
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.joint.watch import Watch
from tests.faults.small_plant import signed

_LONGEST: Final = 120.0


@dataclass
class Taken:
    """Milliseconds of each order to its answer, to its work order, to its row in the MES."""

    answer: list[float] = field(default_factory=list)
    work_order: list[float] = field(default_factory=list)
    mes: list[float] = field(default_factory=list)
    answered_in: float = 0.0  # seconds from the first webhook to the last answer
    done_in: float = 0.0  # seconds from the first webhook to the last row in the MES

    def percentile(self, what: str, of: int) -> float:
        """The percentile `of` of the milliseconds to `what`."""
        values: list[float] = getattr(self, what)
        return statistics.quantiles(values, n=100, method="inclusive")[of - 1]


class Door:
    """One kept connection to a server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = self._connected()

    def send(self, request: bytes) -> int:
        """Send a whole request; the status of the answer."""
        try:
            return self._send(request)
        except (ConnectionError, IndexError):  # the server dropped a silent connection
            self._socket.close()
            self._socket = self._connected()
            return self._send(request)

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def _connected(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def _send(self, request: bytes) -> int:
        self._socket.sendall(request)
        data = self._socket.recv(65536)
        while b"\r\n\r\n" not in data:
            data += self._socket.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        while len(body) < length:
            body += self._socket.recv(65536)
        return int(head.split(b" ", 2)[1])


def request(port: int, path: str, raw: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """A request as it goes over the wire."""
    head = {"Host": f"127.0.0.1:{port}", "Content-Length": str(len(raw))} | (headers or {})
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


def told(port: int, body: dict[str, Any]) -> bytes:
    """The signed webhook with this body."""
    return request(port, "/api/hooks/crm_orders", *signed(body))


def tell(
    port: int, bodies: Sequence[dict[str, Any]], senders: int, watch: Watch, *, wait: bool
) -> Taken:
    """Tell of orders, so many at once; with `wait` a sender goes on when its order is in the MES.

    Without it each goes on with the answer, and the work piles up behind the door.
    """
    begun: dict[str, float] = {}
    answered: dict[str, float] = {}
    turn = itertools.count()
    doors = [Door(port) for _ in range(senders)]
    ready = [(str(body["order_id"]), told(port, body)) for body in bodies]

    def send(door: Door) -> None:
        while (at := next(turn)) < len(ready):
            number, raw = ready[at]
            begun[number] = time.perf_counter()
            status = door.send(raw)
            answered[number] = time.perf_counter()
            assert status == 202, status
            if wait:
                watch.wait([number], _LONGEST)

    threads = [threading.Thread(target=send, args=(door,), daemon=True) for door in doors]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    watch.wait(list(begun), _LONGEST)
    for door in doors:
        door.close()
    assert len(answered) == len(ready)
    return Taken(
        answer=[(answered[n] - begun[n]) * 1000 for n in begun],
        work_order=[(watch.made[n] - begun[n]) * 1000 for n in begun],
        mes=[(watch.pushed[n] - begun[n]) * 1000 for n in begun],
        answered_in=max(answered.values()) - start,
        done_in=max(watch.pushed[n] for n in begun) - start,
    )


def ping(port: int, count: int, senders: int) -> Taken:
    """Knock where nothing is done."""
    raw, taken, turn = request(port, "/ping"), Taken(), itertools.count()

    def send() -> None:
        door = Door(port)
        while next(turn) < count:
            begun = time.perf_counter()
            assert door.send(raw) == 200
            taken.answer.append((time.perf_counter() - begun) * 1000)
        door.close()

    threads = [threading.Thread(target=send) for _ in range(senders)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.answered_in = time.perf_counter() - start
    return taken

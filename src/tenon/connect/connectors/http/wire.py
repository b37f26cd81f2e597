"""One request over the network: to an admitted address, in bounded time, with a bounded answer.

No redirects, no cookies, no proxies of the environment: what is asked is what was asked for.
Nothing is logged here, and no error carries an address with its parameters: keys may be in them.
"""

from __future__ import annotations

import ssl
import threading
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import httpcore
import httpx

from tenon.connect.contract import Egress
from tenon.kernel import clock

MAX_BYTES: Final = 32 * 1024 * 1024
CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 30.0
_TIMEOUTS: Final = {
    "connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS, "pool": READ_SECONDS,
}  # fmt: skip
_ENCODINGS: Final = frozenset({"", "identity"})
_GZIP: Final = frozenset({"gzip", "x-gzip"})


class TooLarge(Exception):
    """An answer passed its bound, as it came or unpacked."""


class Undecodable(Exception):
    """An answer is packed in a way that was not asked for, or wrongly."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, unpacked."""

    status: int
    headers: httpx.Headers
    body: bytes
    links: tuple[tuple[str, str], ...] = ()  # (relation, address)


class Wire:
    """Connections of one source; threads may share it."""

    def __init__(self, egress: Egress, seconds: float, verify: ssl.SSLContext) -> None:
        self._seconds = seconds
        self._network = _Network(egress)
        self._transport = _Transport(self._network, verify)

    def send(self, request: httpx.Request, most: int) -> Answer:
        """The answer; httpx.TransportError when there is none in time."""
        request.extensions = {"timeout": _TIMEOUTS}
        request.headers["Accept-Encoding"] = "gzip"
        self._network.until(clock.monotonic() + self._seconds)
        response = self._transport.handle_request(request)
        try:
            return Answer(
                response.status_code, response.headers, _body(response, most), _links(response)
            )
        finally:
            response.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


class _Transport(httpx.HTTPTransport):
    """httpx over our own way to the network."""

    def __init__(self, network: httpcore.NetworkBackend, verify: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=verify, max_connections=8, keepalive_expiry=30.0, network_backend=network
        )


class _Network(httpcore.SyncBackend):
    """Connects to the very address that was admitted: a second look-up might differ."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self._deadline = threading.local()

    def until(self, moment: float) -> None:
        """What this thread does next must be over by then."""
        self._deadline.at = moment

    def left(self, most: float | None) -> float:
        """Seconds that are left for one step; httpcore.ReadTimeout when there are none."""
        left: float = self._deadline.at - clock.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left if most is None else min(left, most)

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **kwargs: Any
    ) -> httpcore.NetworkStream:
        """A connection to the admitted address."""
        address = self._egress.admit(host, port)
        stream = super().connect_tcp(address, port, self.left(timeout), *args, **kwargs)
        return _Stream(stream, self)


class _Stream(httpcore.NetworkStream):
    """A stream whose every step ends before the request's deadline."""

    def __init__(self, stream: httpcore.NetworkStream, network: _Network) -> None:
        self._stream, self._network = stream, network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._network.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._network.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._network.left(timeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._network)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _body(response: httpx.Response, most: int) -> bytes:
    said = response.headers.get("Content-Length", "")
    if said.isdecimal() and (len(said) > 15 or int(said) > most):
        raise TooLarge
    packing = response.headers.get("Content-Encoding", "").strip().lower()
    if packing in _ENCODINGS:
        return _joined(response.iter_raw(), most)
    if packing in _GZIP:
        return _unpacked(response.iter_raw(), most)
    raise Undecodable


def _joined(parts: Iterable[bytes], most: int) -> bytes:
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > most:
            raise TooLarge
    return bytes(body)


def _unpacked(parts: Iterable[bytes], most: int) -> bytes:
    """Unpack as it comes, never more than `most`: a few bytes may stand for gigabytes."""
    unpack, body, empty = zlib.decompressobj(wbits=31), bytearray(), True
    try:
        for part in parts:
            empty = empty and not part
            body += unpack.decompress(part, most + 1 - len(body))
            if len(body) > most:
                raise TooLarge
            if unpack.eof:
                break
    except zlib.error:
        raise Undecodable from None
    if not unpack.eof and not empty:
        raise Undecodable
    return bytes(body)


def _links(response: httpx.Response) -> tuple[tuple[str, str], ...]:
    return tuple(
        (relation.lower(), link["url"])
        for link in response.links.values()
        for relation in link.get("rel", "").split()
        if "url" in link
    )

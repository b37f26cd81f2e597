"""TDS packets, and the little-endian fields in them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Protocol

BATCH: Final = 0x01
RPC: Final = 0x03
REPLY: Final = 0x04
ATTENTION: Final = 0x06
TRANSACTION: Final = 0x0E
LOGIN: Final = 0x10
PRELOGIN: Final = 0x12
_HEADER: Final = struct.Struct(">BBHHBB")
_LAST: Final = 0x01
_LONGEST: Final = 64 * 1024 * 1024

V71: Final = 0x71000001
V72: Final = 0x72090002
V73: Final = 0x730B0003
V74: Final = 0x74000004


class Closed(Exception):
    """The client went away."""


class Stream(Protocol):
    """What packets travel over: a socket, or TLS over one."""

    def recv(self, size: int) -> bytes:
        """At least one byte, at most `size`; nothing when the other end is gone."""
        ...

    def sendall(self, data: bytes) -> None:
        """Send everything."""
        ...


def packet(kind: int, body: bytes, number: int = 1, *, last: bool = True) -> bytes:
    """One packet."""
    head = _HEADER.pack(kind, _LAST if last else 0, len(body) + 8, 0, number & 0xFF, 0)
    return head + body


def packets(kind: int, body: bytes, size: int) -> bytes:
    """A message cut into packets of the agreed size."""
    room = size - _HEADER.size
    parts = [body[at : at + room] for at in range(0, len(body), room)] or [b""]
    return b"".join(
        packet(kind, part, number, last=number == len(parts))
        for number, part in enumerate(parts, 1)
    )


def read_packet(stream: Stream) -> tuple[int, bool, bytes]:
    """A packet's kind, whether it is the last of its message, and its body."""
    kind, status, length, *_ = _HEADER.unpack(_exactly(stream, _HEADER.size))
    if length < _HEADER.size:
        raise Closed
    return kind, bool(status & _LAST), _exactly(stream, length - _HEADER.size)


def read_message(stream: Stream) -> tuple[int, bytes]:
    """A whole message."""
    body = bytearray()
    while True:
        kind, last, part = read_packet(stream)
        body += part
        if last:
            return kind, bytes(body)
        if len(body) > _LONGEST:
            raise Closed


def _exactly(stream: Stream, size: int) -> bytes:
    found = b""
    while len(found) < size:
        try:
            more = stream.recv(size - len(found))
        except (TimeoutError, ConnectionError):
            raise Closed from None
        if not more:
            raise Closed
        found += more
    return found


@dataclass(slots=True)
class Reader:
    """Reads fields one after another."""

    data: bytes
    at: int = 0

    def take(self, size: int) -> bytes:
        """The next bytes."""
        if size < 0 or self.at + size > len(self.data):
            raise Closed
        self.at += size
        return self.data[self.at - size : self.at]

    def u8(self) -> int:
        """A byte."""
        return self.take(1)[0]

    def u16(self) -> int:
        """Two bytes."""
        return int.from_bytes(self.take(2), "little")

    def u32(self) -> int:
        """Four bytes."""
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        """Eight bytes."""
        return int.from_bytes(self.take(8), "little")

    def text8(self) -> str:
        """A text whose length in characters is a byte."""
        return self.take(self.u8() * 2).decode("utf-16-le")

    def more(self) -> bool:
        """Whether anything is left."""
        return self.at < len(self.data)


def text8(text: str) -> bytes:
    """A text with its length in characters as a byte."""
    raw = text.encode("utf-16-le")[:510]
    return bytes([len(raw) // 2]) + raw


def text16(text: str) -> bytes:
    """A text with its length in characters as two bytes."""
    raw = text.encode("utf-16-le")[:131_070]
    return struct.pack("<H", len(raw) // 2) + raw

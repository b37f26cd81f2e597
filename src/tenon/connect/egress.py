"""The egress guard: a connection goes to the host and port its administrator listed, only there.

Factories need private addresses, so no class of address is trusted or refused by itself: what
counts is the list. What a listed name resolves to is checked as well, so that a name cannot be
pointed at this machine or at a link-local service behind the administrator's back.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from tenon.kernel.errors import NeedsUser, Retry
from tenon.kernel.text import Text

_NOT_LISTED = Text(
    "来源“{source}”不允许连接到 {host}:{port}；只允许管理员在连接设置中登记的地址：{allowed}。",
    "The source “{source}” may not connect to {host}:{port}; its settings list only {allowed}.",
)
_NOT_RESOLVED = Text(
    "无法解析主机名“{host}”；请检查网络或 DNS，Tenon 会继续重试。",
    "The host name “{host}” cannot be resolved. Check the network or DNS; Tenon keeps trying.",
)
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class EgressGuard:
    """Admits the addresses listed for one source."""

    source: str
    allowed: frozenset[tuple[str, int]]

    def admit(self, host: str, port: int) -> str:
        """The address to connect to; NeedsUser when it is not listed, Retry when unknown."""
        name = host.strip("[]").rstrip(".").lower()
        if (name, port) not in self.allowed:
            raise self._refusal(host, port)
        for text in _resolve(name, port):
            if _may_be(name, ipaddress.ip_address(text)):
                return text
        raise self._refusal(host, port)

    def _refusal(self, host: str, port: int) -> NeedsUser:
        allowed = ", ".join(sorted(f"{h}:{p}" for h, p in self.allowed)) or "—"
        return NeedsUser(
            "egress_refused", _NOT_LISTED, source=self.source, host=host, port=port,
            allowed=allowed,
        )  # fmt: skip


def guard(source: str, listed: Iterable[tuple[str, int]]) -> EgressGuard:
    """A guard for these hosts and ports."""
    return EgressGuard(source, frozenset((h.strip("[]").rstrip(".").lower(), p) for h, p in listed))


def _resolve(name: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except OSError:
        raise Retry("host_unknown", _NOT_RESOLVED, host=name) from None
    return [str(item[4][0]).split("%")[0] for item in found]


def _may_be(name: str, address: _Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None)
    plain = mapped or address
    if plain.is_link_local or plain.is_multicast or plain.is_unspecified or plain.is_reserved:
        return False
    # This machine itself is reached only when the connection says so in plain words.
    return not plain.is_loopback or name == "localhost" or _is_loopback(name)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False

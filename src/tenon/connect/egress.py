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
from typing import Final

from tenon.kernel.errors import NeedsUser, Retry
from tenon.kernel.text import Text

_NOT_LISTED = Text(
    "来源“{source}”不允许连接到 {host}:{port}；只允许管理员在连接设置中登记的地址：{allowed}，"
    "并且不能是 Tenon 自己的端口、链路本地地址或云主机的元数据地址。",
    "The source “{source}” may not connect to {host}:{port}; its settings list only {allowed}, "
    "and Tenon's own port, link-local addresses and the metadata services of cloud machines are "
    "refused always.",
)
_NOT_RESOLVED = Text(
    "无法解析主机名“{host}”；请检查网络或 DNS，Tenon 会继续重试。",
    "The host name “{host}” cannot be resolved. Check the network or DNS; Tenon keeps trying.",
)
_UNREACHED = Text(
    "{host}:{port} 没有应答：请检查地址、端口、防火墙，以及数据库是否允许从其他机器连接。",
    "{host}:{port} does not answer. Check the address, the port, the firewall, and whether the "
    "database may be reached from other machines.",
)
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Where clouds answer their own machines with credentials; the link-local ones are refused anyway.
_METADATA: Final = frozenset(
    map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "fd00:ec2::254"))
)
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_own_ports: Final[set[int]] = set()


def keep_off(port: int) -> None:
    """Let no source reach this port of this machine: Tenon itself listens there."""
    _own_ports.add(port)


def reach(host: str, address: str, port: int, seconds: float) -> None:
    """Open a connection to an address that was admitted and close it; Retry with the reason."""
    try:
        socket.create_connection((address, port), timeout=seconds).close()
    except OSError as error:
        raise Retry("host_silent", _UNREACHED, host=host, port=port) from error


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
            if _may_be(name, ipaddress.ip_address(text)) and not _is_own(text, port):
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
    plain = _inner(address)
    if plain.is_link_local or plain.is_multicast or plain.is_unspecified or plain.is_reserved:
        return False
    if plain in _METADATA:
        return False
    if plain is not address and plain.is_loopback:
        return False
    # This machine itself is reached only when the connection says so in plain words.
    return not plain.is_loopback or name == "localhost" or _is_loopback(name)


def _inner(address: _Address) -> _Address:
    """The IPv4 address that is packed into an IPv6 one (mapped, 6to4, NAT64); else the address."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_own(address: str, port: int) -> bool:
    if port not in _own_ports:
        return False
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))  # possible for an address of this machine only
        except OSError:
            return False
    return True


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False

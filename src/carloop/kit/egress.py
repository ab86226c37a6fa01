"""The guard on every connection out: resolve once, judge every address, connect to that address.

What a customer types as a URL must not reach our own network (server-side request forgery). The
decision falls at connect time on the addresses themselves, so that odd spellings (``127.1``,
``0x7f000001``), redirects and DNS answers that change between check and use gain nothing.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpcore

_DENIED = tuple(
    ip_network(n)
    for n in ("100.64.0.0/10", "192.88.99.0/24", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16",
              "2001::/32", "fec0::/10")
)  # fmt: skip
"""Ranges that lead inside although some versions of ``ipaddress`` call them global."""


class AddressForbidden(Exception):
    """The host resolves to an address, or the port is one, that carloop must not reach."""


class ConnectForbidden(httpcore.ConnectError):
    """:class:`AddressForbidden` in the words of the HTTP client."""


class HostUnknown(Exception):
    """The host does not resolve now."""


def is_public(address: str) -> bool:
    """Whether ``address`` lies on the public internet.

    >>> is_public("93.184.216.34"), is_public("::ffff:127.0.0.1"), is_public("64:ff9b::7f00:1")
    (True, False, False)
    """
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    denied = any(ip.version == net.version and ip in net for net in _DENIED)
    return ip.is_global and not ip.is_multicast and not denied


def _listed(host: str, address: str, allowed: Iterable[str]) -> bool:
    ip = ip_address(address.partition("%")[0])
    for entry in allowed:
        if entry.lower() == host.lower():
            return True
        try:
            network = ip_network(entry)
        except ValueError:
            continue
        if ip.version == network.version and ip in network:
            return True
    return False


def resolve(host: str, port: int, ports: Iterable[int], allowed: tuple[str, ...]) -> str:
    """The address to connect to, after judging every address that ``host`` resolves to.

    Args:
        host: name or literal address.
        port: port to connect to.
        ports: ports that may be reached on public hosts.
        allowed: private hosts or networks (``10.1.0.0/16``) that the installation permits, on any
            port.

    Raises:
        AddressForbidden: some address is not public, or the port is not listed.
        HostUnknown: no address now.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise HostUnknown(host) from error
    addresses = [str(info[4][0]) for info in found]
    for address in addresses:
        if _listed(host, address, allowed):
            continue
        if port not in ports or not is_public(address):
            raise AddressForbidden(host)
    return addresses[0]


class GuardedBackend(httpcore.NetworkBackend):
    """Connects through :func:`resolve` and gives each connection one deadline for its whole life.

    Raises on connect:
        ConnectForbidden: the address must not be reached.
        httpcore.ConnectError: the host is unknown, or nobody answers.
    """

    def __init__(self, ports: tuple[int, ...], allowed: tuple[str, ...], seconds: float) -> None:
        self._ports = ports
        self._allowed = allowed
        self._seconds = seconds
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """Resolve once, then connect to exactly that address."""
        deadline = time.monotonic() + self._seconds
        try:
            address = resolve(host, port, self._ports, self._allowed)
        except AddressForbidden as error:
            raise ConnectForbidden from error
        except HostUnknown as error:
            raise httpcore.ConnectError("host unknown") from error
        stream = self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
        return _Deadlined(stream, deadline)


class _Deadlined(httpcore.NetworkStream):
    """A stream whose reads and writes share one deadline, however slowly the peer drips."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def _left(self) -> float:
        return max(self._deadline - time.monotonic(), 0.001)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._left())
        return _Deadlined(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

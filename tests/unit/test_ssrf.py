"""No URL that a customer types reaches our own network."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import Any

import pytest

from carloop.channels.webhook import PORTS, Webhook
from carloop.core.message import Message, Refused
from carloop.kit.egress import AddressForbidden, HostUnknown, is_public, resolve
from tests.support.provider import provider

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "017700000001", "0.0.0.0", "localhost",
     "10.0.0.8", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.254",
     "224.0.0.1", "255.255.255.255", "::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "fd00::1",
     "fe80::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:0:7f00:1::",
     "ff02::1", "fec0::1"],
)  # fmt: skip
def test_inner_addresses_are_forbidden_however_they_are_spelled(host: str) -> None:
    with pytest.raises(AddressForbidden):
        resolve(host, 443, PORTS, ())


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111"])
def test_public_addresses_pass_on_listed_ports_only(address: str) -> None:
    assert is_public(address)
    assert resolve(address, 443, PORTS, ()) == address
    with pytest.raises(AddressForbidden):
        resolve(address, 6379, PORTS, ())


def answers(*addresses: str) -> Any:
    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    return getaddrinfo


def test_one_inner_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers("93.184.216.34", "10.0.0.1"))
    with pytest.raises(AddressForbidden):
        resolve("mixed.example", 443, PORTS, ())


def test_a_name_that_changes_its_mind_is_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: the judged address is the one connected to; a second look-up never happens."""
    asked: list[str] = []
    connected: list[tuple[str, int]] = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def create_connection(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", create_connection)
    channel = Webhook.open({"url": "http://rebind.example/", "secret": "s"}, ())
    outcome = channel.send(Message("1:a:1", "", "p", "", "hi"), NOW)
    assert outcome == Refused("connect_failed", retry=True)
    assert asked == ["rebind.example"]
    assert connected == [("93.184.216.34", 80)]


def test_unknown_hosts_are_not_forbidden_but_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(HostUnknown):
        resolve("nowhere.example", 443, PORTS, ())


def test_permitted_hosts_and_networks() -> None:
    assert resolve("127.0.0.1", 9999, PORTS, ("127.0.0.1",)) == "127.0.0.1"
    assert resolve("10.1.2.3", 9999, PORTS, ("10.1.0.0/16",)) == "10.1.2.3"
    with pytest.raises(AddressForbidden):
        resolve("10.2.2.3", 443, PORTS, ("10.1.0.0/16", "::1"))


def test_environment_proxies_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with provider() as it:
        channel = Webhook.open({"url": it.url, "secret": "s"}, ("127.0.0.1",))
        channel.send(Message("1:a:1", "", "p", "", "hi"), NOW)
        channel.close()
        assert it.delivered["1:a:1"] == 1

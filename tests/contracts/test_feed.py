"""What every kind of feed must keep to, whatever it reads."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from carloop.connectors.feeds import FEED_KINDS, FEEDS
from carloop.core.feeds import Allowed, Feed
from carloop.kit.errors import CarloopError, InvalidInput, Retryable

GOOD: dict[str, dict[str, Any]] = {
    "database": {"dialect": "postgresql", "database": "d", "table": "t"},
    "mqtt": {"client_id": "c", "topics": ["cars/+/telemetry"]},
    "kafka": {"topic": "t"},
    "rabbitmq": {"queue": "q"},
    "nats": {"stream": "s"},
    "redis_streams": {"stream": "s"},
    "files": {"place": "sftp", "username": "u", "host_key": "SHA256:x"},
    "http": {"url": "https://api.example.com/orders"},
}
NETWORKED = [feed for feed in FEEDS if "host" in feed.schema()["properties"]]
SECRET = "s3cret-of-the-source"


def good(feed: type[Feed], **other: Any) -> dict[str, Any]:
    settings = GOOD.get(feed.kind, {}) | {"host": "broker.example.com", "password": SECRET}
    if "encryption" in feed.schema()["properties"]:
        settings["encryption"] = "disable"
    return settings | other


def by_kind(feed: type[Feed]) -> str:
    return feed.kind


def test_every_kind_has_a_name_of_its_own_and_settings_to_be_tried_with() -> None:
    assert len(FEED_KINDS) == len(FEEDS)
    assert {feed.kind for feed in NETWORKED} <= GOOD.keys()


@pytest.mark.parametrize("feed", FEEDS, ids=by_kind)
def test_a_kind_says_what_it_is_in_both_languages_and_what_it_needs(feed: type[Feed]) -> None:
    assert feed.title["zh"]
    assert feed.title["en"]
    schema = feed.schema()
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) <= schema["properties"].keys()
    for name, told in schema["properties"].items():
        secret = any(word in name for word in ("password", "secret", "token", "private"))
        assert bool(told.get("writeOnly")) == secret, name
        if told["type"] == "string":
            assert "maxLength" in told or "enum" in told, name


@pytest.mark.parametrize("feed", NETWORKED, ids=by_kind)
def test_good_settings_open_without_a_connection(feed: type[Feed]) -> None:
    feed.open(good(feed), Allowed()).close()


@pytest.mark.parametrize("feed", NETWORKED, ids=by_kind)
def test_a_missing_an_unknown_and_a_wrong_setting_are_named(feed: type[Feed]) -> None:
    for name in feed.schema()["required"]:
        settings = {k: v for k, v in good(feed).items() if k != name}
        with pytest.raises(InvalidInput) as caught:
            feed.open(settings, Allowed())
        assert caught.value.path == name
    with pytest.raises(InvalidInput) as caught:
        feed.open(good(feed, bogus=1), Allowed())
    assert (caught.value.code, caught.value.path) == ("setting_unknown", "bogus")
    for name, value in {"port": 70_000, "encryption": "perhaps", "host": 7}.items():
        if name not in feed.schema()["properties"]:
            continue
        with pytest.raises(InvalidInput) as caught:
            feed.open(good(feed, **{name: value}), Allowed())
        assert (caught.value.code, caught.value.path) == ("setting_invalid", name)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "localhost", "[::1]"])
@pytest.mark.parametrize("feed", NETWORKED, ids=by_kind)
def test_a_private_address_is_refused_unless_the_installation_allows_it(
    feed: type[Feed], host: str
) -> None:
    opened = feed.open(good(feed, host=host.strip("[]")), Allowed())
    try:
        for connect in (opened.probe, lambda: next(iter(opened.pages(None, lambda: False)))):
            with pytest.raises(InvalidInput) as caught:
                connect()
            assert caught.value.code == "address_forbidden"
    finally:
        opened.close()


@pytest.mark.parametrize("feed", NETWORKED, ids=by_kind)
def test_nobody_at_the_address_is_told_in_our_words(feed: type[Feed]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    opened = feed.open(good(feed, host="127.0.0.1", port=port), Allowed(("127.0.0.1",)))
    try:
        with pytest.raises(CarloopError) as caught:
            opened.probe()
    finally:
        opened.close()
    assert caught.value.code == "unreachable"
    assert isinstance(caught.value, Retryable)
    assert SECRET not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize("feed", [feed for feed in NETWORKED if feed.endless], ids=by_kind)
def test_a_peer_that_speaks_something_else_is_told_and_ends(feed: type[Feed]) -> None:
    """A web server that answers and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def serve() -> None:
            server.settimeout(0.1)
            while not done.is_set():
                try:
                    line, _ = server.accept()
                except TimeoutError:
                    continue
                with line:
                    line.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        port = int(server.getsockname()[1])
        opened = feed.open(good(feed, host="127.0.0.1", port=port), Allowed(("127.0.0.1",)))
        try:
            with pytest.raises(CarloopError) as caught:
                opened.probe()
        finally:
            opened.close()
            done.set()
            thread.join()
    assert "HTTP" not in str(caught.value)


@pytest.mark.parametrize("feed", [feed for feed in NETWORKED if feed.endless], ids=by_kind)
def test_a_broker_is_spoken_to_in_tls_unless_somebody_says_otherwise(feed: type[Feed]) -> None:
    assert feed.schema()["properties"]["encryption"]["default"] == "verify"
    settings = good(feed, ca="-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----")
    del settings["encryption"]
    with pytest.raises(InvalidInput) as caught:
        feed.open(settings, Allowed())
    assert (caught.value.code, caught.value.path) == ("setting_invalid", "ca")

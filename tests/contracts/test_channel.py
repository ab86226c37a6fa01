"""Every channel keeps the same promises, against real servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from carloop.channels import CHANNEL_KINDS, CHANNELS
from carloop.core.message import Message, Refused, Sent, Unclear
from carloop.core.ports.channels import Channel
from carloop.kit.errors import InvalidInput
from tests.support.provider import provider
from tests.support.smtp import mailbox

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LOCAL = ("127.0.0.1",)
MESSAGE = Message(
    key="7:hello:2",
    address="wang.fang@example.cn",
    person="8d7f9a52-0000-5000-8000-000000000001",
    subject="保养提醒",
    text="王芳,您好。\n.一行以点开头\n",
    html="<p>王芳,您好。</p>",
    unsubscribe_url="https://crm.example.cn/unsubscribe/abc",
)

GOOD: dict[str, dict[str, Any]] = {
    "webhook": {"url": "https://example.com/hook", "secret": "s3cret", "timeout_seconds": 1},
    "email": {"host": "smtp.example.com", "from_address": "crm@example.cn", "timeout_seconds": 2},
}


@contextmanager
def receiver(kind: str, mood: str, folder: Path) -> Iterator[dict[str, Any]]:
    """Settings that point at a server of this kind in this mood."""
    if kind == "webhook":
        script = {"take": [], "refuse": ["400"], "later": ["503:7"], "cut": ["reset"]}[mood]
        with provider(script=script) as it:
            yield {**GOOD["webhook"], "url": it.url}
    else:
        answers = {
            "take": {},
            "refuse": {"RCPT": "550 5.1.1 no such user"},
            "later": {"RCPT": "451 4.7.1 greylisted"},
            "cut": {"DATA": "cut"},
        }[mood]
        with mailbox(folder, "none", answers) as box:
            yield {**GOOD["email"], "host": "127.0.0.1", "port": box.port, "security": "none"}


@pytest.mark.parametrize("kind", CHANNEL_KINDS)
@pytest.mark.parametrize(
    ("mood", "outcome"), [("take", Sent), ("refuse", Refused), ("later", Refused), ("cut", Unclear)]
)
def test_outcome_says_what_is_certain(kind: str, mood: str, outcome: type, tmp_path: Path) -> None:
    with receiver(kind, mood, tmp_path) as settings:
        channel = CHANNEL_KINDS[kind].open(settings, LOCAL)
        try:
            got = channel.send(MESSAGE, NOW)
        finally:
            channel.close()
    assert isinstance(got, outcome)
    if isinstance(got, Refused):
        assert got.retry is (mood == "later")


@pytest.mark.parametrize("kind", CHANNEL_KINDS)
def test_nobody_listening_is_a_clear_refusal_to_retry(kind: str, unused_port: int) -> None:
    settings = {**GOOD[kind]}
    if kind == "webhook":
        settings["url"] = f"http://127.0.0.1:{unused_port}/"
    else:
        settings |= {"host": "127.0.0.1", "port": unused_port, "security": "none"}
    channel = CHANNEL_KINDS[kind].open(settings, LOCAL)
    assert channel.send(MESSAGE, NOW) == Refused("connect_failed", retry=True)
    channel.close()


@pytest.mark.parametrize("kind", CHANNEL_KINDS)
def test_private_addresses_are_refused_unless_permitted(kind: str, tmp_path: Path) -> None:
    with receiver(kind, "take", tmp_path) as settings:
        channel = CHANNEL_KINDS[kind].open(settings, ())
        assert channel.send(MESSAGE, NOW) == Refused("address_forbidden", retry=False)
        channel.close()


@pytest.mark.parametrize("channel", CHANNELS)
def test_schema_names_every_setting_and_hides_secrets(channel: type[Channel]) -> None:
    schema = channel.schema()
    assert set(schema["required"]) <= set(GOOD[channel.kind]) <= set(schema["properties"])
    for name, described in schema["properties"].items():
        if "secret" in name or "password" in name:
            assert described["writeOnly"] is True
    assert channel.title.keys() >= {"zh", "en"}


@pytest.mark.parametrize("channel", CHANNELS)
def test_wrong_settings_name_their_field(channel: type[Channel]) -> None:
    good = GOOD[channel.kind]
    for broken, path in [
        ({k: v for k, v in good.items() if k != channel.schema()["required"][0]}, None),
        ({**good, "timeout_seconds": 0}, "timeout_seconds"),
        ({**good, "timeout_seconds": True}, "timeout_seconds"),
        ({**good, "nonsense": 1}, "nonsense"),
    ]:
        with pytest.raises(InvalidInput) as refused:
            channel.open(broken, ())
        assert refused.value.path == (path or channel.schema()["required"][0])


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

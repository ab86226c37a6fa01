"""What only one channel does: signatures and answers of webhooks, the form of e-mails."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from carloop.channels.email import Email
from carloop.channels.webhook import Webhook, judge
from carloop.core.message import Delivery, Message, Outcome, Refused, Sent, Unclear
from carloop.kit.errors import InvalidInput
from tests.support.provider import provider
from tests.support.smtp import mailbox

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LOCAL = ("127.0.0.0/8",)


def message(**changed: Any) -> Message:
    fields: dict[str, Any] = {
        "key": "7:hello:2",
        "address": "wang@example.cn",
        "person": "p",
        "subject": "保养提醒",
        "text": "您好\n.点",
    }
    return Message(**fields | changed)


def test_webhook_signs_stamps_and_names_the_key() -> None:
    with provider() as it:
        channel = Webhook.open({"url": it.url, "secret": "s3cret"}, LOCAL)
        assert channel.send(message(), NOW) == Sent("p-7:hello:2")
        channel.close()
    sent = it.headers[0]
    at = "1795334400"
    expected = hmac.new(b"s3cret", at.encode() + b"." + it.bodies[0], hashlib.sha256).hexdigest()
    assert sent["X-Carloop-Timestamp"] == at
    assert sent["X-Carloop-Signature"] == "v1=" + expected
    assert sent["Idempotency-Key"] == "7:hello:2"
    assert it.requests[0]["subject"] == "保养提醒"


def test_webhook_that_takes_the_message_and_never_answers_is_unclear() -> None:
    with provider(script=["hang"]) as it:
        settings = {"url": it.url, "secret": "s", "timeout_seconds": 1}
        channel = Webhook.open(settings, LOCAL)
        assert channel.send(message(), NOW) == Unclear("timeout")
        channel.close()
        assert it.delivered["7:hello:2"] == 1


def test_webhook_follows_no_redirect() -> None:
    with provider(script=["302"]) as it:
        channel = Webhook.open({"url": it.url, "secret": "s"}, LOCAL)
        assert channel.send(message(), NOW) == Refused("http_302", retry=False)
        channel.close()
        assert len(it.requests) == 1


@pytest.mark.parametrize(
    ("status", "after", "outcome"),
    [
        (200, "", Sent("")),
        (429, "2", Refused("http_429", True, 2.0)),
        (503, "", Refused("http_503", True, None)),
        (503, "Sun, 22 Nov 2026 08:01:00 GMT", Refused("http_503", True, 60.0)),
        (503, "Sun, 22 Nov 2026 07:00:00 GMT", Refused("http_503", True, 0.0)),
        (503, "soon", Refused("http_503", True, None)),
        (503, "9" * 400, Refused("http_503", True, 86_400.0)),
        (500, "5", Refused("http_500", True, 5.0)),
        (500, "", Unclear("http_500")),
        (504, "", Unclear("http_504")),
        (404, "", Refused("http_404", False, None)),
        (301, "", Refused("http_301", False, None)),
    ],
)
def test_webhook_answers(status: int, after: str, outcome: Outcome) -> None:
    assert judge(status, {"retry-after": after} if after else {}, b"{}", NOW) == outcome


@pytest.mark.parametrize("body", [b"[1]", b'{"id": 5}', b"\xff", b"[" * 100_000, b'{"id":"a\\nb"}'])
def test_webhook_answer_bodies_never_hurt(body: bytes) -> None:
    assert judge(200, {}, body, NOW) == Sent("")


@pytest.mark.parametrize(
    "url", ["ftp://example.com", "file:///etc/passwd", "http://", "http://u:p@example.com/",
            "http://[::1", "http://example.com:99999/", "https://例子.中国/"]
)  # fmt: skip
def test_webhook_urls_that_are_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        Webhook.open({"url": url, "secret": "s"}, ())


def test_webhook_declares_its_delivery() -> None:
    settings = {"url": "https://example.com", "secret": "s"}
    assert Webhook.open(settings, ()).delivery is Delivery.AT_MOST_ONCE
    honoured = Webhook.open({**settings, "delivery": "at_least_once"}, ())
    assert honoured.delivery is Delivery.AT_LEAST_ONCE


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_email_arrives_whole_over_an_encrypted_line(security: str, tmp_path: Path) -> None:
    with mailbox(tmp_path, security) as box:
        settings: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": box.port,
            "security": security,
            "from_address": "crm@example.cn",
            "from_name": "某汽车品牌",
            "ca_pem": box.ca_pem,
        }
        if security == "starttls":
            settings |= {"username": "carloop", "password": "open sesame"}
        link = "https://crm.example.cn/unsubscribe/abc"
        mail_out = message(html="<p>您好</p>", unsubscribe_url=link)
        outcome = Email.open(settings, LOCAL).send(mail_out, NOW)
    assert isinstance(outcome, Sent)
    mail = box.mails[0]
    assert mail["Subject"] == "保养提醒"
    assert mail["From"].addresses[0].display_name == "某汽车品牌"
    assert mail["Message-ID"] == "<7.hello.2@example.cn>"
    assert mail["List-Unsubscribe"] == f"<{link}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().splitlines() == ["您好", ".点"]
    assert html.get_content().strip() == "<p>您好</p>"
    assert box.recipients == ["wang@example.cn"]


def test_email_refuses_an_unknown_certificate_and_a_wrong_password(tmp_path: Path) -> None:
    with mailbox(tmp_path) as box:
        settings: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": box.port,
            "from_address": "crm@example.cn",
            "username": "carloop",
            "password": "wrong",
        }
        untrusted = Email.open(settings, LOCAL).send(message(), NOW)
        wrong = Email.open({**settings, "ca_pem": box.ca_pem}, LOCAL).send(message(), NOW)
    assert untrusted == Refused("connect_failed", retry=False)
    assert wrong == Refused("login_refused", retry=False)
    assert box.mails == []


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("554 5.7.1 spam", Refused("message_refused_554", retry=False)),
        ("452 4.3.1 disk full", Refused("message_refused_452", retry=True)),
    ],
)
def test_email_answer_after_the_text(answer: str, outcome: Outcome, tmp_path: Path) -> None:
    with mailbox(tmp_path, "none", {"DATA": answer}) as box:
        settings = {"host": "127.0.0.1", "port": box.port, "security": "none",
                    "from_address": "crm@example.cn"}  # fmt: skip
        assert Email.open(settings, LOCAL).send(message(), NOW) == outcome


@pytest.mark.parametrize(
    "address", ["", "no-at", "a@b\r\nBcc: x@y.cn", "王@example.cn", "a b@c.cn"]
)
def test_email_never_sends_to_an_unusable_address(address: str) -> None:
    channel = Email.open({"host": "smtp.example.com", "from_address": "crm@example.cn"}, ())
    assert channel.send(message(address=address), NOW) == Refused("address_invalid", retry=False)


def test_email_subject_cannot_add_headers(tmp_path: Path) -> None:
    with mailbox(tmp_path, "none") as box:
        settings = {"host": "127.0.0.1", "port": box.port, "security": "none",
                    "from_address": "crm@example.cn"}  # fmt: skip
        sneaky = message(subject="Hi\r\nBcc: boss@example.cn")
        assert isinstance(Email.open(settings, LOCAL).send(sneaky, NOW), Sent)
    assert box.mails[0]["Bcc"] is None
    assert box.recipients == ["wang@example.cn"]


def test_email_never_sends_a_password_in_clear() -> None:
    with pytest.raises(InvalidInput):
        Email.open({"host": "h", "from_address": "a@b.cn", "username": "u", "security": "none"}, ())


@pytest.mark.parametrize("pem", ["/etc/passwd", "-----BEGIN CERTIFICATE-----\nxx", 5, "证书"])
def test_email_trusts_certificates_by_their_text_alone(pem: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        Email.open({"host": "h", "from_address": "a@b.cn", "ca_pem": pem}, ())
    assert refused.value.path == "ca_pem"

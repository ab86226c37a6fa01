"""E-mail: one SMTP conversation per message."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Any, ClassVar, Self

from carloop.core.message import Delivery, Message, Outcome, Refused, Sent, Unclear
from carloop.kit.egress import AddressForbidden, HostUnknown, resolve
from carloop.kit.errors import InvalidInput
from carloop.kit.settings import Reader, refuse_unknown

PORTS = (25, 465, 587, 2525)


class Email:
    """Hands a message to an SMTP server, with STARTTLS or TLS from the start."""

    kind: ClassVar[str] = "email"
    title: ClassVar[Mapping[str, str]] = {"zh": "邮件", "en": "E-mail"}

    def __init__(self, settings: Mapping[str, Any], allowed_hosts: tuple[str, ...]) -> None:
        refuse_unknown(settings, self.schema())
        read = Reader(settings)
        self._host = read.text("host", limit=253)
        self._security = read.choice("security", "starttls", ("starttls", "tls", "none"))
        self._port = read.integer("port", 465 if self._security == "tls" else 587, 1, 65535)
        self._username = read.text("username", "")
        self._password = read.text("password", "")
        self._sender = _sender(read.text("from_address", limit=320), read.text("from_name", ""))
        self._receipt_secret = read.text("receipt_secret", "")
        self._ca_pem = _certificates(settings.get("ca_pem", ""))
        self._timeout = read.integer("timeout_seconds", 20, 1, 120)
        self._allowed = allowed_hosts
        if self._username and self._security == "none":
            raise InvalidInput(
                "a password needs an encrypted connection", code="setting_invalid", path="security"
            )

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON schema of the settings."""
        text = {"type": "string", "maxLength": 2000}
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["host", "from_address"],
            "properties": {
                "host": {**text, "title": "SMTP server"},
                "port": {"type": "integer", "minimum": 1, "maximum": 65535},
                "security": {
                    "type": "string",
                    "enum": ["starttls", "tls", "none"],
                    "default": "starttls",
                },
                "username": text,
                "password": {**text, "writeOnly": True},
                "from_address": {**text, "format": "email"},
                "from_name": text,
                "ca_pem": {
                    "type": "string",
                    "maxLength": 100_000,
                    "title": "Certificates to trust (PEM); empty: those of the system",
                },
                "receipt_secret": {
                    **text,
                    "writeOnly": True,
                    "title": "Secret that signs receipts",
                },
                "timeout_seconds": {"type": "integer", "minimum": 1, "maximum": 120, "default": 20},
            },
        }

    @classmethod
    def open(cls, settings: Mapping[str, Any], allowed_hosts: tuple[str, ...]) -> Self:
        """A channel from its settings; raises ``InvalidInput``."""
        return cls(settings, allowed_hosts)

    @property
    def address_type(self) -> str:
        """E-mail addresses."""
        return "email"

    @property
    def delivery(self) -> Delivery:
        """SMTP servers do not de-duplicate."""
        return Delivery.AT_MOST_ONCE

    @property
    def receipt_secret(self) -> str:
        """The secret that signs receipts."""
        return self._receipt_secret

    @property
    def timeout_seconds(self) -> float:
        """The longest one answer of the server may take, times the seven steps of one message."""
        return self._timeout * 7.0

    def send(self, message: Message, now: datetime) -> Outcome:
        """One SMTP conversation.

        Everything before the server says 354 is a clear refusal; once the text is on its way, a
        lost connection leaves the outcome unclear.
        """
        try:
            recipient = Address(addr_spec=message.address)
            document = self._document(message, recipient, now)
        except (ValueError, IndexError, UnicodeError):
            return Refused("address_invalid", retry=False)
        try:
            server = self._connect()
        except AddressForbidden:
            return Refused("address_forbidden", retry=False)
        except (HostUnknown, OSError, smtplib.SMTPException) as error:
            return _refusal(error, "connect_failed")
        try:
            return self._converse(server, recipient, document)
        finally:
            server.close()

    def close(self) -> None:
        """Nothing stays open between messages."""

    def _connect(self) -> smtplib.SMTP:
        address = resolve(self._host, self._port, PORTS, self._allowed)
        server = _PinnedSMTP(self._host, address, self._timeout, self._tls())
        try:
            server.connect(self._host, self._port)
            server.ehlo_or_helo_if_needed()
            if self._security == "starttls":
                server.starttls(context=self._context())
                server.ehlo()
            if self._username:
                server.login(self._username, self._password)
        except BaseException:
            server.close()
            raise
        return server

    def _tls(self) -> ssl.SSLContext | None:
        return self._context() if self._security == "tls" else None

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self._ca_pem or None)

    def _converse(
        self, server: smtplib.SMTP, recipient: Address, document: EmailMessage
    ) -> Outcome:
        try:
            code, answer = server.mail(self._sender.addr_spec)
            if code != 250:
                return _coded(code, "sender_refused")
            code, answer = server.rcpt(recipient.addr_spec)
            if code not in (250, 251):
                return _coded(code, "recipient_refused")
            code, answer = server.docmd("DATA")
            if code != 354:
                return _coded(code, "data_refused")
        except (OSError, smtplib.SMTPException) as error:
            return _refusal(error, "conversation_lost")
        try:
            server.send(_quoted(document.as_bytes(policy=SMTP_POLICY)))
            code, answer = server.getreply()
        except (OSError, smtplib.SMTPException):
            return Unclear("connection_lost")
        if code != 250:
            return _coded(code, "message_refused")
        return Sent(answer.decode("utf-8", "replace")[:200])

    def _document(self, message: Message, recipient: Address, now: datetime) -> EmailMessage:
        document = EmailMessage(policy=SMTP_POLICY)
        document["From"] = self._sender
        document["To"] = recipient
        document["Subject"] = " ".join(message.subject.split())
        document["Date"] = format_datetime(now)
        name = message.key.replace(":", ".")
        document["Message-ID"] = f"<{name}@{self._sender.domain}>"
        if message.unsubscribe_url:
            document["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
            document["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        document.set_content(message.text)
        if message.html:
            document.add_alternative(message.html, subtype="html")
        return document


class _PinnedSMTP(smtplib.SMTP):
    """SMTP to one judged address, while certificates are checked against the host's name."""

    def __init__(self, host: str, address: str, timeout: float, tls: ssl.SSLContext | None) -> None:
        self._address = address
        self._tls = tls
        super().__init__(timeout=timeout)
        self._host = host

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        raw = socket.create_connection((self._address, port), timeout)
        if self._tls is None:
            return raw
        try:
            return self._tls.wrap_socket(raw, server_hostname=host)
        except BaseException:
            raw.close()
            raise


def _quoted(document: bytes) -> bytes:
    """The text with leading dots doubled and the closing line of RFC 5321 4.1.1.4."""
    lines = document.replace(b"\r\n.", b"\r\n..")
    if lines.startswith(b"."):
        lines = b"." + lines
    return lines + (b".\r\n" if lines.endswith(b"\r\n") else b"\r\n.\r\n")


def _coded(code: int, reason: str) -> Refused:
    return Refused(f"{reason}_{code}", retry=400 <= code < 500)


def _refusal(error: Exception, reason: str) -> Refused:
    """A clear refusal before the text left: permanent only where the server said so (5xx)."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Refused("login_refused", retry=False)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Refused("not_supported", retry=False)
    if isinstance(error, smtplib.SMTPResponseException):
        return _coded(error.smtp_code, reason)
    return Refused(reason, retry=not isinstance(error, ssl.SSLCertVerificationError))


def _certificates(pem: object) -> str:
    """PEM text that can be read, or empty."""
    fault = InvalidInput("ca_pem is not PEM text", code="setting_invalid", path="ca_pem")
    if not isinstance(pem, str) or len(pem) > 100_000 or not pem.isascii():
        raise fault
    if pem:
        try:
            ssl.create_default_context(cadata=pem)
        except (ssl.SSLError, ValueError) as error:
            raise fault from error
    return pem


def _sender(address: str, name: str) -> Address:
    try:
        return Address(display_name=name, addr_spec=address)
    except (ValueError, IndexError, UnicodeError) as error:
        raise InvalidInput(
            "from_address is not an e-mail address", code="setting_invalid", path="from_address"
        ) from error

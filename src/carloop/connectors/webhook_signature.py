"""Signatures of webhooks: what is signed, how, and where it stands, as settings say."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from carloop.connectors.protocol import Request
from carloop.kit.errors import InvalidInput, Unauthenticated
from carloop.kit.settings import Reader

ALGORITHMS = (
    *("none", "hmac-sha256", "hmac-sha512", "hmac-sha1", "hmac-md5"),
    *("sha256", "sha1", "md5"),
)
PLACES = ("header", "query", "field")
PARTS = ("{body}", "{timestamp}", "{nonce}", "{secret}")
LATEST_TOLERANCE = 86_400


@dataclass(frozen=True, slots=True)
class SignatureRule:
    """How requests are signed; places are pairs of where (header, query, field) and name.

    Attributes:
        secrets: any of them fits.
        signed: a text with ``{body}``, ``{timestamp}``, ``{nonce}`` and ``{secret}``.
        tolerance_seconds: how far a timestamp, where one is named, may be from now.
    """

    secrets: tuple[str, ...]
    algorithm: str
    encoding: str
    signature: tuple[str, str]
    prefix: str
    signed: str
    timestamp: tuple[str, str]
    nonce: tuple[str, str]
    tolerance_seconds: int


def read_rule(read: Reader) -> SignatureRule:
    """The rule in settings.

    Raises:
        InvalidInput: ``setting_missing``, ``setting_invalid`` with the path.
    """
    algorithm = read.choice("algorithm", "none", ALGORITHMS)
    keyed = algorithm.startswith("hmac")
    secrets = tuple(s for s in (read.text("secret", ""), read.text("old_secret", "")) if s)
    if algorithm != "none" and not secrets:
        raise InvalidInput("a secret is needed", code="setting_missing", path="secret")
    signed = read.text("signed", "") or ("{body}" if keyed else "{body}{secret}")
    if algorithm != "none" and "{body}" not in signed:
        raise InvalidInput("the body is not signed", code="setting_invalid", path="signed")
    if algorithm != "none" and not keyed and "{secret}" not in signed:
        raise InvalidInput("the secret is not signed", code="setting_invalid", path="signed")
    timestamp = read.text("timestamp_name", "")
    if "{timestamp}" in signed and not timestamp:
        raise InvalidInput("which timestamp?", code="setting_missing", path="timestamp_name")
    return SignatureRule(
        secrets=secrets,
        algorithm=algorithm,
        encoding=read.choice("encoding", "hex", ("hex", "base64")),
        signature=(
            read.choice("signature_in", "header", PLACES),
            read.text("signature_name", "x-signature"),
        ),
        prefix=read.text("prefix", ""),
        signed=signed,
        timestamp=(read.choice("timestamp_in", "header", PLACES), timestamp),
        nonce=(read.choice("nonce_in", "header", PLACES), read.text("nonce_name", "")),
        tolerance_seconds=read.integer("tolerance_seconds", 300, 1, LATEST_TOLERANCE),
    )


def verify(
    request: Request,
    plain: bytes,
    fields: Mapping[str, Any],
    rule: SignatureRule,
    now_ms: int,
) -> None:
    """Raise ``Unauthenticated`` where the signature is missing, wrong or too old."""
    sent = _find(request, fields, rule.signature)
    if not sent:
        raise Unauthenticated("the request is not signed", code="signature_missing")
    if rule.prefix:
        if not sent.lower().startswith(rule.prefix.lower()):
            raise Unauthenticated("the signature does not fit", code="signature_wrong")
        sent = sent[len(rule.prefix) :]
    timestamp = _find(request, fields, rule.timestamp)
    if rule.timestamp[1]:
        _check_age(timestamp, rule.tolerance_seconds, now_ms)
    nonce = _find(request, fields, rule.nonce)
    for secret in rule.secrets:
        content = _signed(rule.signed, plain, timestamp, nonce, secret)
        wanted = _digest(rule.algorithm, secret.encode(), content)
        if rule.encoding == "hex":
            same = hmac.compare_digest(wanted.hex().encode(), sent.strip().lower().encode())
        else:
            same = hmac.compare_digest(base64.b64encode(wanted), sent.strip().encode())
        if same:
            return
    raise Unauthenticated("the signature does not fit", code="signature_wrong")


def _find(request: Request, fields: Mapping[str, Any], place: tuple[str, str]) -> str:
    where, name = place
    if not name:
        return ""
    if where == "header":
        return request.headers.get(name.lower(), "")
    if where == "query":
        return request.query.get(name, "")
    value = fields.get(name, "")
    return value if isinstance(value, str) else str(value)


def _check_age(timestamp: str, tolerance_seconds: int, now_ms: int) -> None:
    if not timestamp:
        raise Unauthenticated("no timestamp", code="timestamp_missing")
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 16:
        raise Unauthenticated("not a timestamp", code="timestamp_stale")
    at = int(timestamp) * (1000 if len(timestamp) <= 11 else 1)
    if abs(now_ms - at) > tolerance_seconds * 1000:
        raise Unauthenticated("the request is too old", code="timestamp_stale")


def _signed(template: str, body: bytes, timestamp: str, nonce: str, secret: str) -> bytes:
    """The bytes that are signed: the template with its parts put in, in one pass."""
    parts = {
        "{body}": body,
        "{timestamp}": timestamp.encode(),
        "{nonce}": nonce.encode(),
        "{secret}": secret.encode(),
    }
    out = b""
    while template:
        part = next((p for p in PARTS if template.startswith(p)), None)
        out += parts[part] if part else template[0].encode()
        template = template[len(part or " ") :]
    return out


def _digest(algorithm: str, secret: bytes, content: bytes) -> bytes:
    if algorithm.startswith("hmac-"):
        return hmac.new(secret, content, algorithm[5:]).digest()
    return hashlib.new(algorithm, content, usedforsecurity=True).digest()

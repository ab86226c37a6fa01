"""Signature and encryption of WeChat and WeCom callbacks.

https://developer.work.weixin.qq.com/document/path/90968 — SHA-1 over the sorted parts; AES-256-CBC
with the key's first 16 bytes as vector, padding to 32 bytes, and in it 16 random bytes, the length,
the message and who receives it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from carloop.kit.errors import InvalidInput, Malformed, Unauthenticated

KEY = re.compile(r"[A-Za-z0-9]{43}\Z")
RANDOM = 16
BLOCK = 32


def aes_key(text: str, path: str) -> bytes:
    """The key in the 43 characters that the platform shows.

    Raises:
        InvalidInput: ``setting_invalid``.
    """
    if not KEY.match(text):
        raise InvalidInput("the key has 43 letters and digits", code="setting_invalid", path=path)
    return base64.b64decode(text + "=", validate=False)


def check_signature(sent: str, *parts: str) -> None:
    """Compare a signature with the SHA-1 of its sorted parts.

    Raises:
        Unauthenticated: ``signature_missing``, ``signature_wrong``.
    """
    if not sent:
        raise Unauthenticated("the request is not signed", code="signature_missing")
    text = "".join(sorted(parts)).encode("utf-8", "surrogatepass")
    wanted = hashlib.sha1(text, usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(wanted.encode(), sent.strip().lower().encode()):
        raise Unauthenticated("the signature does not fit", code="signature_wrong")


def decrypt(sealed: str, key: bytes, receiver: str) -> bytes:
    """The message.

    Raises:
        Malformed: ``decryption_failed``.
        Unauthenticated: ``receiver_wrong``: meant for another account.
    """
    try:
        data = base64.b64decode(sealed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("not base64", code="base64_broken") from error
    if not data or len(data) % 16:
        raise Malformed("not whole blocks", code="decryption_failed")
    cipher = Cipher(AES(key), CBC(key[:16])).decryptor()
    plain = cipher.update(data) + cipher.finalize()
    padding = plain[-1]
    if not 1 <= padding <= BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise Malformed("the padding is wrong", code="decryption_failed")
    plain = plain[:-padding]
    size = int.from_bytes(plain[RANDOM : RANDOM + 4], "big")
    end = RANDOM + 4 + size
    if len(plain) < RANDOM + 4 or end > len(plain):
        raise Malformed("the length is wrong", code="decryption_failed")
    if not hmac.compare_digest(plain[end:], receiver.encode()):
        raise Unauthenticated("meant for another account", code="receiver_wrong")
    return plain[RANDOM + 4 : end]

"""Whole files under one key: AES-256-GCM in pieces that cannot be cut off, swapped or repeated."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from carloop.kit.errors import Permanent

PIECE = 1 << 20
_PREFIX = 7
_TAG = 16


def seal_file(key: bytes, source: Path, target: Path) -> None:
    """Write ``source`` encrypted.

    The nonce of a piece is a random prefix, its number and whether it is the last one (STREAM,
    Hoang, Reyhanitabar, Rogaway, Vizár 2015).
    """
    cipher, prefix = AESGCM(key), os.urandom(_PREFIX)
    with source.open("rb") as plain, target.open("wb") as sealed:
        sealed.write(prefix)
        number, piece = 0, plain.read(PIECE)
        while True:
            following = plain.read(PIECE)
            sealed.write(cipher.encrypt(_nonce(prefix, number, not following), piece, None))
            if not following:
                return
            number, piece = number + 1, following


def open_file(key: bytes, source: Path, target: Path) -> None:
    """Write a sealed file in clear, for its owner alone.

    Raises:
        Permanent: ``sealed_file_damaged``: not what was sealed, or under another key.
    """
    cipher = AESGCM(key)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as sealed, os.fdopen(descriptor, "wb") as plain:
        prefix = sealed.read(_PREFIX)
        number, piece = 0, sealed.read(PIECE + _TAG)
        try:
            while True:
                following = sealed.read(PIECE + _TAG)
                plain.write(cipher.decrypt(_nonce(prefix, number, not following), piece, None))
                if not following:
                    return
                number, piece = number + 1, following
        except (InvalidTag, ValueError) as error:
            raise Permanent("a sealed file was altered", code="sealed_file_damaged") from error


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])

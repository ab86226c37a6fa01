"""Normalise and validate the values of the core's identifier types.

Each function takes a non-empty, stripped value and returns the canonical one, or raises
:class:`InvalidIdentifier` with a code that says why; messages never hold the value.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from carloop.core.identifiers import InvalidIdentifier
from carloop.core.identifiers.check_digits import id_card_check, luhn_valid
from carloop.core.regions import PROVINCES

_MOBILE = re.compile(r"1[3-9]\d{9}")
_FOREIGN = re.compile(r"\+(852|853|886)(\d{8,9})")
_MOBILE_NOISE = re.compile(r"[\s()./\-\u2010-\u2015]")
_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)+")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX = re.compile(r"[0-9a-f]+")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_PLACEHOLDERS = frozenset(
    (
        *("0", "-1", "n/a", "na", "nan", "nil", "none", "null", "undefined", "unknown", "-"),
        *("anonymous", "guest", "test", "admin", "default", "true", "false", "(null)"),
        *("[object object]", "select", "#null!", "无", "暂无", "未知", "空", "没有"),
        *("匿名", "测试", "游客"),
    )
)
_TEST_MOBILES = frozenset({"13800138000", "13800000000", "13900000000", "13888888888"})
_TEST_IMEI = frozenset({"123456789012345", "004999010640000", "358673013795895"})
_TEST_MAC = frozenset({"020000000000", "FFFFFFFFFFFF", "000000000000", "00000000000000E0"})
_TEST_EMAIL_DOMAINS = frozenset({"example.com", "example.org", "example.net", "test.com"})


def _refuse(code: str, message: str) -> InvalidIdentifier:
    return InvalidIdentifier(message, code=code)


def _monotonous(text: str) -> bool:
    """All characters the same, or a run up or down by one (``12345678``)."""
    if len(text) < 2:
        return False
    step = ord(text[1]) - ord(text[0])
    return -1 <= step <= 1 and all(
        ord(b) - ord(a) == step for a, b in zip(text[1:], text[2:], strict=False)
    )


def mobile(value: str) -> str:
    """A mobile number of mainland China as 11 digits; +852, +853 and +886 stay E.164.

    >>> mobile("+86 139-1234-5679"), mobile("１３９１２３４５６７９"), mobile("00852 9123 4567")
    ('13912345679', '13912345679', '+85291234567')
    """
    if _MOBILE.fullmatch(value):
        return _real_mobile(value)
    if "*" in value or "＊" in value or "x" in value.lower():
        raise _refuse("masked", "a masked mobile number is not an identifier")
    text = _MOBILE_NOISE.sub("", unicodedata.normalize("NFKC", value))
    if text.isascii() and text.isdigit() and _monotonous(text):
        raise _refuse("placeholder", "a placeholder, not a mobile number")
    if text.startswith("00"):
        text = "+" + text[2:]
    if text.startswith("+86"):
        text = text[3:]
    elif text.startswith("86") and len(text) == 13:
        text = text[2:]
    if foreign := _FOREIGN.fullmatch(text):
        if _monotonous(foreign[2]):
            raise _refuse("placeholder", "a placeholder, not a mobile number")
        return text
    if not _MOBILE.fullmatch(text):
        raise _refuse("format", "not a mobile number (11 digits, 13… to 19…)")
    return _real_mobile(text)


def _real_mobile(digits: str) -> str:
    tail = digits[3:]
    if digits in _TEST_MOBILES or _monotonous(tail) or _monotonous(digits[1:]):
        raise _refuse("placeholder", "a placeholder, not a mobile number")
    return digits


def email(value: str) -> str:
    """An e-mail address, lower case.

    >>> email("Wang.Fang@Example.CN")
    'wang.fang@example.cn'
    """
    text = unicodedata.normalize("NFKC", value).strip().lower()
    if "*" in text.partition("@")[0]:
        raise _refuse("masked", "a masked address is not an identifier")
    if len(text) > 254 or not _EMAIL.fullmatch(text) or ".." in text:
        raise _refuse("format", "not an e-mail address")
    local, _, domain = text.partition("@")
    if domain in _TEST_EMAIL_DOMAINS and local in _PLACEHOLDERS:
        raise _refuse("placeholder", "a placeholder, not an e-mail address")
    return text


def token(shortest: int = 1, longest: int = 255) -> Callable[[str], str]:
    """An opaque, case-sensitive id of printable ASCII, kept as it is."""

    def normalise(value: str) -> str:
        if not shortest <= len(value) <= longest or not _TOKEN.fullmatch(value):
            raise _refuse("format", f"not an id of {shortest} to {longest} printable characters")
        return not_placeholder(value)

    return normalise


def not_placeholder(value: str) -> str:
    """The value itself, unless senders use it to say "nobody"."""
    if value.lower() in _PLACEHOLDERS or not value.strip("0-") or not value.strip("*"):
        raise _refuse("placeholder", "a reserved value, not an identifier")
    return value


def login(value: str) -> str:
    """A login or member id: trimmed, lower case where it is an e-mail address.

    >>> login("U-1001"), login("Wang@Example.CN")
    ('U-1001', 'wang@example.cn')
    """
    if not value.isascii():
        value = unicodedata.normalize("NFKC", value).strip()
    return not_placeholder(value.lower() if "@" in value else value)


def imei(value: str) -> str:
    """A 15-digit IMEI; 14 digits get their check digit, the 16 of an IMEISV lose their version.

    >>> imei("49-015420-323751-8"), imei("49015420323751")
    ('490154203237518', '490154203237518')
    """
    digits = re.sub(r"[\s\-/]", "", unicodedata.normalize("NFKC", value))
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in (14, 15, 16):
        raise _refuse("format", "not an IMEI (14, 15 or 16 digits)")
    if _monotonous(digits) or digits in _TEST_IMEI:
        raise _refuse("placeholder", "a placeholder, not an IMEI")
    if len(digits) == 15:
        if not luhn_valid(digits):
            raise _refuse("checksum", "the IMEI's check digit is wrong")
        return digits
    stem = digits[:14]
    return next(stem + str(n) for n in range(10) if luhn_valid(stem + str(n)))


def idfa(value: str) -> str:
    """An Apple advertising (or vendor) id: an upper-case UUID; all zeros means "not allowed".

    >>> idfa("6d92078a-8246-4ba4-ae5b-76104861e7dc")
    '6D92078A-8246-4BA4-AE5B-76104861E7DC'
    """
    text = value.lower()
    if not _UUID.fullmatch(text):
        raise _refuse("format", "not a UUID")
    if len(set(text) - {"-"}) == 1:
        raise _refuse("placeholder", "tracking is not allowed; not an identifier")
    return text.upper()


def oaid(value: str) -> str:
    """An open anonymous device id of Chinese Android: 16 to 64 characters, lower case."""
    text = value.lower()
    if not 16 <= len(text) <= 64 or not re.fullmatch(r"[0-9a-z\-]+", text):
        raise _refuse("format", "not an OAID (16 to 64 letters, digits, hyphens)")
    if len(set(text) - {"-"}) == 1:
        raise _refuse("placeholder", "a placeholder, not an OAID")
    return text


def android_id(value: str) -> str:
    """An Android id: 16 hexadecimal digits (shorter ones lost leading zeros), lower case.

    >>> android_id("9774D56D682E549D"[::-1])
    'd945e286d65d4779'
    """
    text = value.lower()
    if not _HEX.fullmatch(text) or not 12 <= len(text) <= 16:
        raise _refuse("format", "not an Android id (16 hexadecimal digits)")
    text = text.zfill(16)
    if len(set(text)) == 1 or text == "9774d56d682e549c":
        raise _refuse("placeholder", "a value shared by many devices")
    return text


def mac(value: str) -> str:
    """A MAC address as 12 upper-case hexadecimal digits.

    Refused: group addresses, the placeholders of iOS and Android, and locally administered
    (randomised) addresses, which name no device.

    >>> mac("a4:77:33:0c:5b:1f")
    'A477330C5B1F'
    """
    text = re.sub(r"[\s:.\-]", "", value).upper()
    if not re.fullmatch(r"[0-9A-F]{12}", text):
        raise _refuse("format", "not a MAC address")
    if text in _TEST_MAC or len(set(text)) == 1:
        raise _refuse("placeholder", "a placeholder, not a MAC address")
    first = int(text[:2], 16)
    if first & 1:
        raise _refuse("format", "a group address names no device")
    if first & 2:
        raise _refuse("placeholder", "a randomised address names no device")
    return text


def id_card(value: str) -> str:
    """A citizen identity number (GB 11643) with 18 characters; old ones of 15 are completed.

    >>> id_card("11010519491231002x")
    '11010519491231002X'
    """
    text = re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", value)).upper()
    if "*" in text:
        raise _refuse("masked", "a masked number is not an identifier")
    if re.fullmatch(r"\d{15}", text, re.ASCII):
        text = text[:6] + "19" + text[6:]
        text += id_card_check(text)
    if not re.fullmatch(r"\d{17}[\dX]", text, re.ASCII):
        raise _refuse("format", "not an ID card number (18 characters)")
    if text[:2] not in PROVINCES:
        raise _refuse("format", "no such region")
    try:
        born = datetime.strptime(text[6:14], "%Y%m%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise _refuse("format", "no such date of birth") from error
    if not 1880 <= born.year <= 2100:
        raise _refuse("format", "no such date of birth")
    if text[17] != id_card_check(text[:17]):
        raise _refuse("checksum", "the check digit is wrong")
    return text


def qq(value: str) -> str:
    """A QQ number: 5 to 11 digits, not starting with 0; ``…@qq.com`` loses its domain.

    >>> qq("80027112@QQ.com")
    '80027112'
    """
    text = unicodedata.normalize("NFKC", value).lower().removesuffix("@qq.com")
    if not re.fullmatch(r"[1-9]\d{4,10}", text, re.ASCII):
        raise _refuse("format", "not a QQ number (5 to 11 digits)")
    if _monotonous(text):
        raise _refuse("placeholder", "a placeholder, not a QQ number")
    return text


@lru_cache(maxsize=1)
def _empty_hashes() -> frozenset[str]:
    """Hashes of what senders hash when they have no number."""
    nothing = ("", "0", "null", "NULL", "None", "undefined", "00000000000", "13800138000")
    hashes = (hashlib.md5, hashlib.sha256)
    return frozenset(
        h(text.encode(), usedforsecurity=False).hexdigest() for text in nothing for h in hashes
    )


def hex_hash(length: int) -> Callable[[str], str]:
    """A hash of a normalised mobile number as ``length`` lower-case hexadecimal digits.

    The hash of an empty or placeholder value is refused: it would glue strangers together.
    """

    def normalise(value: str) -> str:
        text = value.lower()
        if len(text) != length or not _HEX.fullmatch(text):
            raise _refuse("format", f"not a hash of {length} hexadecimal digits")
        if text in _empty_hashes() or len(set(text)) == 1:
            raise _refuse("placeholder", "the hash of an empty value")
        return text

    return normalise

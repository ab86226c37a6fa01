"""Identifier types that only the car trade has."""

from __future__ import annotations

import re
import unicodedata

from carloop.core.identifiers import IdentifierType, InvalidIdentifier, Strength
from carloop.packs.automotive.vin import normalise_vin

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_FUEL = re.compile(rf"^[{_PROVINCES}][A-HJ-NP-Z][A-HJ-NP-Z0-9]{{4}}[A-HJ-NP-Z0-9挂学警港澳使领]$")
_NEW_ENERGY = re.compile(
    rf"^[{_PROVINCES}][A-HJ-NP-Z](?:[A-HJK][A-HJ-NP-Z0-9][0-9]{{4}}|[0-9]{{5}}[A-HJK])$"
)


def normalise_plate(value: str) -> str:
    """A mainland plate (GA 36): province, letter, five characters, or six for new energy.

    Raises:
        InvalidIdentifier: ``format``.

    >>> normalise_plate("沪a·12345"), normalise_plate("粤B D12345")
    ('沪A12345', '粤BD12345')
    """
    plate = re.sub(r"[\s·•.\-]", "", unicodedata.normalize("NFKC", value)).upper()
    if not (_FUEL.match(plate) or _NEW_ENERGY.match(plate)):
        raise InvalidIdentifier("not a plate number", code="format", type="plate")
    return plate


def normalise_uscc(value: str) -> str:
    """An organisation's unified social credit code (GB 32100), check character verified.

    Raises:
        InvalidIdentifier: ``format`` or ``checksum``.

    >>> normalise_uscc("91110000600037341l")
    '91110000600037341L'
    """
    code = re.sub(r"\s", "", unicodedata.normalize("NFKC", value)).upper()
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    if len(code) != 18 or any(c not in alphabet for c in code):
        raise InvalidIdentifier("not an 18-character code", code="format", type="uscc")
    total = sum(alphabet.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17]))
    if alphabet[(31 - total % 31) % 31] != code[17]:
        raise InvalidIdentifier("check character does not match", code="checksum", type="uscc")
    return code


def _dealer_code(value: str) -> str:
    code = unicodedata.normalize("NFKC", value).strip().upper()
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9_\-]{0,63}", code):
        raise InvalidIdentifier("not a code", code="format", type="code")
    return code


IDENTIFIER_TYPES = (
    IdentifierType(
        "vin",
        {"zh": "车架号 (VIN)", "en": "VIN"},
        normalise_vin,
        entity="vehicle",
        strength=Strength.STRONG,
        priority=10,
        identifying=True,
        links=False,
        aliases=("VIN", "车架号", "vehicle_vin"),
    ),
    IdentifierType(
        "plate",
        {"zh": "车牌号", "en": "Plate number"},
        normalise_plate,
        entity="vehicle",
        strength=Strength.MEDIUM,
        priority=20,
        identifying=True,
        links=False,
        aliases=("plate_no", "车牌", "车牌号"),
    ),
    IdentifierType(
        "uscc",
        {"zh": "统一社会信用代码", "en": "Unified social credit code"},
        normalise_uscc,
        entity="organisation",
        strength=Strength.STRONG,
        priority=10,
        links=False,
    ),
    IdentifierType(
        "dealer_code",
        {"zh": "经销商代码", "en": "Dealer code"},
        _dealer_code,
        entity="dealer",
        strength=Strength.STRONG,
        priority=10,
        links=False,
    ),
    IdentifierType(
        "advisor_code",
        {"zh": "顾问工号", "en": "Advisor number"},
        _dealer_code,
        entity="advisor",
        strength=Strength.STRONG,
        priority=10,
        links=False,
    ),
)

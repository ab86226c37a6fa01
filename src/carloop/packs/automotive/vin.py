"""Vehicle identification numbers (ISO 3779, GB 16735, 49 CFR 565)."""

from __future__ import annotations

import re
import unicodedata

from carloop.core.identifiers import InvalidIdentifier

_SHAPE = re.compile(r"^[A-HJ-NPR-Z0-9]{17}$")
_VALUE = {
    **{str(d): d for d in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    "P": 7,
    "R": 9,
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_CHECKED_REGIONS = frozenset("L12345")
"""First letters of the world manufacturer identifier where position 9 is a check digit by law:
China (L, GB 16735) and North America (1–5, 49 CFR 565)."""
MODEL_YEAR_CODES = "ABCDEFGHJKLMNPRSTVWXY123456789"


def check_digit(vin: str) -> str:
    """The check digit (position 9) that a 17-character VIN should carry.

    >>> check_digit("1M8GDM9AXKP042788")
    'X'
    """
    total = sum(_VALUE[c] * w for c, w in zip(vin, _WEIGHTS, strict=True))
    return "X" if total % 11 == 10 else str(total % 11)


def model_year_code(year: int) -> str:
    """Position 10 for a model year; the code repeats every 30 years from 1980.

    >>> model_year_code(2010), model_year_code(2026)
    ('A', 'T')
    """
    return MODEL_YEAR_CODES[(year - 1980) % 30]


def normalise_vin(value: str) -> str:
    """Upper-case 17 characters without I, O, Q; check digit enforced where the market has one.

    A letter that VINs never hold (I, O, Q) is refused, not silently replaced.

    Raises:
        InvalidIdentifier: ``format``, ``placeholder`` or ``checksum``.

    >>> normalise_vin(" lsvaa49j232047371 ")
    Traceback (most recent call last):
    ...
    carloop.core.identifiers.InvalidIdentifier: VIN check digit does not match
    >>> normalise_vin(" 1m8gdm9axkp042788 ")
    '1M8GDM9AXKP042788'
    """
    vin = re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", value)).upper()
    if not _SHAPE.match(vin):
        raise InvalidIdentifier("not a 17-character VIN", code="format", type="vin")
    if len(set(vin)) == 1:
        raise InvalidIdentifier("placeholder VIN", code="placeholder", type="vin")
    if vin[0] in _CHECKED_REGIONS and vin[8] != check_digit(vin):
        raise InvalidIdentifier("VIN check digit does not match", code="checksum", type="vin")
    return vin


def make_vin(wmi: str, descriptor: str, year: int, plant: str, serial: int) -> str:
    """Compose a valid VIN: maker, five-character descriptor, model year, plant, serial.

    >>> make_vin("LCY", "AC5A1", 2026, "B", 1)
    'LCYAC5A16TB000001'
    """
    head, tail = f"{wmi}{descriptor}", f"{model_year_code(year)}{plant}{serial:06d}"
    return f"{head}{check_digit(f'{head}0{tail}')}{tail}"

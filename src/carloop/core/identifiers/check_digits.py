"""Check digits: the arithmetic that tells a typing error from a real number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ID_CARD_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_CARD_CODES = "10X98765432"


def luhn_valid(digits: str) -> bool:
    """Whether ``digits`` end in their Luhn check digit (ISO/IEC 7812-1, annex B).

    >>> luhn_valid("490154203237518"), luhn_valid("490154203237519")
    (True, False)
    """
    total = 0
    for place, char in enumerate(reversed(digits)):
        digit = int(char)
        if place % 2:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return total % 10 == 0


def weighted_sum(text: str, weights: Sequence[int], values: Mapping[str, int]) -> int:
    """Sum of weight times the value of each character, over the shorter of both.

    Raises:
        KeyError: a character has no value.

    >>> weighted_sum("21", (10, 1), {"1": 1, "2": 2})
    21
    """
    return sum(weight * values[char] for char, weight in zip(text, weights, strict=False))


def id_card_check(first17: str) -> str:
    """The check character of an 18-character ID card number (GB 11643, ISO 7064 MOD 11-2).

    >>> id_card_check("11010519491231002")
    'X'
    """
    return ID_CARD_CODES[weighted_sum(first17, ID_CARD_WEIGHTS, DIGITS) % 11]


DIGITS: Mapping[str, int] = {str(n): n for n in range(10)}

"""What one identifying value tells about others: computed at ingest, stored as derived fields."""

from __future__ import annotations

from collections.abc import Mapping

from carloop.core.identifiers import InvalidIdentifier
from carloop.core.identifiers.normalisers import id_card, mobile

_CARRIERS: Mapping[str, tuple[str, ...]] = {
    "mobile": (
        *("134", "135", "136", "137", "138", "139", "147", "148", "150", "151", "152", "157"),
        *("158", "159", "172", "178", "182", "183", "184", "187", "188", "195", "197", "198"),
    ),
    "unicom": (
        *("130", "131", "132", "145", "146", "155", "156", "166", "171", "175", "176", "185"),
        *("186", "196"),
    ),
    "telecom": (
        *("133", "149", "153", "173", "174", "177", "180", "181", "189", "190", "191", "193"),
        "199",
    ),
    "broadnet": ("192",),
    "virtual": ("162", "165", "167", "170"),
}
_CARRIER_OF = {prefix: name for name, prefixes in _CARRIERS.items() for prefix in prefixes}


def derive(field: str, value: object) -> dict[str, str | float]:
    """Derived field → value, for the value of a field; empty where nothing can be told.

    The carrier is the one the number was issued by (numbers can be ported).

    >>> derive("id_card", "11010519491231002X")
    {'birth_date': '1949-12-31', 'birth_year': 1949, 'gender': 'female', 'id_region': '11'}
    >>> derive("mobile", "139 1234 5679")
    {'carrier': 'mobile'}
    """
    if not isinstance(value, str):
        return {}
    try:
        if field == "id_card":
            return _of_id_card(id_card(value.strip()))
        if field == "mobile":
            carrier = _CARRIER_OF.get(mobile(value.strip())[:3])
            return {"carrier": carrier} if carrier else {}
    except InvalidIdentifier:
        return {}
    return {}


def _of_id_card(number: str) -> dict[str, str | float]:
    return {
        "birth_date": f"{number[6:10]}-{number[10:12]}-{number[12:14]}",
        "birth_year": int(number[6:10]),
        "gender": "male" if int(number[16]) % 2 else "female",
        "id_region": number[:2],
    }

"""Identifier types against python-stdnum, published examples and hand values."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import imei as stdnum_imei
from stdnum import luhn
from stdnum.cn import ric

from carloop.core.identifiers import Identifier, InvalidIdentifier, RawIdentifier
from carloop.core.registry import Catalogue

TYPES = Catalogue.of().identifiers


def value(type: str, text: str, namespace: str = "") -> str:
    return TYPES.normalise(RawIdentifier(type, text, namespace)).value


def refusal(type: str, text: str, namespace: str = "") -> str:
    with pytest.raises(InvalidIdentifier) as caught:
        TYPES.normalise(RawIdentifier(type, text, namespace))
    assert text not in caught.value.message or len(text) < 3
    return caught.value.code


@pytest.mark.parametrize(
    "text",
    [
        *("13912345679", "+8613912345679", "008613912345679", "8613912345679", "139 1234 5679"),
        *("１３９１２３４５６７９", "139-1234-5679", "(139)1234.5679", "\u202d13912345679\u202c"),
        *(" 13912345679\t", "139\u30001234\u30005679", "+86-139-1234-5679"),
    ],
)
def test_one_mobile_number_has_many_spellings(text: str) -> None:
    assert value("mobile", text) == "13912345679"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("13800138000", "placeholder"), ("00000000000", "placeholder")),
        *(("13812345678", "placeholder"), ("11111111111", "placeholder")),
        *(("13900000000", "placeholder"), ("13988888888", "placeholder")),
        *(("138****1234", "masked"), ("138xxxx1234", "masked")),
        *(("1064812345678", "format"), ("12012345679", "format"), ("1391234567", "format")),
        *(("无", "format"), ("", "empty"), ("   ", "empty"), ("01087654321", "format")),
        *(("1391\x0034567", "format"), ("1" * 256, "too_long"), ("+4915112345678", "format")),
    ],
)
def test_what_is_no_mobile_number_is_refused_with_a_reason(text: str, code: str) -> None:
    assert refusal("mobile", text) == code


def test_hong_kong_macao_and_taiwan_numbers_stay_international() -> None:
    assert value("mobile", "+852 9123 4567") == "+85291234567"
    assert value("mobile", "00853-66123456") == "+85366123456"
    assert value("mobile", "+886 912 345 678") == "+886912345678"


def card(region: str, born: str, serial: str) -> str:
    first = region + born + serial
    return first + str(ric.calc_check_digit(first + "0"))


@given(
    st.sampled_from(["110105", "310104", "440305", "650102"]),
    st.dates(min_value=date(1930, 1, 1), max_value=date(2020, 1, 1)),
    st.integers(0, 999),
)
def test_id_cards_agree_with_stdnum(region: str, born: date, serial: int) -> None:
    number = card(region, f"{born:%Y%m%d}", f"{serial:03d}")
    assert value("id_card", number.lower()) == number
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    assert refusal("id_card", wrong) == "checksum"


def test_old_id_cards_are_completed_and_bad_ones_refused() -> None:
    assert value("id_card", "360426199101010071") == ric.compact("360426199101010071")
    long = card("110105", "19491231", "002")
    assert value("id_card", long[:6] + long[8:17]) == long
    assert refusal("id_card", "990105194912310021") == "format"
    assert refusal("id_card", "110105194913310021") == "format"
    assert refusal("id_card", "1101051949******2X") == "masked"


@given(st.integers(10**13, 10**14 - 1).filter(lambda n: len(set(str(n))) > 2))
def test_imeis_agree_with_stdnum(stem: int) -> None:
    number = f"{stem}{luhn.calc_check_digit(str(stem))}"
    assert stdnum_imei.is_valid(number)
    assert value("imei", number) == number == value("imei", str(stem))
    assert refusal("imei", number[:-1] + str((int(number[-1]) + 1) % 10)) == "checksum"


@pytest.mark.parametrize(
    ("type", "text"),
    [
        ("imei", "000000000000000"),
        ("imei", "123456789012345"),
        ("idfa", "00000000-0000-0000-0000-000000000000"),
        ("oaid", "00000000-0000-0000-0000-000000000000"),
        ("oaid", "0000000000000000"),
        ("mac", "02:00:00:00:00:00"),
        ("mac", "ff-ff-ff-ff-ff-ff"),
        ("mac", "da:a1:19:00:11:22"),
        ("android_id", "9774d56d682e549c"),
        ("mobile_md5", "d41d8cd98f00b204e9800998ecf8427e"),
        ("mobile_sha256", hashlib.sha256(b"").hexdigest()),
        ("mobile_md5", hashlib.md5(b"13800138000").hexdigest()),
        ("login_id", "无"),
        ("login_id", "null"),
        ("anonymous_id", "00000000-0000-0000-0000-000000000000"),
        ("login_id", "-1"),
    ],
)
def test_fm09_placeholders_never_become_identifiers(type: str, text: str) -> None:
    assert refusal(type, text) == "placeholder"


def test_device_ids_have_one_form() -> None:
    assert value("mac", "A4-77-33-0C-5B-1F") == value("mac", "a477.330c.5b1f") == "A477330C5B1F"
    assert value("idfa", "6d92078a-8246-4ba4-ae5b-76104861e7dc").isupper()
    assert refusal("mac", "01:00:5e:00:00:fb") == "format"
    assert value("mobile_md5", "5D41402ABC4B2A76B9719D911017C592").islower()


def test_wechat_ids_keep_their_case_and_need_their_namespace() -> None:
    assert value("openid", "oAbC-x_1234", "wx1") == "oAbC-x_1234"
    assert refusal("openid", "oAbC-x_1234") == "namespace_missing"
    assert TYPES.normalise(RawIdentifier("unionid", "oUnion1")) == ("unionid", "", "oUnion1")
    spaced = TYPES.normalise(RawIdentifier("$identity_login_id", "Ab", " app "))
    assert spaced == Identifier("login_id", "app", "Ab")


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("$identity_mobile", "mobile"),
        ("phone", "mobile"),
        ("手机号", "mobile"),
        ("userId", "login_id"),
        ("anonymousId", "anonymous_id"),
        ("cookie", "anonymous_id"),
        ("$identity_cookie_id", "anonymous_id"),
    ],
)
def test_protocols_and_people_call_them_by_other_names(alias: str, name: str) -> None:
    assert TYPES.get(alias).name == name


def test_an_unknown_type_is_refused() -> None:
    assert refusal("passport", "E12345678") == "unknown_identifier_type"


@given(st.sampled_from(sorted(TYPES.types)), st.text(max_size=40))
def test_normalising_twice_changes_nothing_and_nothing_escapes(type: str, text: str) -> None:
    try:
        once = TYPES.normalise(RawIdentifier(type, text, "ns"))
    except InvalidIdentifier:
        return
    assert TYPES.normalise(RawIdentifier(type, once.value, once.namespace)) == once
    assert once.value.isprintable()

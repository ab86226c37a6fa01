"""The profile fields that any industry has. Packs add their own."""

from __future__ import annotations

from carloop.core.fields import Field, FieldClass, FieldType
from carloop.core.regions import PROVINCES

_IDENTIFYING = FieldClass.IDENTIFYING
_DERIVED = FieldClass.DERIVED

GENDERS = {
    "male": {"zh": "男", "en": "Male"},
    "female": {"zh": "女", "en": "Female"},
}

CORE_FIELDS: tuple[Field, ...] = (
    Field(
        "name",
        {"zh": "姓名", "en": "Name"},
        cls=_IDENTIFYING,
        aliases=("$name", "real_name", "full_name", "姓名", "客户姓名"),
    ),
    Field(
        "mobile",
        {"zh": "手机号", "en": "Mobile"},
        cls=_IDENTIFYING,
        identifier="mobile",
        aliases=("$phone", "phone", "phone_number", "手机", "手机号", "手机号码", "电话"),
    ),
    Field(
        "email",
        {"zh": "邮箱", "en": "E-mail"},
        cls=_IDENTIFYING,
        identifier="email",
        aliases=("$email", "mail", "邮箱"),
    ),
    Field(
        "id_card",
        {"zh": "身份证号", "en": "ID card"},
        cls=_IDENTIFYING,
        identifier="id_card",
        aliases=("idcard", "id_number", "身份证", "身份证号"),
    ),
    Field(
        "address",
        {"zh": "地址", "en": "Address"},
        cls=_IDENTIFYING,
        aliases=("$address", "street", "地址"),
    ),
    Field(
        "gender",
        {"zh": "性别", "en": "Gender"},
        codes=GENDERS,
        aliases=("$gender", "sex", "性别"),
    ),
    Field(
        "birth_date",
        {"zh": "出生日期", "en": "Date of birth"},
        FieldType.DATE,
        aliases=("$birthday", "birthday", "birthdate", "生日", "出生日期"),
    ),
    Field(
        "region",
        {"zh": "地区代码", "en": "Region code"},
        aliases=("region_code", "地区代码"),
    ),
    Field("province", {"zh": "省份", "en": "Province"}, aliases=("$province", "省份", "省")),
    Field("city", {"zh": "城市", "en": "City"}, aliases=("$city", "城市", "市")),
    Field("level", {"zh": "会员等级", "en": "Level"}, aliases=("member_level", "会员等级")),
    Field("language", {"zh": "语言", "en": "Language"}, aliases=("$language", "locale", "语言")),
    Field("occupation", {"zh": "职业", "en": "Occupation"}, aliases=("job", "职业")),
    Field("company", {"zh": "公司", "en": "Company"}, aliases=("公司",)),
    Field(
        "registered_at",
        {"zh": "注册时间", "en": "Registered at"},
        FieldType.DATETIME,
        aliases=("$signup_time", "created_at", "createdAt", "注册时间"),
    ),
    Field("interests", {"zh": "兴趣", "en": "Interests"}, FieldType.LIST, aliases=("兴趣",)),
    Field("birth_year", {"zh": "出生年份", "en": "Birth year"}, FieldType.NUMBER, cls=_DERIVED),
    Field(
        "id_region",
        {"zh": "籍贯", "en": "Region of the ID card"},
        cls=_DERIVED,
        codes=PROVINCES,
    ),
    Field("carrier", {"zh": "运营商", "en": "Carrier"}, cls=_DERIVED),
)

"""Presets for platforms that push leads: a mapping to start from, and what is known of each.

No platform among the Chinese ones publishes a complete description of its push; where a preset says
``assumed``, its paths and its signature are to be compared with the paper that the platform hands
to the advertiser. Unless a platform signs, its address carries a write key: ``?write_key=…``.
"""

from __future__ import annotations

from carloop.core.pack import WebhookPreset

_BEIJING = {"time": "auto", "zone": "Asia/Shanghai"}
_PAPER = (
    "字段名与签名请以平台提供的接口文档为准 / Compare names and signature with the platform's paper"
)
_OK: dict[str, object] = {"code": 0, "message": "success"}


def _lead(
    media: str,
    *,
    id: tuple[str, ...],
    phone: tuple[str, ...],
    name: tuple[str, ...],
    at: tuple[str, ...],
    items: str = "",
    **properties: tuple[str, ...],
) -> dict[str, object]:
    """Settings of a lead push; every value by the first of its paths that is there."""
    named = {
        field: {"paths": list(paths)} for field, paths in properties.items() if field != "dealer"
    }
    mapping: dict[str, object] = {
        **({"items": items} if items else {}),
        "event": "lead_submitted",
        "message_id": {"paths": list(id), "prefix": f"{media}:"},
        "occurred_at": {"paths": list(at), **_BEIJING},
        "identifiers": [{"type": "mobile", "paths": list(phone)}],
        "properties": {
            "channel": {"value": media},
            "lead_no": {"paths": list(id), "type": "text"},
            **named,
        },
        "profile": {"set_once": {"name": {"paths": list(name)}}},
    }
    if "dealer" in properties:
        mapping["entities"] = [{"type": "dealer", "paths": list(properties["dealer"])}]
    return {"content": "auto", "mapping": mapping, "answer": _OK}


WEBHOOK_PRESETS = (
    WebhookPreset(
        "ocean_engine",
        {"zh": "巨量引擎 线索推送", "en": "Ocean Engine leads"},
        _lead(
            "ocean_engine",
            id=("clue_id", "id"),
            phone=("telphone", "telephone", "phone"),
            name=("name",),
            at=("create_time", "create_time_detail"),
            campaign=("promotion_name", "ad_name", "ad_id"),
            click_id=("clickid", "click_id", "req_id"),
            series=("car_series", "series_name"),
            city=("city_name", "city"),
            dealer=("dealer_code", "store.store_code"),
        ),
        assumed=("clue_id, telphone, name, create_time, ad_id, ad_name, req_id, city_name", _PAPER),
    ),
    WebhookPreset(
        "tencent_ads",
        {"zh": "腾讯广告 线索推送", "en": "Tencent Ads leads"},
        _lead(
            "tencent_ads",
            id=("leads_id",),
            phone=("leads_telephone", "leads_tel"),
            name=("leads_name",),
            at=("leads_action_time", "leads_create_time"),
            campaign=("campaign_name", "adgroup_name", "adgroup_id"),
            click_id=("click_id",),
            city=("leads_area", "city"),
            series=("car_series", "bundle.car_series"),
            dealer=("dealer_code", "shop_code"),
        ),
        documented=(
            "leads_id, leads_name, leads_telephone, leads_action_time, click_id, account_id: "
            "Marketing API, lead list (https://developers.e.qq.com/)",
        ),
        assumed=("the push uses the names of the list", _PAPER),
    ),
    WebhookPreset(
        "baidu_marketing",
        {"zh": "百度营销 线索推送", "en": "Baidu Marketing leads"},
        _lead(
            "baidu_marketing",
            id=("clueId", "clue_id", "id"),
            phone=("cluePhoneNumber", "phone", "mobile"),
            name=("userName", "name"),
            at=("commitTime", "submitTime", "create_time"),
            campaign=("campaignName", "planName", "campaignId"),
            click_id=("bdVid", "bd_vid"),
            keyword=("keyword", "wordName"),
            series=("carSeries", "formDetail[name=意向车系].value"),
            city=("clueAttribution", "area", "city"),
        ),
        assumed=(
            "clueId, cluePhoneNumber, commitTime, bdVid, formDetail as name and value",
            _PAPER,
        ),
    ),
    WebhookPreset(
        "autohome",
        {"zh": "汽车之家 线索推送", "en": "Autohome leads"},
        _lead(
            "autohome",
            id=("leadsId", "leads_id", "orderId", "cclid"),
            phone=("phone", "mobile", "userPhone"),
            name=("name", "userName", "customerName"),
            at=("createTime", "orderTime", "created"),
            campaign=("activityName", "siteName"),
            series=("seriesName", "series_name", "series"),
            model=("specName", "spec_name", "modelName"),
            city=("cityName", "city"),
            dealer=("dealerCode", "dealerId"),
        ),
        assumed=("leadsId, phone, name, createTime, seriesName, specName, dealerId", _PAPER),
    ),
    WebhookPreset(
        "dongchedi",
        {"zh": "懂车帝 线索推送", "en": "Dongchedi leads"},
        _lead(
            "dongchedi",
            id=("clue_id", "lead_id", "id"),
            phone=("phone", "telphone", "mobile"),
            name=("user_name", "name"),
            at=("create_time", "clue_time"),
            series=("series_name", "car_series_name"),
            model=("car_name", "model_name"),
            city=("city_name", "city"),
            dealer=("dealer_code", "dealer_id"),
        ),
        assumed=(
            "clue_id, phone, user_name, create_time, series_name, car_name, dealer_id",
            _PAPER,
        ),
    ),
    WebhookPreset(
        "yiche",
        {"zh": "易车 线索推送", "en": "Yiche leads"},
        _lead(
            "yiche",
            id=("orderId", "order_id", "businessId", "id"),
            phone=("mobile", "userMobile", "phone"),
            name=("userName", "name"),
            at=("createTime", "orderTime", "createDate"),
            series=("serialName", "csName", "seriesName"),
            model=("carName", "modelName"),
            city=("cityName", "locationName", "city"),
            dealer=("dealerCode", "dealerId"),
        ),
        assumed=("orderId, mobile, userName, createTime, serialName, carName, dealerId", _PAPER),
    ),
    WebhookPreset(
        "google_ads",
        {"zh": "Google Ads 潜在客户表单", "en": "Google Ads lead form"},
        {
            "content": "json",
            "mapping": {
                "event": "lead_submitted",
                "message_id": {"path": "lead_id", "prefix": "google_ads:"},
                "identifiers": [
                    {
                        "type": "mobile",
                        "path": "user_column_data[column_id=PHONE_NUMBER].string_value",
                    },
                    {"type": "email", "path": "user_column_data[column_id=EMAIL].string_value"},
                ],
                "properties": {
                    "channel": {"value": "google_ads"},
                    "lead_no": "lead_id",
                    "campaign": {"path": "campaign_id", "type": "text"},
                    "form": {"path": "form_id", "type": "text"},
                    "click_id": "gcl_id",
                    "test": "is_test",
                },
                "profile": {
                    "set_once": {
                        "name": "user_column_data[column_id=FULL_NAME].string_value",
                        "city": "user_column_data[column_id=CITY].string_value",
                    }
                },
            },
            "answer": {},
        },
        documented=(
            "lead_id, user_column_data, campaign_id, form_id, gcl_id, is_test: "
            "https://developers.google.com/google-ads/webhook/docs/implementation",
        ),
        assumed=("the address carries a write key; google_key is not read",),
    ),
)

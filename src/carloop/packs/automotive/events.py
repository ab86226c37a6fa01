"""The event plan of a car maker: traffic, leads, sale, service, members, dealer operation.

Covers the dealer processes of the catalogue's row M05-14, each as an event attached to a person, a
vehicle, a dealer or an advisor.
"""

from __future__ import annotations

from carloop.core.fields import FieldClass, FieldType
from carloop.core.pack import EventType, Property

_N, _B, _D = FieldType.NUMBER, FieldType.BOOLEAN, FieldType.DATE

_TITLES = {
    "channel": ("渠道", "Channel"),
    "campaign": ("活动", "Campaign"),
    "touchpoint": ("触点", "Touchpoint"),
    "url": ("页面地址", "URL"),
    "title": ("标题", "Title"),
    "element": ("页面元素", "Element"),
    "series": ("车系", "Series"),
    "model": ("车型", "Model"),
    "price": ("价格(元)", "Price (CNY)"),
    "amount": ("金额(元)", "Amount (CNY)"),
    "duration_s": ("停留时长(秒)", "Duration (s)"),
    "os": ("操作系统", "Operating system"),
    "content_id": ("内容编号", "Content id"),
    "content_type": ("内容类型", "Content type"),
    "keyword": ("搜索词", "Keyword"),
    "lead_no": ("线索编号", "Lead number"),
    "grade": ("等级", "Grade"),
    "reason": ("原因", "Reason"),
    "competitor": ("竞品", "Competitor"),
    "order_no": ("订单编号", "Order number"),
    "payment": ("付款方式", "Payment"),
    "score": ("评分", "Score"),
    "odometer_km": ("里程(公里)", "Odometer (km)"),
    "service_type": ("维修类型", "Service type"),
    "labour": ("工时费(元)", "Labour (CNY)"),
    "parts": ("备件费(元)", "Parts (CNY)"),
    "part_no": ("备件号", "Part number"),
    "quantity": ("数量", "Quantity"),
    "points": ("积分", "Points"),
    "level": ("等级", "Level"),
    "experiment": ("实验", "Experiment"),
    "arm": ("实验组", "Arm"),
    "vin": ("车架号", "VIN"),
    "dealer": ("经销商", "Dealer"),
    "advisor": ("顾问", "Advisor"),
    "uscc": ("统一社会信用代码", "Social credit code"),
    "connected": ("是否网联", "Connected"),
    "due_date": ("到期日", "Due date"),
    "energy_kwh": ("充电量(千瓦时)", "Energy (kWh)"),
    "mileage_km": ("当日里程(公里)", "Mileage (km)"),
    "inviter": ("邀请人", "Inviter"),
    "companions": ("同行人数", "Companions"),
}
_NUMBERS = (
    "price",
    "amount",
    "duration_s",
    "score",
    "odometer_km",
    "labour",
    "parts",
    "quantity",
    "points",
    "energy_kwh",
    "mileage_km",
    "companions",
)
_TYPES = {**dict.fromkeys(_NUMBERS, _N), "connected": _B, "due_date": _D}
_ENTITIES = {"vin": "vehicle", "dealer": "dealer", "advisor": "advisor", "uscc": "organisation"}


def _properties(names: str) -> tuple[Property, ...]:
    """Properties by name; a trailing ``!`` marks a required one."""
    made = []
    for word in names.split():
        name = word.rstrip("!")
        zh, en = _TITLES[name]
        made.append(
            Property(
                name,
                {"zh": zh, "en": en},
                _TYPES.get(name, FieldType.STRING),
                FieldClass.IDENTIFYING if name == "vin" else FieldClass.DESCRIPTIVE,
                required=word.endswith("!"),
                entity=_ENTITIES.get(name),
            )
        )
    return tuple(made)


def _event(
    name: str,
    zh: str,
    en: str,
    stage: str,
    properties: str = "",
    *,
    relations: str = "",
    ends: str = "",
    grants: str = "",
) -> EventType:
    return EventType(
        name,
        {"zh": zh, "en": en},
        stage,
        _properties(properties),
        tuple(relations.split()),
        tuple(ends.split()),
        tuple(grants.split()),
    )


_CARE = {"relations": "customer_of served_by", "grants": "dealer advisor"}
"""A lead or order at a dealer makes the person that dealer's customer, and visible there."""
_STORE = "dealer! advisor"
_SERVICE = "dealer! vin! advisor"

EVENT_TYPES = (
    _event(
        "page_viewed",
        "浏览页面",
        "Page viewed",
        "traffic",
        "url title channel series duration_s os",
    ),
    _event(
        "screen_viewed",
        "浏览应用页面",
        "Screen viewed",
        "traffic",
        "title channel series duration_s os",
    ),
    _event("page_left", "离开页面", "Page left", "traffic", "url series duration_s os"),
    _event(
        "element_clicked", "点击页面元素", "Element clicked", "traffic", "url element series os"
    ),
    _event("app_opened", "打开应用", "App opened", "traffic", "channel os"),
    _event("mini_program_opened", "打开小程序", "Mini-program opened", "traffic", "channel os"),
    _event(
        "mini_program_hidden",
        "小程序切到后台",
        "Mini-program hidden",
        "traffic",
        "duration_s os",
    ),
    _event("ad_clicked", "点击广告", "Ad clicked", "traffic", "channel! campaign content_id"),
    _event(
        "content_viewed",
        "查看内容",
        "Content viewed",
        "traffic",
        "content_id content_type channel series",
    ),
    _event(
        "content_shared",
        "分享内容",
        "Content shared",
        "traffic",
        "content_id content_type channel series",
    ),
    _event(
        "content_exposed",
        "内容曝光",
        "Content exposed",
        "traffic",
        "content_id content_type channel series",
    ),
    _event("consent_given", "同意采集", "Consent given", "traffic", "channel os"),
    _event("searched", "搜索", "Searched", "traffic", "keyword channel"),
    _event("series_viewed", "查看车系", "Series viewed", "interest", "series! channel price os"),
    _event(
        "configuration_saved",
        "保存配置",
        "Configuration saved",
        "interest",
        "series! model price channel",
    ),
    _event(
        "finance_calculated",
        "金融试算",
        "Finance calculated",
        "interest",
        "series price payment channel",
    ),
    _event(
        "live_watched",
        "观看直播",
        "Live stream watched",
        "interest",
        "content_id duration_s channel",
    ),
    _event("account_registered", "注册账号", "Account registered", "interest", "channel"),
    _event(
        "official_account_followed",
        "关注公众号",
        "Official account followed",
        "interest",
        "channel",
    ),
    _event(
        "wecom_friend_added",
        "添加企业微信",
        "WeCom contact added",
        "interest",
        "dealer advisor channel",
    ),
    _event("coupon_claimed", "领取优惠券", "Coupon claimed", "interest", "campaign amount channel"),
    _event(
        "experiment_exposed",
        "实验曝光",
        "Experiment exposed",
        "interest",
        "experiment! arm! channel",
    ),
    _event(
        "lead_submitted",
        "提交线索",
        "Lead submitted",
        "lead",
        "lead_no channel! campaign series dealer",
    ),
    _event(
        "lead_assigned", "线索下发", "Lead assigned", "lead", f"lead_no {_STORE} grade", **_CARE
    ),
    _event(
        "lead_contacted", "客户跟进", "Lead followed up", "lead", f"lead_no {_STORE} grade", **_CARE
    ),
    _event("lead_graded", "线索评级", "Lead graded", "lead", "lead_no grade!"),
    _event("lead_invalidated", "线索无效", "Lead invalidated", "lead", "lead_no reason!"),
    _event("lead_lost", "线索战败", "Lead lost", "lead", "lead_no reason competitor dealer"),
    _event("call_received", "来电洽谈", "Call received", "lead", f"{_STORE} series", **_CARE),
    _event(
        "store_visited", "来店洽谈", "Store visited", "lead", f"{_STORE} series companions", **_CARE
    ),
    _event(
        "test_drive_started_booking",
        "开始预约试驾",
        "Test-drive booking started",
        "lead",
        "series channel os",
    ),
    _event(
        "test_drive_booked", "预约试驾", "Test drive booked", "lead", "series dealer channel os"
    ),
    _event(
        "test_drive_completed",
        "完成试乘试驾",
        "Test drive completed",
        "lead",
        f"{_STORE} series score",
        **_CARE,
    ),
    _event("test_drive_missed", "试驾爽约", "Test drive missed", "lead", "dealer series reason"),
    _event("quote_given", "报价", "Quote given", "sale", f"{_STORE} series price"),
    _event(
        "order_placed",
        "下订单",
        "Order placed",
        "sale",
        f"order_no! {_STORE} series! price payment channel",
        **_CARE,
    ),
    _event(
        "contract_signed", "签订购车协议", "Contract signed", "sale", f"order_no! {_STORE} price"
    ),
    _event(
        "finance_supported", "金融支持", "Finance granted", "sale", "order_no dealer amount payment"
    ),
    _event(
        "payment_received",
        "收到车款",
        "Payment received",
        "sale",
        "order_no! amount! payment dealer",
    ),
    _event("order_cancelled", "取消订单", "Order cancelled", "sale", "order_no! reason dealer"),
    _event(
        "vehicle_delivered",
        "交车出库",
        "Vehicle delivered",
        "sale",
        f"order_no vin! {_STORE} series price connected",
        relations="owns drives customer_of served_by",
        ends="stocked_at",
        grants="dealer advisor",
    ),
    _event(
        "fleet_delivered",
        "企业交车",
        "Fleet vehicle delivered",
        "sale",
        f"order_no uscc! vin! {_STORE} series price",
        relations="fleet_of contact_of",
        ends="stocked_at",
        grants="dealer",
    ),
    _event("purchase_surveyed", "购车回访", "Purchase surveyed", "sale", "dealer score reason"),
    _event(
        "trade_in_appraised", "二手车置换评估", "Trade-in appraised", "sale", "dealer vin price"
    ),
    _event(
        "ownership_transferred",
        "车辆过户",
        "Ownership transferred",
        "sale",
        "vin! dealer",
        relations="owns drives",
    ),
    _event("vehicle_connected", "激活车联网", "Vehicle connected", "use", "vin! connected"),
    _event(
        "vehicle_usage_reported",
        "用车日报",
        "Vehicle usage reported",
        "use",
        "vin! mileage_km odometer_km",
    ),
    _event("charging_completed", "完成充电", "Charging completed", "use", "vin energy_kwh amount"),
    _event(
        "service_booked",
        "保养预约",
        "Service booked",
        "service",
        "dealer! vin service_type channel",
        grants="dealer",
    ),
    _event(
        "service_checked_in",
        "维修接待",
        "Service checked in",
        "service",
        f"{_SERVICE} odometer_km service_type",
        relations="brings_in customer_of",
        grants="dealer",
    ),
    _event("work_dispatched", "派工", "Work dispatched", "service", f"{_SERVICE} service_type"),
    _event(
        "service_completed",
        "竣工结算",
        "Service completed",
        "service",
        f"{_SERVICE} service_type odometer_km labour parts amount!",
    ),
    _event(
        "warranty_claimed",
        "三包索赔",
        "Warranty claimed",
        "service",
        f"{_SERVICE} part_no amount reason",
    ),
    _event(
        "old_part_returned",
        "旧件处理",
        "Old part returned",
        "service",
        "dealer! vin part_no quantity",
    ),
    _event("rescue_dispatched", "外出救援", "Rescue dispatched", "service", "dealer! vin reason"),
    _event(
        "recall_completed", "技术升级/召回", "Recall completed", "service", "dealer! vin! campaign!"
    ),
    _event("service_surveyed", "维修回访", "Service surveyed", "service", "dealer! score reason"),
    _event("complaint_filed", "抱怨/投诉", "Complaint filed", "service", "dealer vin reason!"),
    _event("complaint_closed", "投诉关闭", "Complaint closed", "service", "dealer score"),
    _event("customer_cared", "客户关怀", "Customer cared for", "service", "dealer advisor reason"),
    _event("maintenance_due", "保养到期", "Maintenance due", "service", "vin due_date"),
    _event(
        "insurance_renewed",
        "续保",
        "Insurance renewed",
        "service",
        "dealer vin amount!",
        grants="dealer",
    ),
    _event("member_joined", "入会申请", "Member joined", "member", "level channel"),
    _event("member_served", "会员查询/服务", "Member served", "member", "dealer reason"),
    _event("points_earned", "获得积分", "Points earned", "member", "points! reason"),
    _event("points_redeemed", "积分兑换", "Points redeemed", "member", "points! content_id"),
    _event(
        "club_activity_joined",
        "参加俱乐部活动",
        "Club activity joined",
        "member",
        "campaign dealer",
    ),
    _event("referral_made", "转介绍", "Referral made", "member", "inviter channel"),
    _event(
        "vehicle_purchased",
        "车辆采购",
        "Vehicle purchased (dealer)",
        "operation",
        "dealer! vin! series price",
    ),
    _event("vehicle_shipped", "车辆发运", "Vehicle shipped", "operation", "dealer! vin!"),
    _event("vehicle_accepted", "车辆验收", "Vehicle accepted", "operation", "dealer! vin!"),
    _event(
        "vehicle_stocked",
        "车辆入库 (库存)",
        "Vehicle stocked",
        "operation",
        "dealer! vin! series",
        relations="stocked_at",
    ),
    _event("part_ordered", "备件订单", "Part ordered", "operation", "dealer! part_no! quantity!"),
    _event(
        "part_stocked",
        "备件入库 (备件库存)",
        "Part stocked",
        "operation",
        "dealer! part_no! quantity!",
    ),
    _event("part_sold", "备件销售", "Part sold", "operation", "dealer! part_no! quantity! amount"),
    _event("dealer_established", "经销商建店", "Dealer established", "operation", "dealer!"),
    _event("dealer_authorised", "经销商授权", "Dealer authorised", "operation", "dealer! series"),
    _event(
        "advisor_employed",
        "顾问入职",
        "Advisor employed",
        "operation",
        "dealer! advisor!",
        relations="works_at",
    ),
)

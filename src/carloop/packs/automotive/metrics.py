"""Figures that a car maker steers by, each with the events and properties it is computed from."""

from __future__ import annotations

from carloop.core.pack import Metric


def _metric(name: str, zh: str, en: str, stage: str, needs: str) -> Metric:
    return Metric(name, {"zh": zh, "en": en}, tuple(needs.split()), stage)


METRICS = (
    _metric("page_views", "页面浏览量", "Page views", "traffic", "page_viewed page_viewed.url"),
    _metric(
        "channel_traffic",
        "渠道流量占比",
        "Traffic by channel",
        "traffic",
        "page_viewed.channel app_opened.channel mini_program_opened.channel",
    ),
    _metric(
        "time_on_page", "平均停留时长", "Time on page", "traffic", "page_left page_left.duration_s"
    ),
    _metric(
        "content_click_rate",
        "内容点击率",
        "Content click rate",
        "traffic",
        "content_exposed.content_id content_viewed.content_id",
    ),
    _metric(
        "share_rate",
        "内容分享率",
        "Share rate",
        "traffic",
        "content_viewed.content_id content_shared.content_id",
    ),
    _metric(
        "series_interest",
        "车系关注度",
        "Interest by series",
        "interest",
        "series_viewed.series configuration_saved.series",
    ),
    _metric("leads_by_channel", "渠道线索量", "Leads by channel", "lead", "lead_submitted.channel"),
    _metric(
        "lead_validity",
        "线索有效率",
        "Share of valid leads",
        "lead",
        "lead_submitted lead_invalidated.reason",
    ),
    _metric(
        "lead_follow_up",
        "线索跟进率",
        "Share of leads followed up",
        "lead",
        "lead_assigned.dealer lead_contacted.dealer",
    ),
    _metric("visit_rate", "到店率", "Lead to visit", "lead", "lead_submitted store_visited.dealer"),
    _metric(
        "test_drive_rate",
        "试驾率",
        "Visit to test drive",
        "lead",
        "store_visited test_drive_completed",
    ),
    _metric(
        "test_drive_show_rate",
        "试驾到场率",
        "Test drives kept",
        "lead",
        "test_drive_booked test_drive_completed test_drive_missed",
    ),
    _metric(
        "conversion_rate", "成交转化率", "Lead to order", "sale", "lead_submitted order_placed"
    ),
    _metric("defeat_reasons", "战败原因分布", "Reasons of lost leads", "lead", "lead_lost.reason"),
    _metric(
        "order_value", "订单金额", "Order value", "sale", "order_placed.order_no order_placed.price"
    ),
    _metric(
        "cancellation_rate",
        "退订率",
        "Cancellation rate",
        "sale",
        "order_placed.order_no order_cancelled.order_no",
    ),
    _metric(
        "delivery_days",
        "订单交付周期",
        "Days from order to delivery",
        "sale",
        "order_placed.order_no vehicle_delivered.order_no",
    ),
    _metric(
        "connection_rate",
        "新车联网激活率",
        "New cars connected",
        "use",
        "vehicle_delivered vehicle_connected",
    ),
    _metric(
        "daily_mileage",
        "日均行驶里程",
        "Mileage per day",
        "use",
        "vehicle_usage_reported.mileage_km",
    ),
    _metric(
        "service_value",
        "售后产值",
        "After-sales revenue",
        "service",
        "service_completed.amount service_completed.labour service_completed.parts",
    ),
    _metric(
        "complaint_rate",
        "投诉率",
        "Complaint rate",
        "service",
        "service_completed complaint_filed.reason",
    ),
    _metric(
        "service_satisfaction",
        "售后满意度",
        "After-sales satisfaction",
        "service",
        "service_surveyed.score",
    ),
    _metric(
        "renewal_rate",
        "续保率",
        "Insurance renewal rate",
        "service",
        "vehicle_delivered insurance_renewed.amount",
    ),
    _metric(
        "points_redemption",
        "积分兑换率",
        "Points redeemed",
        "member",
        "points_earned.points points_redeemed.points",
    ),
    _metric(
        "k_factor",
        "裂变 K 值",
        "K factor",
        "member",
        "referral_made.inviter account_registered",
    ),
)

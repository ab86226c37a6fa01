"""Segments and funnels that a new installation starts with."""

from __future__ import annotations

from carloop.core.pack import FunnelTemplate, SegmentTemplate


def _did(event: str, days: int, n: int = 1) -> dict[str, object]:
    return {
        "kind": "performed",
        "event": event,
        "count": {"op": ">=", "n": n},
        "window": {"days": days},
    }


def _not(rule: dict[str, object]) -> dict[str, object]:
    return {"kind": "not", "rule": rule}


SEGMENTS = (
    SegmentTemplate(
        "high_intent",
        {"zh": "高意向未成交", "en": "High intent, not bought"},
        {
            "kind": "all",
            "rules": [
                {
                    "kind": "any",
                    "rules": [_did("test_drive_completed", 30), _did("configuration_saved", 30, 2)],
                },
                _not({"kind": "performed", "event": "vehicle_delivered"}),
            ],
        },
    ),
    SegmentTemplate(
        "active_sharers",
        {"zh": "90 天分享达人", "en": "Shared three times in 90 days"},
        {"kind": "all", "rules": [_did("content_shared", 90, 3)]},
    ),
    SegmentTemplate(
        "silent_owners",
        {"zh": "沉默车主", "en": "Silent owners"},
        {
            "kind": "all",
            "rules": [
                {"kind": "performed", "event": "vehicle_delivered"},
                _not(_did("app_opened", 90)),
                _not(_did("service_completed", 180)),
            ],
        },
    ),
    SegmentTemplate(
        "new_owners",
        {"zh": "30 天内新车主", "en": "New owners, 30 days"},
        {"kind": "all", "rules": [_did("vehicle_delivered", 30)]},
    ),
)

FUNNELS = (
    FunnelTemplate(
        "lead_to_order",
        {"zh": "线索到成交", "en": "From lead to order"},
        {
            "steps": [
                {"event": "lead_submitted"},
                {"event": "store_visited"},
                {"event": "test_drive_completed"},
                {"event": "order_placed"},
                {"event": "vehicle_delivered"},
            ],
            "window": {"days": 90},
            "breakdown": {"property": "channel"},
        },
    ),
    FunnelTemplate(
        "booking_breakpoint",
        {"zh": "预约试驾断点", "en": "Where test-drive booking breaks"},
        {
            "steps": [
                {"event": "test_drive_started_booking"},
                {"event": "test_drive_booked"},
                {"event": "test_drive_completed"},
            ],
            "window": {"days": 14},
            "breakdown": {"property": "os"},
        },
    ),
)

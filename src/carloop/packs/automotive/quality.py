"""Rules of data quality of a car maker: what no lead, car or order may be."""

from __future__ import annotations

from collections.abc import Mapping

from carloop.core.pack import QualityRule


def _range(field: str, least: float, most: float) -> QualityRule:
    rule = {"kind": "range", "field": field, "least": least, "most": most}
    return QualityRule(f"range:{field}", rule)


def _codes(field: str) -> QualityRule:
    """Judged once a code table of this name was imported."""
    return QualityRule(f"codes:{field}", {"kind": "codes", "field": field, "table": field})


def _order(event: str, not_before: str, by: str) -> QualityRule:
    rule: Mapping[str, object] = {
        "kind": "event_order",
        "event": event,
        "not_before": not_before,
        "by": by,
    }
    return QualityRule(f"order:{event}", rule, event)


def _agreement(entity: str, field: str) -> QualityRule:
    rule = {"kind": "agreement", "entity": entity, "property": field}
    return QualityRule(f"agreement:{entity}:{field}", rule)


QUALITY: tuple[QualityRule, ...] = (
    QualityRule(
        "duplicate:lead",
        {"kind": "repeated_event", "event": "lead_submitted", "same": ["series"], "days": 30},
        "lead_submitted",
    ),
    _order("test_drive_completed", "lead_submitted", "person"),
    _order("vehicle_delivered", "order_placed", "order_no"),
    _range("odometer_km", 0, 2_000_000),
    _range("mileage_km", 0, 3_000),
    _range("energy_kwh", 0, 500),
    _range("companions", 0, 20),
    _range("duration_s", 0, 86_400),
    QualityRule("outlier:price", {"kind": "outlier", "field": "price", "limit": 10}),
    QualityRule(
        "foreign_key:dealer", {"kind": "foreign_key", "field": "dealer", "reference": "dealer"}
    ),
    _codes("channel"),
    _codes("series"),
    _codes("province"),
    _agreement("vehicle", "series"),
    _agreement("vehicle", "model"),
)

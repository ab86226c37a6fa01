"""Entity types and dated relations of the car trade."""

from __future__ import annotations

from carloop.core.pack import EntityType, RelationType

ENTITY_TYPES = (
    EntityType("vehicle", {"zh": "车辆", "en": "Vehicle"}, key="vin", identifying=True),
    EntityType("dealer", {"zh": "经销商", "en": "Dealer"}, key="dealer_code", scope_dimension=True),
    EntityType(
        "advisor", {"zh": "顾问", "en": "Advisor"}, key="advisor_code", scope_dimension=True
    ),
    EntityType("organisation", {"zh": "企业客户", "en": "Organisation"}, key="uscc"),
)

RELATION_TYPES = (
    RelationType("owns", {"zh": "拥有", "en": "owns"}, "person", "vehicle", exclusive=True),
    RelationType("drives", {"zh": "使用", "en": "drives"}, "person", "vehicle"),
    RelationType("brings_in", {"zh": "送修", "en": "brings in"}, "person", "vehicle"),
    RelationType("customer_of", {"zh": "所属门店", "en": "customer of"}, "person", "dealer"),
    RelationType("served_by", {"zh": "服务顾问", "en": "served by"}, "person", "advisor"),
    RelationType("contact_of", {"zh": "企业联系人", "en": "contact of"}, "person", "organisation"),
    RelationType("fleet_of", {"zh": "企业车辆", "en": "owns (fleet)"}, "organisation", "vehicle"),
    RelationType("works_at", {"zh": "任职于", "en": "works at"}, "advisor", "dealer"),
    RelationType(
        "stocked_at", {"zh": "库存于", "en": "stocked at"}, "dealer", "vehicle", exclusive=True
    ),
)

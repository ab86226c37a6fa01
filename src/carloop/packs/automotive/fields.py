"""Profile fields that only the car trade has; all descriptive."""

from __future__ import annotations

from carloop.core.fields import Field, FieldType

FIELDS = (
    Field(
        "customer_type",
        {"zh": "客户类型", "en": "Customer type"},
        codes={
            "VRM": {"zh": "访客", "en": "Visitor"},
            "PRM": {"zh": "潜客", "en": "Prospect"},
            "CRM": {"zh": "车主", "en": "Customer"},
        },
    ),
    Field("intended_series", {"zh": "意向车系", "en": "Series of interest"}),
    Field(
        "lead_grade",
        {"zh": "线索等级", "en": "Lead grade"},
        source_priority=("crm",),
        codes={g: {"zh": f"{g} 级", "en": f"Grade {g}"} for g in "HABCNODT"},
    ),
    Field("budget_wan", {"zh": "购车预算(万元)", "en": "Budget (10 000 CNY)"}, FieldType.NUMBER),
    Field("family_size", {"zh": "家庭人口", "en": "Family size"}, FieldType.NUMBER),
    Field("points", {"zh": "积分", "en": "Points"}, FieldType.NUMBER),
    Field("owned_series", {"zh": "保有车系", "en": "Owned series"}, FieldType.LIST),
    Field("purchase_date", {"zh": "购车日期", "en": "Purchase date"}, FieldType.DATE),
    Field("connected", {"zh": "是否网联车主", "en": "Connected owner"}, FieldType.BOOLEAN),
    Field("first_channel", {"zh": "首次来源渠道", "en": "First channel"}),
)

"""A bicycle shop: a second industry, to keep the seam between core and packs honest."""

from __future__ import annotations

import re
from pathlib import Path

from carloop.core.fields import Field, FieldType
from carloop.core.identifiers import IdentifierType, InvalidIdentifier, Strength
from carloop.core.pack import (
    EntityType,
    EventType,
    FunnelTemplate,
    Pack,
    Property,
    RelationType,
    SegmentTemplate,
)

NAME = "bicycles"
_FRAME = re.compile(r"^WB[0-9]{6}$")


def normalise_frame(value: str) -> str:
    """A frame number: ``WB`` and six digits.

    Raises:
        InvalidIdentifier: ``format``.

    >>> normalise_frame("wb 123-456")
    'WB123456'
    """
    frame = re.sub(r"[\s-]", "", value).upper()
    if not _FRAME.match(frame):
        raise InvalidIdentifier("not a frame number", code="format", type="frame_number")
    return frame


_SHOP = Property("shop", {"zh": "车店", "en": "Shop"}, required=True, entity="shop")
_FRAME_NO = Property("frame", {"zh": "车架", "en": "Frame"}, required=True, entity="bicycle")

PACK = Pack(
    NAME,
    {"zh": "自行车店", "en": "Bicycle shop"},
    identifier_types=(
        IdentifierType(
            "frame_number",
            {"zh": "车架号", "en": "Frame number"},
            normalise_frame,
            entity="bicycle",
            strength=Strength.STRONG,
            priority=10,
            identifying=True,
            links=False,
        ),
    ),
    fields=(Field("leg_cm", {"zh": "腿长", "en": "Inside leg (cm)"}, FieldType.NUMBER),),
    entity_types=(
        EntityType(
            "bicycle", {"zh": "自行车", "en": "Bicycle"}, key="frame_number", identifying=True
        ),
        EntityType("shop", {"zh": "车店", "en": "Shop"}, scope_dimension=True),
    ),
    relation_types=(
        RelationType("rides", {"zh": "骑", "en": "rides"}, "person", "bicycle", exclusive=True),
        RelationType("shops_at", {"zh": "光顾", "en": "shops at"}, "person", "shop"),
    ),
    event_types=(
        EventType(
            "fitting_done",
            {"zh": "量身", "en": "Fitting done"},
            "sale",
            (_SHOP,),
            relations=("shops_at",),
            grants=("shop",),
        ),
        EventType(
            "bicycle_sold",
            {"zh": "售出", "en": "Bicycle sold"},
            "sale",
            (_SHOP, _FRAME_NO, Property("price", {"zh": "价格", "en": "Price"}, FieldType.NUMBER)),
            relations=("rides", "shops_at"),
            grants=("shop",),
        ),
    ),
    segments=(
        SegmentTemplate(
            "riders",
            {"zh": "骑手", "en": "Riders"},
            {"kind": "performed", "event": "bicycle_sold"},
        ),
    ),
    funnels=(
        FunnelTemplate(
            "fitting_to_sale",
            {"zh": "量身到售出", "en": "From fitting to sale"},
            {
                "steps": [{"event": "fitting_done"}, {"event": "bicycle_sold"}],
                "window": {"days": 30},
            },
        ),
    ),
)


def install(directory: Path) -> None:
    """Make ``directory`` a place on the path from which the pack is found as if installed."""
    info = directory / f"{NAME}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1\n")
    entry = f"[carloop.packs]\n{NAME} = tests.support.bicycle_pack:PACK\n"
    (info / "entry_points.txt").write_text(entry)

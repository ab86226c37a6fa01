"""The automotive pack: a car maker and its dealers as values."""

from carloop.core.pack import Pack
from carloop.packs.automotive.demo import demo
from carloop.packs.automotive.entities import ENTITY_TYPES, RELATION_TYPES
from carloop.packs.automotive.events import EVENT_TYPES
from carloop.packs.automotive.fields import FIELDS
from carloop.packs.automotive.identifiers import IDENTIFIER_TYPES
from carloop.packs.automotive.metrics import METRICS
from carloop.packs.automotive.quality import QUALITY
from carloop.packs.automotive.segments import FUNNELS, SEGMENTS
from carloop.packs.automotive.webhooks import WEBHOOK_PRESETS

PACK = Pack(
    name="automotive",
    title={"zh": "汽车", "en": "Automotive"},
    version="1",
    identifier_types=IDENTIFIER_TYPES,
    fields=FIELDS,
    entity_types=ENTITY_TYPES,
    relation_types=RELATION_TYPES,
    event_types=EVENT_TYPES,
    segments=SEGMENTS,
    funnels=FUNNELS,
    metrics=METRICS,
    webhook_presets=WEBHOOK_PRESETS,
    quality=QUALITY,
    demo=demo,
    property_identifiers={"手机号": "mobile"},
    property_entities={
        "vin": "vehicle",
        "dealer": "dealer",
        "advisor": "advisor",
        "uscc": "organisation",
    },
)

"""Ways in that carloop reads by itself. Each kind is one file and one line in the tuple below."""

from carloop.connectors.feeds.database import Database
from carloop.connectors.feeds.files import Files
from carloop.connectors.feeds.http_pull import HttpPull
from carloop.connectors.feeds.kafka import Kafka
from carloop.connectors.feeds.mqtt import Mqtt
from carloop.connectors.feeds.nats import Nats
from carloop.connectors.feeds.rabbitmq import RabbitMq
from carloop.connectors.feeds.redis_streams import RedisStreams
from carloop.core.feeds import Feed, FeedKinds

FEEDS: tuple[type[Feed], ...] = (
    Database,
    Files,
    HttpPull,
    Mqtt,
    Kafka,
    RabbitMq,
    Nats,
    RedisStreams,
)
FEED_KINDS: FeedKinds = {feed.kind: feed for feed in FEEDS}

__all__ = ["FEEDS", "FEED_KINDS"]

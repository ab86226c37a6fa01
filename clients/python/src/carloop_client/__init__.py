"""Send events to carloop: batches in the background, nothing accepted is lost in silence."""

from carloop_client.client import Client
from carloop_client.errors import (
    CarloopError,
    Closed,
    InvalidEvent,
    KeyRefused,
    NotDelivered,
    QueueFull,
    Rejected,
    SpoolFailed,
)

__all__ = [
    "CarloopError",
    "Client",
    "Closed",
    "InvalidEvent",
    "KeyRefused",
    "NotDelivered",
    "QueueFull",
    "Rejected",
    "SpoolFailed",
]
__version__ = "0.1.0"

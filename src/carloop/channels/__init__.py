"""Messages out: one file per channel kind, all listed in ``CHANNELS``."""

from carloop.channels.email import Email
from carloop.channels.webhook import Webhook
from carloop.core.ports.channels import ChannelKinds

CHANNELS = (Webhook, Email)
CHANNEL_KINDS: ChannelKinds = {channel.kind: channel for channel in CHANNELS}

__all__ = ["CHANNELS", "CHANNEL_KINDS"]

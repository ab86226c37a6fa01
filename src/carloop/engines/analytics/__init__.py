"""Analysis models: one file each, listed in ``MODELS``; the API serves each under its name."""

from carloop.engines.analytics.funnel import Funnel

MODELS = (Funnel(),)

__all__ = ["MODELS", "Funnel"]

"""Analysis models: one file each, listed in ``MODELS``; ``app.analytics`` runs them."""

from carloop.engines.analytics.funnel import Funnel

MODELS = (Funnel(),)

__all__ = ["MODELS", "Funnel"]

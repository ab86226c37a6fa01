"""AI models, one folder each: features (SQL), ``fit``, ``predict``, a card with its baseline."""

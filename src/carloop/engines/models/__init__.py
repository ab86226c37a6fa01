"""AI models, one folder each: features (SQL), ``fit``, ``predict``, and a model card with its baseline."""

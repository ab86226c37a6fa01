"""The one place that names adapters: settings in, use cases out."""

"""Stores in, use cases out: one file per room of ``app``, called by ``bootstrap.engine``."""

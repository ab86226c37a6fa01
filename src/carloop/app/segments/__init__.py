"""Segments: rules asked of the whole store, rules saved, and keeping their members true."""

"""Persons: look-ups, what is shown of them, their story, and what is known field by field."""

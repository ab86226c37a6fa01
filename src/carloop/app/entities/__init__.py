"""Entities beside persons: what events tell of them, and how people look them up."""

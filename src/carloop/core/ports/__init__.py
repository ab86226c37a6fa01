"""Ports: what the use cases need of stores and channels, as protocols. One file per noun."""

"""Tag kinds, one file each: a definition becomes a ``Query``, and can explain its value."""

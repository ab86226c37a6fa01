"""Tag kinds, one file each: a definition → a `Query` of person numbers and values, plus ``explain()``."""

"""Experiment statistics: pure functions over counts, sums and squares, with sources cited."""

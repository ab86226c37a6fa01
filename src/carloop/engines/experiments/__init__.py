"""Experiment statistics: pure functions over sufficient statistics (counts, sums, squares), sources cited."""

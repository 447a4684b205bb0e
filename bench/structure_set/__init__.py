"""Benchmark of structure sets, compared with rt-utils."""

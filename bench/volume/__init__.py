"""Benchmark of reading volumes, compared with other programs."""

"""Benchmarks of time, memory and growth, printed as tables (make bench)."""

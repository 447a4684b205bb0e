"""Benchmarks of training and inference."""

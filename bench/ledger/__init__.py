"""Benchmark of the ledger's steps."""

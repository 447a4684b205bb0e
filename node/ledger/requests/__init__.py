"""Rows of requests and of the jobs that carry them out."""

"""Kinds of pipeline, a file each; core/config/pipelines.py lists them by name."""

"""Kinds of pipeline, one file for each; core/config/pipelines.py lists them by name."""

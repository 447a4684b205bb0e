"""Rows of what came, what went out and what happened, table by table."""

"""Instances of a series, and the volume that they form."""

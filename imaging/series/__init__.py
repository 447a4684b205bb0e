"""Instances that make a series, and the volume in it."""

"""Masks to a structure set, beside other programs."""

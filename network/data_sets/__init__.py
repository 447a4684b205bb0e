"""Encoded data sets (PS3.5): bounded, walked and compared without being decoded."""

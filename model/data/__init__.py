"""Samples of a data set on their way to a network."""

"""Inputs of a preparation: structure sets, text contours, arrays."""

"""Geometry of a series: planes, steps between slices, phases, frames of reference."""

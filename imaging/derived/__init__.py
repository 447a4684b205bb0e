"""Derived series: attributes, provenance, and the 3D Gaussian blur."""

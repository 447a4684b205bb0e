"""Derived series: attributes, provenance, pixel encoding, and the 3D Gaussian blur."""

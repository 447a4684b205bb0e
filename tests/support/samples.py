"""Where the repository's samples and the cases from the field lie."""

from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "samples"
CASES = Path(__file__).parents[1] / "cases" / "images"
"""Small series that reports from the field made known."""

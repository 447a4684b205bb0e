"""Geometry rules: the requirements of a pipeline on the slices of a series."""

from dataclasses import dataclass
from typing import Literal

from core.hold_reasons import HoldReason


@dataclass(frozen=True, slots=True)
class GeometryRules:
    """Requirements of a pipeline on the slices of a series."""

    dimensions: Literal[2, 3]
    allow_variable_spacing: bool
    """True if the distance between slices may change, for example from 3 mm to 5 mm."""
    position_tolerance_mm: float = 0.01
    """Images closer than this along the normal share a position."""
    spacing_tolerance: float = 0.05
    """Allowed deviation of a regular distance, as a fraction of the usual distance."""
    drift_tolerance_pixels: float = 0.5
    """Allowed sideways shift from the normal through the first slice (gantry tilt), in pixels."""
    allow_separate_frames: bool = True
    """True if each instance of a volume may have its own frame of reference."""
    passed: frozenset[HoldReason] = frozenset()
    """Hold reasons that a person has released: a warning instead of an error, if nothing is
    computed across slices."""


RULES_2D = GeometryRules(dimensions=2, allow_variable_spacing=True)
RULES_3D = GeometryRules(dimensions=3, allow_variable_spacing=False)

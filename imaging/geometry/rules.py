"""What a pipeline asks of the slices of a series."""

from dataclasses import dataclass
from typing import Literal

from core.hold_reasons import HoldReason


@dataclass(frozen=True, slots=True)
class GeometryRules:
    """What a pipeline asks of its slices."""

    dimensions: Literal[2, 3]
    allow_variable_spacing: bool
    """Whether the distance between slices may change, such as 3 mm and then 5 mm."""
    position_tolerance_mm: float = 0.01
    """Instances closer than this along the normal share a position."""
    spacing_tolerance: float = 0.05
    """Part of the usual distance by which a regular one may differ."""
    drift_tolerance_pixels: float = 0.5
    """How far slices may lie beside the normal through the first one (gantry tilt)."""
    allow_separate_frames: bool = True
    """Whether instances of a volume may each have a frame of reference of their own."""
    passed: frozenset[HoldReason] = frozenset()
    """What a person has passed over: a warning instead of an error, where nothing is computed
    from slice to slice."""


RULES_2D = GeometryRules(dimensions=2, allow_variable_spacing=True)
RULES_3D = GeometryRules(dimensions=3, allow_variable_spacing=False)

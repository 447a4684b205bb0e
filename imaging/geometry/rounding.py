"""Detection of rounded slice positions, and whether they come from evenly spaced slices."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from imaging.geometry.plane import Points
from imaging.instances.header import Header

_QUANTA_MM = (1.0, 0.5, 0.1, 0.05, 0.01)
_FINE_MM = 0.1
_FINE_PART = 0.25
_EXACT_MM = 1e-6
_ALONG = 1e-3
_BISECTIONS = 60


@dataclass(frozen=True, slots=True)
class Rounding:
    """Rounding of positions along a normal."""

    quantum_mm: float
    """Step to which coordinates are rounded; 0 if none of the usual steps fits."""
    error_mm: float
    """Largest error of a position due to rounding."""

    def explains(self, positions_mm: Sequence[float]) -> bool:
        """True if the ascending positions may be evenly spaced ones after rounding."""
        if not self.quantum_mm:
            return False
        return _least_range(np.asarray(positions_mm)) <= 2 * self.error_mm + _EXACT_MM

    def is_fine(self, spacing_mm: float) -> bool:
        """True if rounding is to 0.1 mm or less, and small compared with the slice spacing."""
        return self.quantum_mm <= _FINE_MM and self.error_mm <= _FINE_PART * spacing_mm

    def __str__(self) -> str:
        return f"positions are rounded to {self.quantum_mm:g} mm"


def rounding_of(headers: Sequence[Header], normal: Points) -> Rounding:
    """Find the rounding of the positions of `headers` along `normal`."""
    counted = np.abs(normal) > _ALONG
    values = np.array([one.image_position_mm for one in headers])[:, counted]
    for quantum in _QUANTA_MM:
        multiples = values / quantum
        if np.abs(multiples - np.rint(multiples)).max() * quantum <= _EXACT_MM:
            return Rounding(quantum, quantum / 2 * float(np.abs(normal[counted]).sum()))
    return Rounding(0.0, 0.0)


def _least_range(positions: Points) -> float:
    """Smallest range of deviations from evenly spaced positions, over all spacings, in mm.

    The range is a convex function of the spacing, so the sign of its slope guides a bisection.
    """
    numbers = np.arange(len(positions))
    low, high = (f(upper - lower for lower, upper in pairwise(positions)) for f in (min, max))
    for _ in range(_BISECTIONS):
        spacing = (low + high) / 2
        rest = positions - spacing * numbers
        if rest.argmax() > rest.argmin():
            low = spacing
        else:
            high = spacing
    rest = positions - (low + high) / 2 * numbers
    return float(rest.max() - rest.min())

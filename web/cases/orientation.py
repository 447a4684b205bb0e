"""Letters for the sides of the patient at the sides of an image."""

import math
from collections.abc import Sequence

from imaging.geometry.plane import Plane

_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))
_LEAST = 0.3
"""Share of a unit direction below which an axis gets no letter (about 17 degrees)."""


def sides_of(plane: Plane) -> tuple[str, str, str, str]:
    """Letters at the top, right, bottom and left of an image, the strongest direction first.

    L left, R right, P posterior, A anterior, H head, F foot (PS3.3 C.7.6.1.1.1), at most three.
    """
    across, down = plane.column_step_mm.tolist(), plane.row_step_mm.tolist()
    return _words(down, -1), _words(across, 1), _words(down, 1), _words(across, -1)


def _words(step_mm: Sequence[float], sign: int) -> str:
    direction = [sign * part / math.hypot(*step_mm) for part in step_mm]
    strongest = sorted(range(3), key=lambda axis: -abs(direction[axis]))
    named = [axis for axis in strongest if abs(direction[axis]) >= _LEAST]
    return "".join(_LETTERS[axis][int(direction[axis] < 0)] for axis in named)

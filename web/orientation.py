"""Which side of the patient each side of an image shows."""

import numpy as np

from imaging.plane import Plane, Points

_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))
_LEAST = 0.3
"""Of a direction's length; what is less is not named (about 17 degrees)."""


def sides_of(plane: Plane) -> tuple[str, str, str, str]:
    """Letters at the top, right, bottom and left of an image, the strongest direction first.

    L left, R right, P posterior, A anterior, H head, F foot (PS3.3 C.7.6.1.1.1), at most three.
    """
    across, down = _unit(plane.column_step_mm), _unit(plane.row_step_mm)
    return _words(-down), _words(across), _words(down), _words(-across)


def _unit(step_mm: Points) -> Points:
    unit: Points = step_mm / np.linalg.norm(step_mm)
    return unit


def _words(direction: Points) -> str:
    strongest = np.argsort(-np.abs(direction))
    named = [axis for axis in strongest.tolist() if abs(direction[axis]) >= _LEAST]
    return "".join(_LETTERS[axis][int(direction[axis] < 0)] for axis in named)

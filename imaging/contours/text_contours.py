"""Hand-drawn contours in text files, in the format of the Sunnybrook Cardiac Data.

Each line has an `x y` pair (column, row) on a grid of half pixels. Whether coordinates count from 0
or 1 is not documented, so it was measured: aligned to the steepest fall from bright blood to dark
muscle at opposite walls, the endocardial contours of four patients shift by (-0.9, -0.6),
(-0.9, -0.5), (-1.6, -1.2) and (-1.4, -1.0) pixels, -1.0 on average. So the first pixel's centre is
(1, 1), as in MATLAB; it is subtracted here and nowhere else.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.errors import ContourError

Polygon = npt.NDArray[np.float64]

FIRST_CENTRE = 1.0
"""Coordinate of the first pixel's centre in the files, in both directions."""
_NAME = re.compile(r"IM-\d+-(?P<number>\d+)-(?P<kind>[io])contour-manual\.txt")
_FEWEST_POINTS = 3


@dataclass(frozen=True, slots=True)
class TextContour:
    """Contour file, with the instance and kind from its name."""

    path: Path
    number: int
    """Number of the instance: `<number>.dcm` in the patient's folder."""
    kind: Literal["i", "o"]
    """Inner (endocardium) or outer (epicardium)."""


def find_text_contours(folder: Path) -> list[TextContour]:
    """Find contour files in `folder` and below, in order of number and kind."""
    found = []
    for path in folder.rglob("*.txt"):
        name = _NAME.fullmatch(path.name)
        if name is not None:
            kind: Literal["i", "o"] = "i" if name["kind"] == "i" else "o"
            found.append(TextContour(path, int(name["number"]), kind))
    return sorted(found, key=lambda contour: (contour.number, contour.kind, contour.path))


def read_text_contour(path: Path) -> Polygon:
    """Read a polygon (n, 2) as (column, row), with the first pixel's centre at (0, 0).

    Raises:
        ContourError: unreadable, a line without two finite numbers, or fewer than three points.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        words = f"it cannot be read ({error.strerror})"
        raise ContourError(f"{path.name}: not a readable contour file: {words}") from error
    except UnicodeDecodeError as error:
        words = "expected text in UTF-8, found other bytes"
        raise ContourError(f"{path.name}: not a readable contour file: {words}") from error
    points = [
        _parse_point(path, number, line) for number, line in enumerate(lines, 1) if line.strip()
    ]
    if len(points) < _FEWEST_POINTS:
        raise ContourError(f"{path.name}: {len(points)} points, expected at least 3")
    return np.array(points, dtype=np.float64) - FIRST_CENTRE


def _parse_point(path: Path, number: int, line: str) -> tuple[float, float]:
    try:
        if "_" in line or not line.isascii():
            raise ValueError(line)  # `float` takes 1_0 and digits of other scripts
        column, row = (float(word) for word in line.split())
    except ValueError as error:
        raise ContourError(
            f"{path.name}, line {number}: expected two numbers, found {line!r}"
        ) from error
    if not np.isfinite([column, row]).all():
        raise ContourError(f"{path.name}, line {number}: expected finite numbers, found {line!r}")
    return column, row

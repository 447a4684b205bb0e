"""Positions, orientations and spacings that are not finite are refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.errors import GeometryError
from imaging.geometry.placement import RULES_2D, RULES_3D, GeometryRules, place
from imaging.geometry.plane import plane_of

BOTH = pytest.mark.parametrize("rules", [RULES_2D, RULES_3D], ids=["2d", "3d"])


@BOTH
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("at", [0, 3])
def test_a_position_that_is_not_finite_is_refused(
    stack: Any, rules: GeometryRules, bad: float, axis: int, at: int
) -> None:
    slices = stack([0.0, 3.0, 6.0, 9.0])
    position = list(slices[at].image_position_mm)
    position[axis] = bad
    slices[at] = replace(slices[at], image_position_mm=tuple(position))
    with pytest.raises(GeometryError, match=rf"1\.2\.3\.{at + 1}: ImagePositionPatient .*finite"):
        place(slices, rules)


@pytest.mark.parametrize(
    ("keyword", "changes"),
    [
        ("PixelSpacing", {"pixel_spacing_mm": (1.0, np.nan)}),
        ("ImageOrientationPatient", {"image_orientation": (np.nan, 0.0, 0.0, 0.0, 1.0, 0.0)}),
    ],
)
def test_spacing_and_orientation_that_are_not_finite_are_refused(
    stack: Any, keyword: str, changes: Any
) -> None:
    (header,) = stack([0.0])
    with pytest.raises(GeometryError, match=f"{keyword} .* is not finite"):
        plane_of(replace(header, **changes))

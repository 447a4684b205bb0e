"""Grouping of a structure's contours by plane, and choice of the plane for each image.

The even-odd rule (PS3.3 C.8.8.6.3) applies to one plane. If contours are closer than the slices,
several planes fall on one image; applied to all together, even-odd would erase what they share.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

ONE_PLANE_MM = 0.1
"""Contours within this distance along the normal are of one plane: no writer rounds coarser."""
_SHARE_OF_STEP = 1 / 8
"""Upper limit of that distance as a share of the slice spacing, which may be 0.1 mm."""
_FINER = 0.75
"""Planes are closer than slices below this share of the slice spacing; writers that average the
spacing are above it."""
_FEWEST_GAPS = 2
_EQUALLY_NEAR_MM = 0.02
"""Distances that differ by no more than this are equal, as positions are rounded to 0.01 mm."""


@dataclass(frozen=True, slots=True)
class PlacedContour:
    """Contour on an image."""

    number: int
    """Number in ContourSequence, from 1."""
    pixels: Points
    """(n, 2) as (column, row)."""
    offsets_mm: Points
    """Distance of each point from the image's plane along its normal, (n,)."""
    lowest_mm: float
    highest_mm: float
    """Lowest and highest of the offsets."""

    @classmethod
    def from_points(cls, number: int, pixels: Points, offsets_mm: Points) -> "PlacedContour":
        """Make a contour, with its lowest and highest offset."""
        return cls(number, pixels, offsets_mm, float(offsets_mm.min()), float(offsets_mm.max()))

    @property
    def offset_mm(self) -> float:
        """Middle of the lowest and the highest offset."""
        return (self.lowest_mm + self.highest_mm) / 2

    @property
    def spread_mm(self) -> float:
        """Distance from the lowest to the highest point along the normal."""
        return self.highest_mm - self.lowest_mm


OnePlane = list[PlacedContour]


@dataclass(frozen=True, slots=True)
class PlaneChoice:
    """Choice among the planes that fall on an image."""

    planes: tuple[OnePlane, ...]
    """Nearest plane; two, the lower first, if they are equally near on either side."""
    distance_mm: float
    """Distance of the nearest plane."""
    passed_over: tuple[tuple[PlacedContour, float], ...] = ()
    """Contours of all other planes, with the distance of their plane in mm."""


def one_plane_mm(step_mm: float) -> float:
    """Largest distance of contours of one plane, if slices are `step_mm` apart."""
    return min(ONE_PLANE_MM, step_mm * _SHARE_OF_STEP)


def choose_planes(
    contours: Sequence[PlacedContour], tolerance_mm: float = ONE_PLANE_MM
) -> PlaneChoice:
    """Choose the plane nearest to the image out of those of `contours` (at least one)."""
    planes = group_by_plane(contours, tolerance_mm)
    if len(planes) == 1:
        return PlaneChoice((planes[0],), abs(planes[0][0].offset_mm))
    planes.sort(key=lambda plane: abs(plane[0].offset_mm))
    offsets_mm = [plane[0].offset_mm for plane in planes]
    are_two = offsets_mm[0] * offsets_mm[1] < 0
    are_two &= abs(offsets_mm[0] + offsets_mm[1]) <= _EQUALLY_NEAR_MM
    taken = 2 if are_two else 1
    passed_over = tuple(
        (contour, abs(offset_mm))
        for plane, offset_mm in zip(planes[taken:], offsets_mm[taken:], strict=True)
        for contour in plane
    )
    nearest = sorted(planes[:taken], key=lambda plane: plane[0].offset_mm)
    return PlaneChoice(tuple(nearest), abs(offsets_mm[0]), passed_over)


def reach_mm(positions_mm: Sequence[float], step_mm: float) -> tuple[float, float]:
    """Extent along the normal of a structure with contours at `positions_mm`.

    If planes are closer than the slices, which are `step_mm` apart, the structure extends half
    their distance beyond the first and the last plane. Otherwise, or if there are only one or two
    planes, the extent is unlimited.
    """
    planes = np.unique(positions_mm)
    gaps = np.diff(planes)
    gaps = gaps[gaps > one_plane_mm(step_mm)]
    if len(gaps) < _FEWEST_GAPS:
        return -np.inf, np.inf
    ends = np.maximum(gaps[[0, -1]], np.median(gaps))
    reach = np.where(ends <= _FINER * step_mm, ends / 2 + one_plane_mm(step_mm), np.inf)
    return float(planes[0] - reach[0]), float(planes[-1] + reach[1])


def group_by_plane(contours: Sequence[PlacedContour], tolerance_mm: float) -> list[OnePlane]:
    """Group contours by plane; the largest contour of each plane comes first.

    The largest contour defines the plane: parallel to the image at the middle of its points, or
    tilted if its points are spread more than rounding explains.
    """
    lowest_mm = min(one.lowest_mm for one in contours)
    if max(one.highest_mm for one in contours) - lowest_mm <= tolerance_mm:
        return [list(contours)]
    planes: list[OnePlane] = []
    fits: list[_Fit] = []
    for contour in sorted(contours, key=_size, reverse=True):
        at = next((at for at, fit in enumerate(fits) if fit.holds(contour)), None)
        if at is None:
            fits.append(_fit(contour, tolerance_mm))
            planes.append([contour])
        else:
            planes[at].append(contour)
    return [[plane[0], *sorted(plane[1:], key=lambda one: one.number)] for plane in planes]


@dataclass(frozen=True, slots=True)
class _Fit:
    """Plane fitted to a contour, with a tolerance."""

    coefficients: Points
    """Offset in mm at pixel (0, 0), and its change per column and per row."""
    allowed_mm: float
    flat_mm: float | None = None
    """Constant offset, if the plane is parallel to the image."""

    def holds(self, contour: PlacedContour) -> bool:
        if self.flat_mm is not None:
            off_mm = max(contour.highest_mm - self.flat_mm, self.flat_mm - contour.lowest_mm)
            return off_mm <= self.allowed_mm
        return _off_mm(contour, self.coefficients) <= self.allowed_mm


def _fit(contour: PlacedContour, tolerance_mm: float) -> _Fit:
    if contour.spread_mm <= 2 * tolerance_mm:
        flat = np.array([contour.offset_mm, 0.0, 0.0])
        return _Fit(flat, contour.spread_mm / 2 + tolerance_mm, contour.offset_mm)
    found = np.linalg.lstsq(_terms(contour), contour.offsets_mm, rcond=None)[0]
    tilted = np.asarray(found, dtype=np.float64)
    return _Fit(tilted, _off_mm(contour, tilted) + tolerance_mm)


def _off_mm(contour: PlacedContour, coefficients: Points) -> float:
    return float(np.abs(contour.offsets_mm - _terms(contour) @ coefficients).max())


def _terms(contour: PlacedContour) -> Points:
    return np.column_stack([np.ones(len(contour.pixels)), contour.pixels])


def _size(contour: PlacedContour) -> float:
    return float(np.prod(np.ptp(contour.pixels, axis=0)))

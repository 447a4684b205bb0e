"""The planes that contours of one structure lie on, and which of them an image takes.

Even-odd (PS3.3 C.8.8.6.3) is a rule for one plane. Contours closer than the slices put several
planes on one image; together, even-odd would erase what they have in common.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

ONE_PLANE_MM = 0.1
"""So far apart along the normal, contours are of one plane: beyond it no writer rounds."""
_SHARE_OF_STEP = 1 / 8
"""Nor more than this of the distance between slices, which may be a tenth of a millimetre."""
_FINER = 0.75
"""Planes are closer than slices below this share of their distance: averaging writers are above."""
_FEWEST_GAPS = 2
_EQUALLY_NEAR_MM = 0.02
"""Two positions that are rounded to a hundredth differ by so much."""


@dataclass(frozen=True, slots=True)
class PlacedContour:
    """A contour on an image."""

    number: int
    """Its place in ContourSequence, from 1."""
    pixels: Points
    """(n, 2) as (column, row)."""
    offsets_mm: Points
    """Of each point from the image's plane along its normal, (n,)."""
    lowest_mm: float
    highest_mm: float
    """Of the offsets."""

    @classmethod
    def at(cls, number: int, pixels: Points, offsets_mm: Points) -> "PlacedContour":
        """With the least and the largest of its offsets."""
        return cls(number, pixels, offsets_mm, float(offsets_mm.min()), float(offsets_mm.max()))

    @property
    def offset_mm(self) -> float:
        """Of its middle."""
        return (self.lowest_mm + self.highest_mm) / 2

    @property
    def spread_mm(self) -> float:
        """From its lowest to its highest point along the normal."""
        return self.highest_mm - self.lowest_mm


OnePlane = list[PlacedContour]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an image takes of the planes that fall on it."""

    planes: tuple[OnePlane, ...]
    """The nearest; two, the lower first, where they are equally near on either side."""
    distance_mm: float
    """Of the nearest."""
    passed_over: tuple[tuple[PlacedContour, float], ...] = ()
    """Contours of the others with the distance of their plane in mm."""


def one_plane_mm(step_mm: float) -> float:
    """Up to how far apart contours are of one plane, where slices are `step_mm` apart."""
    return min(ONE_PLANE_MM, step_mm * _SHARE_OF_STEP)


def choose_planes(contours: Sequence[PlacedContour], tolerance_mm: float = ONE_PLANE_MM) -> Chosen:
    """The plane nearest to the image that holds `contours`, one at least."""
    planes = group_by_plane(contours, tolerance_mm)
    if len(planes) == 1:
        return Chosen((planes[0],), abs(planes[0][0].offset_mm))
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
    return Chosen(tuple(nearest), abs(offsets_mm[0]), passed_over)


def reach_mm(positions_mm: Sequence[float], step_mm: float) -> tuple[float, float]:
    """How far along the normal a structure reaches that is drawn at `positions_mm`.

    Planes closer than the slices, which are `step_mm` apart, stand for half their own distance
    beyond the first and the last of them. Others, and one or two, stand for as far as they fall.
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
    """The contours of each plane in their order, the largest first of all.

    The largest contour says where its plane is: parallel to the image, at the middle of its
    points; or tilted as they are, where they spread over more than rounding does.
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
    """A plane over the image."""

    coefficients: Points
    """Offset in mm at pixel (0, 0), and its change from column to column and row to row."""
    allowed_mm: float
    flat_mm: float | None = None
    """The offset everywhere, where it is parallel to the image."""

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

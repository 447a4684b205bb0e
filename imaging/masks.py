"""Polygons back to a mask: a pixel belongs when its centre lies inside, by the even-odd rule."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import ContourError

Mask = npt.NDArray[np.bool_]
Polygon = npt.NDArray[np.float64]
_Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Patch:
    """The part of a mask that polygons reach."""

    row: int
    """Of its first row in the image."""
    column: int
    inside: Mask
    """[row, column]"""

    def toggle(self, mask: Mask) -> None:
        """Turn around the pixels of `mask` [row, column] that lie inside, as even-odd has it."""
        rows, columns = self.inside.shape
        mask[self.row : self.row + rows, self.column : self.column + columns] ^= self.inside


def polygons_to_mask(polygons: Sequence[Polygon], shape: tuple[int, int]) -> Mask:
    """The pixels of an image of `shape` (rows, columns) whose centres lie inside `polygons`.

    Polygons are (n, 2) as (column, row) with the first pixel's centre at (0, 0), closed or not.
    All together follow the even-odd rule, so that a polygon inside another is a hole. A centre
    exactly on an edge belongs when the edge is a left or an upper one. What lies outside the image
    is cut off.

    Raises:
        ContourError: a coordinate is not a finite number.
    """
    mask: Mask = np.zeros(shape, dtype=bool)
    polygons_to_patch(polygons, shape).toggle(mask)
    return mask


def polygons_to_patch(polygons: Sequence[Polygon], shape: tuple[int, int]) -> Patch:
    """The same, only as large as it needs to be.

    Raises:
        ContourError: a coordinate is not a finite number.
    """
    row, column = _crossings(polygons, shape)
    if len(row) == 0:
        return Patch(0, 0, np.zeros((0, 0), dtype=bool))
    top, bottom, left = int(row.min()), int(row.max()) + 1, int(column.min())
    right = int(column.max())
    width = right - left + 1
    cells = (row - top) * width + column - left
    toggles = np.bincount(cells, minlength=(bottom - top) * width).reshape(-1, width)
    inside = np.cumsum(toggles.astype(np.uint8), axis=1, dtype=np.uint8) & 1
    return Patch(top, left, inside[:, : right - left].astype(bool))


def _crossings(polygons: Sequence[Polygon], shape: tuple[int, int]) -> tuple[_Indices, _Indices]:
    """For each edge and row of centres it crosses: the row, and the first column past it."""
    start, end = _edges(polygons)
    first = _first_centre(np.minimum(start[:, 1], end[:, 1]), shape[0])
    last = _first_centre(np.maximum(start[:, 1], end[:, 1]), shape[0])
    counts = last - first
    edge = np.repeat(np.arange(len(counts)), counts)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    crossed, towards = start[edge], end[edge]
    # the product first: what lies on a grid of binary fractions is then met without rounding
    rise = (row - crossed[:, 1]) * (towards[:, 0] - crossed[:, 0])
    x = crossed[:, 0] + rise / (towards[:, 1] - crossed[:, 1])
    return row, _first_centre(x, shape[1])


def _edges(polygons: Sequence[Polygon]) -> tuple[Polygon, Polygon]:
    """Start and end points, each from the lower row to the higher so that both ways are equal."""
    polygons = [np.asarray(polygon, dtype=np.float64).reshape(-1, 2) for polygon in polygons]
    start = np.concatenate([np.empty((0, 2)), *polygons])
    if not np.isfinite(start).all():
        raise ContourError("A contour has a coordinate that is not a finite number")
    end = np.concatenate(
        [np.empty((0, 2)), *(np.roll(polygon, -1, axis=0) for polygon in polygons)]
    )
    upwards = (start[:, 1] > end[:, 1])[:, np.newaxis]
    return np.where(upwards, end, start), np.where(upwards, start, end)


def _first_centre(coordinates: Polygon, count: int) -> _Indices:
    """The first pixel centre at or after each coordinate, from 0 to `count`."""
    indices: _Indices = np.clip(np.ceil(coordinates), 0, count).astype(np.int64)
    return indices

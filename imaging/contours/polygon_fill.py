"""Polygons back to a mask: a pixel belongs when its centre lies inside, by the even-odd rule."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import ContourError
from imaging.contours.pixel_edges import following

Mask = npt.NDArray[np.bool_]
Polygon = npt.NDArray[np.float64]
_Indices = npt.NDArray[np.int64]
_WORK_AT_ONCE = 1 << 19
_BYTES_AROUND = 100


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
    start, end = _edges(polygons)
    return _patches(start, end, [len(start)], shape)[0]


def patches_of(polygons: Sequence[Polygon], shape: tuple[int, int]) -> Iterator[Patch]:
    """The same for each polygon, of at least one point, by itself; many are filled at once.

    Raises:
        ContourError: a coordinate is not a finite number.
    """
    for some in _batches(polygons, shape):
        start, end = _edges(some)
        yield from _patches(start, end, [len(polygon) for polygon in some], shape)


def _batches(polygons: Sequence[Polygon], shape: tuple[int, int]) -> Iterator[list[Polygon]]:
    """So many that what is needed to fill them is bounded; one, where one alone needs more."""
    waiting: list[Polygon] = []
    total = 0.0
    for polygon, work in zip(polygons, _work(polygons, shape), strict=True):
        if waiting and not total + work < _WORK_AT_ONCE:
            yield waiting
            waiting, total = [], 0.0
        waiting.append(polygon)
        total += work
    if waiting:
        yield waiting


def _work(polygons: Sequence[Polygon], shape: tuple[int, int]) -> list[float]:
    """Bytes that each takes, about: its pixels, points, and the rows that its edges cross."""
    if not polygons:
        return []
    lengths = np.array([len(polygon) for polygon in polygons])
    first = np.cumsum(lengths) - lengths
    points = np.concatenate(polygons)
    extent = np.maximum.reduceat(points, first) - np.minimum.reduceat(points, first)
    box = np.clip(extent + 2, 1, (shape[1], shape[0]))
    crossed = np.add.reduceat(np.abs(np.diff(points[:, 1], append=0)), first)
    work: list[float] = (box.prod(axis=1) + _BYTES_AROUND * (lengths + crossed)).tolist()
    return work


def _patches(
    start: Polygon, end: Polygon, lengths: Sequence[int], shape: tuple[int, int]
) -> list[Patch]:
    """A patch for so many edges each.

    All patches lie in one line of pixels, row after row. A row is crossed an even number of times,
    so that the next one begins outside again.
    """
    edge, row, column = _crossings(start, end, shape)
    patch = np.repeat(np.arange(len(lengths)), lengths)[edge]
    filled, first = np.unique(patch, return_index=True)  # the crossings are in the patches' order
    patches = [Patch(0, 0, np.zeros((0, 0), dtype=bool))] * len(lengths)
    if not len(filled):
        return patches
    top, left = np.minimum.reduceat(row, first), np.minimum.reduceat(column, first)
    height = np.maximum.reduceat(row, first) + 1 - top
    width = np.maximum.reduceat(column, first) + 1 - left
    ends = np.cumsum(height * width)
    begins = ends - height * width
    at = np.repeat(np.arange(len(filled)), np.diff([*first, len(patch)]))
    toggles = np.zeros(ends[-1], dtype=np.uint8)
    cells = begins[at] + (row - top[at]) * width[at] + column - left[at]
    np.add.at(toggles, cells, np.uint8(1))
    inside = (np.add.accumulate(toggles, dtype=np.uint8, out=toggles) & 1).view(bool)
    for number, one in enumerate(filled.tolist()):
        pixels = inside[begins[number] : ends[number]].reshape(height[number], width[number])
        patches[one] = Patch(int(top[number]), int(left[number]), pixels[:, :-1])
    return patches


def _crossings(
    start: Polygon, end: Polygon, shape: tuple[int, int]
) -> tuple[_Indices, _Indices, _Indices]:
    """For each edge and row of centres it crosses: edge, row, and the first column past it."""
    first = _first_centre(np.minimum(start[:, 1], end[:, 1]), shape[0])
    last = _first_centre(np.maximum(start[:, 1], end[:, 1]), shape[0])
    counts = last - first
    edge = np.repeat(np.arange(len(counts)), counts)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    crossed, towards = start[edge], end[edge]
    # the product first: what lies on a grid of binary fractions is then met without rounding
    rise = (row - crossed[:, 1]) * (towards[:, 0] - crossed[:, 0])
    x = crossed[:, 0] + rise / (towards[:, 1] - crossed[:, 1])
    return edge, row, _first_centre(x, shape[1])


def _edges(polygons: Sequence[Polygon]) -> tuple[Polygon, Polygon]:
    """Start and end points, each from the lower row to the higher so that both ways are equal."""
    polygons = [np.asarray(polygon, dtype=np.float64).reshape(-1, 2) for polygon in polygons]
    start = np.concatenate([np.empty((0, 2)), *polygons])
    if not np.isfinite(start).all():
        raise ContourError("A contour has a coordinate that is not a finite number")
    lengths = np.array([len(polygon) for polygon in polygons if len(polygon)], dtype=np.int64)
    end = start[following(lengths)]
    upwards = (start[:, 1] > end[:, 1])[:, np.newaxis]
    return np.where(upwards, end, start), np.where(upwards, start, end)


def _first_centre(coordinates: Polygon, count: int) -> _Indices:
    """The first pixel centre at or after each coordinate, from 0 to `count`."""
    indices: _Indices = np.clip(np.ceil(coordinates), 0, count).astype(np.int64)
    return indices

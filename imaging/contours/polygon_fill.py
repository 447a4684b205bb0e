"""Filling of polygons by the even-odd rule: a pixel is inside if its centre is."""

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
    """Rectangular part of a mask, around the pixels of polygons."""

    row: int
    """Row of the image where the patch begins."""
    column: int
    inside: Mask
    """Pixels inside, [row, column]."""

    def toggle(self, mask: Mask) -> None:
        """Invert the pixels of `mask` [row, column] that are inside, as even-odd requires."""
        rows, columns = self.inside.shape
        mask[self.row : self.row + rows, self.column : self.column + columns] ^= self.inside


def polygons_to_mask(polygons: Sequence[Polygon], shape: tuple[int, int]) -> Mask:
    """Fill `polygons` in an image of `shape` (rows, columns); mask [row, column].

    Polygons are (n, 2) as (column, row) with the first pixel's centre at (0, 0), closed or not.
    The even-odd rule applies to all together, so that a polygon inside another is a hole. A centre
    exactly on a left or upper edge is inside. Parts outside the image are cut off.

    Raises:
        ContourError: a coordinate is not a finite number.
    """
    mask: Mask = np.zeros(shape, dtype=bool)
    polygons_to_patch(polygons, shape).toggle(mask)
    return mask


def polygons_to_patch(polygons: Sequence[Polygon], shape: tuple[int, int]) -> Patch:
    """Fill `polygons` as `polygons_to_mask` does, in a patch around their pixels.

    Raises:
        ContourError: a coordinate is not a finite number.
    """
    start, end = _edges(polygons)
    return _patches(start, end, [len(start)], shape)[0]


def patches_of(polygons: Sequence[Polygon], shape: tuple[int, int]) -> Iterator[Patch]:
    """Fill each polygon (of at least one point) on its own, and yield a patch for each.

    Raises:
        ContourError: a coordinate is not a finite number.
    """
    for some in _batches(polygons, shape):
        start, end = _edges(some)
        yield from _patches(start, end, [len(polygon) for polygon in some], shape)


def _batches(polygons: Sequence[Polygon], shape: tuple[int, int]) -> Iterator[list[Polygon]]:
    """Yield batches of polygons whose filling needs bounded memory; large ones on their own."""
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
    """Approximate bytes to fill each polygon: its pixels, points, and rows crossed by edges."""
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
    """Fill polygons with the given numbers of edges, in a patch each.

    The rows of all patches are put one after the other in one array. A row is crossed an even
    number of times, so that the next one begins outside again.
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
    """For each crossing of an edge and a row of centres: edge, row, and first column after it."""
    first = _first_centre(np.minimum(start[:, 1], end[:, 1]), shape[0])
    last = _first_centre(np.maximum(start[:, 1], end[:, 1]), shape[0])
    counts = last - first
    edge = np.repeat(np.arange(len(counts)), counts)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    crossed, towards = start[edge], end[edge]
    # multiply first: points on a grid of binary fractions are then exact
    rise = (row - crossed[:, 1]) * (towards[:, 0] - crossed[:, 0])
    x = crossed[:, 0] + rise / (towards[:, 1] - crossed[:, 1])
    return edge, row, _first_centre(x, shape[1])


def _edges(polygons: Sequence[Polygon]) -> tuple[Polygon, Polygon]:
    """Start and end points, from the lower row to the higher: direction does not matter then."""
    polygons = [np.asarray(polygon, dtype=np.float64).reshape(-1, 2) for polygon in polygons]
    start = np.concatenate([np.empty((0, 2)), *polygons])
    if not np.isfinite(start).all():
        raise ContourError("A contour has a coordinate that is not a finite number")
    lengths = np.array([len(polygon) for polygon in polygons if len(polygon)], dtype=np.int64)
    end = start[following(lengths)]
    upwards = (start[:, 1] > end[:, 1])[:, np.newaxis]
    return np.where(upwards, end, start), np.where(upwards, start, end)


def _first_centre(coordinates: Polygon, count: int) -> _Indices:
    """Index of the first pixel centre at or after each coordinate, from 0 to `count`."""
    indices: _Indices = np.clip(np.ceil(coordinates), 0, count).astype(np.int64)
    return indices

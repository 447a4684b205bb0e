"""Outlines of a mask as rings of corners along pixel edges, moved slightly into the foreground."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Polygon = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_AROUND = ((0, 0), (0, 1), (1, 0), (1, 1))
INSET = 0.005
"""Distance by which an outline is moved into the foreground, in pixels."""


@dataclass(frozen=True, slots=True)
class Corners:
    """Corners of the outline in raster order; corner (i, j) is the upper left of pixel (i, j)."""

    row: Indices
    column: Indices
    down: Indices
    """+1 if the foreground at the corner is mostly below it, -1 if above."""
    right: Indices
    """+1 if the foreground at the corner is mostly to the right, -1 if to the left."""

    def points(self, row: Indices) -> Polygon:
        """Points (n, 2) as (column, row), moved into the foreground, with rows from `row` (n,)."""
        column = self.column - 0.5 + INSET * self.right
        return np.stack([column, row - 0.5 + INSET * self.down], axis=1)


def corners_of(mask: Mask) -> Corners:
    """Find all corners; two regions that touch diagonally have one each at the same place."""
    padded = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), dtype=bool)
    padded[1:-1, 1:-1] = mask
    beside = padded[:-1, :-1] ^ padded[:-1, 1:]
    # an edge runs along the row to the left of the corner, and to the right of it
    edge = padded[:-1] ^ padded[1:]
    touch = edge[:, :-1] & edge[:, 1:] & beside
    turn = edge[:, :-1] ^ edge[:, 1:]
    row, column = np.divmod(np.flatnonzero(turn | touch), turn.shape[1])
    around = np.stack([padded[row + south, column + east] for south, east in _AROUND])
    west_north, east_north, west_south, falling = around.astype(np.int64)
    down = west_south + falling - west_north - east_north
    right = east_north + falling - west_north - west_south
    corners = Corners(row, column, np.sign(down), np.sign(right))
    is_double = touch[row, column]
    return _doubled(corners, is_double, falling) if is_double.any() else corners


def _doubled(corners: Corners, touch: Mask, falling: Indices) -> Corners:
    """Insert a second corner wherever two regions touch; the left one comes first."""
    copies = np.repeat(np.arange(len(touch)), 1 + touch)
    second = np.flatnonzero(np.diff(copies, prepend=-1) == 0)
    down, right = corners.down[copies], corners.right[copies]
    right[second - 1], right[second] = -1, 1
    # falling: the pixels above left and below right touch, else those below left and above right
    side = np.where(falling[copies[second]] > 0, 1, -1)
    down[second - 1], down[second] = -side, side
    return Corners(corners.row[copies], corners.column[copies], down, right)


def following(lengths: Indices) -> Indices:
    """For each point of polygons with the given numbers of points, the index of the next point."""
    ends = np.cumsum(lengths)
    after = np.arange(1, int(lengths.sum()) + 1)
    after[ends - 1] = ends - lengths
    return after


def rings_of(corners: Corners) -> list[list[int]]:
    """Link `corners` to closed rings with the foreground on the right hand.

    Each ring starts at its first corner in raster order, the upper left one. There the foreground
    is to the right (`corners.right` above 0) for a region's outside, to the left for a hole.
    """
    successors: list[int] = _successors(corners).tolist()
    seen = bytearray(len(successors))
    rings = []
    start = seen.find(0)
    while start >= 0:
        ring, corner = [], start
        while not seen[corner]:
            seen[corner] = 1
            ring.append(corner)
            corner = successors[corner]
        rings.append(ring)
        start = seen.find(0, start)
    return rings


def _successors(corners: Corners) -> Indices:
    """For each corner, the next one: corners pair up along rows and along columns."""
    following = np.empty(len(corners.row), dtype=np.int64)
    index = np.arange(len(corners.row))
    left, right = index[::2], index[1::2]
    rightwards = corners.down[left] > 0
    following[left[rightwards]] = right[rightwards]
    following[right[~rightwards]] = left[~rightwards]
    # of two corners at one place the upper one comes first down a column
    order = np.lexsort((corners.down, corners.row, corners.column))
    upper, lower = order[::2], order[1::2]
    downwards = corners.right[upper] < 0
    following[upper[downwards]] = lower[downwards]
    following[lower[~downwards]] = upper[~downwards]
    return following

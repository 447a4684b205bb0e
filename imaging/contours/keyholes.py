"""Holes joined to their regions by bridges without width, so that a region is one polygon.

A bridge goes down from the next edge above a hole to the hole's upper left, and up again.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from imaging.contours.pixel_edges import INSET, Corners, Mask, Polygon

Ring = list[int]
_BRIDGE = 3 * INSET


def join_holes(
    rings: Sequence[Ring], corners: Corners, points: Polygon, mask: Mask
) -> tuple[list[Ring], Polygon]:
    """The rings around regions with their holes spliced in, and the points that they refer to.

    `points` (n, 2) as (column, row) belong to `corners`; those of the bridges come behind them.
    """
    holes = [ring[0] for ring in rings if corners.right[ring[0]] < 0]
    if not holes:
        return list(rings), points
    edges = _edges_above(mask, corners, holes)
    across = points[holes, 0] + INSET + _BRIDGE
    ends = np.stack([points[edges, 1], points[holes, 1]], axis=1)
    bridges = np.stack([np.repeat(across, 2), ends.ravel()], axis=1)
    splices = _Splices(rings, points, holes, edges)
    return splices.walks(), np.concatenate([points, bridges])


def _edges_above(mask: Mask, corners: Corners, holes: Sequence[int]) -> list[int]:
    """For each hole the left corner of the next edge above it."""
    width = mask.shape[1] + 1
    left_corners = corners.row[::2] * width + corners.column[::2]
    rows, columns = corners.row[holes].tolist(), corners.column[holes].tolist()
    background = ~mask
    starts = []
    for row, column in zip(rows, columns, strict=True):
        above = background[:row, column][::-1]
        reach = 1  # most walls are thin: look a little, then more
        while reach < row and not above[:reach].any():
            reach *= 4
        found = above[:reach]
        starts.append(row - int(found.argmax()) if found.any() else 0)
    places = np.array(starts) * width + columns
    edges: list[int] = (2 * (np.searchsorted(left_corners, places, side="right") - 1)).tolist()
    return edges


class _Splices:
    """Where in which ring the holes hang."""

    def __init__(
        self, rings: Sequence[Ring], points: Polygon, holes: Sequence[int], edges: Sequence[int]
    ) -> None:
        self._rings = rings
        self._ring_of = {ring[0]: at for at, ring in enumerate(rings)}
        ends = range(len(points), len(points) + 2 * len(holes), 2)
        self._bridge_of = {hole: [end, end + 1] for hole, end in zip(holes, ends, strict=True)}
        below: dict[int, list[int]] = defaultdict(list)
        columns = points[holes, 0]
        for at in np.argsort(columns, kind="stable").tolist():  # the edges go rightwards
            below[edges[at]].append(holes[at])
        self._slots: dict[int, list[tuple[int, list[int]]]] = defaultdict(list)
        for at, position, corner in _positions(rings, list(below)):
            self._slots[at].append((position, below[corner]))

    def walks(self) -> list[Ring]:
        """One for each region, in the order of the rings."""
        return [self._walk(ring[0]) for ring in self._rings if ring[0] not in self._bridge_of]

    def _walk(self, first: int) -> Ring:
        """Around the region of the ring that starts at `first`: in and out of holes, never back."""
        walk: Ring = []
        to_do: list[Ring | int] = [first]
        while to_do:
            part = to_do.pop()
            if isinstance(part, int):
                to_do += list(self._parts(self._ring_of[part]))[::-1]
            else:
                walk += part
        return walk

    def _parts(self, at: int) -> Iterator[Ring | int]:
        """A ring in pieces; a hole between them is named by its first corner."""
        ring, done = self._rings[at], 0
        for position, holes in self._slots.get(at, ()):
            yield ring[done:position]
            done = position
            for hole in holes:
                bridge = self._bridge_of[hole]
                yield bridge
                yield hole
                yield bridge[::-1]
        yield ring[done:]


def _positions(rings: Sequence[Ring], corners: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """The ring of each corner, the place behind it there, and the corner; in the rings' order."""
    walked = np.array([corner for ring in rings for corner in ring])
    ends = np.cumsum([len(ring) for ring in rings])
    place = np.empty(len(walked), dtype=np.int64)
    place[walked] = np.arange(len(walked))
    places = np.sort(place[list(corners)])
    ring = np.searchsorted(ends, places, side="right")
    begins = ends - [len(one) for one in rings]
    behind = places - begins[ring] + 1
    yield from zip(ring.tolist(), behind.tolist(), walked[places].tolist(), strict=True)

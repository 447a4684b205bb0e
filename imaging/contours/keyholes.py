"""Keyholes: holes joined to their regions by bridges of zero width, giving one polygon a region.

A bridge goes down from the next edge above a hole to the hole's upper left corner, and up again.
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
    """Splice the rings of holes into the rings of their regions.

    `points` (n, 2) as (column, row) are those of `corners`.

    Returns:
        A walk (indices of points) for each region, and `points` followed by those of the bridges.
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
    """For each hole, the left corner of the next edge above it."""
    width = mask.shape[1] + 1
    left_corners = corners.row[::2] * width + corners.column[::2]
    rows, columns = corners.row[holes].tolist(), corners.column[holes].tolist()
    background = ~mask
    starts = []
    for row, column in zip(rows, columns, strict=True):
        above = background[:row, column][::-1]
        reach = 1  # most walls are thin: search a short distance first
        while reach < row and not above[:reach].any():
            reach *= 4
        found = above[:reach]
        starts.append(row - int(found.argmax()) if found.any() else 0)
    places = np.array(starts) * width + columns
    edges: list[int] = (2 * (np.searchsorted(left_corners, places, side="right") - 1)).tolist()
    return edges


class _Splices:
    """Holes by the ring and position at which their bridges start."""

    def __init__(
        self, rings: Sequence[Ring], points: Polygon, holes: Sequence[int], edges: Sequence[int]
    ) -> None:
        self._rings = rings
        self._ring_of = {ring[0]: at for at, ring in enumerate(rings)}
        ends = range(len(points), len(points) + 2 * len(holes), 2)
        self._bridge_of = {hole: [end, end + 1] for hole, end in zip(holes, ends, strict=True)}
        below: dict[int, list[int]] = defaultdict(list)
        columns = points[holes, 0]
        for at in np.argsort(columns, kind="stable").tolist():  # edges run to the right
            below[edges[at]].append(holes[at])
        self._slots: dict[int, list[tuple[int, list[int]]]] = defaultdict(list)
        for at, position, corner in _positions(rings, list(below)):
            self._slots[at].append((position, below[corner]))

    def walks(self) -> list[Ring]:
        """Walks around the regions, in the order of their rings."""
        return [self._walk(ring[0]) for ring in self._rings if ring[0] not in self._bridge_of]

    def _walk(self, first: int) -> Ring:
        """Walk around the region whose ring starts at `first`, in and out of its holes."""
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
        """Yield a ring in pieces, with the first corner of each hole between them."""
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
    """Yield ring, position after the corner, and corner, for each corner in ring order."""
    walked = np.array([corner for ring in rings for corner in ring])
    ends = np.cumsum([len(ring) for ring in rings])
    place = np.empty(len(walked), dtype=np.int64)
    place[walked] = np.arange(len(walked))
    places = np.sort(place[list(corners)])
    ring = np.searchsorted(ends, places, side="right")
    begins = ends - [len(one) for one in rings]
    behind = places - begins[ring] + 1
    yield from zip(ring.tolist(), behind.tolist(), walked[places].tolist(), strict=True)

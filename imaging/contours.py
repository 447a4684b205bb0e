"""A mask's outline as polygons that every kind of reader turns back into the same mask.

Outlines run along the pixel edges and are moved a trace towards the foreground: a reader that asks
for pixel centres and a reader that rounds vertices to pixels find the same pixels, and no two
polygons touch. Points in a straight line arise only where a region is one pixel thin
(`imaging/thin_parts.py`). A polygon with keyholes is closed by a horizontal edge: on planes that
are not axial plastimatch 1.9.4 draws any other closing edge to a wrong place.
Pixel coordinates are (column, row), the first pixel's centre at (0, 0).
"""

import sys
from collections import defaultdict
from typing import Literal

import numpy as np

from imaging.masks import polygons_to_mask
from imaging.pixel_edges import INSET, Corners, Mask, Polygon, corners_of, rings_of
from imaging.thin_parts import mark_thin_parts

Holes = Literal["keyhole", "xor"]
_BRIDGE = 3 * INSET
_FEWEST_POINTS = 4


def mask_to_polygons(
    mask: Mask, *, holes: Holes = "keyhole", most_points: int | None = None
) -> list[Polygon]:
    """The polygons (n, 2) as (column, row) around the 4-connected regions of `mask`.

    A hole is joined to its region by a bridge without width (`keyhole`), right for readers that
    unite polygons and for those that go by even-odd, or is a polygon of its own (`xor`), right for
    the second alone. A polygon of more than `most_points` is cut along rows until every part has
    fewer. Each has at least four points, the first is not repeated at the end, and
    `polygons_to_mask` gives `mask` back.
    """
    mask = np.asarray(mask, dtype=bool)
    if not mask.any():
        return []
    rows = np.flatnonzero(mask.any(axis=1))
    cropped = mask[rows[0] : rows[-1] + 1]
    columns = np.flatnonzero(cropped.any(axis=0))
    cropped = cropped[:, columns[0] : columns[-1] + 1]
    most = sys.maxsize if most_points is None else max(most_points, _FEWEST_POINTS)
    outlines = mark_thin_parts(_outlines(cropped, holes), cropped, most)
    corner = np.array([columns[0], rows[0]])
    # from the second point on: the edge along the top closes the polygon
    polygons = [np.concatenate([outline[1:], outline[:1]]) + corner for outline in outlines]
    return _cut_long(polygons, mask, holes=holes, most_points=most)


def _cut_long(
    polygons: list[Polygon], mask: Mask, *, holes: Holes, most_points: int
) -> list[Polygon]:
    kept = [polygon for polygon in polygons if len(polygon) <= most_points]
    for polygon in polygons:
        if len(polygon) > most_points:
            region = polygons_to_mask([polygon], (mask.shape[0], mask.shape[1]))
            rows = np.flatnonzero(region.any(axis=1))
            middle = int(rows[0] + rows[-1] + 1) // 2
            for part in (slice(0, middle), slice(middle, None)):
                half = np.zeros_like(region)
                half[part] = region[part]
                kept += mask_to_polygons(half, holes=holes, most_points=most_points)
    return kept


def _outlines(mask: Mask, holes: Holes) -> list[Polygon]:
    corners = corners_of(mask)
    rings, points = rings_of(corners), corners.points()
    inner = [index for index, ring in enumerate(rings) if corners.right[ring[0]] < 0]
    if holes == "xor" or not inner:
        return [points[ring] for ring in rings]
    return _joined(rings, _bridges(mask, corners, [rings[index][0] for index in inner]), points)


def _bridges(mask: Mask, corners: Corners, holes: list[int]) -> dict[int, list[int]]:
    """For the left corner of each edge from which bridges go down to holes: their first corners."""
    width = mask.shape[1] + 1
    edges = corners.row[::2] * width + corners.column[::2]
    bridges = defaultdict(list)
    for hole in holes:
        row, column = int(corners.row[hole]), int(corners.column[hole])
        outside = np.flatnonzero(~mask[:row, column])
        edge_row = int(outside[-1]) + 1 if len(outside) else 0
        edge = int(np.searchsorted(edges, edge_row * width + column, side="right")) - 1
        bridges[2 * edge].append(hole)
    return bridges


def _joined(
    rings: list[list[int]], bridges: dict[int, list[int]], points: Polygon
) -> list[Polygon]:
    """The rings with the holes below their edges spliced in, from the lowest hole up."""
    first_corners = {hole for below in bridges.values() for hole in below}
    walks: dict[int, Polygon] = {}
    polygons = []
    for ring in reversed(rings):
        # a hole comes after the ring above it, so that its own walk is ready by now
        bridged = [at for at, corner in enumerate(ring, 1) if corner in bridges]
        parts = np.split(points[ring], bridged)
        for slot, at in enumerate(bridged):
            corner = ring[at - 1]
            below = sorted(bridges[corner], key=lambda hole: points[hole, 0])
            spliced = [_bridge_and(walks.pop(hole), points[corner, 1]) for hole in below]
            parts[slot] = np.concatenate([parts[slot], *spliced])
        walk = np.concatenate(parts)
        if ring[0] in first_corners:
            walks[ring[0]] = walk
        else:
            polygons.append(walk)
    return polygons[::-1]


def _bridge_and(hole: Polygon, edge_row: float) -> Polygon:
    """Down from an edge to the upper left of `hole`, around it and up again."""
    column, row = hole[0]
    across = column + INSET + _BRIDGE
    bridge = np.array([(across, edge_row), (across, row)])
    return np.concatenate([bridge, hole, bridge[::-1]])

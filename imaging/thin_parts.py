"""Extra points where a region is one pixel thin, for readers that round vertices to pixels.

Rounded, both sides of such a part fall on one line. platipy 0.7.2 fills it with scikit-image's
`draw.polygon`, for which a pixel on two edges at once is outside, and one that is a vertex inside.
So each pixel there gets a vertex; it lies on the outline, which does not change.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from imaging.pixel_edges import Mask, Polygon

_Indices = npt.NDArray[np.int64]


def mark_thin_parts(polygons: Sequence[Polygon], mask: Mask, most_points: int) -> list[Polygon]:
    """`polygons` (n, 2) as (column, row) with a point in the middle of each thin pixel's side.

    They are outlines of `mask` [row, column] with the foreground on the right hand. One that would
    have more than `most_points` stays as it is.
    """
    flat, upright = _thin(mask)
    if not polygons or not (flat.any() or upright.any()):
        return list(polygons)
    lengths = np.array([len(polygon) for polygon in polygons])
    ends = np.cumsum(lengths)
    following = np.arange(1, ends[-1] + 1)
    following[ends - 1] = ends - lengths
    start = np.concatenate(polygons)
    edge, points = _marks(start, start[following], flat, upright)
    counts = np.bincount(np.repeat(np.arange(len(lengths)), lengths)[edge], minlength=len(lengths))
    counts[lengths + counts > most_points] = 0
    kept = np.repeat(counts > 0, lengths)[edge]
    marked = np.insert(start, edge[kept] + 1, points[kept], axis=0)
    return np.split(marked, (ends + np.cumsum(counts))[:-1])


def _thin(mask: Mask) -> tuple[Mask, Mask]:
    """Background both above and below, and both to the left and to the right (turned over)."""
    background, flat, upright = ~mask, mask.copy(), mask.copy()
    flat[1:] &= background[:-1]
    flat[:-1] &= background[1:]
    upright[:, 1:] &= background[:, :-1]
    upright[:, :-1] &= background[:, 1:]
    return flat, upright.T


def _marks(start: Polygon, end: Polygon, flat: Mask, upright: Mask) -> tuple[_Indices, Polygon]:
    """Edges and the points on them, in the edge's direction: upper sides and left ones."""
    edge, points = _on_upper_sides(start, end, flat)
    # left sides go upwards: turned over and backwards they are upper sides
    edge_left, points_left = _on_upper_sides(end[:, ::-1], start[:, ::-1], upright)
    edge = np.concatenate([edge, edge_left[::-1]])
    return edge, np.concatenate([points, points_left[::-1, ::-1]])


def _on_upper_sides(start: Polygon, end: Polygon, thin: Mask) -> tuple[_Indices, Polygon]:
    """Edges that go rightwards, and points on them in the middle of thin pixels between corners."""
    edges = np.flatnonzero((start[:, 1] == end[:, 1]) & (start[:, 0] < end[:, 0]))
    row = np.rint(start[edges, 1]).astype(np.int64)
    first = np.rint(start[edges, 0]).astype(np.int64) + 1
    counts = np.maximum(np.rint(end[edges, 0]).astype(np.int64) - first, 0)
    edge = np.repeat(np.arange(len(edges)), counts)
    column = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    kept = thin[row[edge], column]
    edge, column = edge[kept], column[kept]
    return edges[edge], np.stack([column, start[edges[edge], 1]], axis=1)

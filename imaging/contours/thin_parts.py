"""Extra points where a region is one pixel thin, for readers that round vertices to pixels.

After rounding, both sides of such a part are on one line. platipy 0.7.2 fills it with
scikit-image's `draw.polygon`, which treats a pixel on two edges as outside, but a vertex as inside.
So each pixel of a thin part gets a vertex on the outline, whose shape does not change.
"""

import numpy as np

from imaging.contours.pixel_edges import Indices, Mask, Polygon, following


def mark_thin_parts(
    points: Polygon, lengths: Indices, first_rows: Indices, mask: Mask, *, most_points: int
) -> tuple[Polygon, Indices]:
    """Insert a point in the middle of each side of thin pixels.

    Args:
        points: (n, 2) as (column, row), polygon after polygon.
        lengths: number of points of each polygon.
        first_rows: the row of `mask` that is row 0 of each polygon.
        mask: [row, column]; the polygons are its outlines with the foreground on the right hand.
        most_points: polygons that would get more points than this stay as they are.

    Returns:
        Points and lengths of the new polygons.
    """
    flat, upright = _thin(mask)
    if not (flat.any() or upright.any()):
        return points, lengths
    shift = np.zeros_like(points)
    shift[:, 1] = np.repeat(first_rows, lengths)
    start = points + shift
    edge, marks = _marks(start, start[following(lengths)], flat, upright)
    counts = np.bincount(np.repeat(np.arange(len(lengths)), lengths)[edge], minlength=len(lengths))
    counts[lengths + counts > most_points] = 0
    kept = np.repeat(counts > 0, lengths)[edge]
    edge, marks = edge[kept], marks[kept]
    # a mark has a whole column and its edge's row, or vice versa, so it is on the edge exactly
    is_flat = marks[:, 1] == start[edge, 1]
    row = np.where(is_flat, points[edge, 1], marks[:, 1] - shift[edge, 1])
    marks = np.stack([marks[:, 0], row], axis=1)
    return np.insert(points, edge + 1, marks, axis=0), lengths + counts


def _thin(mask: Mask) -> tuple[Mask, Mask]:
    """Pixels with background above and below, and (transposed) pixels with it left and right."""
    background, flat, upright = ~mask, mask.copy(), mask.copy()
    flat[1:] &= background[:-1]
    flat[:-1] &= background[1:]
    upright[:, 1:] &= background[:, :-1]
    upright[:, :-1] &= background[:, 1:]
    return flat, upright.T


def _marks(start: Polygon, end: Polygon, flat: Mask, upright: Mask) -> tuple[Indices, Polygon]:
    """Edges on upper and left sides, and the points on them, in the direction of the edge."""
    edge, points = _on_upper_sides(start, end, flat)
    # left sides go upwards: transposed and reversed, they are upper sides
    edge_left, points_left = _on_upper_sides(end[:, ::-1], start[:, ::-1], upright)
    edge = np.concatenate([edge, edge_left[::-1]])
    return edge, np.concatenate([points, points_left[::-1, ::-1]])


def _on_upper_sides(start: Polygon, end: Polygon, thin: Mask) -> tuple[Indices, Polygon]:
    """Edges that run to the right, and points on them in the middle of thin pixels."""
    edges = np.flatnonzero((start[:, 1] == end[:, 1]) & (start[:, 0] < end[:, 0]))
    row = np.rint(start[edges, 1]).astype(np.int64)
    first = np.rint(start[edges, 0]).astype(np.int64) + 1
    counts = np.maximum(np.rint(end[edges, 0]).astype(np.int64) - first, 0)
    edge = np.repeat(np.arange(len(edges)), counts)
    column = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    kept = thin[row[edge], column]
    edge, column = edge[kept], column[kept]
    return edges[edge], np.stack([column, start[edges[edge], 1]], axis=1)

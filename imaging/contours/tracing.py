"""Tracing of masks to polygons that every kind of reader converts back to the same mask.

Outlines run along pixel edges and are moved slightly into the foreground, so that readers that
test pixel centres and readers that round vertices to pixels find the same pixels, and no two
polygons touch. Points in a straight line occur only where a region is one pixel thin
(`imaging/contours/thin_parts.py`). A polygon with keyholes is closed by a horizontal edge: on
planes that are not axial, plastimatch 1.9.4 misplaces any other closing edge.
Pixel coordinates are (column, row), the first pixel's centre at (0, 0).

Many images are traced together, stacked one below the other with an empty row in between, to save
numpy's overhead for each call.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from imaging.contours.keyholes import join_holes
from imaging.contours.pixel_edges import Indices, Mask, Polygon, corners_of, following, rings_of
from imaging.contours.polygon_fill import polygons_to_patch
from imaging.contours.thin_parts import mark_thin_parts

Holes = Literal["keyhole", "xor"]
Masks = npt.NDArray[np.bool_]
_FEWEST_POINTS = 4
_PIXELS_AT_ONCE = 1 << 19
_SHARE_OF_MOST = 0.95
"""Share of the allowed points that each part of a cut polygon should have."""


@dataclass(frozen=True, slots=True)
class Outlines:
    """Polygons of several images."""

    points: Polygon
    """(n, 2) as (column, row), polygon after polygon."""
    lengths: Indices
    """Number of points of each polygon."""
    image: Indices
    """Index of each polygon's image."""

    @property
    def polygons(self) -> list[Polygon]:
        """The polygons, each (n, 2) as (column, row)."""
        return np.split(self.points, np.cumsum(self.lengths)[:-1]) if len(self.lengths) else []

    def select(self, is_chosen: Mask) -> "Outlines":
        """Polygons for which `is_chosen` (one value for each) is true."""
        if is_chosen.all():
            return self
        points = self.points[np.repeat(is_chosen, self.lengths)]
        return Outlines(points, self.lengths[is_chosen], self.image[is_chosen])


def mask_to_polygons(
    mask: Mask, *, holes: Holes = "keyhole", most_points: int | None = None
) -> list[Polygon]:
    """Trace the 4-connected regions of `mask` to polygons, each (n, 2) as (column, row).

    A hole is joined to its region by a bridge of zero width (`keyhole`), suitable for readers that
    unite polygons or apply the even-odd rule, or is a polygon of its own (`xor`), for even-odd
    only. A polygon of more than `most_points` is cut along rows until every part has fewer. Each
    polygon has at least four points, without repeating the first, and `polygons_to_mask` restores
    `mask`.
    """
    masks = np.asarray(mask, dtype=bool)[np.newaxis]
    batches = masks_to_outlines(masks, holes=holes, most_points=most_points)
    return [polygon for outlines in batches for polygon in outlines.polygons]


def masks_to_outlines(
    masks: Masks, *, holes: Holes = "keyhole", most_points: int | None = None
) -> Iterator[Outlines]:
    """Trace `masks` [image, row, column] as `mask_to_polygons`, in batches in image order."""
    most = sys.maxsize if most_points is None else max(most_points, _FEWEST_POINTS)
    drawn = np.flatnonzero([mask.any() for mask in masks])
    if not len(drawn):
        return
    anywhere: Mask = np.logical_or.reduce(masks[drawn[0] : drawn[-1] + 1], axis=0)
    rows, columns = (np.flatnonzero(anywhere.any(axis=axis)) for axis in (1, 0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    corner = np.array([columns[0], rows[0]])
    at_once = max(1, _PIXELS_AT_ONCE // anywhere[box].size)
    for begin in range(0, len(drawn), at_once):
        images = drawn[begin : begin + at_once]
        found = _outlines(masks[(images, *box)], holes, most)
        yield Outlines(found.points + corner, found.lengths, images[found.image])


def _outlines(masks: Masks, holes: Holes, most_points: int) -> Outlines:
    """Trace one batch of `masks` [image, row, column]."""
    count, rows, columns = masks.shape
    stack = np.zeros((count, rows + 1, columns), dtype=bool)
    stack[:, 1:] = masks
    stack = stack.reshape(-1, columns)
    corners = corners_of(stack)
    image, row = np.divmod(corners.row - 1, rows + 1)
    walks, points = rings_of(corners), corners.points(row)
    if holes == "keyhole":
        walks, points = join_holes(walks, corners, points, stack)
    lengths = np.array([len(walk) for walk in walks])
    image = image[[walk[0] for walk in walks]]
    points = points[[corner for walk in walks for corner in walk]]
    first_rows = image * (rows + 1) + 1
    points, lengths = mark_thin_parts(points, lengths, first_rows, stack, most_points=most_points)
    # start at the second point, so that the edge along the top closes the polygon
    return _cut_long(
        Outlines(points[following(lengths)], lengths, image), masks, holes, most_points
    )


def _cut_long(outlines: Outlines, masks: Masks, holes: Holes, most_points: int) -> Outlines:
    is_long = outlines.lengths > most_points
    if not is_long.any():
        return outlines
    polygons = outlines.polygons
    shape = (masks.shape[1], masks.shape[2])
    parts = [
        _in_bands(polygons[at], shape, holes, most_points=most_points)
        for at in np.flatnonzero(is_long)
    ]
    kept = [polygon for polygon, cut in zip(polygons, is_long, strict=True) if not cut]
    images = [outlines.image[~is_long]]
    images += [
        np.full(len(part.lengths), image)
        for part, image in zip(parts, outlines.image[is_long], strict=True)
    ]
    return Outlines(
        points=np.concatenate([*kept, *(part.points for part in parts)]),
        lengths=np.concatenate([outlines.lengths[~is_long], *(part.lengths for part in parts)]),
        image=np.concatenate(images),
    )


def _in_bands(
    polygon: Polygon, shape: tuple[int, int], holes: Holes, *, most_points: int
) -> Outlines:
    """Trace one polygon again in bands of rows, so low that most have few enough points."""
    patch = polygons_to_patch([polygon], shape)
    rows, columns = patch.inside.shape
    count = max(2, int(np.ceil(len(polygon) / (_SHARE_OF_MOST * most_points))))
    height = max(1, rows // count)
    bands = np.zeros((-(-rows // height), height, columns), dtype=bool)
    bands.reshape(-1, columns)[:rows] = patch.inside
    found = _outlines(bands, holes, most_points)
    first_row = np.repeat(found.image * height, found.lengths) + patch.row
    corner = np.stack([np.full(len(first_row), patch.column), first_row], axis=1)
    return Outlines(found.points + corner, found.lengths, found.image)

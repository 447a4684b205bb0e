"""Shape-based interpolation halfway between two planes with contours (Raya and Udupa, 1990)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imaging.contours.polygon_fill import Mask

Polygon = npt.NDArray[np.float64]
_DISTANCES_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class DrawnPlane:
    """Contours of one plane, projected along the normal onto an image."""

    mask: Mask
    """Filled contours, [row, column]."""
    polygons: Sequence[Polygon]
    """Closed, each (n, 2) as (column, row)."""


def interpolate_halfway(first: DrawnPlane, second: DrawnPlane, steps_mm: Polygon) -> Mask:
    """Interpolate the mask [row, column] in the middle of two planes.

    A pixel in both masks is inside, one in neither is outside. A pixel in a single mask is inside
    if its centre is at least as deep inside that plane's outline as it is away from the other's.
    If nothing remains, as for two parts far beside each other, the mask of `first` is returned.
    `steps_mm` (2,) are the distances between columns and between rows.
    """
    mask: Mask = first.mask & second.mask
    for one, other in ((first, second), (second, first)):
        rows, columns = np.nonzero(one.mask & ~other.mask)
        centres_mm = np.stack([columns, rows], axis=1) * steps_mm
        inside_mm = _distances_mm(centres_mm, one.polygons, steps_mm)
        outside_mm = _distances_mm(centres_mm, other.polygons, steps_mm)
        mask[rows, columns] = inside_mm >= outside_mm
    return mask if mask.any() else first.mask


def _distances_mm(
    centres_mm: Polygon, polygons: Sequence[Polygon], steps_mm: Polygon
) -> npt.NDArray[np.float64]:
    """Distances (n,) from each of `centres_mm` (n, 2) to the nearest edge."""
    start = np.concatenate(polygons) * steps_mm
    end = np.concatenate([np.roll(polygon, -1, axis=0) for polygon in polygons]) * steps_mm
    at_once = max(1, _DISTANCES_AT_ONCE // len(start))
    parts = [
        _to_edges_mm(centres_mm[at : at + at_once], start, end - start)
        for at in range(0, len(centres_mm), at_once)
    ]
    return np.concatenate([np.empty(0), *parts])


def _to_edges_mm(centres_mm: Polygon, start: Polygon, edge: Polygon) -> npt.NDArray[np.float64]:
    along = centres_mm[:, np.newaxis] - start  # (n, edges, 2)
    squared = np.maximum((edge**2).sum(axis=1), np.finfo(np.float64).tiny)
    share = np.clip((along * edge).sum(axis=2) / squared, 0.0, 1.0)
    nearest: npt.NDArray[np.float64] = np.linalg.norm(
        along - share[..., np.newaxis] * edge, axis=2
    ).min(axis=1)
    return nearest

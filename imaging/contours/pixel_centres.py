"""Contours through the centres of border pixels, as written by rt-utils before 1.3.

Such a writer uses the chain of border pixels (OpenCV's findContours) as the outline, so that half
a pixel is missing all around, and a single pixel is a contour of one point. A chain is recognised
by its points, which are pixel centres, and its steps along rows, columns and diagonals. Filling it
by even-odd, and adding every pixel that it runs through, restores the mask; the chain around a
hole runs through foreground pixels as well.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from imaging.contours.polygon_fill import Mask, polygons_to_mask

Polygon = npt.NDArray[np.float64]

_CENTRE_PIXELS = 0.05
"""Allowed distance of a point from a centre; some writers round to a tenth of a millimetre."""
_SHARE = 0.99


def are_chains(polygons: Sequence[Polygon]) -> bool:
    """True if `polygons`, each (n, 2) as (column, row), are chains of border pixels."""
    polygons = [polygon for polygon in polygons if len(polygon)]
    if not polygons:
        return False
    points = np.concatenate(polygons)
    on_centres = (np.abs(points - np.round(points)) <= _CENTRE_PIXELS).all(axis=1)
    if on_centres.mean() < _SHARE:
        return False
    steps = np.concatenate([_steps(_chain(polygon)) for polygon in polygons])
    across, down = np.abs(steps).T
    is_straight = (across == 0) | (down == 0) | (across == down)
    return bool(is_straight.mean() >= _SHARE)


def chains_to_mask(polygons: Sequence[Polygon], shape: tuple[int, int]) -> Mask:
    """Mask [row, column] of the pixels inside and on chains; `shape` is (rows, columns)."""
    chains = [_chain(polygon) for polygon in polygons if len(polygon)]
    mask = polygons_to_mask([chain.astype(np.float64) for chain in chains], shape)
    for chain in chains:
        column, row = _run_through(chain).T
        seen = (column >= 0) & (row >= 0) & (column < shape[1]) & (row < shape[0])
        mask[row[seen], column[seen]] = True
    return mask


def _chain(polygon: Polygon) -> npt.NDArray[np.int64]:
    chain: npt.NDArray[np.int64] = np.round(polygon).astype(np.int64)
    return chain


def _steps(chain: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    steps: npt.NDArray[np.int64] = np.roll(chain, -1, axis=0) - chain
    return steps


def _run_through(chain: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Pixels (m, 2) that `chain` runs through."""
    steps = _steps(chain)
    lengths = np.maximum(np.abs(steps).max(axis=1), 1)
    start = np.repeat(np.arange(len(chain)), lengths)
    done = np.arange(len(start)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    share = done / lengths[start]
    passed: npt.NDArray[np.int64] = np.round(
        chain[start] + share[:, np.newaxis] * steps[start]
    ).astype(np.int64)
    return passed

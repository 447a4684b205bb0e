"""How far two masks of one structure agree; 2D or 3D, spacing in mm per axis of the array."""

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

Mask = npt.NDArray[np.bool_]
Spacing = tuple[float, ...]
_CUBIC_MM_PER_ML = 1000.0


def dice(first: Mask, second: Mask) -> float:
    """Twice the common part over the sum of both: 0 to 1; two empty masks agree, so 1."""
    total = np.count_nonzero(first) + np.count_nonzero(second)
    return 1.0 if total == 0 else 2.0 * np.count_nonzero(first & second) / total


def hausdorff_95_mm(first: Mask, second: Mask, spacing_mm: Spacing) -> float:
    """The larger of the two 95th percentiles of the distances from surface to surface, in mm.

    A surface is the centres of those voxels that have a face to the outside; the border of the
    array counts as outside. Two empty masks are 0 apart, an empty and a filled one `inf`: such a
    pair must never look good in a mean.
    """
    distances = _distances_mm(first, second, spacing_mm)
    return max(float(np.percentile(one, 95)) if len(one) else math.inf for one in distances)


def mean_surface_distance_mm(first: Mask, second: Mask, spacing_mm: Spacing) -> float:
    """The mean distance from surface to surface in mm, over the voxels of both surfaces.

    Surfaces and empty masks as for `hausdorff_95_mm`.
    """
    distances = np.concatenate(_distances_mm(first, second, spacing_mm))
    return float(distances.mean()) if len(distances) else math.inf


def volume_ml(mask: Mask, spacing_mm: Spacing) -> float:
    """The volume of the voxels of a 3D mask, in millilitres."""
    return float(np.count_nonzero(mask) * np.prod(spacing_mm) / _CUBIC_MM_PER_ML)


def _distances_mm(
    first: Mask, second: Mask, spacing_mm: Spacing
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """From each voxel of one surface to the other, forth and back; 0 where both masks are empty.

    Where one of them is empty there is nothing to measure from or to: both are empty.
    """
    surfaces = [_surface_mm(mask, spacing_mm) for mask in (first, second)]
    if any(len(surface) == 0 for surface in surfaces):
        agree = np.zeros(1 if all(len(surface) == 0 for surface in surfaces) else 0)
        return agree, agree
    trees = [cKDTree(surface) for surface in surfaces]
    return trees[1].query(surfaces[0])[0], trees[0].query(surfaces[1])[0]


def _surface_mm(mask: Mask, spacing_mm: Spacing) -> npt.NDArray[np.float64]:
    """(n, axes) mm."""
    surface = mask & ~ndimage.binary_erosion(mask)
    points: npt.NDArray[np.float64] = np.argwhere(surface) * np.asarray(spacing_mm)
    return points

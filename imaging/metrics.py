"""How far two masks of one structure agree; 2D or 3D, spacing in mm per axis of the array."""

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
    surfaces = [_surface_mm(mask, spacing_mm) for mask in (first, second)]
    if any(len(surface) == 0 for surface in surfaces):
        return 0.0 if all(len(surface) == 0 for surface in surfaces) else float("inf")
    trees = [cKDTree(surface) for surface in surfaces]
    forth, _ = trees[1].query(surfaces[0])
    back, _ = trees[0].query(surfaces[1])
    return float(max(np.percentile(forth, 95), np.percentile(back, 95)))


def volume_ml(mask: Mask, spacing_mm: Spacing) -> float:
    """The volume of the voxels of a 3D mask, in millilitres."""
    return float(np.count_nonzero(mask) * np.prod(spacing_mm) / _CUBIC_MM_PER_ML)


def _surface_mm(mask: Mask, spacing_mm: Spacing) -> npt.NDArray[np.float64]:
    """(n, axes) mm."""
    surface = mask & ~ndimage.binary_erosion(mask)
    points: npt.NDArray[np.float64] = np.argwhere(surface) * np.asarray(spacing_mm)
    return points

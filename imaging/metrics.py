"""Agreement of two masks of one structure: Dice coefficient and surface distances.

Masks are bool, 2D or 3D; `spacing_mm` has the voxel spacing in mm for each axis of the array.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

Mask = npt.NDArray[np.bool_]
Spacing = tuple[float, ...]
_CUBIC_MM_PER_ML = 1000.0


def dice(first: Mask, second: Mask) -> float:
    """Dice similarity coefficient, 0 to 1; two empty masks agree, which gives 1."""
    total = np.count_nonzero(first) + np.count_nonzero(second)
    return 1.0 if total == 0 else 2.0 * np.count_nonzero(first & second) / total


def hausdorff_95_mm(first: Mask, second: Mask, spacing_mm: Spacing) -> float:
    """95th percentile Hausdorff distance in mm: the larger of the values of both directions.

    The surface of a mask is the centres of those voxels that have a face to the outside; the
    border of the array counts as outside. Two empty masks are 0 mm apart, an empty and a filled
    one `inf`, so that such a pair never looks good in a mean.
    """
    distances = _distances_mm(first, second, spacing_mm)
    return max(float(np.percentile(one, 95)) if len(one) else math.inf for one in distances)


def mean_surface_distance_mm(first: Mask, second: Mask, spacing_mm: Spacing) -> float:
    """Mean distance between the surfaces in mm, over the voxels of both surfaces.

    Surfaces and empty masks are treated as by `hausdorff_95_mm`.
    """
    distances = np.concatenate(_distances_mm(first, second, spacing_mm))
    return float(distances.mean()) if len(distances) else math.inf


def volume_ml(mask: Mask, spacing_mm: Spacing) -> float:
    """Volume of the voxels of a 3D mask, in millilitres."""
    return float(np.count_nonzero(mask) * np.prod(spacing_mm) / _CUBIC_MM_PER_ML)


def _distances_mm(
    first: Mask, second: Mask, spacing_mm: Spacing
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Distances from each voxel of one surface to the other surface, in both directions.

    A single 0 for two empty masks; no distances where only one of the masks is empty.
    """
    surfaces = [_surface_mm(mask, spacing_mm) for mask in (first, second)]
    if any(len(surface) == 0 for surface in surfaces):
        agree = np.zeros(1 if all(len(surface) == 0 for surface in surfaces) else 0)
        return agree, agree
    trees = [cKDTree(surface) for surface in surfaces]
    return trees[1].query(surfaces[0])[0], trees[0].query(surfaces[1])[0]


def _surface_mm(mask: Mask, spacing_mm: Spacing) -> npt.NDArray[np.float64]:
    """Centres of the surface voxels, (n, axes) in mm."""
    surface = mask & ~ndimage.binary_erosion(mask)
    points: npt.NDArray[np.float64] = np.argwhere(surface) * np.asarray(spacing_mm)
    return points

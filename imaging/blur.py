"""The separable three-dimensional Gaussian blur of the `blur` pipeline."""

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.errors import ConfigurationError, GeometryError

Voxels = npt.NDArray[np.float32]
PerAxis = tuple[float, float, float]
_TRUNCATE_SIGMAS = 4.0


def gaussian_blur(voxels: Voxels, sigma_mm: float | PerAxis, spacing_mm: PerAxis) -> Voxels:
    """`voxels` [slice, row, column] blurred, of the same shape; the input is left alone.

    Values beyond the edge repeat the last ones, the kernel ends at 4 sigma, and a sigma of 0
    leaves its axis as it is.

    Args:
        voxels: float32 [slice, row, column].
        sigma_mm: standard deviation in mm, one for all axes or (slice, row, column).
        spacing_mm: distance between neighbouring slices, rows and columns.

    Raises:
        ConfigurationError: a sigma is negative or not a number.
        GeometryError: a spacing is not above zero.
    """
    blurred = voxels.astype(np.float32)
    for axis, sigma in enumerate(_sigmas_mm_to_voxels(sigma_mm, spacing_mm)):
        kernel = _kernel(sigma)
        if kernel.size > 1:
            blurred = ndimage.correlate1d(blurred, kernel, axis=axis, mode="nearest")
    return blurred


def _sigmas_mm_to_voxels(sigma_mm: float | PerAxis, spacing_mm: PerAxis) -> PerAxis:
    sigmas = sigma_mm if isinstance(sigma_mm, tuple) else (sigma_mm, sigma_mm, sigma_mm)
    if not all(math.isfinite(sigma) and sigma >= 0 for sigma in sigmas):
        raise ConfigurationError(
            f"sigma_mm is {sigma_mm}, expected numbers in mm that are 0 or more"
        )
    if not all(math.isfinite(spacing) and spacing > 0 for spacing in spacing_mm):
        raise GeometryError(f"Voxel spacing is {spacing_mm} mm, expected above 0")
    slices, rows, columns = (s / spacing for s, spacing in zip(sigmas, spacing_mm, strict=True))
    return slices, rows, columns


def _kernel(sigma: float) -> npt.NDArray[np.float64]:
    """Weights that sum to 1, centred, up to 4 sigma (in voxels) to each side."""
    radius = int(_TRUNCATE_SIGMAS * sigma + 0.5)
    if radius == 0:
        return np.ones(1)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    normalised: npt.NDArray[np.float64] = weights / weights.sum()
    return normalised

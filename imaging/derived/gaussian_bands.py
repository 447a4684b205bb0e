"""A Gaussian along one axis as products with small matrices, a band of the axis at a time.

Row i of the whole matrix holds the weights that make value i of all values on the axis. Only a
band beside the diagonal differs from zero, so the matrix is cut into pieces of a few rows. What
lies beyond an end of the axis repeats its last value, so those weights are added to the last
value's: nothing is padded, and a kernel may be wider than the axis.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float64]
_TRUNCATE_SIGMAS = 4.0
_BAND_ROWS = 32
# OpenBLAS starts threads of its own above 4 x 65536 products (GEMM_MULTITHREAD_THRESHOLD), which
# would wait for each other where the caller's threads and other processes use the cores already
_MOST_PRODUCTS = 2**18


@dataclass(frozen=True, slots=True)
class Band:
    """Some rows of the matrix, less the columns that are zero in all of them."""

    outputs: slice
    inputs: slice
    weights: Values
    """[output, input]; each row sums to 1."""


def gaussian_bands(length: int, sigma: float) -> tuple[Band, ...]:
    """The matrix for an axis of `length` values, `sigma` in values; none where it changes nothing.

    The kernel ends at 4 sigma, rounded to whole values, and its weights sum to 1.
    """
    radius = int(_TRUNCATE_SIGMAS * sigma + 0.5)
    if radius == 0 or length < 2:
        return ()
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    return tuple(_band(first, length, kernel) for first in range(0, length, _BAND_ROWS))


def apply_bands(bands: tuple[Band, ...], source: Values, target: Values) -> None:
    """Write to `target` what `bands` make of `source`, both [any, axis, any] and apart in memory.

    Fast where one of the last two axes is contiguous in each.
    """
    for band in bands:
        width = max(1, _MOST_PRODUCTS // band.weights.size)
        for start in range(0, source.shape[2], width):
            part = slice(start, start + width)
            np.matmul(band.weights, source[:, band.inputs, part], out=target[:, band.outputs, part])


def _band(first: int, length: int, kernel: Weights) -> Band:
    radius = len(kernel) // 2
    end = min(first + _BAND_ROWS, length)
    low, high = max(0, first - radius), min(length, end + radius)
    outputs, inputs = np.arange(first, end), np.arange(low, high)
    place = inputs - outputs[:, np.newaxis] + radius
    inside = (place >= 0) & (place < len(kernel))
    weights = np.where(inside, kernel[np.clip(place, 0, len(kernel) - 1)], 0.0)
    tails = np.concatenate([[0.0], np.cumsum(kernel)])
    if low == 0:
        weights[:, 0] += tails[np.maximum(radius - outputs, 0)]
    if high == length:
        weights[:, -1] += tails[np.maximum(radius - (length - 1 - outputs), 0)]
    return Band(slice(first, end), slice(low, high), weights.astype(np.float32))

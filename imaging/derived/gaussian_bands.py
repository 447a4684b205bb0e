"""Gaussian filter along one axis as products with small banded matrices.

Row i of the full matrix has the weights of all input values for output value i. It is zero outside
a band along the diagonal, so it is cut into blocks of a few rows. Edge values are repeated by
adding the weights beyond an end to that of the last value: no padding is needed, and the kernel
may be wider than the axis.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float64]
_TRUNCATE_SIGMAS = 4.0
_BAND_ROWS = 32
# above 4 x 65536 products (GEMM_MULTITHREAD_THRESHOLD) OpenBLAS starts threads of its own, which
# would compete with the caller's threads and other processes for the cores
_MOST_PRODUCTS = 2**18


@dataclass(frozen=True, slots=True)
class Band:
    """Some rows of the matrix, without the columns that are zero in all of them."""

    outputs: slice
    inputs: slice
    weights: Values
    """float32 [output, input]; each row sums to 1."""


def gaussian_bands(length: int, sigma: float) -> tuple[Band, ...]:
    """Build the bands for an axis of `length` values; empty if the filter has no effect.

    `sigma` is in values. The kernel is truncated at 4 sigma, rounded to whole values, and its
    weights sum to 1.
    """
    radius = int(_TRUNCATE_SIGMAS * sigma + 0.5)
    if radius == 0 or length < 2:
        return ()
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    return tuple(_band(first, length, kernel) for first in range(0, length, _BAND_ROWS))


def apply_bands(bands: tuple[Band, ...], source: Values, target: Values) -> None:
    """Filter `source` along its middle axis into `target`, both [any, axis, any].

    The arrays must not overlap. Filtering is fast if one of the last two axes is contiguous.
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

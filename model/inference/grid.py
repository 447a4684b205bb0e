"""Normalisation and resampling from an image's grid to the network's working grid."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.nn.functional import interpolate, pad

Images = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WorkingGrid:
    """Settings of the preprocessing of images."""

    spacing_mm: float | None
    """Distance between rows and between columns; None keeps the image's own."""
    percentiles: tuple[float, float] = (1.0, 99.0)
    """Percentiles of an image's values that are mapped to 0 and 1."""
    stride: int = 1
    """Rows and columns are padded to multiples of this."""


def normalise(images: Images, percentiles: tuple[float, float]) -> Images:
    """Scale each of `images` [instance, row, column] so that `percentiles` become 0 and 1.

    Values are not clipped: a bright vessel stays above 1. A constant image becomes 0.
    """
    low, high = np.percentile(images, percentiles, axis=(1, 2), keepdims=True)
    span = np.where(high > low, high - low, 1.0)
    scaled: Images = ((images - low) / span).astype(np.float32)
    return np.where(high > low, scaled, np.float32(0.0))


def working_size(
    shape: tuple[int, int], pixel_spacing_mm: tuple[float, float], working_spacing_mm: float
) -> tuple[int, int]:
    """Rows and columns that cover the same field of view at `working_spacing_mm`."""
    rows, columns = (
        max(1, round(count * spacing / working_spacing_mm))
        for count, spacing in zip(shape, pixel_spacing_mm, strict=True)
    )
    return rows, columns


def resample(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Resample `images` `(B, C, H, W)` to `size` (rows, columns), with antialiasing."""
    if tuple(images.shape[-2:]) == size:
        return images
    return interpolate(images, size=size, mode="bilinear", antialias=True)


def pad_to_stride(images: Tensor, stride: int) -> Tensor:
    """Pad `images` `(B, C, H, W)` with zeros at the end to multiples of `stride`.

    At least two strides each way, since instance norm needs several pixels at the deepest level.
    """
    rows, columns = (max(size + -size % stride, 2 * stride) for size in images.shape[-2:])
    return pad(images, (0, columns - images.shape[-1], 0, rows - images.shape[-2]))

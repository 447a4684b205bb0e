"""Pixels outside of the image (PS3.3 C.7.5.1.1.2), before anything is computed from them.

Padding that is a value like others is background: 0 around a masked MR, -1024 HU around a CT. It
stays what it is and takes part. Padding beyond what the images can hold, such as -2000 HU around
the round field of view of a CT, would bleed into the patient and becomes background.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imaging.pixels.reader import StoredPixels, Voxels

_AIR_HU, _LOWEST_HU = -1000.0, -1024.0


@dataclass(frozen=True, slots=True)
class Padding:
    """Where an image is padded, and what its background is, in rescaled units."""

    mask: npt.NDArray[np.bool_]
    """[row, column]."""
    background: float
    """Air in CT; elsewhere what the stored value 0 stands for."""
    lowest: float
    """Of the values that a background may have."""


def padding_of(stored: StoredPixels, modality: str) -> Padding | None:
    """The padding of the only frame of `stored`; None where there is none."""
    if stored.padding is None:
        return None
    if modality == "CT":
        return Padding(stored.padding[0], _AIR_HU, _LOWEST_HU)
    return Padding(stored.padding[0], stored.intercept, stored.intercept)


def fill_padding(images: Voxels, padding: Mapping[int, Padding]) -> None:
    """Give background to the padding in `images` that lies beyond all else, in place.

    Beyond is below the background and every pixel proper of all images, or above. The
    background is that of the image, or the lowest pixel proper where that is lower. Images that
    are nothing but padding stay as they are.

    Args:
        images: float32 [image, row, column] in rescaled units.
        padding: by index into `images`.
    """
    if not padding:
        return
    proper = [
        image[~padding[index].mask] if index in padding else image
        for index, image in enumerate(images)
    ]
    values = [(float(image.min()), float(image.max())) for image in proper if image.size]
    if not values:
        return
    lowest, highest = min(low for low, _ in values), max(high for _, high in values)
    for index, one in padding.items():
        image = images[index]
        low, high = min(one.lowest, lowest), max(one.background, highest)
        beyond = one.mask & ((image < low) | (image > high))
        image[beyond] = min(one.background, lowest)

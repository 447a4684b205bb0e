"""Replacement of pixel padding (PS3.3 C.7.5.1.1.2) before images are filtered.

Padding with a value in the range of the image is background and is kept: 0 around a masked MR,
-1024 HU around a CT. Padding outside of that range, such as -2000 HU around the round field of
view of a CT, would bleed into the patient and is replaced by background.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imaging.pixels.reader import StoredPixels, Voxels

_AIR_HU, _LOWEST_HU = -1000.0, -1024.0


@dataclass(frozen=True, slots=True)
class Padding:
    """Padded pixels of an image and its background value, in rescaled units."""

    mask: npt.NDArray[np.bool_]
    """bool [row, column], True for padding."""
    background: float
    """Air in CT; for other modalities, the rescaled value of the stored value 0."""
    lowest: float
    """Lowest value that counts as background."""


def padding_of(stored: StoredPixels, modality: str) -> Padding | None:
    """Padding of the only frame of `stored`; None if no pixel is padded."""
    if stored.padding is None:
        return None
    if modality == "CT":
        return Padding(stored.padding[0], _AIR_HU, _LOWEST_HU)
    return Padding(stored.padding[0], stored.intercept, stored.intercept)


def fill_padding(images: Voxels, padding: Mapping[int, Padding]) -> None:
    """Replace padding outside of the value range of `images` by background, in place.

    The range goes from the lowest to the highest of all pixels that are not padding, and includes
    the background. The new value is the image's background, or the lowest such pixel if that is
    lower. Nothing changes if all pixels of all images are padding.

    Args:
        images: float32 [image, row, column] in rescaled units.
        padding: padding of images, by index into `images`.
    """
    if not padding:
        return
    proper = (  # one at a time: together they would be a second copy of the series
        image[~padding[index].mask] if index in padding else image
        for index, image in enumerate(images)
    )
    values = [(float(image.min()), float(image.max())) for image in proper if image.size]
    if not values:
        return
    lowest, highest = min(low for low, _ in values), max(high for _, high in values)
    for index, one in padding.items():
        image = images[index]
        low, high = min(one.lowest, lowest), max(one.background, highest)
        beyond = one.mask & ((image < low) | (image > high))
        image[beyond] = min(one.background, lowest)

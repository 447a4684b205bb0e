"""Uncompressed 16-bit pixels of one frame from their bytes, as pydicom has them."""

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import FileDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from imaging.instances.elements import tags_of

PIXEL_TAGS = tags_of(
    "SOPInstanceUID",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleIntercept",
    "RescaleSlope",
    "ModalityLUTSequence",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
"""All that decides about pixels that are not compressed, besides the pixels."""
_SYNTAXES = (ImplicitVRLittleEndian, ExplicitVRLittleEndian)
_NUMBERS = ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "Rows", "Columns")


def plain_values(data_set: FileDataset) -> npt.NDArray[Any] | None:
    """The stored values [row, column] of an image that is as plain as most are, else None.

    What lies above BitsStored is no part of the value (PS3.5 section 8.1.1).
    """
    element = data_set.get_item("PixelData") if "PixelData" in data_set else None
    if element is None or data_set.file_meta.TransferSyntaxUID not in _SYNTAXES:
        return None
    numbers = [data_set.get(name) for name in _NUMBERS]
    if not all(isinstance(number, int) for number in numbers):
        return None
    allocated, stored, high, signed, rows, columns = numbers
    regular = allocated == 16 and 0 < stored <= 16 and high == stored - 1 and signed in (0, 1)
    frames = data_set.get("NumberOfFrames") or 1
    value = element.value
    if not regular or frames != 1 or rows * columns == 0 or len(value) != 2 * rows * columns:
        return None
    values = np.frombuffer(value, "<i2" if signed else "<u2").reshape(rows, columns)
    return values if stored == 16 else values << 16 - stored >> 16 - stored

"""Fast decoding of uncompressed 16-bit single-frame pixels, with the same values as pydicom."""

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
"""Attributes that decoding of uncompressed pixels needs, besides the pixels."""
_SYNTAXES = (ImplicitVRLittleEndian, ExplicitVRLittleEndian)
_NUMBERS = ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "Rows", "Columns")


def plain_values(data_set: FileDataset) -> npt.NDArray[Any] | None:
    """Decode an uncompressed 16-bit single-frame image, int16 or uint16 [row, column].

    Bits above BitsStored are no part of the value (PS3.5 section 8.1.1).

    Returns:
        The stored values, or None for any other kind of image.
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

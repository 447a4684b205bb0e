"""Pixel format of an instance: all that is needed to encode an array as its pixels again."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSNearLossless,
)

from core.errors import PixelError
from imaging.instances.element_words import WAY_OUT, element_fault, told_instance
from imaging.pixels.extended_jpeg import decode_extended_jpeg, is_extended_jpeg
from imaging.pixels.pixel_faults import explain_pixels
from imaging.pixels.reader import DECODING_ERRORS, StoredPixels, Voxels, check_supported
from imaging.pixels.rescale import rescale_of

Cells = npt.NDArray[Any]
"""Pixel cells: integers of all allocated bits, unused ones included."""

ALLOCATED = (8, 16, 32)
_ALWAYS_LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless)


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """Image Pixel (PS3.3 C.7.6.3) and rescale attributes (C.11.1) of a grey image."""

    bits_allocated: int
    bits_stored: int
    """Number of bits in use, the lowest of those allocated (PS3.5 section 8.1.1)."""
    is_signed: bool
    photometric_interpretation: str
    slope: float
    intercept: float
    has_rescale: bool
    """True if the instance states slope or intercept; an absent one is 1 or 0."""
    rescale_type: str
    padding_value: int | None
    padding_range_limit: int | None
    is_lossy: bool
    """True if the image has ever been compressed with loss."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Integer type of a pixel cell, little endian."""
        return np.dtype(f"<{'i' if self.is_signed else 'u'}{self.bits_allocated // 8}")

    def values(self, cells: Cells) -> Cells:
        """Stored pixel values of `cells`: unused bits are cleared, or filled with the sign."""
        unused = self.bits_allocated - self.bits_stored
        values: Cells = (cells << unused) >> unused if unused else cells
        return values

    def rescaled(self, values: Cells) -> Voxels:
        """Rescale stored values: float32 `values` x slope + intercept, rounded once."""
        return StoredPixels(values, self.slope, self.intercept, padding=None).rescaled()


def format_of(data_set: FileDataset) -> PixelFormat:
    """Pixel format of a single-frame grey image.

    Raises:
        PixelError: no pixels, colour, a Modality LUT, floating point, an unsupported bit layout,
            or an unusable slope or intercept.
    """
    check_supported(data_set)
    allocated, stored = _integer(data_set, "BitsAllocated"), _integer(data_set, "BitsStored")
    high = _integer(data_set, "HighBit") if "HighBit" in data_set else stored - 1
    is_usual = allocated in ALLOCATED and 1 <= stored <= allocated and high == stored - 1
    if not is_usual or "PixelData" not in data_set:
        raise PixelError(
            f"{told_instance(data_set)}: {allocated} bits allocated, {stored} stored, "
            f"high bit {high}, expected integers of 8, 16 or 32 bits with the stored ones lowest"
        )
    slope, intercept = rescale_of(data_set)
    return PixelFormat(
        bits_allocated=allocated,
        bits_stored=stored,
        is_signed=_integer(data_set, "PixelRepresentation") == 1,
        photometric_interpretation=str(data_set.PhotometricInterpretation),
        slope=slope,
        intercept=intercept,
        has_rescale="RescaleSlope" in data_set or "RescaleIntercept" in data_set,
        rescale_type=str(data_set.get("RescaleType") or ""),
        padding_value=_padding(data_set, "PixelPaddingValue"),
        padding_range_limit=_padding(data_set, "PixelPaddingRangeLimit"),
        is_lossy=_is_lossy(data_set),
    )


def cells_of(data_set: FileDataset, pixel_format: PixelFormat) -> Cells:
    """Decode the pixel cells, [row, column], with unused bits as they are.

    Raises:
        PixelError: damaged or truncated pixels, or a transfer syntax without a decoder.
    """
    try:
        if is_extended_jpeg(data_set):
            cells: Cells = decode_extended_jpeg(data_set)[0]
        else:
            cells = pixel_array(data_set, raw=True, correct_unused_bits=False)
    except DECODING_ERRORS as error:
        raise PixelError(explain_pixels(data_set)) from error
    if cells.shape != (data_set.Rows, data_set.Columns):
        words = element_fault(data_set, "PixelData", "one frame of Rows x Columns pixels")
        raise PixelError(f"{told_instance(data_set)}: {words}; {WAY_OUT}")
    return cells.astype(pixel_format.dtype, copy=False)


def _integer(data_set: Dataset, keyword: str) -> int:
    value = data_set.get(keyword)
    if not isinstance(value, int):
        words = element_fault(data_set, keyword, "a whole number")
        raise PixelError(f"{told_instance(data_set)}: {words}; {WAY_OUT}")
    return value


def _padding(data_set: Dataset, keyword: str) -> int | None:
    value = data_set.get(keyword)
    return value if isinstance(value, int) else None


def _is_lossy(data_set: FileDataset) -> bool:
    syntax = UID(data_set.file_meta.TransferSyntaxUID)
    said = str(data_set.get("LossyImageCompression") or "")
    # JPEG 2000 without "Lossless" in its name may be either; the instance itself says which
    return said == "01" or syntax in _ALWAYS_LOSSY or (syntax == JPEG2000 and said != "00")

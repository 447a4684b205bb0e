"""Pixels of a restored instance: the original pixel cells, or voxels encoded as integers."""

from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset

from imaging.derived.attributes import drop, write_encoded_pixels, write_extremes
from imaging.derived.encoding import Encoding, choose_encoding
from imaging.hdf5.reader import VolumeContent
from imaging.hdf5.restored_frame import write_numbers
from imaging.pixels.pixel_format import Cells, PixelFormat

_FEWEST_STEPS = 256


def choose_volume_encoding(volume: VolumeContent, templates: Sequence[Dataset]) -> Encoding:
    """Choose one encoding for all voxels: that of the templates, if it is fine enough.

    Voxels may be in other units than the templates (a mask, values from 0 to 1). If the templates'
    encoding would round them and their range spans fewer than 256 steps, a fitting one is chosen.

    Raises:
        OutputError: voxels that are not finite numbers, or do not fit in 16 bits.
    """
    chosen = choose_encoding(templates, volume.voxels)
    if not chosen.from_source:
        return chosen
    slope, intercept = float(chosen.slope), float(chosen.intercept)
    steps = (float(volume.voxels.max()) - float(volume.voxels.min())) / slope
    if steps >= _FEWEST_STEPS:
        return chosen
    exact = (volume.voxels.astype(np.float64) - intercept) / slope
    if np.array_equal(exact, np.rint(exact)):
        return chosen
    return choose_encoding(templates, volume.voxels, only_fitting=True)


def write_pixels(
    data_set: Dataset, volume: VolumeContent, index: int, encoding: Encoding | None
) -> None:
    """Write the pixels of slice `index`: original pixel cells, or voxels in `encoding` if given."""
    data_set.SamplesPerPixel = 1
    if encoding is not None:
        write_encoded_pixels(data_set, volume.voxels[index], encoding)
    elif volume.stored is not None:
        pixel_format = volume.stored.formats[index]
        _write_format(data_set, pixel_format)
        _write_cells(data_set, volume.stored.cells(index), pixel_format)


def _write_format(data_set: Dataset, pixel_format: PixelFormat) -> None:
    data_set.PhotometricInterpretation = pixel_format.photometric_interpretation
    data_set.BitsAllocated = pixel_format.bits_allocated
    data_set.BitsStored = pixel_format.bits_stored
    data_set.HighBit = pixel_format.bits_stored - 1
    data_set.PixelRepresentation = int(pixel_format.is_signed)
    _write_rescale(data_set, pixel_format)
    _write_padding(data_set, "PixelPaddingValue", pixel_format.padding_value)
    _write_padding(data_set, "PixelPaddingRangeLimit", pixel_format.padding_range_limit)
    if pixel_format.is_lossy:
        data_set.LossyImageCompression = "01"
    else:
        drop(data_set, ("LossyImageCompressionRatio", "LossyImageCompressionMethod"))
        if "LossyImageCompression" in data_set:
            data_set.LossyImageCompression = "00"


def _write_padding(data_set: Dataset, keyword: str, value: int | None) -> None:
    """Write padding; its sign may differ from that of the pixels (-2000 written as 63536)."""
    if data_set.get(keyword) == value:
        return
    drop(data_set, (keyword,))
    if value is not None:
        is_wide = not -32768 <= value <= 65535
        highest = 0x7FFFFFFF if is_wide else 0x7FFF
        is_signed = value < 0 or (data_set.PixelRepresentation == 1 and value <= highest)
        data_set.add_new(keyword, ("S" if is_signed else "U") + ("L" if is_wide else "S"), value)


def _write_rescale(data_set: Dataset, pixel_format: PixelFormat) -> None:
    if not pixel_format.has_rescale:
        drop(data_set, ("RescaleSlope", "RescaleIntercept", "RescaleType"))
        return
    write_numbers(data_set, "RescaleSlope", (pixel_format.slope,))
    write_numbers(data_set, "RescaleIntercept", (pixel_format.intercept,))
    drop(data_set, ("RescaleType",))
    if pixel_format.rescale_type:
        data_set.RescaleType = pixel_format.rescale_type


def _write_cells(data_set: Dataset, cells: Cells, pixel_format: PixelFormat) -> None:
    """Write PixelData as OW, or OB of even length for 8 bits (PS3.5 section 8.2)."""
    if pixel_format.bits_allocated > 16:
        drop(data_set, ("SmallestImagePixelValue", "LargestImagePixelValue"))
    elif "SmallestImagePixelValue" in data_set:
        write_extremes(data_set, pixel_format.values(cells))
    content = cells.tobytes()
    representation = "OB" if pixel_format.bits_allocated == 8 else "OW"
    data_set.add_new("PixelData", representation, content + b"\0" * (len(content) % 2))

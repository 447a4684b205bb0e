"""Reading of an instance's pixels, as stored values or in rescaled units (PS3.3 C.11.1)."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.pixels.utils import pixel_array

from core.errors import PixelError
from imaging.enhanced.functional_groups import converted_attributes
from imaging.instances.element_words import told_instance, told_photometric
from imaging.instances.elements import read_elements
from imaging.instances.frames import rescaling
from imaging.instances.header import GREY
from imaging.instances.read_errors import READING_ERRORS
from imaging.instances.reading_faults import explain_file, explained
from imaging.pixels.extended_jpeg import decode_extended_jpeg, is_extended_jpeg
from imaging.pixels.pixel_faults import explain_pixels
from imaging.pixels.plain_pixels import PIXEL_TAGS, plain_values
from imaging.pixels.rescale import rescale_of

Voxels = npt.NDArray[np.float32]
_WHOLE_IN_SINGLE = 2.0**24
DECODING_ERRORS = (
    *READING_ERRORS,
    RuntimeError,  # of the decoders behind pydicom: damaged or unknown pixel data
)
"""Exceptions that decoding raises for damaged or unsupported pixels."""


@dataclass(frozen=True, slots=True)
class StoredPixels:
    """Stored pixel values with their rescale slope, intercept and padding."""

    values: npt.NDArray[Any]
    """Integers (or floats for FloatPixelData), [frame, row, column]."""
    slope: float
    intercept: float
    padding: npt.NDArray[np.bool_] | None
    """True for padding (PixelPaddingValue), in the shape of `values`; None if there is none."""

    def rescaled(self) -> Voxels:
        """Values x slope + intercept, float32 [frame, row, column], rounded once."""
        if self._is_exact_in_single():
            single: Voxels = np.multiply(self.values, np.float32(self.slope), dtype=np.float32)
            single += np.float32(self.intercept)
            return single
        exact = self.values.astype(np.float64) * self.slope + self.intercept
        return exact.astype(np.float32)

    def _is_exact_in_single(self) -> bool:
        """True if all results are whole numbers that float32 represents, so nothing is rounded."""
        if self.values.dtype.kind not in "iu" or not self.slope.is_integer():
            return False
        largest = float(1 << 8 * self.values.dtype.itemsize) * abs(self.slope)
        return self.intercept.is_integer() and largest + abs(self.intercept) < _WHOLE_IN_SINGLE


def read_pixels(path: Path) -> Voxels:
    """Read an instance's pixels, float32 [frame, row, column] in rescaled units (HU for CT).

    MONOCHROME1 is not inverted, since it only affects display. Padding keeps its value too;
    `volume.read_images` can replace it.

    Raises:
        PixelError: no pixels, truncated, not decodable, colour, a rescale per frame or by a
            Modality LUT, or an unusable slope or intercept.
    """
    return read_stored(path).rescaled()


def read_stored(path: Path) -> StoredPixels:
    """Read an instance's stored values; raises as `read_pixels` does."""
    with explained([path], PixelError), warnings.catch_warnings():
        # Odd values in the header are reported once a series, by check_one_series.
        warnings.simplefilter("ignore", UserWarning)
        return stored_pixels(_read(path))


def read_frames(path: Path) -> list[StoredPixels]:
    """Read the stored values of each frame of an enhanced instance, [1, row, column] each.

    Each frame may have a slope and intercept of its own; else raises as `read_pixels` does.
    """
    with explained([path], PixelError), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        data_set = _read(path)
        check_supported(data_set, by_frame=True)
        values = _decoded(data_set)
        frames = zip(values[:, np.newaxis], rescaling(data_set), strict=False)
        return [
            StoredPixels(frame, *scale, _padding_of_frame(data_set, number, frame))
            for number, (frame, scale) in enumerate(frames, 1)
        ]


def read_frame(path: Path, number: int) -> StoredPixels:
    """Read the stored values of frame `number` (from 1) of an enhanced instance, [1, row, column].

    Other frames are not decoded. Raises as `read_pixels` does, and if there is no such frame.
    """
    with explained([path], PixelError), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        data_set = _read(path)
        check_supported(data_set, by_frame=True)
        scales = list(rescaling(data_set))
        if not 1 <= number <= len(scales):
            raise PixelError(f"{path.name}: no frame {number}, expected 1 to {len(scales)}")
        values = _decoded(data_set, number - 1)
        slope, intercept = scales[number - 1]
        padding = _padding_of_frame(data_set, number, values)
        return StoredPixels(values, slope, intercept, padding)


def stored_pixels(data_set: FileDataset) -> StoredPixels:
    """Decode the pixels of `data_set`; raises as `read_pixels` does."""
    check_supported(data_set)
    slope, intercept = rescale_of(data_set)
    values = _decoded(data_set)
    return StoredPixels(values, slope, intercept, _padding(data_set, values))


def _read(path: Path) -> FileDataset:
    try:
        return read_elements(path, PIXEL_TAGS, pixels=True) or pydicom.dcmread(path)
    except READING_ERRORS as error:
        words = explain_file(path, error, PIXEL_TAGS)
        raise PixelError(f"{path.name}: not a readable DICOM instance: {words}") from error


def _decoded(data_set: FileDataset, index: int | None = None) -> npt.NDArray[Any]:
    """Decode all frames, or only the one at `index` (from 0); [frame, row, column]."""
    try:
        values = plain_values(data_set)
        if values is None and is_extended_jpeg(data_set):
            frames = decode_extended_jpeg(data_set)
            values = frames if index is None else frames[index]
        if values is None and index is None:
            values = np.asarray(data_set.pixel_array)
        if values is None:
            values = np.asarray(pixel_array(data_set, index=index))
    except DECODING_ERRORS as error:
        raise PixelError(explain_pixels(data_set)) from error
    return values if values.ndim == 3 else values[np.newaxis]


def check_supported(data_set: Dataset, *, by_frame: bool = False) -> None:
    """Check that pixels are grey with at most one slope and intercept.

    With `by_frame`, each frame may have its own.

    Raises:
        PixelError: no pixels, colour, a Modality LUT, or a rescale per frame without `by_frame`.
    """
    name = told_instance(data_set)
    if not any(
        name in data_set for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
    ):
        raise PixelError(f"{name}: no pixel data")
    photometric = data_set.get("PhotometricInterpretation", "")
    if data_set.get("SamplesPerPixel", 1) != 1 or photometric not in GREY:
        raise PixelError(
            f"{name}: colour or unknown pixels ({told_photometric(photometric)}), "
            f"expected {GREY[0]} or {GREY[1]}"
        )
    if "ModalityLUTSequence" in data_set:
        raise PixelError(f"{name}: values given by a Modality LUT, which is not supported")
    if not by_frame and _is_rescaled_by_frame(data_set):
        raise PixelError(
            f"{name}: multi-frame with a rescale for each frame; read it frame by frame"
        )


def _is_rescaled_by_frame(data_set: Dataset) -> bool:
    groups = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
    items = (item for group in groups for item in data_set.get(group) or ())
    return any("PixelValueTransformationSequence" in item for item in items)


def _padding_of_frame(
    data_set: Dataset, number: int, values: npt.NDArray[Any]
) -> npt.NDArray[np.bool_] | None:
    """Padding by the instance's PixelPaddingValue, else by that of the frame's source image."""
    if "PixelPaddingValue" in data_set:
        return _padding(data_set, values)
    return _padding(converted_attributes(data_set, number), values)


def _padding(data_set: Dataset, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_] | None:
    """Pixels between PixelPaddingValue and PixelPaddingRangeLimit (PS3.3 C.7.5.1.1.2)."""
    first = data_set.get("PixelPaddingValue")
    if not isinstance(first, int):
        return None
    last = data_set.get("PixelPaddingRangeLimit", first)
    bounds = [_as_stored(bound, values.dtype) for bound in (first, last) if isinstance(bound, int)]
    padding: npt.NDArray[np.bool_] = (values >= min(bounds)) & (values <= max(bounds))
    return padding if padding.any() else None


def _as_stored(value: int, dtype: np.dtype[Any]) -> int:
    """Padding value in the type of the pixels; some senders write -2000 as 63536, or vice versa."""
    if dtype.kind not in "iu":
        return value
    bits = 8 * dtype.itemsize
    wrapped = value % (1 << bits)
    return wrapped - (1 << bits) if dtype.kind == "i" and wrapped >> (bits - 1) else wrapped

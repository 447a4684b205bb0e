"""The pixel values of one instance, in rescaled units (PS3.3 C.11.1)."""

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
from imaging.instances.elements import read_elements
from imaging.instances.frames import rescaling
from imaging.instances.header import GREY
from imaging.instances.read_errors import READING_ERRORS
from imaging.pixels.extended_jpeg import decode_extended, is_extended
from imaging.pixels.plain_pixels import PIXEL_TAGS, plain_values
from imaging.pixels.rescale import rescale_of

Voxels = npt.NDArray[np.float32]
_WHOLE_IN_SINGLE = 2.0**24
DECODING_ERRORS = (
    *READING_ERRORS,
    RuntimeError,  # of the decoders behind pydicom: damaged or unknown pixel data
)
"""What comes of pixels that cannot be decoded."""


@dataclass(frozen=True, slots=True)
class StoredPixels:
    """Pixels as they lie in the file, and what turns them into rescaled values."""

    values: npt.NDArray[Any]
    """Integers (or floats for FloatPixelData), [frame, row, column]."""
    slope: float
    intercept: float
    padding: npt.NDArray[np.bool_] | None
    """Where PixelPaddingValue says that there is no image, or None if nowhere."""

    def rescaled(self) -> Voxels:
        """float32 [frame, row, column]: stored value x slope + intercept, rounded once."""
        if self._is_exact_in_single():
            single: Voxels = np.multiply(self.values, np.float32(self.slope), dtype=np.float32)
            single += np.float32(self.intercept)
            return single
        exact = self.values.astype(np.float64) * self.slope + self.intercept
        return exact.astype(np.float32)

    def _is_exact_in_single(self) -> bool:
        """Whether products and sums are whole numbers that float32 holds: then nothing rounds."""
        if self.values.dtype.kind not in "iu" or not self.slope.is_integer():
            return False
        largest = float(1 << 8 * self.values.dtype.itemsize) * abs(self.slope)
        return self.intercept.is_integer() and largest + abs(self.intercept) < _WHOLE_IN_SINGLE


def read_pixels(path: Path) -> Voxels:
    """float32 [frame, row, column] in rescaled units (HU for CT); any lossless or lossy syntax.

    MONOCHROME1 keeps its values: that only says that the lowest is shown white. Padding keeps
    its value too; `volume.read_images` is where it may be replaced.

    Raises:
        PixelError: no pixels, truncated, not decodable, colour, rescaled by frame or by LUT, or
            by a slope or intercept that gives no values.
    """
    return read_stored(path).rescaled()


def read_stored(path: Path) -> StoredPixels:
    """The stored values of the instance in the file `path`; raises as `read_pixels` does."""
    with warnings.catch_warnings():
        # Odd values in the header are reported once a series, by check_one_series.
        warnings.simplefilter("ignore", UserWarning)
        return stored_pixels(_read(path))


def read_frames(path: Path) -> list[StoredPixels]:
    """The stored values of each frame [1, row, column] in the enhanced instance in the file `path`.

    Raises as `read_pixels` does; here each frame may have a slope and an intercept of its own.
    """
    with warnings.catch_warnings():
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
    """The stored values of frame `number` (from 1) [1, row, column] of an enhanced instance alone.

    Raises as `read_pixels` does, and for a number that there is not.
    """
    with warnings.catch_warnings():
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
    """The decoded pixels of `data_set`; raises as `read_pixels` does."""
    check_supported(data_set)
    slope, intercept = rescale_of(data_set)
    values = _decoded(data_set)
    return StoredPixels(values, slope, intercept, _padding(data_set, values))


def _read(path: Path) -> FileDataset:
    try:
        return read_elements(path, PIXEL_TAGS, pixels=True) or pydicom.dcmread(path)
    except READING_ERRORS as error:
        raise PixelError(f"{path.name}: not a readable DICOM instance ({error})") from error


def _decoded(data_set: FileDataset, index: int | None = None) -> npt.NDArray[Any]:
    """[frame, row, column], of all frames or of the one at `index` without the others."""
    try:
        values = plain_values(data_set)
        if values is None and is_extended(data_set):
            frames = decode_extended(data_set)
            values = frames if index is None else frames[index]
        if values is None and index is None:
            values = np.asarray(data_set.pixel_array)
        if values is None:
            values = np.asarray(pixel_array(data_set, index=index))
    except DECODING_ERRORS as error:
        syntax = data_set.file_meta.TransferSyntaxUID.name
        raise PixelError(
            f"Instance {data_set.SOPInstanceUID}: pixels cannot be decoded from {syntax} ({error})"
        ) from error
    return values if values.ndim == 3 else values[np.newaxis]


def check_supported(data_set: Dataset, *, by_frame: bool = False) -> None:
    """Nothing, for grey pixels with at most one slope and intercept; else PixelError.

    With `by_frame`, one of each for every frame.
    """
    uid = data_set.get("SOPInstanceUID", "without a SOP Instance UID")
    if not any(
        name in data_set for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
    ):
        raise PixelError(f"Instance {uid}: no pixel data")
    photometric = data_set.get("PhotometricInterpretation", "")
    if data_set.get("SamplesPerPixel", 1) != 1 or photometric not in GREY:
        raise PixelError(
            f"Instance {uid}: colour or unknown pixels ({photometric or 'no interpretation'}), "
            f"expected {GREY[0]} or {GREY[1]}"
        )
    if "ModalityLUTSequence" in data_set:
        raise PixelError(f"Instance {uid}: values given by a Modality LUT, which is not supported")
    if not by_frame and _is_rescaled_by_frame(data_set):
        raise PixelError(f"Instance {uid}: multi-frame rescaled by frame, read frame by frame")


def _is_rescaled_by_frame(data_set: Dataset) -> bool:
    groups = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
    items = (item for group in groups for item in data_set.get(group) or ())
    return any("PixelValueTransformationSequence" in item for item in items)


def _padding_of_frame(
    data_set: Dataset, number: int, values: npt.NDArray[Any]
) -> npt.NDArray[np.bool_] | None:
    """The instance's, or that of the image from which the frame was converted."""
    if "PixelPaddingValue" in data_set:
        return _padding(data_set, values)
    return _padding(converted_attributes(data_set, number), values)


def _padding(data_set: Dataset, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_] | None:
    """PS3.3 C.7.5.1.1.2: one value, or all between it and PixelPaddingRangeLimit."""
    first = data_set.get("PixelPaddingValue")
    if not isinstance(first, int):
        return None
    last = data_set.get("PixelPaddingRangeLimit", first)
    bounds = [_as_stored(bound, values.dtype) for bound in (first, last) if isinstance(bound, int)]
    padding: npt.NDArray[np.bool_] = (values >= min(bounds)) & (values <= max(bounds))
    return padding if padding.any() else None


def _as_stored(value: int, dtype: np.dtype[Any]) -> int:
    """Senders write -2000 as 63536 and the other way round: read it as the pixels' own type."""
    if dtype.kind not in "iu":
        return value
    bits = 8 * dtype.itemsize
    wrapped = value % (1 << bits)
    return wrapped - (1 << bits) if dtype.kind == "i" and wrapped >> (bits - 1) else wrapped

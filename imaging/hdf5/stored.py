"""Reading and checking of the group `/stored` (docs/hdf5.md): stored values and pixel formats."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import PixelError
from imaging.hdf5.writer import STORED
from imaging.instances.element_words import told_photometric
from imaging.instances.header import GREY
from imaging.pixels.pixel_format import ALLOCATED, Cells, PixelFormat
from imaging.pixels.reader import Voxels


@dataclass(frozen=True, slots=True)
class StoredSlices:
    """Stored pixel values of the source instances, with their formats."""

    values: Cells
    """Integers [slice, row, column] of a type that fits all slices."""
    unused_bits: Cells | None
    """Bits outside of the values, to be XORed with them; None if there are none."""
    formats: tuple[PixelFormat, ...]

    def cells(self, index: int) -> Cells:
        """Pixel cells [row, column] of a slice, unused bits included."""
        cells: Cells = self.values[index].astype(self.formats[index].dtype)
        if self.unused_bits is None:
            return cells
        whole: Cells = cells ^ self.unused_bits[index].astype(cells.dtype)
        return whole


def read_stored(group: Any, voxels: Voxels, name: str) -> StoredSlices:
    """Read stored values and the format of each slice, and check that they agree with `voxels`.

    Raises:
        PixelError: another shape, an invalid format, values beyond their bits, or voxels that are
            not the stored values rescaled.
    """
    values = np.asarray(group["values"][()])
    if values.shape != voxels.shape or values.dtype.kind not in "iu":
        raise PixelError(
            f"{name}: {STORED}/values are {values.dtype} of shape {values.shape}, expected "
            f"integers of shape {voxels.shape}"
        )
    unused = np.asarray(group["unused_bits"][()]) if "unused_bits" in group else None
    if unused is not None and (unused.shape != values.shape or unused.dtype.kind != "u"):
        raise PixelError(f"{name}: {STORED}/unused_bits have shape {unused.shape}")
    formats = _read_formats(group, len(values), name)
    for index, pixel_format in enumerate(formats):
        place = f"{name}: slice {index}"
        _check_format(pixel_format, place)
        _check_values(values[index], pixel_format, place)
        if unused is not None:
            _check_unused(unused[index], pixel_format, place)
        _check_agreement(voxels[index], pixel_format.rescaled(values[index]), name, index)
    return StoredSlices(values, unused, formats)


def check_counts(columns: Sequence[Sequence[Any]], count: int, name: str) -> None:
    """Check that each of `columns` has a row for each of `count` slices; else raise PixelError."""
    for column in columns:
        if len(column) != count:
            raise PixelError(f"{name}: a table of {len(column)} rows for {count} slices")


def texts(group: Any, key: str, otherwise: Sequence[str] | None = None) -> list[str]:
    """Read a table of strings; `otherwise` if it is missing."""
    if key not in group and otherwise is not None:
        return list(otherwise)
    return [text(value) for value in group[key][()]]


def text(value: Any) -> str:
    """Convert an HDF5 string: attributes give str, datasets give bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _read_formats(group: Any, count: int, name: str) -> tuple[PixelFormat, ...]:
    columns = (
        _whole_numbers(group, "bits_allocated", name),
        _whole_numbers(group, "bits_stored", name),
        group["pixel_representations"][()].astype(bool).tolist(),
        texts(group, "photometric_interpretations"),
        group["rescale_slopes"][()].tolist(),
        group["rescale_intercepts"][()].tolist(),
        group["has_rescale"][()].astype(bool).tolist(),
        texts(group, "rescale_types"),
        _whole_numbers(group, "padding_values", name),
        _whole_numbers(group, "padding_range_limits", name),
        group["lossy"][()].astype(bool).tolist(),
    )
    check_counts(columns, count, name)
    return tuple(PixelFormat(*fields) for fields in zip(*columns, strict=True))


def _check_format(pixel_format: PixelFormat, place: str) -> None:
    allocated, stored = pixel_format.bits_allocated, pixel_format.bits_stored
    if allocated not in ALLOCATED or not 1 <= stored <= allocated:
        raise PixelError(f"{place} has {allocated} bits allocated and {stored} stored")
    if pixel_format.photometric_interpretation not in GREY:
        found = told_photometric(pixel_format.photometric_interpretation)
        raise PixelError(f"{place} is {found}, expected {GREY[0]} or {GREY[1]}")
    if not np.isfinite([pixel_format.slope, pixel_format.intercept]).all():
        raise PixelError(f"{place} has a slope or intercept that is not a finite number")
    if pixel_format.slope == 0:
        raise PixelError(f"{place} has a rescale slope of 0, expected a number other than 0")
    bits = max(16, allocated)  # PixelPaddingValue is US or SS, of 32-bit pixels UL or SL
    for padding in (pixel_format.padding_value, pixel_format.padding_range_limit):
        if padding is not None and padding not in range(-(1 << (bits - 1)), 1 << bits):
            raise PixelError(f"{place} has padding {padding}, expected {bits} bits")


def _check_values(values: Cells, pixel_format: PixelFormat, place: str) -> None:
    bits = pixel_format.bits_stored
    lowest = -(1 << (bits - 1)) if pixel_format.is_signed else 0
    highest = lowest + (1 << bits) - 1
    found = int(values.min()), int(values.max())
    if found[0] < lowest or found[1] > highest:
        raise PixelError(
            f"{place} has stored values from {found[0]} to {found[1]}, expected {lowest} to "
            f"{highest}"
        )


def _check_agreement(voxels: Voxels, expected: Voxels, name: str, index: int) -> None:
    """Check that voxels are the rescaled values: one may have been edited without the other."""
    if not np.array_equal(voxels, expected, equal_nan=True):
        raise PixelError(
            f"{name}: voxels of slice {index} are not its stored values rescaled, remove "
            f"the group {STORED} if the voxels are right"
        )


def _check_unused(unused: Cells, pixel_format: PixelFormat, place: str) -> None:
    """Check that unused bits, which are XORed with the values, are between value and cell size."""
    allocated, stored = pixel_format.bits_allocated, pixel_format.bits_stored
    above = unused.astype(np.uint64) >> np.uint64(stored)
    below = unused.astype(np.uint64) != above << np.uint64(stored)
    if below.any() or int(above.max()) >> (allocated - stored):
        raise PixelError(
            f"{place} has unused bits up to {int(unused.max()):#x}, expected those from "
            f"{stored} to {allocated - 1} alone"
        )


def _whole_numbers(group: Any, key: str, name: str) -> list[int | None]:
    """Read a table of whole numbers, where NaN means none."""
    values = group[key][()].tolist()
    stated = [None if np.isnan(value) else value for value in values]
    wrong = [one for one in stated if one is not None and not float(one).is_integer()]
    if wrong:
        raise PixelError(f"{name}: {STORED}/{key} has {wrong[0]}, expected whole numbers")
    return [None if one is None else int(one) for one in stated]

"""Reading and checking of HDF5 volumes (docs/hdf5.md), written here or by other software."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import h5py
import numpy as np

from core.errors import PixelError
from core.uids import is_safe_uid
from imaging.geometry.plane import direction_fault
from imaging.hdf5.reading_faults import explain_hdf5
from imaging.hdf5.stored import StoredSlices, check_counts, read_stored, text, texts
from imaging.hdf5.volume_file import SCHEMA_VERSION
from imaging.hdf5.writer import STORED
from imaging.instances.element_words import told_uid
from imaging.instances.read_errors import BROKEN_HDF5
from imaging.pixels.reader import Voxels
from imaging.series.series import is_known_non_image

_MOST_ROWS = 65535  # Rows and Columns are US
_INSTANCE_NUMBERS = range(-(1 << 31), 1 << 31)  # IS


@dataclass(frozen=True, slots=True)
class SliceRecord:
    """Identity and position of a slice; lengths in mm, LPS."""

    sop_instance_uid: str
    """UID of the source instance; empty if the file does not state it."""
    frame_of_reference_uid: str
    instance_number: int
    position_mm: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel_spacing_mm: tuple[float, ...]
    slice_thickness_mm: float | None


@dataclass(frozen=True, slots=True)
class VolumeContent:
    """Contents of an HDF5 volume."""

    voxels: Voxels
    """float32 [slice, row, column] in rescaled units."""
    slices: tuple[SliceRecord, ...]
    stored: StoredSlices | None
    """Stored values; None if the file has voxels only."""
    modality: str
    sop_class_uid: str
    series_instance_uid: str
    study_instance_uid: str
    """Empty if the file does not state it, like the three above."""


def read_hdf5(content: bytes, name: str = "HDF5") -> VolumeContent:
    """Read and check the bytes of an HDF5 file; messages call it `name`.

    Raises:
        PixelError: not HDF5, damaged, another schema, tables of different lengths, voxels that
            are not numbers, or voxels that are not the stored values rescaled.
    """
    try:
        with h5py.File(BytesIO(content), "r") as file:
            _check_schema(file, name)
            return _read(file, name)
    except BROKEN_HDF5 as error:
        raise _unreadable(name, content) from error


def series_uid_in(content: bytes, name: str = "HDF5") -> str:
    """Read the Series Instance UID in a file's bytes, or ""; raises as `read_hdf5` does."""
    try:
        with h5py.File(BytesIO(content), "r") as file:
            _check_schema(file, name)
            return text(file.attrs.get("series_instance_uid", ""))
    except BROKEN_HDF5 as error:
        raise _unreadable(name, content) from error


def _unreadable(name: str, content: bytes) -> PixelError:
    words = explain_hdf5(BytesIO(content))
    return PixelError(f"{name}: not a readable volume of docs/hdf5.md: {words}")


def _check_schema(file: Any, name: str) -> None:
    version = file.attrs.get("schema_version")
    if version is None:
        raise PixelError(f"{name}: no attribute schema_version, so not a volume of docs/hdf5.md")
    if not 1 <= int(version) <= SCHEMA_VERSION:
        raise PixelError(f"{name}: schema version {version}, expected 1 to {SCHEMA_VERSION}")


def _read(file: Any, name: str) -> VolumeContent:
    voxels = np.asarray(file["voxels"][()])
    if voxels.ndim != 3 or not voxels.size or voxels.dtype.kind not in "iuf":
        raise PixelError(
            f"{name}: voxels are {voxels.dtype} of shape {voxels.shape}, expected numbers "
            "[slice, row, column]"
        )
    if max(voxels.shape[1:]) > _MOST_ROWS:
        raise PixelError(
            f"{name}: slices of {voxels.shape[1]} rows and {voxels.shape[2]} columns, expected at "
            f"most {_MOST_ROWS} of each"
        )
    voxels = voxels.astype(np.float32, copy=False)
    stored = read_stored(file[STORED], voxels, name) if STORED in file else None
    return VolumeContent(
        voxels=voxels,
        slices=_read_slices(file, len(voxels), name),
        stored=stored,
        modality=text(file.attrs.get("modality", "")),
        sop_class_uid=_image_class(file, name),
        series_instance_uid=text(file.attrs.get("series_instance_uid", "")),
        study_instance_uid=text(file.attrs.get("study_instance_uid", "")),
    )


def _image_class(file: Any, name: str) -> str:
    uid = text(file.attrs.get("sop_class_uid", ""))
    if uid and (not is_safe_uid(uid) or is_known_non_image(uid)):
        raise PixelError(f"{name}: sop_class_uid {told_uid(uid)}, expected an image storage class")
    return uid


def _read_slices(file: Any, count: int, name: str) -> tuple[SliceRecord, ...]:
    frame = text(file.attrs.get("frame_of_reference_uid", ""))
    columns = (
        texts(file, "sop_instance_uids", [""] * count),
        texts(file, "frame_of_reference_uids", [frame] * count),
        _instance_numbers(file, count, name),
        _rows(file, ("positions_mm", None), 3, name),
        _rows(file, ("orientations", "orientation"), 6, name),
        _rows(file, ("pixel_spacings_mm", "pixel_spacing_mm"), 2, name),
        _numbers(file, "slice_thicknesses_mm", [np.nan] * count),
    )
    check_counts(columns, count, name)
    records = zip(*columns, strict=True)
    slices = tuple(
        SliceRecord(uid, frame, number, position, orientation, spacing, _none_if_nan(thickness))
        for uid, frame, number, position, orientation, spacing, thickness in records
    )
    for index, record in enumerate(slices):
        _check_plane(record, f"{name}: slice {index}")
        _check_thickness(record, f"{name}: slice {index}")
    return slices


def _check_plane(record: SliceRecord, place: str) -> None:
    fault = direction_fault(record.orientation)
    if fault:
        raise PixelError(f"{place} has an orientation that is {fault}")
    if min(record.pixel_spacing_mm) <= 0:
        raise PixelError(
            f"{place} has pixel spacing {record.pixel_spacing_mm} mm, expected above 0"
        )


def _check_thickness(record: SliceRecord, place: str) -> None:
    thickness = record.slice_thickness_mm
    if thickness is not None and not math.isfinite(thickness):
        raise PixelError(f"{place} has thickness {thickness} mm, expected a finite number or NaN")


def _instance_numbers(file: Any, count: int, name: str) -> list[int]:
    numbers = _numbers(file, "instance_numbers", range(1, count + 1))
    for number in numbers:
        if not float(number).is_integer() or int(number) not in _INSTANCE_NUMBERS:
            raise PixelError(
                f"{name}: instance number {number}, expected whole numbers of 32 bits, signed"
            )
    return [int(number) for number in numbers]


def _numbers(group: Any, key: str, otherwise: Sequence[float]) -> list[float]:
    return list(group[key][()].tolist() if key in group else otherwise)


def _rows(
    file: Any, keys: tuple[str, str | None], width: int, name: str
) -> list[tuple[float, ...]]:
    """Table (slice, `width`); if it is missing, the series' attribute for each slice."""
    key, attribute = keys
    if key in file or attribute is None:
        table = np.asarray(file[key][()], np.float64)
    else:
        table = np.tile(np.asarray(file.attrs[attribute], np.float64), (len(file["voxels"]), 1))
    if table.ndim != 2 or table.shape[1] != width or not np.isfinite(table).all():
        raise PixelError(
            f"{name}: {key} has shape {table.shape}, expected finite numbers (slice, {width})"
        )
    return [tuple(row) for row in table.tolist()]


def _none_if_nan(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

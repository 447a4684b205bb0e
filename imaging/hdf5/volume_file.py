"""The file `volume.h5`: voxels and position of each slice, chunked by slice, without names.

The layout is in docs/hdf5.md. A job writes the voxels that it computed on; a converted series
(imaging/hdf5/writer.py) also has its stored values, so that it can be restored bit for bit.
"""

from collections.abc import Sequence
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from core.errors import GeometryError, PixelError
from imaging.geometry.plane import plane_of
from imaging.hdf5.reading_faults import explain_hdf5
from imaging.instances.header import Header
from imaging.pixels.reader import Voxels

SCHEMA_VERSION = 2
_GZIP_LEVEL = 1


def write_volume_hdf5(
    path: Path,
    voxels: Voxels | Sequence[Voxels],
    headers: Sequence[Header],
    *,
    affine_mm: npt.NDArray[np.float64] | None = None,
    slice_spacing_mm: float | None = None,
) -> None:
    """Write `voxels` [slice, row, column] and the geometry of `headers`, one for each slice.

    Several `voxels`, such as phases, are written one behind the other, without a copy of them. The
    same values give the same bytes.

    Raises:
        GeometryError: counts differ, or an instance has no position in the patient.
        OSError: the file cannot be written.
    """
    parts = [voxels] if isinstance(voxels, np.ndarray) else voxels
    count = sum(map(len, parts))
    if len(headers) != count or not headers:
        raise GeometryError(f"{count} slices with {len(headers)} headers, expected one each")
    # in memory first: after a full disk HDF5 keeps the file open, and crashes at exit
    memory = BytesIO()  # not closed explicitly: a worker's profiler may still access its buffer
    with h5py.File(memory, "w") as file:
        dataset = create_slices(file, "voxels", (count, *parts[0].shape[1:]), np.float32)
        for index, one in enumerate(chain.from_iterable(parts)):
            dataset[index] = one
        write_geometry(file, headers, affine_mm=affine_mm, slice_spacing_mm=slice_spacing_mm)
    path.write_bytes(memory.getbuffer())


def read_volume_hdf5(path: Path, index: int | None = None) -> Voxels:
    """Read all voxels [slice, row, column], or only the slice `index` [row, column].

    Raises:
        PixelError: the file is damaged, not such a volume, or has no such slice.
    """
    try:
        with h5py.File(path, "r") as file:
            voxels = file["voxels"]
            values: Voxels = voxels[()] if index is None else voxels[index]
            return values
    except (OSError, KeyError, IndexError, ValueError) as error:
        what = "voxels" if index is None else f"slice {index}"
        raise PixelError(f"{path.name}: {what} cannot be read: {explain_hdf5(path)}") from error


def create_slices(group: Any, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Any:
    """Create a dataset of `shape` (slice, row, column) in `group`, a compressed chunk per slice."""
    return group.create_dataset(
        name,
        shape=shape,
        dtype=dtype,
        chunks=(1, *shape[1:]),
        compression="gzip",
        compression_opts=_GZIP_LEVEL,
        shuffle=True,
    )


def fixed_texts(values: Sequence[str]) -> npt.NDArray[np.bytes_]:
    """Strings of fixed length: variable ones can make HDF5 read a damaged file endlessly."""
    return np.array([value.encode() for value in values], dtype=np.bytes_)


def write_geometry(
    file: Any,
    headers: Sequence[Header],
    *,
    affine_mm: npt.NDArray[np.float64] | None,
    slice_spacing_mm: float | None,
    units: str | None = None,
) -> None:
    """Write identity and geometry of each slice and of the series; raises GeometryError."""
    planes = [plane_of(header) for header in headers]
    file["sop_instance_uids"] = fixed_texts([h.sop_instance_uid for h in headers])
    file["frame_of_reference_uids"] = fixed_texts([h.frame_of_reference_uid for h in headers])
    file["instance_numbers"] = np.array([header.instance_number for header in headers], np.int64)
    file["positions_mm"] = np.stack([plane.origin_mm for plane in planes])
    file["orientations"] = np.array([header.image_orientation for header in headers], np.float64)
    file["pixel_spacings_mm"] = np.array([h.pixel_spacing_mm for h in headers], np.float64)
    file.attrs.update(_attributes(headers[0]))
    if units is not None:
        file.attrs["units"] = units
    if affine_mm is not None:
        file.attrs["affine_mm"] = affine_mm
    if slice_spacing_mm is not None:
        file.attrs["slice_spacing_mm"] = slice_spacing_mm


def _attributes(header: Header) -> dict[str, object]:
    return {
        "schema_version": SCHEMA_VERSION,
        "units": "HU" if header.modality == "CT" else "rescaled",
        "modality": header.modality,
        "sop_class_uid": header.sop_class_uid,
        "series_instance_uid": header.series_instance_uid,
        "study_instance_uid": header.study_instance_uid,
        "frame_of_reference_uid": header.frame_of_reference_uid,
        "orientation": header.image_orientation,
        "pixel_spacing_mm": header.pixel_spacing_mm,
    }

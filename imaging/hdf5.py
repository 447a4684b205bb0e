"""`volume.h5`: the pixels that a job computed on, chunked by slice; names nobody.

/voxels               float32 [slice, row, column], one chunk a slice
/sop_instance_uids    one string a slice
/positions_mm         float64 (slice, 3), LPS, ImagePositionPatient of each slice
attributes            schema_version, units, series_instance_uid, study_instance_uid,
                      frame_of_reference_uid, modality, orientation (6),
                      pixel_spacing_mm (2: rows, columns), and where the slices are a grid
                      slice_spacing_mm and affine_mm (4, 4: index to LPS)
"""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from core.errors import GeometryError, PixelError
from imaging.header import Header
from imaging.pixels import Voxels
from imaging.plane import plane_of

SCHEMA_VERSION = 1
_GZIP_LEVEL = 1


def write_volume_hdf5(
    path: Path,
    voxels: Voxels,
    headers: Sequence[Header],
    *,
    affine_mm: npt.NDArray[np.float64] | None = None,
    slice_spacing_mm: float | None = None,
) -> None:
    """Write `voxels` [slice, row, column] and the place of each of `headers`, one a slice.

    The same values give the same bytes. Raises GeometryError where counts differ or an instance
    has no place in the patient, OSError where the disk fails.
    """
    if len(headers) != len(voxels) or not headers:
        raise GeometryError(f"{len(voxels)} slices with {len(headers)} headers, expected one each")
    planes = [plane_of(header) for header in headers]
    # in memory first: HDF5 keeps a file that the disk cut off open, and crashes at the exit
    memory = BytesIO()  # never closed by hand: a worker's profiler may still look at its buffer
    with h5py.File(memory, "w") as file:
        file.create_dataset(
            "voxels",
            data=voxels,
            dtype=np.float32,
            chunks=(1, *voxels.shape[1:]),
            compression="gzip",
            compression_opts=_GZIP_LEVEL,
            shuffle=True,
        )
        file["sop_instance_uids"] = [header.sop_instance_uid for header in headers]
        file["positions_mm"] = np.stack([plane.origin_mm for plane in planes])
        file.attrs.update(_attributes(headers[0]))
        if affine_mm is not None:
            file.attrs["affine_mm"] = affine_mm
        if slice_spacing_mm is not None:
            file.attrs["slice_spacing_mm"] = slice_spacing_mm
    path.write_bytes(memory.getbuffer())


def read_volume_hdf5(path: Path, index: int | None = None) -> Voxels:
    """All voxels [slice, row, column], or the slice `index` [row, column] without the others.

    Raises:
        PixelError: the file is damaged, of another kind, or has no such slice.
    """
    try:
        with h5py.File(path, "r") as file:
            voxels = file["voxels"]
            values: Voxels = voxels[()] if index is None else voxels[index]
            return values
    except (OSError, KeyError, IndexError, ValueError) as error:
        what = "voxels" if index is None else f"slice {index}"
        raise PixelError(f"{path.name}: {what} cannot be read ({error})") from error


def _attributes(header: Header) -> dict[str, object]:
    return {
        "schema_version": SCHEMA_VERSION,
        "units": "HU" if header.modality == "CT" else "rescaled",
        "modality": header.modality,
        "series_instance_uid": header.series_instance_uid,
        "study_instance_uid": header.study_instance_uid,
        "frame_of_reference_uid": header.frame_of_reference_uid,
        "orientation": header.image_orientation,
        "pixel_spacing_mm": header.pixel_spacing_mm,
    }

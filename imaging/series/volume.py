"""Volume: the ordered slices of a phase as one array with an affine to patient coordinates."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import GeometryError, PixelError
from core.job import Report
from imaging.geometry.plane import plane_of
from imaging.instances.header import Header
from imaging.pixels.padding import Padding, fill_padding, padding_of
from imaging.pixels.reader import StoredPixels, Voxels, read_frames, read_stored

Files = dict[Path, list[StoredPixels]]
_LONE_SLICE_MM = 1.0


@dataclass(frozen=True, slots=True)
class Volume:
    """Volume of slices at regular distances."""

    voxels: Voxels
    """float32 [slice, row, column] in rescaled units (HU for CT)."""
    affine_mm: npt.NDArray[np.float64]
    """(4, 4): index (slice, row, column, 1) to LPS mm, exact at the first and last slice."""
    headers: tuple[Header, ...]
    """Headers of the slices, in the order of `voxels`."""
    spacing_mm: tuple[float, float, float]
    """Spacing between slices, rows and columns."""


def read_volume(headers: Sequence[Header], report: Report | None = None) -> Volume:
    """Read the voxels of one phase of a `Placement`; padding is treated as by `read_images`.

    A single slice gets a slice spacing of 1 mm, on which no result depends.

    Raises:
        GeometryError: an instance has no position in the patient, or images of several sizes.
        PixelError: as `pixels.read_pixels`.
    """
    affine_mm = affine_of(headers)
    voxels = read_images(headers, report)
    slice_mm, row_mm, column_mm = np.linalg.norm(affine_mm[:3, :3], axis=0)
    return Volume(
        voxels=voxels,
        affine_mm=affine_mm,
        headers=tuple(headers),
        spacing_mm=(float(slice_mm), float(row_mm), float(column_mm)),
    )


def read_images(headers: Sequence[Header], report: Report | None = None) -> Voxels:
    """Read images in the given order, float32 [instance, row, column] in rescaled units.

    Padding (PixelPaddingValue) within the range of the images is kept, such as 0 around a masked
    MR. Padding outside of it, such as -2000 around a CT's round field of view, is replaced by
    background, so that it does not bleed into the patient (`padding.fill_padding`).

    Raises:
        GeometryError: no headers, or images of several sizes.
        PixelError: as `pixels.read_pixels`.
    """
    if not headers:
        raise GeometryError("No instances to read")
    images = np.empty((len(headers), headers[0].rows, headers[0].columns), dtype=np.float32)
    padding: dict[int, Padding] = {}
    files: Files = {}
    for index, header in enumerate(headers):
        stored = _read_one(header, index, images, files)
        padded = padding_of(stored, header.modality)
        if padded:
            padding[index] = padded
        if report:
            report((index + 1) / len(headers), f"read {index + 1} of {len(headers)} images")
    fill_padding(images, padding)
    return images


def _read_one(header: Header, index: int, images: Voxels, files: Files) -> StoredPixels:
    stored = _stored(header, files)
    if stored.values.shape != (1, *images.shape[1:]):
        raise GeometryError(
            f"Instance {header.sop_instance_uid}: {stored.values.shape} pixels [frame, row, "
            f"column], expected {(1, *images.shape[1:])}"
        )
    images[index] = stored.rescaled()[0]
    return stored


def _stored(header: Header, files: Files) -> StoredPixels:
    """Stored pixels of an image; a multi-frame file is decoded only once."""
    if header.frame_number is None:
        return read_stored(header.path)
    if header.path not in files:
        files[header.path] = read_frames(header.path)
    frames = files[header.path]
    if header.frame_number > len(frames):
        raise PixelError(
            f"Instance {header.sop_instance_uid}: {len(frames)} frames of pixels, expected "
            f"{header.number_of_frames}"
        )
    return frames[header.frame_number - 1]


def affine_of(headers: Sequence[Header]) -> npt.NDArray[np.float64]:
    """Affine (4, 4) of one phase: index (slice, row, column, 1) to LPS mm.

    Raises:
        GeometryError: no headers, or an instance without a position in the patient.
    """
    if not headers:
        raise GeometryError("No instances to read")
    first, last = plane_of(headers[0]), plane_of(headers[-1])
    affine_mm = np.eye(4)
    affine_mm[:3, 0] = first.normal * _LONE_SLICE_MM
    if len(headers) > 1:
        affine_mm[:3, 0] = (last.origin_mm - first.origin_mm) / (len(headers) - 1)
    affine_mm[:3, 1] = first.row_step_mm
    affine_mm[:3, 2] = first.column_step_mm
    affine_mm[:3, 3] = first.origin_mm
    return affine_mm

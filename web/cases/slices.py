"""Slices of a `volume.h5`, one by one, as they lie in the file.

A slice is one chunk (docs/hdf5.md): float32 values, their bytes shuffled, then zlib. HTTP's
Content-Encoding `deflate` is that same zlib format (RFC 9110 section 8.4.1.2), so a chunk goes out
as it is; the browser inflates it and puts the bytes back. Nothing is decoded here, and what a
slice costs does not grow with the series.
"""

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from core.errors import PixelError
from imaging.geometry.plane import Plane
from imaging.hdf5.volume_file import read_volume_hdf5
from imaging.instances.read_errors import BROKEN_HDF5

_LEVEL = 1
_VALUE_BYTES = 4
Chunk = tuple[int, int]
"""Where in the file a slice begins and how long it is, in bytes."""


@dataclass(frozen=True, slots=True)
class VolumeFile:
    """What must be known of a `volume.h5` to serve slices of it; voxels stay on disk."""

    path: Path
    rows: int
    columns: int
    chunks: tuple[Chunk, ...]
    """One a slice; empty where the file is not stored as this program does it."""
    planes: tuple[Plane, ...]
    sop_instance_uids: tuple[str, ...]
    instance_numbers: tuple[int, ...]
    modality: str
    units: str

    @property
    def slices(self) -> int:
        """How many there are."""
        return len(self.planes)


def open_volume(path: Path) -> VolumeFile:
    """The index of the file `path`.

    Raises:
        PixelError: the file is not there, damaged, or of another kind.
    """
    try:
        with h5py.File(path, "r") as file:
            voxels, attributes = file["voxels"], file.attrs
            slices, rows, columns = map(int, voxels.shape)
            return VolumeFile(
                path=path,
                rows=rows,
                columns=columns,
                chunks=_chunks(voxels),
                planes=tuple(_planes(file, slices)),
                sop_instance_uids=tuple(uid.decode() for uid in file["sop_instance_uids"][()]),
                instance_numbers=_instance_numbers(file, slices),
                modality=str(attributes["modality"]),
                units=str(attributes["units"]),
            )
    except BROKEN_HDF5 as error:
        raise PixelError(f"{path.name}: cannot be read as a volume ({error})") from error


def encoded_slice(volume: VolumeFile, index: int) -> bytes:
    """The slice `index`, encoded as `encode` does it.

    Raises:
        PixelError: there is no such slice, or the file is not there any more.
    """
    if not 0 <= index < volume.slices:
        raise PixelError(f"{volume.path.name}: no slice {index}, expected 0 to {volume.slices - 1}")
    if not volume.chunks:
        return encode(read_volume_hdf5(volume.path, index))
    start, length = volume.chunks[index]
    try:
        with volume.path.open("rb") as file:
            content = os.pread(file.fileno(), length, start)
    except OSError as error:
        raise PixelError(f"{volume.path.name}: cannot be read ({error.strerror})") from error
    if len(content) != length:
        raise PixelError(f"{volume.path.name}: slice {index} is cut off")
    return content


def encode(image: npt.NDArray[Any]) -> bytes:
    """[row, column] as little-endian float32: all first bytes, all second bytes, ..., zlib."""
    values = np.ascontiguousarray(image, dtype="<f4")
    planes = values.view(np.uint8).reshape(-1, _VALUE_BYTES).T
    return zlib.compress(planes.tobytes(), _LEVEL)


def decode(content: bytes, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """What `encode` encoded, with `shape` (rows, columns); what the browser does, in Python."""
    planes = np.frombuffer(zlib.decompress(content), np.uint8).reshape(_VALUE_BYTES, -1)
    values: npt.NDArray[np.float32] = np.ascontiguousarray(planes.T).view("<f4").reshape(shape)
    return values


def _chunks(voxels: Any) -> tuple[Chunk, ...]:
    """Where each slice lies; empty where chunks are no slices or are encoded otherwise."""
    as_written = (
        voxels.dtype == np.dtype("<f4")
        and voxels.chunks == (1, *voxels.shape[1:])
        and voxels.compression == "gzip"
        and voxels.shuffle
        and not voxels.fletcher32
    )
    if not as_written:
        return ()
    found: dict[int, Chunk] = {}

    def note(chunk: Any) -> None:
        if chunk.filter_mask == 0:
            found[int(chunk.chunk_offset[0])] = (int(chunk.byte_offset), int(chunk.size))

    voxels.id.chunk_iter(note)
    whole = len(found) == len(voxels)
    return tuple(found[index] for index in range(len(voxels))) if whole else ()


def _planes(file: Any, slices: int) -> list[Plane]:
    positions = np.asarray(file["positions_mm"][()], np.float64)
    orientations = _each(file, "orientations", "orientation", slices)
    spacings = _each(file, "pixel_spacings_mm", "pixel_spacing_mm", slices)
    return [
        Plane(
            origin_mm=positions[index],
            column_step_mm=orientations[index, :3] * spacings[index, 1],
            row_step_mm=orientations[index, 3:] * spacings[index, 0],
            normal=np.cross(orientations[index, :3], orientations[index, 3:]),
        )
        for index in range(slices)
    ]


def _each(file: Any, key: str, attribute: str, slices: int) -> npt.NDArray[np.float64]:
    """A table with a row for each slice; in version 1 there is the series' own value alone."""
    if key in file:
        return np.asarray(file[key][()], np.float64)
    return np.tile(np.asarray(file.attrs[attribute], np.float64), (slices, 1))


def _instance_numbers(file: Any, slices: int) -> tuple[int, ...]:
    if "instance_numbers" not in file:
        return tuple(range(1, slices + 1))
    return tuple(int(number) for number in file["instance_numbers"][()])

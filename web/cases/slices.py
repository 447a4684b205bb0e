"""Slices of a `volume.h5`, one by one, encoded as in the file.

A slice is one chunk (docs/hdf5.md): float32 values, their bytes shuffled, then zlib. HTTP's
Content-Encoding `deflate` is the same zlib format (RFC 9110 section 8.4.1.2), so a chunk is sent
unchanged; the browser inflates and unshuffles it. The server decodes nothing, and the cost of a
slice does not grow with the series.
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
from imaging.hdf5.reading_faults import explain_hdf5
from imaging.hdf5.volume_file import read_volume_hdf5
from imaging.instances.read_errors import BROKEN_HDF5

_LEVEL = 1
_VALUE_BYTES = 4
Chunk = tuple[int, int]
"""Offset and length of a slice in the file, in bytes."""


@dataclass(frozen=True, slots=True)
class VolumeFile:
    """Index of a `volume.h5` for serving its slices; the voxels stay on disk."""

    path: Path
    rows: int
    columns: int
    chunks: tuple[Chunk, ...]
    """One for each slice; empty if the file's layout is not the one of docs/hdf5.md."""
    planes: tuple[Plane, ...]
    sop_instance_uids: tuple[str, ...]
    instance_numbers: tuple[int, ...]
    modality: str
    units: str

    @property
    def slices(self) -> int:
        """The number of slices."""
        return len(self.planes)


def open_volume(path: Path) -> VolumeFile:
    """Read the index of the file `path`.

    Raises:
        PixelError: the file does not exist, is damaged, or is no volume.
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
        raise PixelError(
            f"{path.name}: cannot be read as a volume: {explain_hdf5(path)}"
        ) from error


def encoded_slice(volume: VolumeFile, index: int) -> bytes:
    """The slice `index`, encoded as by `encode`.

    Raises:
        PixelError: there is no such slice, or the file does not exist any more.
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
    """Encode [row, column] as little-endian float32, bytes shuffled (all first, ...), then zlib."""
    values = np.ascontiguousarray(image, dtype="<f4")
    planes = values.view(np.uint8).reshape(-1, _VALUE_BYTES).T
    return zlib.compress(planes.tobytes(), _LEVEL)


def decode(content: bytes, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Decode what `encode` made of an image of `shape` (rows, columns), as the browser does."""
    planes = np.frombuffer(zlib.decompress(content), np.uint8).reshape(_VALUE_BYTES, -1)
    values: npt.NDArray[np.float32] = np.ascontiguousarray(planes.T).view("<f4").reshape(shape)
    return values


def _chunks(voxels: Any) -> tuple[Chunk, ...]:
    """Offsets and lengths of all slices; empty if chunks are no slices or encoded otherwise."""
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
    """A row for each slice; version 1 of the format has one value for the whole series."""
    if key in file:
        return np.asarray(file[key][()], np.float64)
    return np.tile(np.asarray(file.attrs[attribute], np.float64), (slices, 1))


def _instance_numbers(file: Any, slices: int) -> tuple[int, ...]:
    if "instance_numbers" not in file:
        return tuple(range(1, slices + 1))
    return tuple(int(number) for number in file["instance_numbers"][()])

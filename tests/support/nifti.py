"""A mask in a NIfTI-1 file, read without a library: truth that another program has made."""

import gzip
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

_TYPES = {2: np.uint8, 4: np.int16, 8: np.int32, 16: np.float32, 64: np.float64, 512: np.uint16}


def read_nifti(path: Path) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Values [i, j, k], and the matrix (3, 4) from voxel indices to LPS mm (method 3, sform)."""
    raw = _read(path)
    shape = struct.unpack_from("<3h", raw, 42)
    (code,) = struct.unpack_from("<h", raw, 70)
    start, slope, intercept = struct.unpack_from("<3f", raw, 108)
    count = int(np.prod(shape))
    stored = np.frombuffer(raw, _TYPES[code], count, int(start)).reshape(shape, order="F")
    to_ras = np.array(struct.unpack_from("<12f", raw, 280)).reshape(3, 4)
    values = stored * (slope or 1.0) + intercept
    return values, np.diag([-1.0, -1.0, 1.0]) @ to_ras


def read_nifti_mask(path: Path) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """The mask [i, j, k], and the matrix (3, 4) from voxel indices to LPS mm (method 2, qform).

    Written after the header's definition in nifti1.h; nothing but little endian is read.
    """
    raw = _read(path)
    shape = struct.unpack_from("<3h", raw, 42)
    (code,) = struct.unpack_from("<h", raw, 70)
    pixdim = np.array(struct.unpack_from("<4f", raw, 76))
    (start,) = struct.unpack_from("<f", raw, 108)
    b, c, d, *offset = struct.unpack_from("<6f", raw, 256)
    values = np.frombuffer(raw, _TYPES[code], int(np.prod(shape)), int(start))
    a = np.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    turn = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    steps = pixdim[1:] * [1, 1, -1 if pixdim[0] < 0 else 1]
    to_ras = np.column_stack([turn * steps, offset])
    return values.reshape(shape, order="F") > 0, np.diag([-1.0, -1.0, 1.0]) @ to_ras


def _read(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".gz" else raw

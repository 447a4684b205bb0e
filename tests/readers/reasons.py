"""Why a reader misses a mask; each reason tells what must have been read if it is the true one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imaging.contours.tracing import mask_to_polygons
from tests.readers.masks import Mask
from tests.support.dicom.phantom_files import Phantom


@dataclass(frozen=True, slots=True)
class Reason:
    """What a reader does, in words, and whether that explains the mask that it returned."""

    words: str
    explains: Callable[[Phantom, Mask], bool]


def _is_turned(phantom: Phantom, theirs: Mask) -> bool:
    slices, rows, columns = phantom.mask.shape
    return rows != columns and theirs.shape == (slices, columns, rows)


def _is_scaled(phantom: Phantom, theirs: Mask) -> bool:
    """As wide as columns would be at the distance of rows, and as high the other way round."""
    if theirs.shape != phantom.mask.shape:
        return False
    rows, columns = _right_lower(phantom.mask)
    ratio = phantom.spacing_mm[1] / phantom.spacing_mm[0]
    expected = min(rows / ratio, theirs.shape[1] - 1), min(columns * ratio, theirs.shape[2] - 1)
    return bool(np.abs(np.subtract(_right_lower(theirs), expected)).max() <= 1.0)


def _right_lower(mask: Mask) -> tuple[int, int]:
    rows, columns = mask.any(axis=(0, 2)), mask.any(axis=(0, 1))
    return int(np.flatnonzero(rows)[-1]), int(np.flatnonzero(columns)[-1])


def _is_cut_square(phantom: Phantom, theirs: Mask) -> bool:
    rows, columns = phantom.mask.shape[1:]
    kept = np.zeros_like(phantom.mask)
    kept[:, :columns, :rows] = phantom.mask[:, :columns, :rows]
    return np.array_equal(theirs, kept)


def _is_on_average_slices(phantom: Phantom, theirs: Mask) -> bool:
    distances_mm = np.linalg.norm(phantom.positions_mm - phantom.positions_mm[0], axis=1)
    average_mm = distances_mm[-1] / (len(distances_mm) - 1)
    return np.array_equal(
        theirs, _moved(phantom.mask, np.rint(distances_mm / average_mm).astype(int))
    )


def _is_on_slices_by_z(phantom: Phantom, theirs: Mask) -> bool:
    """The slice whose first pixel has the z nearest to that of a contour's first point."""
    z_mm = phantom.positions_mm[:, 2]
    drawn = np.flatnonzero(phantom.mask.any(axis=(1, 2)))
    nearest = np.arange(len(z_mm))
    nearest[drawn] = [
        np.abs(z_mm - _first_point_z_mm(phantom, number)).argmin() for number in drawn.tolist()
    ]
    return np.array_equal(theirs, _moved(phantom.mask, nearest))


def _first_point_z_mm(phantom: Phantom, number: int) -> float:
    row_mm, column_mm = phantom.spacing_mm
    column, row = mask_to_polygons(phantom.mask[number])[0][0]
    along_row, down_column = column * column_mm, row * row_mm
    in_plane = along_row * phantom.orientation[2] + down_column * phantom.orientation[5]
    return float(phantom.positions_mm[number, 2] + in_plane)


def _moved(mask: Mask, places: npt.NDArray[np.int64]) -> Mask:
    """Each slice of `mask` at its place; two at one place by even-odd."""
    moved = np.zeros_like(mask)
    for plane, place in zip(mask, places, strict=True):
        moved[place] ^= plane
    return moved


TURNED = Reason("an image that is not square is returned with rows for columns", _is_turned)
SCALED = Reason("distances between rows and between columns are swapped", _is_scaled)
CUT_SQUARE = Reason("columns beyond the number of rows are cut off", _is_cut_square)
AVERAGED = Reason("slices are taken to lie at an average distance", _is_on_average_slices)
BY_Z = Reason("a contour's slice is found by z alone", _is_on_slices_by_z)

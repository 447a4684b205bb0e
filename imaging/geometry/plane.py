"""Image plane in the patient: conversion of pixels to millimetres and back (C.7.6.2.1.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import GeometryError
from core.hold_reasons import HoldReason
from imaging.instances.header import Header

Points = npt.NDArray[np.float64]
_UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Plane:
    """Plane of an image in LPS mm; pixel coordinates have the first pixel's centre at (0, 0)."""

    origin_mm: Points
    """Centre of the first pixel, (3,)."""
    column_step_mm: Points
    """Vector to the next pixel in a row (increasing column), (3,)."""
    row_step_mm: Points
    """Vector to the next row (increasing row), (3,)."""
    normal: Points
    """Unit vector, column direction x row direction, (3,)."""

    def to_patient(self, pixels: Points) -> Points:
        """Convert `pixels` (n, 2) as (column, row) to points (n, 3) in LPS mm."""
        steps = np.stack([self.column_step_mm, self.row_step_mm])
        placed: Points = self.origin_mm + np.asarray(pixels, dtype=np.float64) @ steps
        return placed

    def to_pixels(self, points_mm: Points) -> tuple[Points, Points]:
        """Convert points (n, 3) in LPS mm to pixels.

        Returns:
            Pixels (n, 2) as (column, row), and signed distances (n,) from the plane in mm.
        """
        offset = np.asarray(points_mm, dtype=np.float64) - self.origin_mm
        column = offset @ self.column_step_mm / (self.column_step_mm @ self.column_step_mm)
        row = offset @ self.row_step_mm / (self.row_step_mm @ self.row_step_mm)
        return np.stack([column, row], axis=1), offset @ self.normal


def plane_of(header: Header) -> Plane:
    """Plane of a single-frame image or of a frame.

    Raises:
        GeometryError: position, orientation or spacing is missing, not finite, or does not make a
            rectangular grid.
    """
    position, orientation = header.image_position_mm, header.image_orientation
    spacing = header.pixel_spacing_mm
    if position is None or orientation is None or spacing is None:
        raise GeometryError(
            f"Instance {header.sop_instance_uid}: no ImagePositionPatient, ImageOrientationPatient "
            "or PixelSpacing, so it has no place in the patient",
            HoldReason.NO_PLACE,
        )
    _check_finite(header)
    along_row = np.array(orientation[:3], dtype=np.float64)
    down_column = np.array(orientation[3:], dtype=np.float64)
    fault = direction_fault(orientation)
    if fault:
        raise GeometryError(
            f"Instance {header.sop_instance_uid}: ImageOrientationPatient is {fault}",
            HoldReason.NO_PLACE,
        )
    if min(spacing) <= 0:
        raise GeometryError(
            f"Instance {header.sop_instance_uid}: PixelSpacing {spacing} mm, expected above 0",
            HoldReason.NO_PLACE,
        )
    normal = _cross(along_row, down_column)
    return Plane(
        origin_mm=np.array(position, dtype=np.float64),
        column_step_mm=along_row * spacing[1],
        row_step_mm=down_column * spacing[0],
        normal=normal / np.linalg.norm(normal),
    )


def has_valid_plane(header: Header) -> bool:
    """True if the image has a valid position, orientation and pixel spacing."""
    try:
        plane_of(header)
    except GeometryError:
        return False
    return True


def _check_finite(header: Header) -> None:
    for keyword, values in (
        ("ImagePositionPatient", header.image_position_mm),
        ("ImageOrientationPatient", header.image_orientation),
        ("PixelSpacing", header.pixel_spacing_mm),
    ):
        if not np.isfinite(values or ()).all():
            raise GeometryError(
                f"Instance {header.sop_instance_uid}: {keyword} {values} is not finite",
                HoldReason.NO_PLACE,
            )


def corner_shift_mm(header: Header, other: Header) -> float:
    """Largest distance in mm between corresponding corner pixels of two images of one size.

    Raises:
        GeometryError: one of the images has no valid plane.
    """
    last = (header.columns - 1, header.rows - 1)
    corners = np.array([(0, 0), (last[0], 0), (0, last[1]), last], dtype=np.float64)
    shifts = plane_of(header).to_patient(corners) - plane_of(other).to_patient(corners)
    return float(np.linalg.norm(shifts, axis=1).max())


def _cross(first: Points, second: Points) -> Points:
    """Cross product; numpy.cross takes ten times as long for a single pair."""
    (a, b, c), (d, e, f) = first.tolist(), second.tolist()
    return np.array([b * f - c * e, c * d - a * f, a * e - b * d])


def direction_fault(orientation: Sequence[float]) -> str:
    """Describe what is wrong with six direction cosines; empty if they are valid.

    Valid ones are two perpendicular unit vectors.
    """
    along_row = np.array(orientation[:3], dtype=np.float64)
    down_column = np.array(orientation[3:], dtype=np.float64)
    lengths = np.linalg.norm(along_row), np.linalg.norm(down_column)
    skew = abs(float(along_row @ down_column))
    if max(abs(length - 1.0) for length in lengths) <= _UNIT_TOLERANCE and skew <= _UNIT_TOLERANCE:
        return ""
    return (
        f"not two perpendicular unit vectors (lengths {lengths[0]:.4f} and {lengths[1]:.4f}, "
        f"dot product {skew:.4f})"
    )

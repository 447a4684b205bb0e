"""Checks that images can form one stack: one size, one orientation, one pixel spacing."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.errors import GeometryError
from core.hold_reasons import HoldReason
from imaging.geometry.plane import Plane, plane_of
from imaging.instances.element_words import told_photometric
from imaging.instances.header import GREY, Header
from imaging.series.series import is_image

_DIRECTION_TOLERANCE = 1e-3
_SPACING_TOLERANCE = 1e-4


def check_images(headers: Sequence[Header]) -> None:
    """Check that all instances or frames are grey images of one size.

    Raises:
        GeometryError: not an image, frames without a position, colour, or several sizes.
    """
    uid = headers[0].series_instance_uid
    for header in headers:
        if not is_image(header):
            raise GeometryError(
                f"Instance {header.sop_instance_uid}: holds no image", HoldReason.NO_PIXELS
            )
        if header.number_of_frames > 1 and header.frame_number is None:
            raise GeometryError(
                f"Instance {header.sop_instance_uid}: {header.number_of_frames} frames without "
                "functional groups, so that they have no place in the patient",
                HoldReason.NO_PLACE,
            )
        _check_grey(header)
    shapes = Counter((header.rows, header.columns) for header in headers)
    if len(shapes) > 1:
        found = ", ".join(f"{n} of {rows} x {cols}" for (rows, cols), n in shapes.most_common(5))
        raise GeometryError(
            f"Series {uid}: images of several sizes ({found} pixels), expected one",
            HoldReason.SIZES,
        )


def _check_grey(header: Header) -> None:
    photometric = header.photometric_interpretation
    if header.samples_per_pixel != 1:
        found = f"colour ({header.samples_per_pixel} samples per pixel), expected 1"
    elif photometric not in GREY:
        found = (
            f"colour or unknown pixels ({told_photometric(photometric)}), "
            f"expected {GREY[0]} or {GREY[1]}"
        )
    else:
        return
    raise GeometryError(f"Instance {header.sop_instance_uid}: {found}", HoldReason.PIXEL_KIND)


def common_plane(headers: Sequence[Header]) -> Plane:
    """Plane of the first instance; all others have the same directions and pixel spacing.

    Raises:
        GeometryError: an instance has no valid plane, or another orientation or pixel spacing.
    """
    uid = headers[0].series_instance_uid
    planes = [plane_of(header) for header in headers]
    counts = _count_alike([_directions(plane) for plane in planes], _DIRECTION_TOLERANCE)
    if len(counts) > 1:
        found = ", ".join(str(count) for count in counts[:5])
        raise GeometryError(
            f"Series {uid}: {len(counts)} orientations ({found} instances), expected one",
            HoldReason.ORIENTATIONS,
        )
    spacings = [header.pixel_spacing_mm for header in headers if header.pixel_spacing_mm]
    differing = [s for s in spacings if not np.allclose(s, spacings[0], rtol=_SPACING_TOLERANCE)]
    if differing:
        raise GeometryError(
            f"Series {uid}: pixel spacing of {_by(differing[0])} mm in {len(differing)} instances, "
            f"expected {_by(spacings[0])} mm",
            HoldReason.PIXEL_SPACINGS,
        )
    return planes[0]


def _directions(plane: Plane) -> npt.NDArray[np.float64]:
    steps = np.stack([plane.column_step_mm, plane.row_step_mm])
    directions: npt.NDArray[np.float64] = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    return directions


def _count_alike(values: list[npt.NDArray[np.float64]], tolerance: float) -> list[int]:
    """Sizes of groups of equal values; each group has the values equal to its first one."""
    counts = []
    while values:
        others = [value for value in values if np.abs(value - values[0]).max() > tolerance]
        counts.append(len(values) - len(others))
        values = others
    return counts


def _by(spacing: tuple[float, float]) -> str:
    return f"{spacing[0]:.4f} x {spacing[1]:.4f}"

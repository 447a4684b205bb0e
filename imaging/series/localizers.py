"""Removal of localizers from a series of slices that were planned on them."""

from collections.abc import Sequence

import numpy as np

from imaging.instances.header import Header

_DIRECTION_TOLERANCE = 1e-3
_SPACING_TOLERANCE = 1e-4


def set_aside_localizers(headers: Sequence[Header]) -> tuple[list[Header], list[str]]:
    """Set aside localizers that have another plane, size or spacing than the other images.

    A localizer with the plane, size and spacing of the stack is kept, as it may be a slice. A
    series of localizers only is kept as it is.

    Returns:
        The headers kept, and at most one warning.
    """
    others = [header for header in headers if not header.is_localizer]
    if not others:
        return list(headers), []
    aside = [one for one in headers if one.is_localizer and not is_alike(one, others[0])]
    if not aside:
        return list(headers), []
    uids = {header.image for header in aside}
    words = (
        f"Series {headers[0].series_instance_uid}: {len(aside)} of {len(headers)} images are "
        f"localizers in another plane or size, set aside, such as {aside[0].sop_instance_uid}"
    )
    return [header for header in headers if header.image not in uids], [words]


def is_alike(header: Header, other: Header) -> bool:
    """True if two images have the same size, orientation and pixel spacing."""
    if (header.rows, header.columns) != (other.rows, other.columns):
        return False
    return _is_close(
        header.image_orientation, other.image_orientation, _DIRECTION_TOLERANCE
    ) and _is_close(header.pixel_spacing_mm, other.pixel_spacing_mm, _SPACING_TOLERANCE)


def _is_close(
    values: Sequence[float] | None, others: Sequence[float] | None, tolerance: float
) -> bool:
    if values is None or others is None:
        return False
    if values == others:
        return True
    return bool(np.abs(np.subtract(values, others)).max() <= tolerance)

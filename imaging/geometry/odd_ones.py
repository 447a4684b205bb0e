"""Detection of a few images in a series that are not slices of the stack formed by the others.

An image that may be a slice is never odd: setting aside a slice inside the stack would leave a
gap, and setting aside one at its end would not even be noticed.
"""

from collections import Counter
from collections.abc import Sequence
from statistics import median

import numpy as np

from imaging.geometry.plane import Plane, has_valid_plane, plane_of
from imaging.geometry.steps import steps_between
from imaging.instances.header import GREY, Header
from imaging.series.localizers import is_alike

_MAX_COUNT = 3
_MAX_SHARE = 0.2
_SAME_POSITION = 0.25
_NEXT_POSITION = 1.75
_BESIDE_MM = 1.0
"""An image across the stack within this distance of its normal may be a slice with a wrong
orientation."""
_ACROSS = 0.97
"""Cosine of the angle between normals, about 14 degrees: slices of a stack differ by less."""


def find_odd_images(headers: Sequence[Header]) -> dict[str, list[Header]]:
    """Find at most three images, and at most a fifth, that differ from all others.

    Returns:
        The images by a description of the difference; empty if more images differ, or if one of
        those that differ may be a slice of the stack.
    """
    if _are_written_alike(headers):
        return {}
    stack = _largest_stack(headers)
    inside = {one.image for one in stack}
    odd = [one for one in headers if one.image not in inside]
    if not odd or len(odd) > min(_MAX_COUNT, _MAX_SHARE * len(headers)):
        return {}
    if any(_may_be_a_slice(one, stack) for one in odd):
        return {}
    found: dict[str, list[Header]] = {}
    for one in odd:
        found.setdefault(_difference(one, stack[0]), []).append(one)
    return found


def _difference(odd: Header, slice_: Header) -> str:
    """Describe how an image differs from a slice of the stack."""
    if not _is_grey(odd):
        return "in colour (PhotometricInterpretation)"
    if not _is_single_frame(odd):
        return "of several frames without functional groups (NumberOfFrames)"
    if not has_valid_plane(odd):
        return (
            "without a valid position in the patient (ImagePositionPatient, "
            "ImageOrientationPatient, "
            "PixelSpacing)"
        )
    if (odd.rows, odd.columns) != (slice_.rows, slice_.columns):
        return "of another size (Rows, Columns)"
    if _is_across(odd, plane_of(slice_)):
        return "in another plane (ImageOrientationPatient)"
    return "of another direction or pixel spacing (ImageOrientationPatient, PixelSpacing)"


def _are_written_alike(headers: Sequence[Header]) -> bool:
    """True if all images have identical geometry attributes, as in most series: a fast path."""
    forms = {
        (one.rows, one.columns, one.pixel_spacing_mm, one.image_orientation, _is_grey(one))
        for one in headers
    }
    positions = [one.image_position_mm or (np.nan,) * 3 for one in headers]
    is_placed = bool(np.isfinite(positions).all())
    return len(forms) == 1 and is_placed and all(_is_single_frame(one) for one in headers)


def _largest_stack(headers: Sequence[Header]) -> list[Header]:
    """The largest group of grey images of one size, orientation and spacing."""
    stacks: list[list[Header]] = []
    for header in headers:
        if not _is_grey_plane(header):
            continue
        own = next((stack for stack in stacks if is_alike(header, stack[0])), None)
        if own is None:
            stacks.append([header])
        else:
            own.append(header)
    return max(stacks, key=len, default=[])


def _is_grey_plane(header: Header) -> bool:
    return _is_grey(header) and _is_single_frame(header) and has_valid_plane(header)


def _is_grey(header: Header) -> bool:
    return header.samples_per_pixel == 1 and header.photometric_interpretation in GREY


def _is_single_frame(header: Header) -> bool:
    return header.number_of_frames == 1 or header.frame_number is not None


def _is_across(odd: Header, plane: Plane) -> bool:
    return abs(float(plane_of(odd).normal @ plane.normal)) < _ACROSS


def _may_be_a_slice(odd: Header, stack: Sequence[Header]) -> bool:
    """True if the image lies where the stack has no image yet: inside, or next to its ends."""
    if not _is_grey(odd) or not _is_single_frame(odd):
        return False
    position = odd.image_position_mm
    if position is None or not np.isfinite(position).all():
        return _has_free_number(odd, stack)
    plane = plane_of(stack[0])
    offset = np.asarray(position) - plane.origin_mm
    along = float(offset @ plane.normal)
    beside = float(np.linalg.norm(offset - along * plane.normal))
    if has_valid_plane(odd) and _is_across(odd, plane) and beside > _BESIDE_MM:
        return False
    return _is_free_position(along, stack, plane)


def _has_free_number(odd: Header, stack: Sequence[Header]) -> bool:
    """True if InstanceNumber is missing in the stack or adjacent to its numbers."""
    numbers = {one.instance_number for one in stack}
    is_near = min(numbers) - 1 <= odd.instance_number <= max(numbers) + 1
    return is_near and odd.instance_number not in numbers


def _is_free_position(along_mm: float, stack: Sequence[Header], plane: Plane) -> bool:
    """True if the stack has no image at the position `along_mm` along its normal, in or near it."""
    offsets = np.array([one.image_position_mm for one in stack]) - plane.origin_mm
    counts = Counter(np.round(offsets @ plane.normal, 2).tolist())
    positions = sorted(counts)
    steps = steps_between(positions)
    if not steps:
        return True
    step = median(one.length_mm for one in steps)
    distance, nearest = min((abs(along_mm - one), one) for one in positions)
    if distance <= _SAME_POSITION * step:
        return bool(counts[nearest] < median(counts.values()))
    return bool(distance <= _NEXT_POSITION * step)

"""The few images of a series that are no slices of the stack that the others make.

Nothing that may be a slice is odd: a slice that is missing inside a stack shows as a gap, and one
that is missing at its end shows nowhere.
"""

from collections import Counter
from collections.abc import Sequence
from statistics import median

import numpy as np

from imaging.geometry.plane import Plane, has_a_place, plane_of
from imaging.geometry.steps import steps_between
from imaging.instances.header import GREY, Header
from imaging.series.localizers import is_alike

_MOST = 3
_PART = 0.2
_SAME_POSITION = 0.25
_NEXT_POSITION = 1.75
_BESIDE_MM = 1.0
"""An image across the stack that lies no farther beside its normal may be a slice turned wrong."""
_ACROSS = 0.97
"""Cosine between normals, about 14 degrees: slices of one stack are never that far apart."""


def odd_ones(headers: Sequence[Header]) -> dict[str, list[Header]]:
    """By what they are: at most three images and a fifth of all, that differ from the others.

    None where more differ, or where one that differs may be a slice of the stack.
    """
    if _are_written_alike(headers):
        return {}
    stack = _largest_stack(headers)
    inside = {one.image for one in stack}
    odd = [one for one in headers if one.image not in inside]
    if not odd or len(odd) > min(_MOST, _PART * len(headers)):
        return {}
    if any(_may_be_a_slice(one, stack) for one in odd):
        return {}
    found: dict[str, list[Header]] = {}
    for one in odd:
        found.setdefault(_what(one, stack[0]), []).append(one)
    return found


def _what(odd: Header, slice_: Header) -> str:
    """How an image differs from a slice of the stack."""
    if not _is_grey(odd):
        return "in colour (PhotometricInterpretation)"
    if not _is_one(odd):
        return "of several frames without functional groups (NumberOfFrames)"
    if not has_a_place(odd):
        return (
            "without a valid place in the patient (ImagePositionPatient, ImageOrientationPatient, "
            "PixelSpacing)"
        )
    if (odd.rows, odd.columns) != (slice_.rows, slice_.columns):
        return "of another size (Rows, Columns)"
    if _is_across(odd, plane_of(slice_)):
        return "in another plane (ImageOrientationPatient)"
    return "of another direction or pixel spacing (ImageOrientationPatient, PixelSpacing)"


def _are_written_alike(headers: Sequence[Header]) -> bool:
    """Whether all have the same values, as most series do; then nothing needs to be computed."""
    forms = {
        (one.rows, one.columns, one.pixel_spacing_mm, one.image_orientation, _is_grey(one))
        for one in headers
    }
    positions = [one.image_position_mm or (np.nan,) * 3 for one in headers]
    is_placed = bool(np.isfinite(positions).all())
    return len(forms) == 1 and is_placed and all(_is_one(one) for one in headers)


def _largest_stack(headers: Sequence[Header]) -> list[Header]:
    """Grey images of one size, orientation and spacing."""
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
    return _is_grey(header) and _is_one(header) and has_a_place(header)


def _is_grey(header: Header) -> bool:
    return header.samples_per_pixel == 1 and header.photometric_interpretation in GREY


def _is_one(header: Header) -> bool:
    return header.number_of_frames == 1 or header.frame_number is not None


def _is_across(odd: Header, plane: Plane) -> bool:
    return abs(float(plane_of(odd).normal @ plane.normal)) < _ACROSS


def _may_be_a_slice(odd: Header, stack: Sequence[Header]) -> bool:
    """Whether it lies where the stack has no image yet: inside, or next to its ends."""
    if not _is_grey(odd) or not _is_one(odd):
        return False
    position = odd.image_position_mm
    if position is None or not np.isfinite(position).all():
        return _has_a_number_of_the_stack(odd, stack)
    plane = plane_of(stack[0])
    offset = np.asarray(position) - plane.origin_mm
    along = float(offset @ plane.normal)
    beside = float(np.linalg.norm(offset - along * plane.normal))
    if has_a_place(odd) and _is_across(odd, plane) and beside > _BESIDE_MM:
        return False
    return _takes_a_place(along, stack, plane)


def _has_a_number_of_the_stack(odd: Header, stack: Sequence[Header]) -> bool:
    """Whether InstanceNumber leaves it open that the image is one of the stack, or its next."""
    numbers = {one.instance_number for one in stack}
    is_near = min(numbers) - 1 <= odd.instance_number <= max(numbers) + 1
    return is_near and odd.instance_number not in numbers


def _takes_a_place(along_mm: float, stack: Sequence[Header], plane: Plane) -> bool:
    """Whether a place in or next to the stack is free so far along the normal of its first."""
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

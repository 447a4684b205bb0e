"""Order of the images of a series in space and time, checked against a pipeline's rules.

Lengths are in mm along the normal of the first image. No file is opened.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import GeometryError
from core.hold_reasons import HoldReason
from imaging.geometry import told_apart
from imaging.geometry.common_plane import check_images, common_plane
from imaging.geometry.distinctions import NUMBER
from imaging.geometry.frames_of_reference import check_frames
from imaging.geometry.one_kind import check_one_kind
from imaging.geometry.phases import Split, UndecidedError, split, split_in_order
from imaging.geometry.plane import Plane
from imaging.geometry.rounding import rounding_of
from imaging.geometry.rules import RULES_2D, RULES_3D, GeometryRules
from imaging.geometry.stacking import Stack, check_drift, check_rounding, check_steps
from imaging.instances.header import Header
from imaging.series.set_aside import planes_of, set_aside

Group = list[Header]


__all__ = ["RULES_2D", "RULES_3D", "GeometryRules", "Placement", "place"]


@dataclass(frozen=True, slots=True)
class Placement:
    """Order of a series' images in space and time."""

    phases: tuple[tuple[Header, ...], ...]
    """Each phase has at most one image at a position, ordered along the normal."""
    told_apart_by: tuple[str, ...]
    """Keywords of the attributes that distinguish the phases; empty if there is only one."""
    positions_mm: tuple[float, ...]
    """Distinct positions along the normal, ascending."""
    slice_spacing_mm: float | None
    """Median distance between neighbouring positions; None for a single position."""
    warnings: tuple[str, ...]

    @property
    def headers(self) -> tuple[Header, ...]:
        """All images, phase after phase."""
        return tuple(header for phase in self.phases for header in phase)


def place(headers: Sequence[Header], rules: GeometryRules) -> Placement:
    """Order the images of one series and check that they suit a pipeline with `rules`.

    Two dimensions require images of one shape and orientation without a missing slice; any number
    at a position and any spacing are allowed. Three dimensions also require regular spacing, the
    same number of images (phases) at every position, and a stack along its normal. Images that
    are not planes of the patient, and a few odd ones, are set aside with a warning.

    Raises:
        GeometryError: the series breaks a rule; the message has the reason and the numbers.
    """
    if not headers:
        raise GeometryError("A series without instances has no geometry")
    kept = set_aside(sorted(headers, key=_order_key))
    headers = planes_of(kept, headers)
    check_images(headers)
    plane = common_plane(headers)
    groups = _positions(headers, plane, rules)
    stack = Stack(
        headers[0].series_instance_uid,
        tuple(_position(group[0], plane) for group in groups),
        rounding_of(headers, plane.normal),
    )
    if told_apart.may_be_neighbours(groups):
        check_rounding(stack, [_position(one, plane) for group in groups for one in group])
    found, phase_warnings = _phases(groups, rules)
    step_warnings = check_steps(stack, rules)
    drift_warnings = check_drift([one for group in groups for one in group], plane, rules)
    return Placement(
        phases=found.phases,
        told_apart_by=found.told_apart_by,
        positions_mm=tuple(stack.positions_mm),
        slice_spacing_mm=stack.spacing_mm,
        warnings=(*kept.warnings, *phase_warnings, *step_warnings, *drift_warnings),
    )


def _position(header: Header, plane: Plane) -> float:
    return float(np.asarray(header.image_position_mm) @ plane.normal)


def _positions(headers: Sequence[Header], plane: Plane, rules: GeometryRules) -> list[Group]:
    """Images by position, ascending; those at one position ordered in time."""
    groups: list[Group] = []
    start = -math.inf
    for header in sorted(headers, key=lambda h: _position(h, plane)):
        position = _position(header, plane)
        if position - start > rules.position_tolerance_mm:
            start = position
            groups.append([])
        groups[-1].append(header)
    return [sorted(group, key=_order_key) for group in groups]


def _order_key(header: Header) -> tuple[tuple[float, float], int, str, int]:
    """Time and number; the UID only makes the order independent of the input's."""
    return header.moment, header.instance_number, header.sop_instance_uid, header.frame_number or 0


def _phases(groups: list[Group], rules: GeometryRules) -> tuple[Split, list[str]]:
    uid = groups[0][0].series_instance_uid
    counts = Counter(len(group) for group in groups)
    found = ", ".join(f"{count} at {n} positions" for count, n in sorted(counts.items()))
    words = f"Series {uid}: different numbers of instances at its positions ({found})"
    if rules.dimensions == 3:
        if len(counts) > 1:
            differ = told_apart.describe_difference(groups)
            raise GeometryError(
                f"{words}, expected the same at each; {differ}", HoldReason.UNEQUAL_POSITIONS
            )
        check_frames([one for group in groups for one in group], rules)
        return _volumes(uid, groups)
    if len(counts) > 1:
        return split_in_order(groups), [words]
    try:
        return split(groups), []
    except UndecidedError as error:
        return split_in_order(groups), [str(error)]


def _volumes(uid: str, groups: list[Group]) -> tuple[Split, list[str]]:
    """Split a grid with the same number of images at every position into volumes."""
    count = len(groups[0])
    if len(groups) == 1 and count > 1:
        raise GeometryError(
            f"Series {uid}: {count} instances at one position are not a volume",
            HoldReason.NO_VOLUME,
        )
    found = split(groups)
    for phase in found.phases:
        check_one_kind(phase)
    if len(groups) == 1:
        return found, [f"Series {uid}: a single slice, processed in its plane alone"]
    if found.told_apart_by[-1:] == (NUMBER,):
        return found, [f"Series {uid}: {count} phases told apart by {NUMBER} alone"]
    return found, []

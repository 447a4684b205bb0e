"""Whether the slices of a series make what a pipeline needs, and in which order they lie.

Lengths are in mm along the normal of the first image; nothing here opens a file.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

import numpy as np

from core.errors import GeometryError
from core.hold_reasons import HoldReason
from imaging.common_plane import check_images, common_plane
from imaging.distinctions import NUMBER
from imaging.header import Header
from imaging.one_kind import check_one_kind
from imaging.phases import Split, UndecidedError, one_after_another, split
from imaging.plane import Plane
from imaging.set_aside import planes_of, set_aside
from imaging.steps import Step, find_gap, find_irregular, steps_between

Group = list[Header]


@dataclass(frozen=True, slots=True)
class GeometryRules:
    """What a pipeline asks of its slices."""

    dimensions: Literal[2, 3]
    allow_variable_spacing: bool
    """Whether the distance between slices may change, such as 3 mm and then 5 mm."""
    position_tolerance_mm: float = 0.01
    """Instances closer than this along the normal share a position."""
    spacing_tolerance: float = 0.05
    """Part of the usual distance by which a regular one may differ."""
    drift_tolerance_pixels: float = 0.5
    """How far slices may lie beside the normal through the first one (gantry tilt)."""
    passed: frozenset[HoldReason] = frozenset()
    """What a person has passed over: a warning instead of an error, where nothing is computed
    from slice to slice."""


RULES_2D = GeometryRules(dimensions=2, allow_variable_spacing=True)
RULES_3D = GeometryRules(dimensions=3, allow_variable_spacing=False)


@dataclass(frozen=True, slots=True)
class Placement:
    """The order of a series' instances in space and time."""

    phases: tuple[tuple[Header, ...], ...]
    """Each phase has at most one instance a position, ordered along the normal."""
    told_apart_by: tuple[str, ...]
    """Keywords of the attributes that make the phases; none where there is only one."""
    positions_mm: tuple[float, ...]
    """The distinct positions along the normal, ascending."""
    slice_spacing_mm: float | None
    """Median distance between neighbouring positions; None if there is only one."""
    warnings: tuple[str, ...]

    @property
    def headers(self) -> tuple[Header, ...]:
        """All instances, phase after phase."""
        return tuple(header for phase in self.phases for header in phase)


def place(headers: Sequence[Header], rules: GeometryRules) -> Placement:
    """The instances of one series in the order in which a pipeline with `rules` takes them.

    Two dimensions: single images of one shape and one orientation, with any number at a position
    and any spacing, but no missing slice. Three: besides, a grid of regular spacing with the
    same number of instances (phases) at every position, stacked along its normal. What is no
    plane of the patient, and the odd one across the others, is left out, with a warning.

    Raises:
        GeometryError: the series is not that; the message has the reason and the numbers.
    """
    if not headers:
        raise GeometryError("A series without instances has no geometry")
    kept = set_aside(sorted(headers, key=_order_key))
    headers = planes_of(kept, headers)
    check_images(headers)
    plane = common_plane(headers)
    groups = _positions(headers, plane, rules)
    positions = [_position(group[0], plane) for group in groups]
    found, phase_warnings = _phases(groups, rules)
    steps = steps_between(positions)
    spacing_warnings = _check_steps(headers[0].series_instance_uid, steps, rules)
    drift_warnings = _check_drift([header for group in groups for header in group], plane, rules)
    return Placement(
        phases=found.phases,
        told_apart_by=found.told_apart_by,
        positions_mm=tuple(positions),
        slice_spacing_mm=median(step.length_mm for step in steps) if steps else None,
        warnings=(*kept.warnings, *phase_warnings, *spacing_warnings, *drift_warnings),
    )


def _position(header: Header, plane: Plane) -> float:
    return float(np.asarray(header.image_position_mm) @ plane.normal)


def _positions(headers: Sequence[Header], plane: Plane, rules: GeometryRules) -> list[Group]:
    """Instances by position, ascending; those at one position ordered in time."""
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
    """The UID tells nothing about time, but gives one order, whatever the input's."""
    return header.moment, header.instance_number, header.sop_instance_uid, header.frame_number or 0


def _phases(groups: list[Group], rules: GeometryRules) -> tuple[Split, list[str]]:
    uid = groups[0][0].series_instance_uid
    counts = Counter(len(group) for group in groups)
    found = ", ".join(f"{count} at {n} positions" for count, n in sorted(counts.items()))
    words = f"Series {uid}: different numbers of instances at its positions ({found})"
    if rules.dimensions == 3:
        if len(counts) > 1:
            raise GeometryError(f"{words}, expected the same at each", HoldReason.UNEQUAL_POSITIONS)
        return _volumes(uid, groups)
    if len(counts) > 1:
        return one_after_another(groups), [words]
    try:
        return split(groups), []
    except UndecidedError as error:
        return one_after_another(groups), [str(error)]


def _volumes(uid: str, groups: list[Group]) -> tuple[Split, list[str]]:
    """A grid with the same number of instances at every position, as stacks of slices."""
    frames = {h.frame_of_reference_uid for group in groups for h in group} - {""}
    if len(frames) > 1:
        raise GeometryError(
            f"Series {uid}: {len(frames)} frames of reference, expected one for a volume",
            HoldReason.FRAMES_OF_REFERENCE,
        )
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


def _check_steps(uid: str, steps: list[Step], rules: GeometryRules) -> list[str]:
    warnings = _check_gap(uid, steps, rules)
    irregular = find_irregular(steps, rules.spacing_tolerance)
    if irregular is None:
        return warnings
    words = f"Series {uid}: slices are not evenly spaced, {irregular}"
    if rules.allow_variable_spacing:
        return [*warnings, words]
    raise GeometryError(words, HoldReason.IRREGULAR_SPACING)


def _check_gap(uid: str, steps: list[Step], rules: GeometryRules) -> list[str]:
    """A person may pass over a gap where each image is worked on alone, and nowhere else."""
    gap = find_gap(steps, rules.spacing_tolerance)
    if gap is None:
        return []
    words, may_pass = f"Series {uid}: gap of {gap}", rules.dimensions == 2
    if may_pass and HoldReason.GAP in rules.passed:
        return [words]
    raise GeometryError(words, HoldReason.GAP, helps=gap.helps, releasable=may_pass)


def _check_drift(headers: list[Header], plane: Plane, rules: GeometryRules) -> list[str]:
    """Gantry tilt, and slices or phases that are shifted sideways."""
    offsets = np.array([h.image_position_mm for h in headers], dtype=np.float64)
    offsets -= offsets[0]
    along = offsets @ plane.normal
    beside = np.linalg.norm(offsets - np.outer(along, plane.normal), axis=1)
    worst = int(beside.argmax())
    limit = rules.drift_tolerance_pixels * min(
        np.linalg.norm(plane.row_step_mm), np.linalg.norm(plane.column_step_mm)
    )
    if beside[worst] <= limit:
        return []
    angle = math.degrees(math.atan2(beside[worst], abs(along[worst])))
    words = (
        f"Series {headers[0].series_instance_uid}: slices are not stacked along their normal "
        f"({beside[worst]:.2f} mm beside it, {angle:.1f} degrees), as from a tilted gantry"
    )
    if rules.dimensions == 2:
        return [words]
    raise GeometryError(f"{words}, expected at most {limit:.2f} mm", HoldReason.NOT_STACKED)

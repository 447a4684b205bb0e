"""Checks that slices are stacked along their normal at even distances."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from core.errors import GeometryError
from core.hold_reasons import HoldReason
from imaging.geometry.plane import Plane
from imaging.geometry.rounding import Rounding
from imaging.geometry.rules import GeometryRules
from imaging.geometry.steps import find_gap, find_irregular, steps_between
from imaging.instances.header import Header

_COARSE_PART = 0.5
_UNROUNDED = "send the series with ImagePositionPatient as it was, not rounded"


@dataclass(frozen=True, slots=True)
class Stack:
    """Positions of the slices of a series along their normal."""

    uid: str
    """SeriesInstanceUID."""
    positions_mm: Sequence[float]
    """Distinct and ascending."""
    rounding: Rounding

    @property
    def spacing_mm(self) -> float | None:
        """Slice spacing: the median distance, or the mean one if positions are rounded.

        None for a single position.
        """
        steps = steps_between(list(self.positions_mm))
        if not steps:
            return None
        if self.rounding.explains(self.positions_mm):
            return (self.positions_mm[-1] - self.positions_mm[0]) / len(steps)
        return median(step.length_mm for step in steps)


def check_steps(stack: Stack, rules: GeometryRules) -> list[str]:
    """Check the distances between slices, and return warnings about uneven ones.

    Raises:
        GeometryError: a gap, or a volume whose slices are not evenly spaced.
    """
    warnings = _check_gap(stack, rules)
    steps = steps_between(list(stack.positions_mm))
    irregular = find_irregular(steps, rules.spacing_tolerance)
    is_explained = irregular is not None and stack.rounding.explains(stack.positions_mm)
    if irregular is None or (is_explained and stack.rounding.is_fine(stack.spacing_mm or 0.0)):
        return warnings
    words = f"Series {stack.uid}: slices are not evenly spaced, {irregular}"
    words += f"; {stack.rounding}" if is_explained else ""
    if rules.allow_variable_spacing:
        return [*warnings, words]
    helps = _UNROUNDED if is_explained else ""
    raise GeometryError(words, HoldReason.IRREGULAR_SPACING, helps=helps)


def check_rounding(stack: Stack, images_mm: Sequence[float]) -> None:
    """Check that positions are not rounded so coarsely that several slices share one.

    Args:
        stack: the distinct positions.
        images_mm: the positions of all images, ascending.

    Raises:
        GeometryError: several slices share a rounded position; names the rounding.
    """
    if not stack.rounding.quantum_mm or len(stack.positions_mm) < 2:
        return
    spacing_mm = stack.positions_mm[1] - stack.positions_mm[0]
    several = len(images_mm) > len(stack.positions_mm)
    is_coarse = stack.rounding.quantum_mm > _COARSE_PART * spacing_mm
    if several and is_coarse and stack.rounding.explains(images_mm):
        raise GeometryError(
            f"Series {stack.uid}: {stack.rounding}, so that {len(images_mm)} images share "
            f"{len(stack.positions_mm)} positions, expected one for each",
            HoldReason.IRREGULAR_SPACING,
            helps=_UNROUNDED,
        )


def check_drift(headers: Sequence[Header], plane: Plane, rules: GeometryRules) -> list[str]:
    """Check for gantry tilt, and for slices or phases that are shifted sideways.

    Returns:
        Warnings, for two dimensions.

    Raises:
        GeometryError: slices of a volume are shifted.
    """
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


def _check_gap(stack: Stack, rules: GeometryRules) -> list[str]:
    """Warn about a released gap, which is allowed only if each image is processed on its own."""
    gap = find_gap(steps_between(list(stack.positions_mm)), rules.spacing_tolerance)
    if gap is None:
        return []
    words, may_pass = f"Series {stack.uid}: gap of {gap}", rules.dimensions == 2
    if stack.rounding.quantum_mm > _COARSE_PART * gap.expected_mm:
        words += f"; or {stack.rounding}"
    if may_pass and HoldReason.GAP in rules.passed:
        return [words]
    raise GeometryError(words, HoldReason.GAP, helps=gap.helps, releasable=may_pass)

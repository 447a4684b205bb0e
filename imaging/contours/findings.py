"""Findings: unusual things noticed while contours are read, placed and filled."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """Kind of finding; the value is its text after "ROI 1 'Heart', contour 2"."""

    # of a structure
    EMPTY = "has no contours"
    NAME_TAKEN = "shares its name with another structure"
    NUMBER_TAKEN = "shares its number with another structure"
    NAMELESS = "is contoured but not listed"
    ON_CENTRES = "is drawn through pixel centres, filled with its border"
    SKIPPED = "is not drawn on slices between drawn ones, unknown there"
    # placed otherwise than the file says
    UNREFERENCED = "refers to no instance"
    DANGLING = "refers to an instance that is not in the series"
    CONTRADICTED = "refers to an instance on which it does not lie"
    OFF_PLANE = "lies off the plane of its instance"
    MIDWAY = "lies midway between two slices, placed on the lower one"
    # filled, but not as drawn
    INTERPOLATED = "is INTERPOLATED_PLANAR, filled as CLOSED_PLANAR"
    HALFWAY = "lies as far from its slice as another plane beyond it, filled halfway between them"
    CUT = "reaches outside the image, cut off there"
    OVERLAP = "overlaps another contour in part, which even-odd leaves out"
    REPEATED = "is the same as another contour, filled once"
    POINT_COUNT = "has another number of points than it says"
    # not filled
    PASSED_OVER = "lies farther from its slice than another plane, passed over"
    ENDS = "ends before its slice's centre, on planes closer than the slices, not filled there"
    BETWEEN_SLICES = "lies between slices, not placed"
    OUTSIDE_VOLUME = "lies beyond the first or last slice, not placed"
    TILTED = "is not parallel to the slices, not placed"
    AMBIGUOUS = "lies on several instances and refers to none of them, not placed"
    OTHER_FRAME = "is in another frame of reference, not placed"
    OUTSIDE_IMAGE = "lies outside the image"
    NO_PIXEL = "is too small to contain a pixel's centre"
    NOT_CLOSED = "is no closed contour, not filled"
    TOO_FEW_POINTS = "has too few points, not filled"


DROPPED = frozenset(
    {
        FindingKind.PASSED_OVER,
        FindingKind.ENDS,
        FindingKind.BETWEEN_SLICES,
        FindingKind.OUTSIDE_VOLUME,
        FindingKind.TILTED,
        FindingKind.AMBIGUOUS,
        FindingKind.OTHER_FRAME,
        FindingKind.OUTSIDE_IMAGE,
        FindingKind.NO_PIXEL,
        FindingKind.NOT_CLOSED,
        FindingKind.TOO_FEW_POINTS,
    }
)
"""Kinds of findings on contours that left no pixel in the mask."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding about a structure or one of its contours."""

    kind: FindingKind
    roi_number: int
    roi_name: str
    contour: int | None = None
    """Number of the contour in ContourSequence, from 1; None: the structure as a whole."""
    referenced_sop_instance_uid: str = ""
    """Instance that the contour refers to; empty if it refers to none."""
    distance_mm: float | None = None
    """Distance to the plane that decided, or beyond the border of the image."""
    detail: str = ""

    @property
    def is_dropped(self) -> bool:
        """True if the contour left no pixel in the mask."""
        return self.kind in DROPPED

    def __str__(self) -> str:
        contour = "" if self.contour is None else f", contour {self.contour}"
        detail = f": {self.detail}" if self.detail else ""
        return f"ROI {self.roi_number} {self.roi_name!r}{contour} {self.kind}{detail}"


def summarise(findings: Iterable[Finding]) -> list[str]:
    """Summarise findings in one line for each structure and kind.

    A line has the number of contours and the largest distance, or the details of a finding about
    the structure as a whole.
    """
    details: dict[tuple[int, str, FindingKind], str] = {}
    counts: Counter[tuple[int, str, FindingKind]] = Counter()
    farthest_mm: dict[tuple[int, str, FindingKind], float] = {}
    for one in findings:
        key = (one.roi_number, one.roi_name, one.kind)
        counts[key] += one.contour is not None
        if one.contour is None and one.detail:
            details[key] = f": {one.detail}"
        if one.distance_mm is not None:
            farthest_mm[key] = max(one.distance_mm, farthest_mm.get(key, 0.0))
    lines = []
    for key, count in counts.items():
        number, name, kind = key
        what = f"; {count} contours" if count else details.get(key, "")
        far = f", up to {farthest_mm[key]:.2f} mm" if key in farthest_mm else ""
        lines.append(f"ROI {number} {name!r} {kind}{what}{far}")
    return lines

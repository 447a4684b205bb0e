"""Where a structure was drawn in a way that makes no mask: what belongs to it there is unknown."""

from collections.abc import Sequence

from imaging.contour_placement import Placement
from imaging.findings import Finding, FindingKind
from imaging.header import Header
from imaging.structure_set_reader import Contour, RoiContours

_NOT_FILLED = (FindingKind.NOT_CLOSED, FindingKind.TOO_FEW_POINTS)


def unfilled_instances(
    roi: RoiContours, findings: Sequence[Finding], headers: Sequence[Header]
) -> set[int]:
    """The instances, by their place in `headers`, with a contour of `roi` that is not filled.

    `findings` are those of its mask. A contour without points is where its reference says.

    Raises:
        GeometryError: an instance has no place in the patient.
    """
    numbers = {one.contour for one in findings if one.kind in _NOT_FILLED and one.contour}
    if not numbers:
        return set()
    placement = Placement(headers)
    found: set[int] = set()
    for number in numbers:
        found |= _instances_of(roi.contours[number - 1], roi, headers, placement)
    return found


def _instances_of(
    contour: Contour, roi: RoiContours, headers: Sequence[Header], placement: Placement
) -> set[int]:
    if not len(contour.points_mm):
        images = {(one.sop_instance_uid, one.frame_number) for one in contour.references}
        return {at for at, header in enumerate(headers) if header.image in images}
    places = placement.place(contour.points_mm, contour.references, roi.frame_of_reference_uid)
    return {place.index for place in places if place.index is not None}

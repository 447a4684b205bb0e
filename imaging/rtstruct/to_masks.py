"""The contours of a structure set to masks on a series; whatever is unusual becomes a finding.

A contour belongs to the instance that it refers to, else to the nearest one along the normal
(`imaging/rtstruct/placement.py`). Contours on one instance follow the even-odd rule, which is right
for keyholes, for separate contours of holes and islands, and for CLOSEDPLANAR_XOR alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.errors import ContourError
from imaging.contours.findings import Finding, FindingKind
from imaging.instances.header import Header
from imaging.rtstruct.drawn_slices import Unknown
from imaging.rtstruct.placement import Placement
from imaging.rtstruct.reader import RoiContours, StructureSet
from imaging.rtstruct.roi_filling import Mask, RoiFilling, Vertices


@dataclass(frozen=True, slots=True)
class RoiMask:
    """One structure on a series."""

    name: str
    """The ROI's own where no other before it has the same, else with its number behind it."""
    roi: RoiContours
    mask: Mask
    """[instance, row, column], in the order of the headers."""
    findings: tuple[Finding, ...]
    unknown: Unknown
    """Where its contours do not say that it is absent."""


def to_masks(
    structure_set: StructureSet,
    headers: Sequence[Header],
    *,
    tolerance_mm: float | None = None,
    vertices: Vertices = "auto",
) -> tuple[dict[str, Mask], list[Finding]]:
    """Each structure's mask [instance, row, column] in the order of `headers`, and all findings.

    Args:
        structure_set: of any maker.
        headers: the single-frame images of one series.
        tolerance_mm: how far from a plane a contour may be; by default half the usual distance
            between slices.
        vertices: `auto` takes a structure whose points are chains of pixel centres as `centres`,
            every other as `outline`.

    Raises:
        ContourError: the instances differ in rows and columns.
        GeometryError: an instance has no place in the patient.
    """
    masks: dict[str, Mask] = {}
    findings = list(structure_set.findings)
    for one in iterate_masks(structure_set, headers, tolerance_mm=tolerance_mm, vertices=vertices):
        masks[one.name] = one.mask
        findings += one.findings
    return masks, findings


def iterate_masks(
    structure_set: StructureSet,
    headers: Sequence[Header],
    *,
    tolerance_mm: float | None = None,
    vertices: Vertices = "auto",
) -> Iterator[RoiMask]:
    """The same, one structure after the other, so that only one mask is in memory.

    Raises:
        ContourError: the instances differ in rows and columns.
        GeometryError: an instance has no place in the patient.
    """
    if len({(header.rows, header.columns) for header in headers}) != 1:
        raise ContourError(
            "A mask needs at least one instance, and the same rows and columns in all"
        )
    placement = Placement(headers, tolerance_mm)
    shape = (headers[0].rows, headers[0].columns)
    taken: set[str] = set()
    for roi in structure_set.rois:
        name = _free_name(roi, taken)
        taken.add(name)
        work = RoiFilling(roi, placement, shape)
        if name != roi.name:
            work.add(FindingKind.NAME_TAKEN, detail=f"called {name!r}")
        yield _filled(name, work, vertices)


def _filled(name: str, work: RoiFilling, vertices: Vertices) -> RoiMask:
    """No name for it outlives this call: a mask goes before the next one is made."""
    mask, unknown = work.mask(vertices), work.unknown()
    return RoiMask(name, work.roi, mask, tuple(work.findings), unknown)


def _free_name(roi: RoiContours, taken: set[str]) -> str:
    name, again = roi.name, 1
    while name in taken:
        name = f"{roi.name} ({roi.number})" if again == 1 else f"{roi.name} ({roi.number}, {again})"
        again += 1
    return name

"""Conversion of a structure set's contours to masks on a series, with findings.

A contour belongs to the instance that it refers to, else to the nearest one along the normal
(`imaging/rtstruct/placement.py`). Contours on one instance are filled by the even-odd rule, which
suits keyholes, separate contours of holes and islands, and CLOSEDPLANAR_XOR alike.
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
    """Mask of a structure on a series, with findings."""

    name: str
    """Name of the ROI, followed by its number if an earlier ROI has the same name."""
    roi: RoiContours
    mask: Mask
    """Mask [instance, row, column], in the order of the headers."""
    findings: tuple[Finding, ...]
    unknown: Unknown
    """Slices on which it is unknown whether the structure is present."""


def to_masks(
    structure_set: StructureSet,
    headers: Sequence[Header],
    *,
    tolerance_mm: float | None = None,
    vertices: Vertices = "auto",
) -> tuple[dict[str, Mask], list[Finding]]:
    """Convert all structures to masks.

    Args:
        structure_set: a structure set of any vendor.
        headers: the images of one series.
        tolerance_mm: allowed distance of a contour from a plane; by default half the usual
            distance between slices.
        vertices: `auto` treats a structure whose points are chains of pixel centres as `centres`,
            any other as `outline`.

    Returns:
        Masks by structure name, bool [instance, row, column] in the order of `headers`, and all
        findings.

    Raises:
        ContourError: the images differ in size.
        GeometryError: an instance has no position in the patient.
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
    """Convert structures as `to_masks` does, but yield them one by one to save memory.

    Raises:
        ContourError: the images differ in size.
        GeometryError: an instance has no position in the patient.
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
    """Fill one structure; no reference to its mask stays here, so only one is in memory."""
    mask, unknown = work.mask(vertices), work.unknown()
    return RoiMask(name, work.roi, mask, tuple(work.findings), unknown)


def _free_name(roi: RoiContours, taken: set[str]) -> str:
    name, again = roi.name, 1
    while name in taken:
        name = f"{roi.name} ({roi.number})" if again == 1 else f"{roi.name} ({roi.number}, {again})"
        again += 1
    return name

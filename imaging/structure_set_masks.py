"""The contours of a structure set to masks on a series; whatever is unusual becomes a finding.

A contour belongs to the instance that it refers to, else to the nearest one along the normal
(`imaging/contour_placement.py`). Contours on one instance follow the even-odd rule, which is right
for keyholes, for separate contours of holes and islands, and for CLOSEDPLANAR_XOR alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.errors import ContourError
from imaging.contour_filling import fill_outlines, is_beyond
from imaging.contour_placement import Placement
from imaging.findings import Finding, FindingKind
from imaging.header import Header
from imaging.masks import Patch, patches_of
from imaging.pixel_centres import are_chains, chains_to_mask
from imaging.plane import Points
from imaging.structure_set_reader import Contour, RoiContours, StructureSet

Mask = npt.NDArray[np.bool_]
Vertices = Literal["auto", "outline", "centres"]
"""What points mean: an outline around pixels, or the centres of border pixels."""

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_FEWEST_POINTS = 3
OnInstance = list[tuple[int, Points]]
"""Numbers of contours and their points (n, 2) as (column, row), on one instance."""


@dataclass(frozen=True, slots=True)
class RoiMask:
    """One structure on a series."""

    name: str
    """The ROI's own where no other before it has the same, else with its number behind it."""
    roi: RoiContours
    mask: Mask
    """[instance, row, column], in the order of the headers."""
    findings: tuple[Finding, ...]


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
        work = _RoiWork(roi, placement, shape)
        if name != roi.name:
            work.add(FindingKind.NAME_TAKEN, detail=f"called {name!r}")
        # no name for the mask: it goes when its reader lets it go, before the next one is made
        yield RoiMask(name, roi, work.mask(vertices), tuple(work.findings))


def _free_name(roi: RoiContours, taken: set[str]) -> str:
    name, again = roi.name, 1
    while name in taken:
        name = f"{roi.name} ({roi.number})" if again == 1 else f"{roi.name} ({roi.number}, {again})"
        again += 1
    return name


class _RoiWork:
    """One structure on its way into a mask."""

    def __init__(self, roi: RoiContours, placement: Placement, shape: tuple[int, int]) -> None:
        self.findings: list[Finding] = []
        self._roi, self._placement, self._shape = roi, placement, shape

    def add(
        self,
        kind: FindingKind,
        contour: int | None = None,
        *,
        distance_mm: float | None = None,
        detail: str = "",
    ) -> None:
        uid = ""
        if contour is not None:
            uid = self._roi.contours[contour - 1].referenced_sop_instance_uid
        roi = self._roi
        self.findings.append(Finding(kind, roi.number, roi.name, contour, uid, distance_mm, detail))

    def mask(self, vertices: Vertices) -> Mask:
        placed = self._placed()
        chains = [points for on_instance in placed.values() for _, points in on_instance]
        through_centres = vertices == "centres" or (vertices == "auto" and are_chains(chains))
        if through_centres and vertices == "auto":
            self.add(FindingKind.ON_CENTRES)
        mask = np.zeros((len(self._placement.planes), *self._shape), dtype=bool)
        patches = patches_of([one for one in chains if len(one) >= _FEWEST_POINTS], self._shape)
        for index, on_instance in placed.items():
            self._check_border(index, on_instance)
            if through_centres:
                mask[index] = chains_to_mask([points for _, points in on_instance], self._shape)
            else:
                self._fill(mask[index], on_instance, patches)
        return mask

    def _placed(self) -> dict[int, OnInstance]:
        """The contours that can be filled, by instance."""
        placed: dict[int, OnInstance] = {}
        if not self._roi.contours:
            self.add(FindingKind.EMPTY)
        for number, contour in enumerate(self._roi.contours, 1):
            if not self._is_closed(number, contour):
                continue
            for index in self._indices(number, contour):
                pixels, _ = self._placement.planes[index].to_pixels(contour.points_mm)
                placed.setdefault(index, []).append((number, pixels))
        return placed

    def _is_closed(self, number: int, contour: Contour) -> bool:
        count, announced = len(contour.points_mm), contour.announced_points
        if announced is not None and announced != count:
            self.add(FindingKind.POINT_COUNT, number, detail=f"{count}, not {announced}")
        if contour.geometric_type not in _CLOSED:
            self.add(FindingKind.NOT_CLOSED, number, detail=contour.geometric_type or "no type")
            return False
        if count == 0:
            self.add(FindingKind.TOO_FEW_POINTS, number, detail="none")
        return count > 0

    def _indices(self, number: int, contour: Contour) -> list[int]:
        frame_uid = self._roi.frame_of_reference_uid
        places = self._placement.place(contour.points_mm, contour.references, frame_uid)
        for place in places:
            if place.kind is not None:
                self.add(place.kind, number, distance_mm=place.distance_mm, detail=place.detail)
        return list(dict.fromkeys(place.index for place in places if place.index is not None))

    def _check_border(self, index: int, on_instance: OnInstance) -> None:
        for number, pixels in on_instance:
            beyond = is_beyond(pixels, self._shape)
            if beyond is not None:
                kind, excess = beyond
                plane = self._placement.planes[index]
                steps = np.linalg.norm([plane.column_step_mm, plane.row_step_mm], axis=1)
                distance_mm = float((excess * steps).max())
                self.add(kind, number, distance_mm=distance_mm, detail=f"{distance_mm:.2f} mm")

    def _fill(self, mask: Mask, on_instance: OnInstance, patches: Iterator[Patch]) -> None:
        """`patches` go on with those of the contours that can be filled."""
        fewest = [len(points) >= _FEWEST_POINTS for _, points in on_instance]
        for (number, points), enough in zip(on_instance, fewest, strict=True):
            if not enough:
                detail = f"{len(points)}, expected at least {_FEWEST_POINTS}"
                self.add(FindingKind.TOO_FEW_POINTS, number, detail=detail)
        closed = [one for one, enough in zip(on_instance, fewest, strict=True) if enough]
        is_xor = [
            self._roi.contours[number - 1].geometric_type != "CLOSED_PLANAR" for number, _ in closed
        ]
        polygons = [points for _, points in closed]
        filled = list(islice(patches, len(closed)))
        for kind, at, detail in fill_outlines(mask, polygons, filled, is_xor):
            self.add(kind, closed[at][0], detail=detail)

"""One structure's contours on their way into a mask."""

from collections.abc import Iterator
from itertools import islice
from typing import Literal

import numpy as np
import numpy.typing as npt

from imaging.contour_filling import fill_outlines, is_beyond
from imaging.contour_placement import Placement
from imaging.findings import Finding, FindingKind
from imaging.masks import Patch, patches_of
from imaging.pixel_centres import are_chains, chains_to_mask
from imaging.plane import Points
from imaging.structure_set_reader import Contour, RoiContours

Mask = npt.NDArray[np.bool_]
Vertices = Literal["auto", "outline", "centres"]
"""What points mean: an outline around pixels, or the centres of border pixels."""

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_FEWEST_POINTS = 3
OnInstance = list[tuple[int, Points]]
"""Numbers of contours and their points (n, 2) as (column, row), on one instance."""


class RoiFilling:
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
        """A finding about the structure, or about its `contour` (from 1)."""
        uid = ""
        if contour is not None:
            uid = self._roi.contours[contour - 1].referenced_sop_instance_uid
        roi = self._roi
        self.findings.append(Finding(kind, roi.number, roi.name, contour, uid, distance_mm, detail))

    def mask(self, vertices: Vertices) -> Mask:
        """[instance, row, column], in the order of the headers."""
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

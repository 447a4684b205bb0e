"""Filling of one structure's contours into a mask."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Literal

import numpy as np
import numpy.typing as npt

from imaging.contours.filling import border_excess, fill_outlines
from imaging.contours.findings import Finding, FindingKind
from imaging.contours.midway import DrawnPlane, interpolate_halfway
from imaging.contours.pixel_centres import are_chains, chains_to_mask
from imaging.contours.polygon_fill import patches_of
from imaging.geometry.plane import Points
from imaging.rtstruct.drawn_slices import DrawnSlices, Unknown, describe_slices
from imaging.rtstruct.placement import Placement
from imaging.rtstruct.planes import OnePlane, PlacedContour, choose_planes, reach_mm
from imaging.rtstruct.reader import Contour, RoiContours

Mask = npt.NDArray[np.bool_]
Vertices = Literal["auto", "outline", "centres"]
"""Meaning of points: an outline around pixels, or the centres of border pixels."""

EXCLUSIVE, INTERPOLATED = "CLOSEDPLANAR_XOR", "INTERPOLATED_PLANAR"
CLOSED = ("CLOSED_PLANAR", EXCLUSIVE, INTERPOLATED)
"""ContourGeometricType of contours that are filled (PS3.3 C.8.8.6.1)."""
_FEWEST_POINTS = 3
_BESIDE = (FindingKind.BETWEEN_SLICES, FindingKind.OUTSIDE_VOLUME)
_CROSSING = (FindingKind.TILTED, FindingKind.AMBIGUOUS)
Planes = tuple[OnePlane, ...]


class RoiFilling:
    """Filling of one structure, with its findings."""

    def __init__(self, roi: RoiContours, placement: Placement, shape: tuple[int, int]) -> None:
        self.findings: list[Finding] = []
        self.slices = DrawnSlices(placement, roi.plane_spacing_mm)
        self.roi, self._placement, self._shape = roi, placement, shape

    def add(
        self,
        kind: FindingKind,
        contour: int | None = None,
        *,
        distance_mm: float | None = None,
        detail: str = "",
    ) -> None:
        """Add a finding about the structure, or about its contour number `contour` (from 1)."""
        uid = ""
        if contour is not None:
            uid = self.roi.contours[contour - 1].referenced_sop_instance_uid
        roi = self.roi
        self.findings.append(Finding(kind, roi.number, roi.name, contour, uid, distance_mm, detail))

    def unknown(self) -> Unknown:
        """Slices on which the structure is unknown; skipped slices are also added as a finding."""
        unknown = self.slices.unknown()
        if unknown.skipped:
            words = describe_slices(unknown.skipped, *self._placement.numbers)
            self.add(FindingKind.SKIPPED, detail=words)
        return unknown

    def mask(self, vertices: Vertices) -> Mask:
        """Fill the contours: mask [instance, row, column], in the order of the headers."""
        placed = self._placed()
        chains = [one.pixels for on_instance in placed.values() for one in on_instance]
        through_centres = vertices == "centres" or (vertices == "auto" and are_chains(chains))
        if through_centres and vertices == "auto":
            self.add(FindingKind.ON_CENTRES)
        chosen = {
            index: self._choose(index, on_instance, 1 if through_centres else _FEWEST_POINTS)
            for index, on_instance in self._within_reach(placed).items()
        }
        self.slices.filled.update(index for index, planes in chosen.items() if planes)
        mask = np.zeros((len(self._placement.planes), *self._shape), dtype=bool)
        fill = self._fill_chains if through_centres else self._outline_filler(chosen.values())
        for index, planes in chosen.items():
            self._fill_instance(mask[index], index, [(plane, fill(plane)) for plane in planes])
        return mask

    def _placed(self) -> dict[int, OnePlane]:
        """Place the contours that can be filled, by index of the instance."""
        placed: dict[int, OnePlane] = {}
        if not self.roi.contours:
            self.add(FindingKind.EMPTY)
        for number, contour in enumerate(self.roi.contours, 1):
            if not self._is_closed(number, contour):
                self.slices.unfilled |= self._unfilled(contour)
                continue
            for index in self._indices(number, contour):
                pixels, offsets_mm = self._placement.planes[index].to_pixels(contour.points_mm)
                placed.setdefault(index, []).append(
                    PlacedContour.from_points(number, pixels, offsets_mm)
                )
        return placed

    def _is_closed(self, number: int, contour: Contour) -> bool:
        count, announced = len(contour.points_mm), contour.announced_points
        if announced is not None and announced != count:
            self.add(FindingKind.POINT_COUNT, number, detail=f"{count}, not {announced}")
        if contour.geometric_type not in CLOSED:
            self.add(FindingKind.NOT_CLOSED, number, detail=contour.geometric_type or "no type")
            return False
        if count == 0:
            self.add(FindingKind.TOO_FEW_POINTS, number, detail="none")
        elif contour.geometric_type == INTERPOLATED:
            self.add(FindingKind.INTERPOLATED, number)
        return count > 0

    def _indices(self, number: int, contour: Contour) -> list[int]:
        frame_uid = self.roi.frame_of_reference_uid
        places = self._placement.place(contour.points_mm, contour.references, frame_uid)
        for place in places:
            if place.kind is not None:
                self.add(place.kind, number, distance_mm=place.distance_mm, detail=place.detail)
            self._note_unplaced(place.kind, contour.points_mm)
        return list(dict.fromkeys(place.index for place in places if place.index is not None))

    def _unfilled(self, contour: Contour) -> set[int]:
        """Indices of the instances of a contour that is not filled; by reference without points."""
        if not len(contour.points_mm):
            return self._placement.referenced(contour.references)
        frame_uid = self.roi.frame_of_reference_uid
        places = self._placement.place(contour.points_mm, contour.references, frame_uid)
        for place in places:
            self._note_unplaced(place.kind, contour.points_mm)
        return {place.index for place in places if place.index is not None}

    def _note_unplaced(self, kind: FindingKind | None, points_mm: Points) -> None:
        if kind in _BESIDE:
            self.slices.unplaced.append(points_mm)
        elif kind in _CROSSING:
            self.slices.crossing.append(points_mm)
        self.slices.is_elsewhere |= kind is FindingKind.OTHER_FRAME

    def _within_reach(self, placed: dict[int, OnePlane]) -> dict[int, OnePlane]:
        """Remove instances beyond the first and last plane, if planes are closer than slices."""
        planes = self._placement.planes
        contours = [one for on_instance in placed.values() for one in on_instance]
        if any(one.spread_mm > 2 * self._placement.one_plane_mm for one in contours):
            return placed
        normal = planes[min(placed, default=0)].normal
        at_mm = {index: float(planes[index].origin_mm @ normal) for index in placed}
        positions_mm = [at_mm[index] + one.offset_mm for index in placed for one in placed[index]]
        low, high = reach_mm(positions_mm, self._placement.step_mm)
        kept = {index: placed[index] for index in placed if low <= at_mm[index] <= high}
        if not kept:
            return placed
        for index in placed.keys() - kept.keys():
            for one in placed[index]:
                distance_mm = abs(one.offset_mm)
                detail = f"{distance_mm:.2f} mm before instance {self._placement.uids[index]}"
                self.add(FindingKind.ENDS, one.number, distance_mm=distance_mm, detail=detail)
        return kept

    def _choose(self, index: int, on_instance: OnePlane, fewest_points: int) -> Planes:
        """Choose the plane for an instance, or two if the instance is midway between them."""
        enough = [one for one in on_instance if len(one.pixels) >= fewest_points]
        for one in on_instance:
            if len(one.pixels) < fewest_points:
                detail = f"{len(one.pixels)}, expected at least {fewest_points}"
                self.add(FindingKind.TOO_FEW_POINTS, one.number, detail=detail)
                self.slices.unfilled.add(index)
        if not enough:
            return ()
        chosen = choose_planes(enough, self._placement.one_plane_mm)
        instance = f"instance {self._placement.uids[index]}"
        for one, distance_mm in chosen.passed_over:
            detail = f"{distance_mm:.2f} mm off {instance}, another {chosen.distance_mm:.2f} mm"
            self.add(FindingKind.PASSED_OVER, one.number, distance_mm=distance_mm, detail=detail)
        if len(chosen.planes) > 1:
            detail = f"{chosen.distance_mm:.2f} mm on either side of {instance}"
            for one in (one for plane in chosen.planes for one in plane):
                distance_mm = chosen.distance_mm
                self.add(FindingKind.HALFWAY, one.number, distance_mm=distance_mm, detail=detail)
        return chosen.planes

    def _fill_instance(
        self, mask: Mask, index: int, filled: Sequence[tuple[OnePlane, Mask]]
    ) -> None:
        plane = self._placement.planes[index]
        steps_mm = np.linalg.norm([plane.column_step_mm, plane.row_step_mm], axis=1)
        for contours, _ in filled:
            self._check_border(contours, steps_mm)
        drawn = [DrawnPlane(one, [c.pixels for c in contours]) for contours, one in filled]
        if len(drawn) == 1:
            mask[:] = drawn[0].mask
        elif drawn:
            mask[:] = interpolate_halfway(drawn[0], drawn[1], steps_mm)

    def _check_border(self, contours: OnePlane, steps_mm: Points) -> None:
        for one in contours:
            beyond = border_excess(one.pixels, self._shape)
            if beyond is not None:
                kind, excess = beyond
                distance_mm = float((excess * steps_mm).max())
                detail = f"{distance_mm:.2f} mm"
                self.add(kind, one.number, distance_mm=distance_mm, detail=detail)

    def _fill_chains(self, contours: OnePlane) -> Mask:
        return chains_to_mask([one.pixels for one in contours], self._shape)

    def _outline_filler(self, chosen: Iterable[Planes]) -> Callable[[OnePlane], Mask]:
        """Return a function that fills one plane after the other, in the order given here."""
        contours = (one.pixels for planes in chosen for plane in planes for one in plane)
        patches = patches_of(list(contours), self._shape)

        def fill(plane: OnePlane) -> Mask:
            mask = np.zeros(self._shape, dtype=bool)
            kinds = [self.roi.contours[one.number - 1].geometric_type for one in plane]
            is_xor = [kind == EXCLUSIVE for kind in kinds]
            polygons = [one.pixels for one in plane]
            filled = list(islice(patches, len(plane)))
            for kind, at, detail in fill_outlines(mask, polygons, filled, is_xor):
                self.add(kind, plane[at].number, detail=detail)
            return mask

        return fill

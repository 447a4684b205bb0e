"""Contours of the structure sets that were sent, in pixel coordinates of their slices.

Pixel coordinates here are those of a canvas: (0, 0) is the outer corner of the first pixel, (0.5,
0.5) its centre, so that a scale factor alone maps them onto a screen.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imaging.geometry.plane import Plane, Points
from imaging.pictures import edges_once
from imaging.rtstruct.reader import Contour, StructureSet, read_structure_set
from web.cases.slices import VolumeFile

_CORNER = 0.5
_FARTHEST_MM = 0.1
"""Largest distance of a contour from its image's plane; DS rounds to 0.01 mm at worst."""


@dataclass(frozen=True, slots=True)
class DrawnStructure:
    """A structure with its colour and the number of images that it is drawn on."""

    name: str
    color_rgb: tuple[int, int, int] | None
    interpreted_type: str
    images: int
    """Number of images that the structure is drawn on."""


@dataclass(frozen=True, slots=True)
class Line:
    """A polyline of a contour; closed if the last point equals the first."""

    structure: int
    """Index into `Overlay.structures`."""
    points: Points
    """(n, 2) as (column, row), the first pixel's outer corner at (0, 0)."""


Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
PlacedContour = tuple[int, Points]
"""Index into `Overlay.structures`, and the contour's points (n, 2) as in `Line.points`."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """All contours of a job's structure sets on the slices of its volume."""

    structures: tuple[DrawnStructure, ...]
    contours: dict[int, tuple[PlacedContour, ...]]
    """Contours by the index of their slice, from 0."""
    unplaced: int
    """Number of contours whose image is not among the slices, or that lie off its plane."""
    box: Box | None
    """Bounding box of all contours; None if there are none."""

    def count_images(self, structure: int, indices: Collection[int]) -> int:
        """Count the slices among `indices` that a structure is drawn on."""
        drawn = (self.contours.get(index, ()) for index in indices)
        return sum(any(one == structure for one, _ in placed) for placed in drawn)

    def lines(self, index: int) -> list[Line]:
        """The lines to draw on the slice `index`, without the bridges of keyholes."""
        placed = self.contours.get(index, ())
        return [Line(number, part) for number, points in placed for part in _lines(points)]


def read_overlay(paths: Sequence[Path], volume: VolumeFile) -> Overlay:
    """Read the structure sets in `paths` and place their contours on the slices of `volume`.

    Raises:
        ContourError: a file is no readable structure set.
    """
    sets = [read_structure_set(path) for path in paths]
    names = list(dict.fromkeys(roi.name for one in sets for roi in one.rois))
    contours: dict[int, list[PlacedContour]] = {}
    unplaced = 0
    of_instance: dict[str, list[int]] = {}
    for number, uid in enumerate(volume.sop_instance_uids):
        of_instance.setdefault(uid, []).append(number)
    for name, contour in _contours(sets):
        found = of_instance.get(contour.referenced_sop_instance_uid, [])
        index = _slice_of(contour, found, volume)
        if index is None:
            unplaced += 1
            continue
        pixels, _ = volume.planes[index].to_pixels(contour.points_mm)
        contours.setdefault(index, []).append((names.index(name), pixels + _CORNER))
    placed = {index: tuple(parts) for index, parts in contours.items()}
    return Overlay(tuple(_structures(sets, names, placed)), placed, unplaced, _box(placed))


def _contours(sets: Sequence[StructureSet]) -> Iterator[tuple[str, Contour]]:
    return ((roi.name, contour) for one in sets for roi in one.rois for contour in roi.contours)


def _slice_of(contour: Contour, found: Sequence[int], volume: VolumeFile) -> int | None:
    """The slice that a contour lies on, among `found`: the slices of its referenced instance."""
    if not found or not len(contour.points_mm):
        return None
    away = [_distance_mm(contour, volume.planes[index]) for index in found]
    nearest = int(np.argmin(away))
    return found[nearest] if away[nearest] <= _FARTHEST_MM else None


def _distance_mm(contour: Contour, plane: Plane) -> float:
    _, distances_mm = plane.to_pixels(contour.points_mm)
    return float(np.abs(distances_mm).max())


def _box(contours: dict[int, tuple[PlacedContour, ...]]) -> Box | None:
    every = [points.T for placed in contours.values() for _, points in placed]
    if not every:
        return None
    lowest = [min(float(points[axis].min()) for points in every) for axis in (0, 1)]
    highest = [max(float(points[axis].max()) for points in every) for axis in (0, 1)]
    return lowest[0], lowest[1], highest[0], highest[1]


def _lines(points: Points) -> Iterator[Points]:
    """Polylines of a contour without edges that it runs in both directions (keyhole bridges)."""
    once = edges_once(points)
    if not len(once):
        return
    follows = (once[:, 0] == np.roll(once[:, 1], 1, axis=0)).all(axis=1)
    starts = np.flatnonzero(~follows)
    if not len(starts):
        yield np.concatenate([once[:, 0], once[:1, 0]])
        return
    turned = np.roll(once, -int(starts[0]), axis=0)
    for run in np.split(turned, (starts[1:] - starts[0]).tolist()):
        yield np.concatenate([run[:, 0], run[-1:, 1]])


def _structures(
    sets: Sequence[StructureSet],
    names: Sequence[str],
    contours: dict[int, tuple[PlacedContour, ...]],
) -> Iterator[DrawnStructure]:
    rois = {roi.name: roi for one in sets for roi in one.rois}
    for number, name in enumerate(names):
        images = sum(any(one == number for one, _ in placed) for placed in contours.values())
        roi = rois[name]
        yield DrawnStructure(name, roi.color_rgb, roi.interpreted_type, images)

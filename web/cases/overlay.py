"""Contours over images: those of the structure sets that were sent, in pixels of their slices.

Pixel coordinates here are those of a canvas: (0, 0) is the outer corner of the first pixel and its
centre is (0.5, 0.5), so that a factor alone brings them onto a screen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imaging.geometry.plane import Plane, Points
from imaging.pictures import edges_once
from imaging.rtstruct.reader import Contour, StructureSet, read_structure_set
from web.cases.slices import VolumeFile

_CORNER = 0.5
_FARTHEST_MM = 0.1
"""A contour of ours lies on the plane of its image; DS rounds to a hundredth at worst."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A structure on a series."""

    name: str
    color_rgb: tuple[int, int, int] | None
    interpreted_type: str
    images: int
    """On how many of them it is drawn."""


@dataclass(frozen=True, slots=True)
class Line:
    """A part of a contour, from point to point; closed where the last point is the first."""

    structure: int
    """Its place among the structures."""
    points: Points
    """(n, 2) as (column, row), the first pixel's outer corner at (0, 0)."""


Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Placed = tuple[int, Points]
"""A structure's place among the structures, and its contour (n, 2) as `Line.points`."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """All contours of a job's structure sets on the slices of its volume."""

    structures: tuple[Drawn, ...]
    contours: dict[int, tuple[Placed, ...]]
    """By the number of the slice, from 0."""
    unplaced: int
    """Contours whose image is not among the slices, or on which they do not lie."""
    box: Box | None
    """Around all contours together; None where there is none."""

    def lines(self, index: int) -> list[Line]:
        """What is drawn on a slice; worked out when it is asked for."""
        placed = self.contours.get(index, ())
        return [Line(number, part) for number, points in placed for part in _lines(points)]


def read_overlay(paths: Sequence[Path], volume: VolumeFile) -> Overlay:
    """The contours in the files `paths` on the slices of `volume`.

    Raises:
        ContourError: a file is no readable structure set.
    """
    sets = [read_structure_set(path) for path in paths]
    names = list(dict.fromkeys(roi.name for one in sets for roi in one.rois))
    contours: dict[int, list[Placed]] = {}
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
    """Of the slices of the instance that a contour refers to, frames perhaps, the one it is on."""
    if not found or not len(contour.points_mm):
        return None
    away = [_distance_mm(contour, volume.planes[index]) for index in found]
    nearest = int(np.argmin(away))
    return found[nearest] if away[nearest] <= _FARTHEST_MM else None


def _distance_mm(contour: Contour, plane: Plane) -> float:
    _, distances_mm = plane.to_pixels(contour.points_mm)
    return float(np.abs(distances_mm).max())


def _box(contours: dict[int, tuple[Placed, ...]]) -> Box | None:
    every = [points.T for placed in contours.values() for _, points in placed]
    if not every:
        return None
    lowest = [min(float(points[axis].min()) for points in every) for axis in (0, 1)]
    highest = [max(float(points[axis].max()) for points in every) for axis in (0, 1)]
    return lowest[0], lowest[1], highest[0], highest[1]


def _lines(points: Points) -> Iterator[Points]:
    """A contour without what it runs along in both directions, the bridges of keyholes."""
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
    sets: Sequence[StructureSet], names: Sequence[str], contours: dict[int, tuple[Placed, ...]]
) -> Iterator[Drawn]:
    rois = {roi.name: roi for one in sets for roi in one.rois}
    for number, name in enumerate(names):
        images = sum(any(one == number for one, _ in placed) for placed in contours.values())
        roi = rois[name]
        yield Drawn(name, roi.color_rgb, roi.interpreted_type, images)

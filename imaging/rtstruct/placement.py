"""Placement of contours on instances of a series: by reference, else by position."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imaging.contours.findings import FindingKind
from imaging.geometry.plane import Plane, Points, plane_of
from imaging.instances.header import Header
from imaging.rtstruct.planes import one_plane_mm

Indices = npt.NDArray[np.intp]
_SAME_POSITION_MM = 0.01
_SAME_DIRECTION = 1e-4
_ON_PLANE_MM = 0.02
"""A contour this near was drawn for that plane: writers round to a hundredth at worst."""
_OFF_PLANE_MM = 0.1
"""Distance beyond which a contour placed by its reference gets a finding."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Item of a contour's ContourImageSequence (PS3.3 C.8.8.6)."""

    sop_instance_uid: str
    frame_number: int | None = None
    """ReferencedFrameNumber; None for the instance as a whole."""


@dataclass(frozen=True, slots=True)
class Place:
    """Instance of a contour, or the reason why there is none."""

    index: int | None
    """Index of the instance, in the order of the headers; None if the contour is not placed."""
    kind: FindingKind | None = None
    """Kind of finding; None if the contour lies on the instance that it refers to."""
    distance_mm: float = 0.0
    """Distance from the farthest point to the plane that decided."""
    detail: str = ""


class Placement:
    """Planes of a series, on which contours are placed."""

    def __init__(self, headers: Sequence[Header], tolerance_mm: float | None = None) -> None:
        """Prepare the planes of `headers`, in their order.

        Args:
            headers: images or frames.
            tolerance_mm: allowed distance of a contour from a plane; by default half the usual
                distance between slices plus the tolerance for points of one plane.

        Raises:
            GeometryError: an instance has no position in the patient.
        """
        self.planes: list[Plane] = [plane_of(header) for header in headers]
        self.uids = [header.sop_instance_uid for header in headers]
        self.numbers = _numbers(headers)
        self._index = {header.image: at for at, header in enumerate(headers)}
        self._frames_of = [header.frame_number for header in headers]
        self._multi_frame = {header.sop_instance_uid for header in headers if header.frame_number}
        self._frames = {header.frame_of_reference_uid for header in headers}
        normals = np.stack([plane.normal for plane in self.planes])
        self._normals, group = np.unique(normals, axis=0, return_inverse=True)
        self._group = group.reshape(-1)
        self._offsets_mm = np.array([plane.origin_mm @ plane.normal for plane in self.planes])
        steps = self._steps_mm()
        self.step_mm = float(np.median(steps))
        self.one_plane_mm = one_plane_mm(self.step_mm)
        self.tolerance_mm = self.step_mm / 2 + self.one_plane_mm
        if tolerance_mm is not None:
            self.tolerance_mm = tolerance_mm
        # a writer that averages the spacing is off by less than the largest gap
        self._reach_mm = max(float(steps.max()), self.tolerance_mm)

    def place(
        self, points_mm: Points, references: Sequence[Reference], frame_uid: str
    ) -> list[Place]:
        """Place a contour with points (n, 3) in LPS mm.

        A contour belongs to every instance that it refers to and lies on, that is, within the
        tolerance; or within the largest gap between slices if it is on no other instance's plane,
        since some writers average the spacing. Otherwise it belongs to the nearest instance within
        the tolerance, if this is unique; midway between two, to the first one along the normal.

        Returns:
            A place for each instance, or a single place with the reason why there is none.
        """
        low, high = self._extent_mm(points_mm)
        distances_mm = np.maximum(np.abs(low - self._offsets_mm), np.abs(high - self._offsets_mm))
        tried = [self._referenced(one, distances_mm, high - low) for one in references]
        if any(place.index is not None for place in tried):
            return tried
        if frame_uid and "" not in self._frames and frame_uid not in self._frames:
            detail = f"its frame of reference {frame_uid} is not the series'"
            return [Place(None, FindingKind.OTHER_FRAME, float(distances_mm.min()), detail)]
        by_default = Place(None, FindingKind.UNREFERENCED)
        return [self._nearest(distances_mm, (low, high), (tried or [by_default])[0])]

    def referenced(self, references: Sequence[Reference]) -> set[int]:
        """Indices of the instances that are referred to, regardless of position."""
        images = ((one.sop_instance_uid, one.frame_number) for one in references)
        return {self._index[image] for image in images if image in self._index}

    def _extent_mm(self, points_mm: Points) -> tuple[Points, Points]:
        """Lowest and highest position of a contour along each instance's normal, (instances,)."""
        along = points_mm @ self._normals.T
        return along.min(axis=0)[self._group], along.max(axis=0)[self._group]

    def _referenced(self, reference: Reference, distances_mm: Points, spread_mm: Points) -> Place:
        uid, frame = reference.sop_instance_uid, reference.frame_number
        if frame is None and uid in self._multi_frame:  # all of its frames
            return Place(None, FindingKind.UNREFERENCED, detail=f"no frame of instance {uid}")
        index = self._index.get((uid, frame), self._index.get((uid, None)))
        if index is None:
            return Place(None, FindingKind.DANGLING, detail=f"instance {uid} is not in the series")
        if frame not in (None, 1, self._frames_of[index]):
            detail = f"instance {uid} has no frame {frame}"
            return Place(None, FindingKind.DANGLING, detail=detail)
        distance_mm = float(distances_mm[index])
        is_elsewhere = distances_mm.min() <= _ON_PLANE_MM or spread_mm[index] > _OFF_PLANE_MM
        if distance_mm > self.tolerance_mm and (is_elsewhere or distance_mm > self._reach_mm):
            detail = f"instance {uid} is {distance_mm:.2f} mm away"
            return Place(None, FindingKind.CONTRADICTED, distance_mm, detail)
        if distance_mm <= _OFF_PLANE_MM:
            return Place(index, distance_mm=distance_mm)
        detail = f"{distance_mm:.2f} mm off instance {uid}"
        return Place(index, FindingKind.OFF_PLANE, distance_mm, detail)

    def _nearest(
        self, distances_mm: Points, extent_mm: tuple[Points, Points], tried: Place
    ) -> Place:
        nearest = int(distances_mm.argmin())
        distance_mm = float(distances_mm[nearest])
        before = f"{tried.detail}; " if tried.detail else ""
        instance = f"instance {self.uids[nearest]}, {distance_mm:.2f} mm away"
        if distance_mm > self.tolerance_mm:
            kind = self._reason_unplaced(extent_mm, nearest)
            limit = f"expected at most {self.tolerance_mm:.2f} mm"
            return Place(None, kind, distance_mm, f"{before}the nearest is {instance}, {limit}")
        near = np.flatnonzero(distances_mm <= distance_mm + _SAME_POSITION_MM)
        first = self._first_along_normal(near, nearest)
        if len(first) > 1:
            detail = f"{before}one is {instance}, and {len(first) - 1} more are as near"
            return Place(None, FindingKind.AMBIGUOUS, distance_mm, detail)
        if len(near) == 1:
            return Place(nearest, tried.kind, distance_mm, f"{before}placed on {instance}")
        detail = f"{before}{distance_mm:.2f} mm from both, placed on {self.uids[first[0]]}"
        return Place(int(first[0]), FindingKind.MIDWAY, distance_mm, detail)

    def _first_along_normal(self, near: Indices, nearest: int) -> Indices:
        """Instances at the first position along the normal; all of them if normals differ."""
        normal = self.planes[nearest].normal
        planes = [self.planes[index] for index in near]
        if any(plane.normal @ normal < 1 - _SAME_DIRECTION for plane in planes):
            return near
        offsets_mm = np.array([plane.origin_mm @ normal for plane in planes])
        first: Indices = near[offsets_mm <= offsets_mm.min() + _SAME_POSITION_MM]
        return first

    def _reason_unplaced(self, extent_mm: tuple[Points, Points], nearest: int) -> FindingKind:
        low, high = float(extent_mm[0][nearest]), float(extent_mm[1][nearest])
        if high - low > self.tolerance_mm:
            return FindingKind.TILTED
        offsets = self._offsets_mm[self._group == self._group[nearest]]
        if offsets.min() <= (low + high) / 2 <= offsets.max():
            return FindingKind.BETWEEN_SLICES
        return FindingKind.OUTSIDE_VOLUME

    def _steps_mm(self) -> Points:
        """Distances between neighbouring positions; the row spacing for a single position."""
        first = self.planes[0]
        along = np.sort([plane.origin_mm @ first.normal for plane in self.planes])
        steps: Points = np.diff(along)
        steps = steps[steps > _SAME_POSITION_MM]
        return steps if len(steps) else np.array([np.linalg.norm(first.row_step_mm)])


def _numbers(headers: Sequence[Header]) -> tuple[list[int], str]:
    """Numbers by which people identify the images: frame numbers, else InstanceNumber."""
    frames = [header.frame_number for header in headers if header.frame_number]
    if len(set(frames)) == len(headers):
        return frames, "frame"
    return [header.instance_number for header in headers], "InstanceNumber"

"""On which instance of a series a contour lies: by its reference, else by its position."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imaging.header import Header
from imaging.plane import Plane, Points, plane_of

_SAME_POSITION_MM = 0.01
_SLACK_MM = 1e-3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contour belongs, or why nowhere."""

    index: int | None
    """Of the instance, in the order of the headers."""
    by_position: bool
    """Whether the reference did not decide."""
    reason: str = ""
    """In words, where `index` is None."""


class Placement:
    """The planes of a series, ready to take contours."""

    def __init__(self, headers: Sequence[Header]) -> None:
        """For `headers`, in their order.

        Raises:
            GeometryError: an instance has no place in the patient.
        """
        self.planes: list[Plane] = [plane_of(header) for header in headers]
        self._headers = headers
        self._index = {header.sop_instance_uid: at for at, header in enumerate(headers)}
        self._frames = {header.frame_of_reference_uid for header in headers}
        self._normals = np.stack([plane.normal for plane in self.planes])
        self._offsets_mm = np.stack([plane.origin_mm @ plane.normal for plane in self.planes])
        self.tolerance_mm = self._half_spacing_mm()
        """How far from a plane a contour may be: half the usual distance between slices."""

    def place(self, points_mm: Points, referenced_uid: str, frame_uid: str) -> Place:
        """The instance of a contour (n, 3) LPS mm; the nearest where the reference does not fit."""
        referenced = self._index.get(referenced_uid)
        if referenced is not None:
            distance_mm = self._distances_mm(points_mm, slice(referenced, referenced + 1))
            if distance_mm[0] <= self.tolerance_mm:
                return Place(referenced, by_position=False)
        if frame_uid and "" not in self._frames and frame_uid not in self._frames:
            return Place(None, True, f"its frame of reference {frame_uid} is not the series'")
        return self._nearest(self._distances_mm(points_mm, slice(None)))

    def _distances_mm(self, points_mm: Points, instances: slice) -> Points:
        """How far the farthest point is from the plane of each instance, (instances,)."""
        along = points_mm @ self._normals[instances].T - self._offsets_mm[instances]
        farthest: Points = np.abs(along).max(axis=0)
        return farthest

    def _nearest(self, distances_mm: Points) -> Place:
        nearest = int(distances_mm.argmin())
        distance_mm = float(distances_mm[nearest])
        uid = self._headers[nearest].sop_instance_uid
        if distance_mm > self.tolerance_mm:
            return Place(
                None,
                True,
                f"the nearest instance {uid} is {distance_mm:.2f} mm away, expected at most "
                f"{self.tolerance_mm:.2f} mm",
            )
        count = int((distances_mm <= distance_mm + _SAME_POSITION_MM).sum())
        if count > 1:
            return Place(
                None, True, f"{count} instances such as {uid} lie {distance_mm:.2f} mm away"
            )
        return Place(nearest, by_position=True)

    def _half_spacing_mm(self) -> float:
        first = self.planes[0]
        along = np.sort([plane.origin_mm @ first.normal for plane in self.planes])
        steps = np.diff(along)
        steps = steps[steps > _SAME_POSITION_MM]
        spacing = np.median(steps) if len(steps) else np.linalg.norm(first.row_step_mm)
        return float(spacing) / 2 + _SLACK_MM

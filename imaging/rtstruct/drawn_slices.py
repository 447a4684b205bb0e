"""Slices of a series on which it is unknown whether a structure is present."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from imaging.geometry.plane import Points
from imaging.rtstruct.placement import Placement

_Indices = npt.NDArray[np.intp]
_SAME_DIRECTION = 1e-4
_MOST_RUNS = 10


@dataclass(frozen=True, slots=True)
class Unknown:
    """Indices of the instances on which a structure may or may not be present.

    On all other instances without a contour, the structure is known to be absent.
    """

    skipped: frozenset[int] = frozenset()
    """Slices between drawn ones; if only every n-th is drawn, also n - 1 beyond either end."""
    undecided: frozenset[int] = frozenset()
    """Slices with unfilled contours, phases without contours, images in another direction."""


@dataclass(slots=True)
class DrawnSlices:
    """Record of where the contours of one structure are."""

    placement: Placement
    plane_spacing_mm: float | None = None
    """Spacing of the source pixel planes: a plane without contour means that the structure is
    absent there (PS3.3 C.8.8.6.4). None if the file does not state it."""
    filled: set[int] = field(default_factory=set)
    """Instances with contours that can be filled."""
    unfilled: set[int] = field(default_factory=set)
    """Instances with a contour that cannot be filled."""
    unplaced: list[Points] = field(default_factory=list)
    """Points (n, 3) LPS mm of contours between instances, or beyond the first or last one."""
    crossing: list[Points] = field(default_factory=list)
    """Points (n, 3) LPS mm of contours that lie on instances, but belong to none."""
    is_elsewhere: bool = False
    """True if the structure also has contours whose position is unknown."""

    def unknown(self) -> Unknown:
        """Slices on which the structure is unknown; empty if it has no contours at all."""
        drawn = self.filled | self.unfilled
        if not drawn:
            return Unknown()
        planes = self.placement.planes
        normal = planes[min(drawn)].normal
        along = np.array([plane.normal @ normal for plane in planes]) > 1 - _SAME_DIRECTION
        positions_mm = np.array([plane.origin_mm @ normal for plane in planes])
        rows = _Rows(np.flatnonzero(along), positions_mm, self.placement.one_plane_mm)
        skipped = self._skipped(rows, normal)
        undecided = set(np.flatnonzero(~along).tolist()) | self._other_phases(rows)
        undecided |= self._near(self.unplaced, rows, normal)
        if self.is_elsewhere:
            undecided |= set(rows.members.tolist())
        undecided -= self.filled
        undecided |= self.unfilled | self._near(self.crossing, rows, normal)
        return Unknown(frozenset(skipped - undecided), frozenset(undecided))

    def _skipped(self, rows: "_Rows", normal: Points) -> set[int]:
        drawn_mm = np.array([rows.positions_mm[at] for at in self.filled | self.unfilled])
        also = [points @ normal for points in (*self.unplaced, *self.crossing)]
        first, last = (
            pick([pick(drawn_mm), *(pick(one) for one in also)]) for pick in (np.min, np.max)
        )
        places = np.unique(rows.place_of(sorted(self.filled | self.unfilled)))
        gaps = np.sort(np.diff(places)).tolist()
        beyond = gaps[(len(gaps) - 1) // 2] - 1 if gaps else 0  # the median gap
        place = rows.place_of(rows.members)
        at_mm = rows.positions_mm[rows.members]
        is_near = (place >= places[0] - beyond) & (place <= places[-1] + beyond)
        is_skipped = ((first < at_mm) & (at_mm < last)) | is_near
        is_skipped &= ~np.isin(place, places)
        if self.plane_spacing_mm is not None:
            away_mm = np.abs(at_mm[:, np.newaxis] - drawn_mm).min(axis=1)
            is_skipped &= away_mm <= self.plane_spacing_mm / 2 + self.placement.one_plane_mm
        return set(rows.members[is_skipped].tolist())

    def _near(self, contours: Sequence[Points], rows: "_Rows", normal: Points) -> set[int]:
        """Slices within the tolerance of `contours`."""
        reach_mm = self.placement.tolerance_mm
        at_mm = rows.positions_mm[rows.members]
        found: set[int] = set()
        for points in contours:
            low, high = (points @ normal).min() - reach_mm, (points @ normal).max() + reach_mm
            found |= set(rows.members[(low <= at_mm) & (at_mm <= high)].tolist())
        return found

    def _other_phases(self, rows: "_Rows") -> set[int]:
        """Images without contours at positions where another phase has contours."""
        drawn = self.filled | self.unfilled
        places = rows.place_of(rows.members)
        others = np.array([at not in drawn for at in rows.members.tolist()])
        drawn_places = rows.place_of(sorted(drawn))
        if not np.isin(places[others], drawn_places).any():
            return set()
        is_one_of_several = np.bincount(places)[places] > 1
        return set(rows.members[others & is_one_of_several].tolist())


class _Rows:
    """Instances of one direction, by their position along the normal."""

    def __init__(self, members: _Indices, positions_mm: Points, tolerance_mm: float) -> None:
        self.members = members
        self.positions_mm = positions_mm
        order = members[np.argsort(positions_mm[members], kind="stable")]
        is_next = np.diff(positions_mm[order], prepend=-np.inf) > tolerance_mm
        self._place = np.zeros(len(positions_mm), dtype=np.intp)
        self._place[order] = np.cumsum(is_next)

    def place_of(self, indices: Sequence[int] | _Indices) -> _Indices:
        """Number of each instance's position, counted from 0."""
        places: _Indices = self._place[np.asarray(indices, dtype=np.intp)]
        return places


def describe_slices(instances: Collection[int], numbers: Sequence[int], what: str) -> str:
    """Describe slices by count and numbers: "3 of 20 slices, InstanceNumber 4 to 6".

    `what` says what `numbers` are. Numbers are left out if they are not unique; at most ten runs
    are given.
    """
    words = f"{len(instances)} of {len(numbers)} slices"
    if len(set(numbers)) < len(numbers):
        return words
    runs: list[list[int]] = []
    for number in sorted(numbers[index] for index in instances):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [str(one[0]) if len(one) == 1 else f"{one[0]} to {one[-1]}" for one in runs]
    more = f" and {len(parts) - _MOST_RUNS} more" if len(parts) > _MOST_RUNS else ""
    return f"{words}, {what} {', '.join(parts[:_MOST_RUNS])}{more}"

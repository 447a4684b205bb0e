"""Check whether random training crops can reach all annotated pixels of the images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from model.data.samples import Masks, SampleEntry, SampleSource
from model.inference.grid import WorkingGrid, working_size

_MOST_IMAGES = 1000
"""Images checked at most, evenly spread: reading a large data set takes as long as an epoch."""
Offsets = npt.NDArray[np.float64]
"""Distances of annotated pixels from an image's centre, `(n, 2)` as rows and columns, >= 0."""


@dataclass(frozen=True, slots=True)
class CropCoverage:
    """Reach of crops of `crop` rows and columns, shifted by at most `shift` pixels each way.

    Random scaling is ignored: crops of a shrunk image see more, of an enlarged one less. As crops
    are rotated at random, only a disc of half the shorter side is covered by each of them.
    """

    crop: tuple[int, int]
    shift: float

    @property
    def radius(self) -> float:
        """Radius in pixels of the disc that a crop covers at any rotation."""
        return min(self.crop) / 2

    def shift_for(self, offsets: Offsets) -> int:
        """Smallest whole shift in pixels that reaches all of `offsets`."""
        least, most = -1, math.ceil(float(offsets.max(initial=0.0)))
        while most - least > 1:
            middle = (least + most) // 2
            least, most = (least, middle) if self._covers(offsets, middle) else (middle, most)
        return most

    def misses(self, offsets: Offsets) -> bool:
        """True if at least one of `offsets` is out of reach."""
        return not self._covers(offsets, self.shift)

    def _covers(self, offsets: Offsets, shift: float) -> bool:
        beyond = np.maximum(offsets - shift, 0.0)
        return bool((np.hypot(beyond[:, 0], beyond[:, 1]) <= self.radius).all())


def coverage_warning(
    source: SampleSource, entries: Sequence[SampleEntry], grid: WorkingGrid, coverage: CropCoverage
) -> str:
    """Warning for the user if annotated pixels of `entries` are out of reach, else "".

    Masks are read only of images whose corners are out of reach.

    Raises:
        LearningDataError: an image cannot be read.
    """
    looked_at = _spread(entries)
    missed: list[SampleEntry] = []
    needed = 0
    for entry in looked_at:
        offsets = _drawn_offsets(source, entry, grid, coverage)
        if coverage.misses(offsets):
            missed.append(entry)
            needed = max(needed, coverage.shift_for(offsets))
    return _sentence(missed, looked_at, coverage, needed) if missed else ""


def _drawn_offsets(
    source: SampleSource, entry: SampleEntry, grid: WorkingGrid, coverage: CropCoverage
) -> Offsets:
    """Offsets of the pixels of any structure; empty if the whole image is in reach."""
    corner = np.ones((1, *entry.shape), np.bool_)
    corner[:, 1:-1, 1:-1] = False
    if not coverage.misses(offsets_of(corner, entry, grid)):
        return np.empty((0, 2))
    return offsets_of(source.read(entry).masks, entry, grid)


def offsets_of(masks: Masks, entry: SampleEntry, grid: WorkingGrid) -> Offsets:
    """Offsets from the centre of the pixels of `masks` [structure, row, column], on `grid`."""
    size = entry.shape
    if grid.spacing_mm is not None:
        size = working_size(entry.shape, entry.pixel_spacing_mm, grid.spacing_mm)
    padded = np.array([max(one + -one % grid.stride, 2 * grid.stride) for one in size])
    middles = np.argwhere(masks.any(axis=0)) + 0.5
    found: Offsets = np.abs(middles * size / entry.shape - padded / 2)
    return found


def _spread(entries: Sequence[SampleEntry]) -> list[SampleEntry]:
    """At most `_MOST_IMAGES` of `entries`, evenly spread."""
    bounds = np.linspace(0, len(entries), min(len(entries), _MOST_IMAGES) + 1).astype(int)
    return [entries[first] for first, _ in pairwise(bounds)]


def _sentence(
    missed: Sequence[SampleEntry],
    looked_at: Sequence[SampleEntry],
    coverage: CropCoverage,
    needed: int,
) -> str:
    def patients(entries: Sequence[SampleEntry]) -> int:
        return len({entry.patient for entry in entries})

    rows, columns = coverage.crop
    return (
        f"{len(missed)} of {len(looked_at)} images ({patients(missed)} of {patients(looked_at)} "
        f"patients) have drawn pixels that crops of {rows} x {columns} pixels, shifted by at most "
        f"{coverage.shift:g} from the image's centre, reach rarely or never: "
        f"--shift {needed} or larger crops (--input_shape) reach all"
    )

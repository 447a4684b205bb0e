"""Whether training crops come to all that was drawn, or leave the sides of large images unseen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from model.data.samples import Masks, SampleEntry, SampleSource
from model.inference.grid import WorkingGrid, working_size

_MOST_IMAGES = 1000
"""So many are looked at, evenly spread: a pass over a large data set takes as long as an epoch."""
Offsets = npt.NDArray[np.float64]
"""Distance of drawn pixels from an image's middle, `(n, 2)` as rows and columns, >= 0."""


@dataclass(frozen=True, slots=True)
class CropCoverage:
    """How far crops come: `crop` rows and columns, shifted by at most `shift` pixels each way.

    What counts is the images' own size: crops that shrink an image see more, others less. As
    crops are turned at random, half of the shorter side is what every one of them covers.
    """

    crop: tuple[int, int]
    shift: float

    @property
    def radius(self) -> float:
        """Pixels about its middle that a crop covers however it is turned."""
        return min(self.crop) / 2

    def shift_for(self, offsets: Offsets) -> int:
        """Least whole shift with which all of `offsets` are reached."""
        least, most = -1, math.ceil(float(offsets.max(initial=0.0)))
        while most - least > 1:
            middle = (least + most) // 2
            least, most = (least, middle) if self._covers(offsets, middle) else (middle, most)
        return most

    def misses(self, offsets: Offsets) -> bool:
        """Whether one of `offsets` is not reached."""
        return not self._covers(offsets, self.shift)

    def _covers(self, offsets: Offsets, shift: float) -> bool:
        beyond = np.maximum(offsets - shift, 0.0)
        return bool((np.hypot(beyond[:, 0], beyond[:, 1]) <= self.radius).all())


def unreached(
    source: SampleSource, entries: Sequence[SampleEntry], grid: WorkingGrid, coverage: CropCoverage
) -> str:
    """One sentence where drawn pixels of `entries` are out of `coverage`; empty where none is.

    Masks are read of those images alone whose corners are out of reach.

    Raises:
        LearningDataError: one of them cannot be read.
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
    """Of the pixels that any structure has; none where the whole image is in reach."""
    corner = np.ones((1, *entry.shape), np.bool_)
    corner[:, 1:-1, 1:-1] = False
    if not coverage.misses(offsets_of(corner, entry, grid)):
        return np.empty((0, 2))
    return offsets_of(source.read(entry).masks, entry, grid)


def offsets_of(masks: Masks, entry: SampleEntry, grid: WorkingGrid) -> Offsets:
    """How far the pixels of `masks` [structure, row, column] are from the middle, on `grid`."""
    size = entry.shape
    if grid.spacing_mm is not None:
        size = working_size(entry.shape, entry.pixel_spacing_mm, grid.spacing_mm)
    padded = np.array([max(one + -one % grid.stride, 2 * grid.stride) for one in size])
    middles = np.argwhere(masks.any(axis=0)) + 0.5
    found: Offsets = np.abs(middles * size / entry.shape - padded / 2)
    return found


def _spread(entries: Sequence[SampleEntry]) -> list[SampleEntry]:
    """All, or `_MOST_IMAGES` of them."""
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
        f"{coverage.shift:g} from the image's middle, show never or by lucky turns and scales "
        f"only: --shift {needed} reaches all, as do larger crops (--input_shape)"
    )

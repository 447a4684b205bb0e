"""Drawn images: what a network learns from and is measured against."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Sample:
    """One instance with the structures that somebody drew on it."""

    key: str
    """`<patient>/<number>`: the data set's own key, never a patient's name."""
    patient: str
    image: npt.NDArray[np.float32]
    """[row, column], rescaled values."""
    pixel_spacing_mm: tuple[float, float]
    """Distance between rows, then between columns."""
    masks: npt.NDArray[np.bool_]
    """[structure, row, column]."""
    known: tuple[bool, ...]
    """For each structure whether it was drawn here; what is unknown neither trains nor counts."""
    sources: tuple[Path, ...]
    """The files it was read from: the instance, then its contours."""


@dataclass(frozen=True, slots=True)
class Defect:
    """Something in a data set that was left out, and why."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Collection:
    """The samples of a data set, and what was left out of it."""

    structures: tuple[str, ...]
    samples: tuple[Sample, ...]
    defects: tuple[Defect, ...]

    @property
    def patients(self) -> tuple[str, ...]:
        """Keys of the patients, sorted."""
        return tuple(sorted({sample.patient for sample in self.samples}))

    def of_patients(self, patients: frozenset[str] | set[str]) -> "Collection":
        """The part of the collection that belongs to `patients`."""
        samples = tuple(sample for sample in self.samples if sample.patient in patients)
        defects = tuple(one for one in self.defects if one.key.split("/")[0] in patients)
        return Collection(self.structures, samples, defects)

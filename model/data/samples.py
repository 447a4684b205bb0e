"""Samples: images with hand-drawn masks, to train a network on and measure it against."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from model.inference.structure import Structure

Image = npt.NDArray[np.float32]
Masks = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SampleEntry:
    """Keys, shape, spacing and digest of one instance, without its pixels."""

    key: str
    """`<patient>/<number>`: the data set's own key, never a patient's name."""
    patient: str
    series: str
    """Key of its series in the data set."""
    index: int
    """Index of the instance in its series."""
    shape: tuple[int, int]
    """Rows and columns."""
    pixel_spacing_mm: tuple[float, float]
    """Distance between rows, then between columns."""
    known: tuple[bool, ...]
    """For each structure, True if drawn here; others neither train nor count in measurements."""
    modality: str
    digest: str
    """SHA-256 over image, masks, known structures and spacing, as `digest_of`."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One instance with the masks drawn on it."""

    entry: SampleEntry
    image: Image
    """[row, column], rescaled values."""
    masks: Masks
    """[structure, row, column]."""

    @property
    def key(self) -> str:
        """`<patient>/<number>`."""
        return self.entry.key

    @property
    def patient(self) -> str:
        """The patient's key."""
        return self.entry.patient

    @property
    def pixel_spacing_mm(self) -> tuple[float, float]:
        """Distance between rows, then between columns."""
        return self.entry.pixel_spacing_mm

    @property
    def known(self) -> tuple[bool, ...]:
        """For each structure, True if it was drawn on this instance."""
        return self.entry.known


@dataclass(frozen=True, slots=True)
class Defect:
    """Instance or series that was left out of a data set, with the reason."""

    key: str
    reason: str


class SampleSource(Protocol):
    """Source of samples: an HDF5 data set, or a folder that is read directly.

    A source can be pickled to other processes (`torch` workers), which read on their own.
    """

    @property
    def structures(self) -> tuple[Structure, ...]:
        """Structures, in the order of the masks."""

    @property
    def patients(self) -> tuple[str, ...]:
        """Keys of the patients that have samples, sorted."""

    @property
    def defects(self) -> tuple[Defect, ...]:
        """Instances and series that were left out."""

    def samples(self, patients: Collection[str] | None = None) -> tuple[SampleEntry, ...]:
        """Entries of `patients`, or of all patients, in a fixed order; no pixels are read."""

    def read(self, entry: SampleEntry) -> Sample:
        """Read the image and masks of one instance.

        Raises:
            LearningDataError: the instance cannot be read.
        """


class SampleEntries:
    """Base of sources that hold all entries in memory; subclasses add `read`."""

    def __init__(
        self,
        structures: Iterable[Structure],
        entries: Iterable[SampleEntry],
        defects: Iterable[Defect],
    ) -> None:
        self.structures, self.defects = tuple(structures), tuple(defects)
        self._entries = tuple(entries)

    @property
    def patients(self) -> tuple[str, ...]:
        """Keys of the patients, sorted."""
        return patients_of(self._entries)

    def samples(self, patients: Collection[str] | None = None) -> tuple[SampleEntry, ...]:
        """Entries of `patients`, or of all patients; no pixels are read."""
        return tuple(one for one in self._entries if patients is None or one.patient in patients)


class SamplesInMemory(SampleEntries):
    """Source that holds all samples in memory, for small folders."""

    def __init__(
        self, structures: Sequence[Structure], samples: Iterable[Sample], defects: Iterable[Defect]
    ) -> None:
        self._samples = {sample.key: sample for sample in samples}
        super().__init__(structures, (one.entry for one in self._samples.values()), defects)

    def read(self, entry: SampleEntry) -> Sample:
        """Sample of `entry`, already in memory."""
        return self._samples[entry.key]


def patients_of(entries: Iterable[SampleEntry]) -> tuple[str, ...]:
    """Keys of the patients of `entries`, sorted."""
    return tuple(sorted({entry.patient for entry in entries}))


def digest_of(
    image: Image, masks: Masks, known: Sequence[bool], pixel_spacing_mm: Sequence[float]
) -> str:
    """SHA-256 over an instance's contents, independent of how they are stored.

    Hashed in this order, little-endian: shape of `masks` (three int64), `pixel_spacing_mm` (two
    float64), `known` and `masks` (uint8), `image` (float32).
    """
    digest = hashlib.sha256(np.array(masks.shape, "<i8").tobytes())
    digest.update(np.array(pixel_spacing_mm, "<f8").tobytes())
    digest.update(np.array(known, np.uint8).tobytes())
    digest.update(np.ascontiguousarray(masks, np.uint8).data)
    digest.update(np.ascontiguousarray(image, "<f4").data)
    return digest.hexdigest()


def fingerprint(entries: Iterable[SampleEntry]) -> str:
    """SHA-256 over keys and digests of `entries`, sorted by key: identifies the data."""
    digest = hashlib.sha256()
    for entry in sorted(entries, key=lambda one: one.key):
        digest.update(entry.key.encode() + b"\x00" + bytes.fromhex(entry.digest))
    return digest.hexdigest()

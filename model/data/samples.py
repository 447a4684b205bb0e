"""Drawn images: what a network learns from and is measured against, wherever they lie."""

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
    """What is known of one instance without its pixels."""

    key: str
    """`<patient>/<number>`: the data set's own key, never a patient's name."""
    patient: str
    series: str
    """The data set's key of its series."""
    index: int
    """Its place in the series."""
    shape: tuple[int, int]
    """Rows and columns."""
    pixel_spacing_mm: tuple[float, float]
    """Distance between rows, then between columns."""
    known: tuple[bool, ...]
    """For each structure whether it was drawn here; what is unknown neither trains nor counts."""
    modality: str
    digest: str
    """SHA-256 over image, masks, what is known and spacing, as `digest_of` takes it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One instance with the structures that somebody drew on it."""

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
        """For each structure whether it was drawn here."""
        return self.entry.known


@dataclass(frozen=True, slots=True)
class Defect:
    """Something in a data set that was left out, and why."""

    key: str
    reason: str


class SampleSource(Protocol):
    """Where samples come from: a data set in HDF5, or folders read directly.

    It may be handed to other processes (`torch` workers), which then read by themselves.
    """

    @property
    def structures(self) -> tuple[Structure, ...]:
        """What is drawn, in the order of the masks."""

    @property
    def patients(self) -> tuple[str, ...]:
        """Keys of the patients that have samples, sorted."""

    @property
    def defects(self) -> tuple[Defect, ...]:
        """What was left out."""

    def samples(self, patients: Collection[str] | None = None) -> tuple[SampleEntry, ...]:
        """The instances of `patients`, or of all, in a fixed order; no pixels are read."""

    def read(self, entry: SampleEntry) -> Sample:
        """One instance with its pixels; raises LearningDataError where they cannot be read."""


class SampleEntries:
    """The part of a source that needs no pixels; `read` is for each kind of source to add."""

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
        """The instances of `patients`, or of all; no pixels are read."""
        return tuple(one for one in self._entries if patients is None or one.patient in patients)


class SamplesInMemory(SampleEntries):
    """A source that holds its samples: for small folders."""

    def __init__(
        self, structures: Sequence[Structure], samples: Iterable[Sample], defects: Iterable[Defect]
    ) -> None:
        self._samples = {sample.key: sample for sample in samples}
        super().__init__(structures, (one.entry for one in self._samples.values()), defects)

    def read(self, entry: SampleEntry) -> Sample:
        """One instance."""
        return self._samples[entry.key]


def patients_of(entries: Iterable[SampleEntry]) -> tuple[str, ...]:
    """Keys of the patients, sorted."""
    return tuple(sorted({entry.patient for entry in entries}))


def digest_of(
    image: Image, masks: Masks, known: Sequence[bool], pixel_spacing_mm: Sequence[float]
) -> str:
    """SHA-256 over an instance's contents, the same however and wherever it is stored.

    In this order, little-endian: shape of `masks` (three int64), `pixel_spacing_mm` (two float64),
    `known` and `masks` (uint8), `image` (float32).
    """
    digest = hashlib.sha256(np.array(masks.shape, "<i8").tobytes())
    digest.update(np.array(pixel_spacing_mm, "<f8").tobytes())
    digest.update(np.array(known, np.uint8).tobytes())
    digest.update(np.ascontiguousarray(masks, np.uint8).data)
    digest.update(np.ascontiguousarray(image, "<f4").data)
    return digest.hexdigest()


def fingerprint(entries: Iterable[SampleEntry]) -> str:
    """SHA-256 over keys and contents of `entries`, in order of their keys: which data it was."""
    digest = hashlib.sha256()
    for entry in sorted(entries, key=lambda one: one.key):
        digest.update(entry.key.encode() + b"\x00" + bytes.fromhex(entry.digest))
    return digest.hexdigest()

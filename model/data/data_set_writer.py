"""Writer of HDF5 data sets (docs/data_sets.md), patient by patient.

Each patient is first written to a data set of its own, a part; `merge` then copies the parts'
compressed chunks into one file. So several processes can write at once, and an interrupted run
loses no patient that was finished.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from core.errors import LearningDataError
from imaging.hdf5.volume_file import fixed_texts
from imaging.instances.read_errors import BROKEN_HDF5
from model.data.annotated_images import AnnotatedImage, SeriesKey
from model.data.data_set_file import FORMAT, message_of, open_data_set
from model.data.whole_file import whole_hdf5
from model.inference.structure import Structure


@dataclass(slots=True)
class _Rows:
    """Values of a series that are written once it is complete, one entry per instance."""

    numbers: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    known: list[tuple[bool, ...]] = field(default_factory=list)
    spacings: list[tuple[float, float]] = field(default_factory=list)


class PatientWriter:
    """Writer of one patient's instances, one by one; made by `write_patient`."""

    def __init__(self, file: Any, patient: str, structures: Sequence[Structure]) -> None:
        self._group = file.create_group(f"patients/{patient}")
        self._reports = file.require_group("reports")
        self._patient, self._structures = patient, len(structures)
        self._rows: dict[str, _Rows] = {}
        self._numbers: set[str] = set()

    def add(self, series: SeriesKey, annotated: AnnotatedImage) -> None:
        """Append one instance; images of another shape go to a separate series.

        Raises:
            LearningDataError: the masks' shape differs, or the number exists already.
        """
        shape = (self._structures, *annotated.image.shape)
        if annotated.masks.shape != shape or annotated.number in self._numbers:
            raise LearningDataError(
                f"{self._patient}/{annotated.number}: masks {annotated.masks.shape}, "
                f"expected {shape}, each number once"
            )
        self._numbers.add(annotated.number)
        group, rows = self._series(series, annotated.image.shape)
        for name, values in (("images", annotated.image), ("masks", annotated.masks)):
            group[name].resize(len(rows.numbers) + 1, axis=0)
            group[name][-1] = values
        rows.numbers.append(annotated.number)
        rows.known.append(annotated.known)
        rows.spacings.append(annotated.pixel_spacing_mm)
        rows.digests.append(annotated.digest())

    def report(self, values: Mapping[str, Any]) -> None:
        """Store the preparation report of the patient as JSON."""
        self._reports[self._patient] = np.bytes_(json.dumps(values).encode())

    def finish(self) -> None:
        """Write numbers, digests, known structures and pixel spacings of all instances."""
        for name, rows in self._rows.items():
            group = self._group[name]
            group["numbers"] = fixed_texts(rows.numbers)
            group["digests"] = fixed_texts(rows.digests)
            group["known"] = np.array(rows.known, np.bool_)
            group["pixel_spacing_mm"] = np.array(rows.spacings, np.float64)
        if not self._rows:
            del self._group.parent[self._patient]

    def _series(self, series: SeriesKey, shape: tuple[int, ...]) -> tuple[Any, _Rows]:
        name = series.name
        if name in self._rows and self._group[name]["images"].shape[1:] != shape:
            name = f"{name}-{shape[0]}x{shape[1]}"
        if name not in self._rows:
            self._rows[name] = _Rows()
            group = self._group.create_group(name)
            group.attrs.update({"modality": series.modality, "source": series.source})
            _create(group, "images", shape, np.float32)
            _create(group, "masks", (self._structures, *shape), np.uint8)
        return self._group[name], self._rows[name]


@contextmanager
def write_patient(
    path: Path, patient: str, structures: Sequence[Structure]
) -> Iterator[PatientWriter]:
    """Writer of a data set of one patient; the file `path` appears if the block does not raise.

    Raises:
        OSError: the disk is full, read-only or missing.
    """
    with whole_hdf5(path) as file:
        _write_root(file, structures)
        writer = PatientWriter(file, patient, structures)
        yield writer
        writer.finish()


@dataclass(frozen=True, slots=True)
class Merged:
    """Outcome of `merge`, as keys of patients."""

    added: tuple[str, ...]
    same: tuple[str, ...]
    """In the data set before, with the same content."""
    other: tuple[str, ...]
    """In the data set before with other content, which was kept."""


def merge(path: Path, parts: Sequence[Path], *, replace: bool = False) -> Merged:
    """Add the patients of `parts` to the data set `path`; the new file replaces it by a rename.

    Args:
        path: the data set, created if missing.
        parts: files of `write_patient`, all with the same structures as the data set.
        replace: True if patients with other content replace those in the data set.

    Raises:
        LearningDataError: the data set or a part is damaged, or structures differ.
        OSError: the disk is full, read-only or missing.
    """
    there = contents_of(path) if path.exists() else {}
    found = {part: contents_of(part) for part in parts}
    structures = _common_structures([*([path] if path.exists() else []), *parts])
    same = [key for one in found.values() for key in one if there.get(key) == one[key]]
    other = [key for one in found.values() for key in one if key in there and key not in same]
    chosen = {
        part: [key for key in one if key not in there or (replace and key in other)]
        for part, one in found.items()
    }
    with whole_hdf5(path, path if path.exists() else None) as file:
        _write_root(file, structures)
        for part, keys in chosen.items():
            _take(file, part, keys)
    added = {key for keys in chosen.values() for key in keys}
    return Merged(*(tuple(sorted(keys)) for keys in (added, same, set(other) - added)))


def contents_of(path: Path) -> dict[str, tuple[str, ...]]:
    """Keys and digests of the instances of each patient of a data set, sorted.

    Raises:
        LearningDataError: the file is damaged or of another format.
    """
    contents: dict[str, list[str]] = {}
    for entry in open_data_set(path).samples():
        contents.setdefault(entry.patient, []).append(f"{entry.key} {entry.digest}")
    return {patient: tuple(sorted(lines)) for patient, lines in contents.items()}


def prepared_by() -> str:
    """Name and version of this program, as written to data sets."""
    try:
        return f"Slicewire {version('slicewire')}"
    except PackageNotFoundError:
        return "Slicewire"


def _common_structures(paths: Sequence[Path]) -> tuple[Structure, ...]:
    structures = [open_data_set(path).structures for path in paths]
    if not structures or any(one != structures[0] for one in structures):
        raise LearningDataError(
            f"{len(paths)} data sets to join with {len(set(structures))} lists of structures, "
            "expected one"
        )
    return structures[0]


def _take(file: Any, part: Path, patients: Sequence[str]) -> None:
    """Copy patients and their reports, as compressed chunks, over those in `file`."""
    try:
        with h5py.File(part, "r") as source:
            names = [f"patients/{key}" for key in patients]
            # a patient that is kept keeps its report too
            reports = [key for key in source["reports"] if key not in file["patients"]]
            names += [f"reports/{key}" for key in {*reports, *patients}]
            for name in (name for name in names if name in source):
                if name in file:
                    del file[name]
                source.copy(name, file, name)
    except BROKEN_HDF5 as error:
        raise LearningDataError(f"{part.name}: cannot be joined ({message_of(error)})") from error


def _write_root(file: Any, structures: Sequence[Structure]) -> None:
    file.attrs["format"] = FORMAT
    file.attrs["structures"] = json.dumps([asdict(one) for one in structures])
    file.attrs["prepared_by"] = prepared_by()
    for name in ("patients", "reports"):
        file.require_group(name)


def _create(group: Any, name: str, shape: tuple[int, ...], dtype: Any) -> None:
    group.create_dataset(
        name,
        shape=(0, *shape),
        maxshape=(None, *shape),
        dtype=dtype,
        chunks=(1, *shape),
        compression="lzf",
        shuffle=dtype is np.float32,
        fletcher32=True,
    )

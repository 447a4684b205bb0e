"""Reader of HDF5 data sets (docs/data_sets.md): entries at once, pixels on demand."""

import json
import os
import weakref
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from core.errors import LearningDataError
from imaging.instances.read_errors import BROKEN_HDF5
from model.data.samples import Defect, Sample, SampleEntries, SampleEntry
from model.inference.structure import Structure

FORMAT = "slicewire-dataset-1"


class DataSetFile(SampleEntries):
    """Samples in an HDF5 data set; made by `open_data_set`, usable in several processes."""

    def __init__(
        self,
        path: Path,
        structures: tuple[Structure, ...],
        entries: tuple[SampleEntry, ...],
        defects: tuple[Defect, ...],
    ) -> None:
        super().__init__(structures, entries, defects)
        self.path = path
        self._connect()

    def read(self, entry: SampleEntry) -> Sample:
        """Read the image and masks of one instance.

        Raises:
            LearningDataError: the file is damaged or missing.
        """
        try:
            images, masks = self._handle.series(f"patients/{entry.patient}/{entry.series}")
            return Sample(entry, images[entry.index], masks[entry.index].astype(np.bool_))
        except BROKEN_HDF5 as error:
            raise LearningDataError(
                f"{self.path.name}: instance {entry.key} cannot be read ({message_of(error)})"
            ) from error

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_handle"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._connect()

    def _connect(self) -> None:
        self._handle = handle = _Handle(self.path)
        # HDF5 must not see an open file on both sides of a fork: workers would share its position
        os.register_at_fork(before=partial(_close, weakref.ref(handle)))


class _Handle:
    """An HDF5 file that is opened at the first read and closed before a fork."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None
        self._series: dict[str, tuple[Any, Any]] = {}

    def series(self, name: str) -> tuple[Any, Any]:
        """HDF5 data sets of the images and masks of the series `name`."""
        if self._file is None:
            self._file = h5py.File(self._path, "r")
        if name not in self._series:
            group = self._file[name]
            self._series[name] = group["images"], group["masks"]
        return self._series[name]

    def close(self) -> None:
        """Close the file; the next read opens it again."""
        self._series.clear()
        if self._file is not None:
            self._file.close()
            self._file = None


def open_data_set(path: Path) -> DataSetFile:
    """Open the data set `path` and check all but its pixels.

    Raises:
        LearningDataError: the file is missing, damaged, of another format or inconsistent.
    """
    try:
        with h5py.File(path, "r") as file:
            if _text(file.attrs.get("format", "")) != FORMAT:
                raise LearningDataError(f"{path.name}: not a data set of format '{FORMAT}'")
            structures = _structures(file)
            entries = tuple(_entries(file, len(structures)))
            return DataSetFile(path, structures, entries, _defects(reports_in(file)))
    except BROKEN_HDF5 as error:
        raise LearningDataError(
            f"{path.name}: not a readable data set of docs/data_sets.md ({message_of(error)})"
        ) from error


def _structures(file: Any) -> tuple[Structure, ...]:
    structures = tuple(
        Structure(str(one["name"]), _color(one["color_rgb"]), str(one["interpreted_type"]))
        for one in json.loads(_text(file.attrs["structures"]))
    )
    if not structures or len({one.name for one in structures}) != len(structures):
        raise _InconsistentError("no structures, or two of one name")
    return structures


def _color(values: Any) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in values)
    return red, green, blue


def reports_in(file: Any) -> dict[str, dict[str, Any]]:
    """Preparation reports by patient key, from the open data set `file`."""
    if "reports" not in file:
        return {}
    return {key: json.loads(_text(value[()])) for key, value in file["reports"].items()}


def _defects(reports: dict[str, dict[str, Any]]) -> tuple[Defect, ...]:
    findings = (one for report in reports.values() for one in report["findings"])
    return tuple(Defect(one["key"], one["words"]) for one in findings if one["left_out"])


def _entries(file: Any, structures: int) -> Iterator[SampleEntry]:
    for patient, all_series in sorted(file["patients"].items()):
        for name, group in sorted(all_series.items()):
            yield from _series_entries(group, patient, name, structures)


def _series_entries(group: Any, patient: str, name: str, structures: int) -> Iterator[SampleEntry]:
    images, masks = group["images"], group["masks"]
    count, rows, columns = images.shape
    spacings = np.asarray(group["pixel_spacing_mm"][()], np.float64)
    known = np.asarray(group["known"][()], np.bool_)
    numbers, digests = _texts(group["numbers"]), _texts(group["digests"])
    found = masks.shape, spacings.shape, known.shape, len(numbers), len(digests)
    expected = (count, structures, rows, columns), (count, 2), (count, structures), count, count
    if found != expected:
        raise _InconsistentError(f"series {patient}/{name} has shapes {found}, expected {expected}")
    if not (np.isfinite(spacings).all() and (spacings > 0).all()):
        raise _InconsistentError(
            f"series {patient}/{name} has pixel spacings that are not above 0 mm"
        )
    modality = _text(group.attrs["modality"])
    for index in range(count):
        yield SampleEntry(
            key=f"{patient}/{numbers[index]}",
            patient=patient,
            series=name,
            index=index,
            shape=(rows, columns),
            pixel_spacing_mm=(float(spacings[index, 0]), float(spacings[index, 1])),
            known=tuple(known[index].tolist()),
            modality=modality,
            digest=digests[index],
        )


def _texts(dataset: Any) -> list[str]:
    """Read fixed-length strings only: a damaged file with others can keep HDF5 reading forever."""
    if dataset.dtype.kind != "S":
        raise _InconsistentError(
            f"{dataset.name} holds {dataset.dtype}, expected strings of one length"
        )
    return [value.decode() for value in dataset[()].tolist()]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def message_of(error: Exception) -> str:
    """What is wrong with a data set in our own words, none of the HDF5 library's."""
    if isinstance(error, _InconsistentError):
        return str(error)
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return "expected the tables of docs/data_sets.md, found a damaged file or others"


class _InconsistentError(ValueError):
    """Tables that do not fit together; its words are our own."""


def _close(reference: "weakref.ref[_Handle]") -> None:
    handle = reference()
    if handle is not None:
        handle.close()

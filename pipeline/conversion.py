"""Conversion from DICOM to HDF5 and JSON and back, in memory, without file access."""

import hashlib
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileDataset

from core.identity import Provenance
from core.uids import PYDICOM_ROOT_UID
from imaging.hdf5.reader import read_hdf5
from imaging.hdf5.summary import summarise_series
from imaging.hdf5.to_dicom import restore_series
from imaging.hdf5.writer import series_hdf5
from imaging.series.image_series import order_series

_NO_DATE = datetime(1900, 1, 1)  # restored instances have no date of their own

_PIXEL_GROUP = 0x7FE0


@dataclass(frozen=True, slots=True)
class Converted:
    """One series as HDF5, with a summary for JSON."""

    hdf5: bytes
    """Content of an HDF5 file (docs/hdf5.md), without the patient's identity."""
    summary: dict[str, Any]
    """Fields of the JSON file (docs/hdf5.md), with the patient's identity."""


def dicom_to_hdf5(data_sets: Sequence[FileDataset]) -> Converted:
    """Convert the instances of one image series, in any order and any transfer syntax.

    The same instances give the same bytes.

    Raises:
        NotADataSetError: an instance lacks the UIDs that identify it.
        SeriesError: the instances are not one series of one patient.
        GeometryError: an instance has no position, or images differ in size.
        PixelError: pixels are damaged or of an unsupported kind.
    """
    series = order_series(data_sets)
    return Converted(series_hdf5(series), summarise_series(series))


def hdf5_to_dicom(
    hdf5: bytes,
    templates: Sequence[Dataset],
    *,
    root_uid: str = PYDICOM_ROOT_UID,
    name: str = "HDF5",
) -> Iterator[FileDataset]:
    """Make a new series from the content of an HDF5 file: one instance for each slice, in order.

    Patient, study and all else that the file lacks come from `templates`, instances of one image
    series, whose pixels are not used. UIDs derive from both under `root_uid`, so that the same
    input gives the same UIDs and bytes. Errors call the file `name`.

    Raises:
        PixelError: the content is not such a file, or is inconsistent.
        SeriesError: the templates do not fit the file, or each other.
        OutputError: a voxel does not fit into 16 bits.
    """
    volume = read_hdf5(hdf5, name)
    provenance = Provenance(
        job_id=_digest(hdf5, templates),
        root_uid=root_uid,
        created=_NO_DATE,
        pipeline="Made from HDF5" + (", stored values unchanged" if volume.stored else " voxels"),
    )
    return restore_series(volume, templates, provenance)


def _digest(hdf5: bytes, templates: Sequence[Dataset]) -> str:
    """Hash over all input of the new instances."""
    parts = [hashlib.sha256(hdf5).hexdigest(), *sorted(_hash(one) for one in templates)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _hash(data_set: Dataset) -> str:
    tags = [tag for tag in list(data_set.keys()) if tag.group < _PIXEL_GROUP]
    header = deepcopy(Dataset({tag: data_set.get_item(tag) for tag in tags}))  # writing decodes
    memory = BytesIO()
    pydicom.dcmwrite(
        memory, header, implicit_vr=False, little_endian=True, enforce_file_format=False
    )
    return hashlib.sha256(memory.getbuffer()).hexdigest()

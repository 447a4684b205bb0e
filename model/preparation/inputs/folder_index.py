"""Index of the DICOM files in a folder, at any depth: image headers and structure sets."""

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.uid import RTStructureSetStorage

from core.errors import ContourError, NotADataSetError
from imaging.instances.frames import read_headers
from imaging.instances.header import Header
from imaging.rtstruct.reader import StructureSet, read_structure_set
from imaging.series.series import is_image
from model.preparation.pool import in_processes
from model.preparation.report.remarks import Kind, Remark

FilesDone = Callable[[int, int], None]
"""Function called with the number of files read so far, and of all files."""
_FILES_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class RoiName:
    """Name, colour and type of a structure in a structure set."""

    name: str
    color_rgb: tuple[int, int, int] | None
    interpreted_type: str


@dataclass(frozen=True, slots=True)
class SetRecord:
    """UIDs, patient and ROIs of a structure set, to match it with its series."""

    path: Path
    sop_instance_uid: str
    patient_key: str
    frame_uids: tuple[str, ...]
    series_uids: tuple[str, ...]
    image_uids: tuple[str, ...]
    drawn_at: str
    rois: tuple[RoiName, ...]


@dataclass(slots=True)
class FolderIndex:
    """Image series and structure sets in a folder."""

    series: dict[str, list[Header]] = field(default_factory=dict)
    """Images by SeriesInstanceUID, sorted by InstanceNumber."""
    sets: list[SetRecord] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


@dataclass(slots=True)
class _Found:
    """Content of some files."""

    headers: list[Header] = field(default_factory=list)
    sets: list[SetRecord] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Files:
    folder: Path
    paths: tuple[Path, ...]


def index_folder(folder: Path, workers: int, done: FilesDone) -> FolderIndex:
    """Read all files below `folder`, without pixels, in `workers` processes."""
    paths = [Path(root) / name for root, _, names in os.walk(folder) for name in names]
    paths.sort()
    chunks = [
        _Files(folder, tuple(paths[start : start + _FILES_AT_ONCE]))
        for start in range(0, len(paths), _FILES_AT_ONCE)
    ]
    index, count = FolderIndex(), 0
    headers: list[Header] = []
    results = (
        in_processes(_read_files, chunks, min(workers, len(chunks)), died=_died)
        if len(chunks) > workers
        else map(_read_files, chunks)
    )
    for found in results:
        headers += found.headers
        index.sets += found.sets
        index.remarks += found.remarks
        count += _FILES_AT_ONCE
        done(min(count, len(paths)), len(paths))
    _group(headers, index)
    index.sets = list({one.sop_instance_uid: one for one in index.sets}.values())
    return index


def _read_files(files: _Files) -> _Found:
    found = _Found()
    with warnings.catch_warnings():
        # invalid values are reported with their series
        warnings.simplefilter("ignore", UserWarning)
        for path in files.paths:
            try:
                _read(path, found)
            except (NotADataSetError, ContourError) as error:
                is_set = isinstance(error, ContourError)
                kind = Kind.UNREADABLE_SET if is_set else Kind.UNREADABLE_FILE
                name = str(path.relative_to(files.folder))
                what = "structure set" if is_set else "file"
                words = f"{what} {name}: {str(error).partition(': ')[2]}"
                found.remarks.append(Remark(kind, name, words))
    return found


def _read(path: Path, found: _Found) -> None:
    headers = read_headers(path)
    if headers[0].sop_class_uid == RTStructureSetStorage:
        found.sets.append(_record(path, read_structure_set(path)))
    found.headers += [header for header in headers if is_image(header)]


def _record(path: Path, content: StructureSet) -> SetRecord:
    return SetRecord(
        path=path,
        sop_instance_uid=content.sop_instance_uid,
        patient_key=content.patient_key,
        frame_uids=_frame_uids(content),
        series_uids=content.referenced_series_uids,
        image_uids=content.referenced_sop_instance_uids,
        drawn_at=content.drawn_at,
        rois=tuple(RoiName(one.name, one.color_rgb, one.interpreted_type) for one in content.rois),
    )


def _frame_uids(content: StructureSet) -> tuple[str, ...]:
    """Frames of reference of the object and of its structures, each once."""
    of_rois = (roi.frame_of_reference_uid for roi in content.rois)
    return tuple(dict.fromkeys(uid for uid in (*content.frame_of_reference_uids, *of_rois) if uid))


def _group(headers: Sequence[Header], index: FolderIndex) -> None:
    """Group by series; copies count once, other contents under one UID become remarks."""
    known: dict[tuple[str, int | None], Header] = {}
    for header in sorted(headers, key=lambda one: (one.instance_number, str(one.path))):
        first = known.setdefault(header.image, header)
        if first is header:
            index.series.setdefault(header.series_instance_uid, []).append(header)
        elif first.path.read_bytes() != header.path.read_bytes():
            words = f"SOP instance {header.sop_instance_uid} is there twice, with different content"
            index.remarks.append(Remark(Kind.UNSUITABLE_SERIES, header.path.name, words))


def _died(files: _Files) -> _Found:
    words = f"{len(files.paths)} files from {files.paths[0].name} on: their process died"
    return _Found(remarks=[Remark(Kind.FAILED, files.paths[0].name, words)])

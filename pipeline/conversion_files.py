"""File access of the two conversion commands."""

import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset
from pydicom.uid import MediaStorageDirectoryStorage

from core.durable import commit_folder, sync_folder, write_synced
from core.errors import ConfigurationError, NotADataSetError, SeriesError
from imaging.instances.element_words import MODALITIES
from imaging.instances.header import read_header
from imaging.instances.read_errors import READING_ERRORS
from imaging.instances.reading_faults import explain_file
from imaging.instances.whole import check_not_truncated
from imaging.series.series import Series, is_image, is_of_image_class, read_folder

_MAGIC_AT = 128


def image_series(folder: Path) -> tuple[list[Series], list[str]]:
    """Image series in `folder` at any depth, and a line of text for each skipped file.

    Raises:
        NotADataSetError: a DICOM file cannot be read: its series would lack a slice.
        SeriesError: an instance is there twice with different content, or there is no image.
    """
    series, _ = read_folder(folder)
    known = {header.path: header for one in series for header in one.headers}
    by_uid = {header.sop_instance_uid: header.path for header in known.values()}
    skipped = [
        f"{path.relative_to(folder)}: {_why_left_out(path, by_uid)}"
        for path in sorted(path for path in folder.rglob("*") if path.is_file())
        if path not in known
    ]
    images = [
        one for one in series if any(is_image(h) or is_of_image_class(h) for h in one.headers)
    ]
    if not images:
        raise SeriesError(f"{folder}: no DICOM image there")
    return images, skipped


def choose_series(series: Sequence[Series], wanted_uid: str | None) -> Series:
    """Series with the UID `wanted_uid`, or without one the only series.

    Raises:
        ConfigurationError: there is no such series, or there are several.
    """
    chosen = [one for one in series if wanted_uid in (None, one.uid)]
    if len(chosen) == 1:
        return chosen[0]
    found = ", ".join(
        f"{one.uid} ({len(one.headers)} {_told(one.headers[0].modality)})" for one in series
    )
    if wanted_uid is None:
        raise ConfigurationError(
            f"--series: expected the UID of one of {len(series)} series: {found}"
        )
    raise ConfigurationError(f"--series: no series {wanted_uid} there, found {found}")


def _told(modality: str) -> str:
    return modality if modality in MODALITIES else "images"


def read_instances(paths: Sequence[Path], *, pixels: bool) -> list[FileDataset]:
    """Read the data sets in `paths`, with or without pixels.

    Raises:
        NotADataSetError: a file is not a DICOM instance, or is truncated.
    """
    return [_read(path, pixels=pixels) for path in paths]


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Write all files under temporary names, then rename them.

    Raises:
        OSError: the disk fails; no incomplete file is left.
    """
    attempts = {path: _temporary(path) for path in contents}
    try:
        for path, content in contents.items():
            write_synced(attempts[path], content)
        for path, attempt in attempts.items():
            attempt.replace(path)
            sync_folder(path.parent)
    finally:
        for attempt in attempts.values():
            attempt.unlink(missing_ok=True)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Temporary folder to fill, renamed to `folder` at the end unless the block raises.

    Raises:
        OSError: the disk fails, or `folder` is no longer empty.
    """
    attempt = _temporary(folder)
    attempt.mkdir()
    try:
        yield attempt
        if not commit_folder(attempt, folder):
            raise FileExistsError(f"{folder} is no longer empty")
    finally:
        shutil.rmtree(attempt, ignore_errors=True)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(_MAGIC_AT)
        return file.read(4) == b"DICM"


def _why_left_out(path: Path, by_uid: Mapping[str, Path]) -> str:
    """Reason why the file can be skipped; raises if its content would be lost."""
    if not _is_dicom(path):
        return "not a DICOM file"
    try:
        meta = pydicom.filereader.read_file_meta_info(path)
        if meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
            return "a DICOMDIR"
        header = read_header(path)
    except READING_ERRORS as error:
        raise _unreadable(path, error) from error
    if path.read_bytes() == by_uid[header.sop_instance_uid].read_bytes():
        return f"a copy of SOP instance {header.sop_instance_uid}, with the same content"
    raise SeriesError(
        f"{path.name}: SOP instance {header.sop_instance_uid} is there twice, with different "
        "content"
    )


def _unreadable(path: Path, error: Exception) -> NotADataSetError:
    words = explain_file(path, error)
    return NotADataSetError(f"{path.name}: not a readable DICOM instance: {words}")


def _read(path: Path, *, pixels: bool) -> FileDataset:
    try:
        data_set = pydicom.dcmread(path, stop_before_pixels=not pixels)
    except READING_ERRORS as error:
        raise _unreadable(path, error) from error
    if pixels:
        check_not_truncated(data_set, path.stat().st_size)
    return data_set

"""Which of the files and folders that a person names are instances to send."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pydicom

from core.errors import InstanceError, StorageUnavailableError
from imaging.instances.read_errors import READING_ERRORS
from network.scu.outgoing import (
    InstanceToSend,
    check_file_encoding,
    instance_to_send,
    is_dicom_file,
)

_MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was found, in the order in which it is sent: by name, folder by folder."""

    instances: list[InstanceToSend] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    """Files in folders that are not meant to be sent, and why."""
    failed: list[tuple[Path, str]] = field(default_factory=list)
    """Files that should have been sent and cannot be, and why."""


def gather(paths: Iterable[Path]) -> Gathered:
    """Look through `paths`, and through folders at any depth; a file counts once.

    A file that is not DICOM is skipped in a folder and failed where it was named itself; a DICOM
    file that is damaged is failed in both. A DICOMDIR indexes the medium and is no instance.
    """
    gathered, seen = Gathered(), set[tuple[int, int] | Path]()
    for path in paths:
        for file in _files(path):
            identity = _identity(file)
            if identity not in seen:
                seen.add(identity)
                _sort_in(file, gathered, named=file == path)
    return gathered


def _identity(file: Path) -> tuple[int, int] | Path:
    """The same for one file under several names."""
    try:
        found = file.stat()
    except OSError:
        return file
    return found.st_dev, found.st_ino


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from (file for file in sorted(path.rglob("*")) if not file.is_dir())


def _sort_in(file: Path, gathered: Gathered, *, named: bool) -> None:
    unwanted = gathered.failed if named else gathered.skipped
    try:
        instance = instance_to_send(file)
        check_file_encoding(file, instance.transfer_syntax_uid)
        gathered.instances.append(instance)
    except (InstanceError, StorageUnavailableError, OSError) as error:
        if not _is_dicom(file):
            unwanted.append((file, "not a DICOM file"))
        elif _is_directory(file):
            unwanted.append((file, "a DICOMDIR, which is an index and no instance"))
        else:
            gathered.failed.append((file, str(error)))


def _is_dicom(file: Path) -> bool:
    """Also where it cannot be read: it should have been sent, for all that is known."""
    try:
        return is_dicom_file(file)
    except OSError:
        return True


def _is_directory(file: Path) -> bool:
    try:
        meta = pydicom.filereader.read_file_meta_info(file)
    except READING_ERRORS:
        return False  # reading the instance has said what is wrong
    return str(meta.get("MediaStorageSOPClassUID", "")) == _MEDIA_STORAGE_DIRECTORY

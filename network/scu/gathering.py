"""Find the instances to send in the files and folders that a person names."""

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
    """Files that were found, in the order of sending: by name, folder by folder."""

    instances: list[InstanceToSend] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    """Files in folders that are no instances, and why."""
    failed: list[tuple[Path, str]] = field(default_factory=list)
    """Files that should be sent and cannot be, and why."""


def gather(paths: Iterable[Path]) -> Gathered:
    """Search `paths`, and folders at any depth; a file with several names counts once.

    A file that is not DICOM is skipped in a folder, and failed if it was named itself; a damaged
    DICOM file is failed in both cases. A DICOMDIR is an index of a medium and no instance.
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
    """Device and inode, the same under every name of a file; else its path."""
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
    """True for a DICOM file; also for one that cannot be read, as it may be one."""
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

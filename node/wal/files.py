"""Make the files of instances: their folders, and copies out of a segment."""

import os
import threading
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from core.durable import make_folder
from node.scp.spool import write_all
from node.wal.segments import Record

_PIECE_BYTES = 1 << 20
_MOST_KNOWN = 10_000


class InstanceFolders:
    """Makes the folders of series, and knows those whose names are durable; for any thread."""

    def __init__(self, storage_path: Path) -> None:
        self._storage_path = storage_path
        self._lock = threading.Lock()
        self._durable: set[Path] = set()

    def make(self, folder: Path) -> None:
        """Make the folder of a series, that of its study and `instances` durably; raises OSError.

        What retention removed meanwhile is made again.
        """
        with self._lock:
            if folder in self._durable and folder.is_dir():
                return
            self._durable.discard(folder)
            make_folder(folder, below=self._storage_path)
            if len(self._durable) >= _MOST_KNOWN:
                self._durable.clear()
            self._durable.add(folder)


def copy_records(copies: Iterable[tuple[Record, Path]]) -> None:
    """Copy each record's DICOM file to its path, and sync all of them; raises OSError.

    All are written before the first is synced, so that one commit of the file system does for all.
    """
    with ExitStack() as stack:
        written = []
        for record, path in copies:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            stack.callback(os.close, descriptor)
            _copy(record, descriptor)
            _begin_writing_back(descriptor)
            written.append(descriptor)
        for descriptor in written:
            os.fsync(descriptor)


def _copy(record: Record, descriptor: int) -> None:
    with record.segment.open("rb") as source:
        source.seek(record.offset)
        left = record.size
        while left:
            piece = source.read(min(left, _PIECE_BYTES))
            if not piece:
                raise OSError(0, "a segment is cut short")
            write_all(descriptor, memoryview(piece))
            left -= len(piece)


def _begin_writing_back(descriptor: int) -> None:
    """Let the disk begin to write a file; Linux does on this advice."""
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def remove(paths: Iterable[Path]) -> None:
    """Remove files, as far as they exist and can be removed."""
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)

"""The files of instances: their folders, and copies out of a segment."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from core.durable import sync_folder
from node.reception.segments import Record
from node.reception.spool import write_all

_PIECE_BYTES = 1 << 20


def make_folder(folder: Path) -> None:
    """The folder of a series, and that of its study; raises OSError."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        sync_folder(folder.parent)
        sync_folder(folder.parent.parent)


def copy_record(record: Record, path: Path) -> None:
    """The DICOM file of a record as a file, synced."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with record.segment.open("rb") as source:
            source.seek(record.offset)
            left = record.size
            while left:
                piece = source.read(min(left, _PIECE_BYTES))
                if not piece:
                    raise OSError(0, "a segment is cut short")
                write_all(descriptor, memoryview(piece))
                left -= len(piece)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(paths: Iterable[Path]) -> None:
    """As far as they are there and may go."""
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)

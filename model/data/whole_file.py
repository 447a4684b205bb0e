"""An HDF5 file that is either whole on disk or not there."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from core.durable import sync_folder


class GuardedFile(io.FileIO):
    """A file that swallows writes after the first one that fails, and keeps that one's error.

    HDF5 holds a file that the disk cut off open for ever and crashes at exit; so it is told that
    all is well, and whoever gave it the file raises `failure`.
    """

    failure: OSError | None = None

    def write(self, content: Any) -> int:
        """The count of bytes, written or not."""
        view = memoryview(content).cast("B")
        done = 0
        while done < len(view) and self.failure is None:
            try:
                done += super().write(view[done:]) or 0
            except OSError as error:
                self.failure = error
        if self.failure is not None:
            self.seek(len(view) - done, io.SEEK_CUR)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """The size asked for, reached or not."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.failure = self.failure or error
            return size or 0


@contextmanager
def whole_hdf5(path: Path, copy_of: Path | None = None) -> Iterator[Any]:
    """An open HDF5 file, empty or with what `copy_of` holds, that becomes `path` at the end.

    When the block raises, or the process dies, `path` stays as it was.

    Raises:
        OSError: the disk is full, read-only or gone.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    try:
        if copy_of is not None:
            _copy(copy_of, temporary)
        with GuardedFile(temporary, "r+" if copy_of else "x+") as raw:
            with h5py.File(raw, "r+" if copy_of else "w", track_order=False) as file:
                yield file
            if raw.failure is not None:
                raise raw.failure
            os.fsync(raw.fileno())
        temporary.rename(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as reading, target.open("xb") as writing:
        while block := reading.read(1 << 24):
            writing.write(block)

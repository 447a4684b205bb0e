"""HDF5 files that appear on disk complete or not at all."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from core.durable import sync_folder


class GuardedFile(io.FileIO):
    """File that ignores writes after the first failed one and keeps its error in `failure`.

    After a failed write HDF5 keeps the file open for ever and crashes at exit; so writes seem to
    succeed, and the caller raises `failure` once HDF5 has closed the file.
    """

    failure: OSError | None = None

    def write(self, content: Any) -> int:
        """Write `content`; returns its length even if the write failed."""
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
        """Change the file's size; returns `size` even if that failed."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.failure = self.failure or error
            return size or 0


@contextmanager
def whole_hdf5(path: Path, copy_of: Path | None = None) -> Iterator[Any]:
    """Open HDF5 file, empty or a copy of `copy_of`, that is renamed to `path` at the end.

    If the block raises, or the process dies, `path` is unchanged.

    Raises:
        OSError: the disk is full, read-only or missing.
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

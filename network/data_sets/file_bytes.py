"""Access the bytes of a data set in an open file, which are read as they are needed.

The file is not mapped into memory: if a mapped file is truncated or its disk fails, the next access
is a signal (SIGBUS) that ends the process, and every association with it.
"""

import os

from core.errors import StorageUnavailableError

_WINDOW_BYTES = 8192  # elements lie close together, frames far apart


class FileBytes:
    """Length and slices of a data set in a file, for a walk through elements; for one thread."""

    def __init__(self, descriptor: int, begin: int, size: int) -> None:
        """The `size` bytes from `begin` on; the caller closes the descriptor."""
        self._descriptor = descriptor
        self._begin = begin
        self._size = size
        self._window, self._window_at = b"", 0

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        """Read a slice without a step; raises StorageUnavailableError if the file fails."""
        start, stop, _ = part.indices(self._size)
        at = start - self._window_at
        if at < 0 or stop - self._window_at > len(self._window):
            if stop - start > _WINDOW_BYTES:
                return self._read(start, stop)
            self._window = self._read(start, min(start + _WINDOW_BYTES, self._size))
            self._window_at, at = start, 0
        return self._window[at : at + max(0, stop - start)]

    def __bytes__(self) -> bytes:
        return self._read(0, self._size)

    def _read(self, start: int, stop: int) -> bytes:
        pieces, position = [], start
        while position < stop:  # one call reads at most 2 GB
            try:
                piece = os.pread(self._descriptor, stop - position, self._begin + position)
            except OSError as error:
                raise StorageUnavailableError(f"Storage failed: {error.strerror}") from error
            if not piece:
                raise StorageUnavailableError("Storage failed: a file became shorter")
            pieces.append(piece)
            position += len(piece)
        return b"".join(pieces)


Buffer = bytes | memoryview
"""An encoded data set in memory."""
DataSet = Buffer | FileBytes
"""An encoded data set in memory or in a file."""


def in_memory(data_set: DataSet) -> Buffer:
    """Read a data set into memory, if it is not there already."""
    return bytes(data_set) if isinstance(data_set, FileBytes) else data_set

"""The bytes of a data set within an open file, read where they are looked at.

They are read and not mapped: of a mapped file that somebody cuts off, or whose disk fails, the
next look is a signal (SIGBUS) that ends the process, and every association with it.
"""

import os

from core.errors import StorageUnavailableError

_WINDOW_BYTES = 8192  # elements lie close together, frames far apart


class FileBytes:
    """As much of `bytes` as one needs who walks through elements; used by one thread."""

    def __init__(self, descriptor: int, begin: int, size: int) -> None:
        """`size` bytes from `begin` on; who opened the descriptor closes it."""
        self._descriptor = descriptor
        self._begin = begin
        self._size = size
        self._window, self._window_at = b"", 0

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        """A copy of a part without a step; raises StorageUnavailableError where it is gone."""
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
    """All of it."""
    return bytes(data_set) if isinstance(data_set, FileBytes) else data_set
